"""Rules of the house that no other tool keeps: sizes, names, clocks, saves, words, templates."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sorted(
    path
    for folder in ("src", "tests", "bench", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if "vendor" not in path.parts
)
OURS = [path for path in PYTHON if path.is_relative_to(ROOT / "src")]
SQL = sorted((ROOT / "src").rglob("*.sql"))
TEMPLATES = sorted((ROOT / "src").rglob("templates/**/*.html"))
PROSE = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").glob("*.toml")]
BUSINESS = ("shops", "booking", "accounts", "messages", "incidents", "people", "api", "web")


def _where(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}{'' if line is None else f':{line}'}"


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _lines(paths: list[Path], wrong: Callable[[str], object]) -> list[str]:
    return [
        _where(path, number)
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if wrong(line)
    ]


# -- sizes


def test_it_keeps_files_short() -> None:
    """A file of more than 400 lines with words on them (tests: 800) is two rooms."""
    long = []
    for path in PYTHON:
        written = sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
        if written > (800 if path.is_relative_to(ROOT / "tests") else 400):
            long.append(f"{_where(path)} has {written}")
    assert not long


def test_it_keeps_functions_short() -> None:
    long = [
        f"{_where(path, node.lineno)} {node.name}"
        for path in PYTHON
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert not long


# -- writing


def _saves(node: ast.AST) -> bool:
    """Whether this is `x.save()` of a whole row: a lost update waits in it. A picture has a format."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
        and not any(word.arg in ("update_fields", "force_insert", "format") for word in node.keywords)
    )


def test_it_saves_no_whole_row() -> None:
    found = [_where(path, getattr(n, "lineno", 0)) for path in OURS for n in _nodes(path) if _saves(n)]
    assert not found


def test_it_knows_a_bare_save_when_it_sees_one() -> None:
    bare, fine = ["row.save()", "row.save(using='x')"], ["row.save(update_fields=['a'])", "store.load()"]
    calls = [*bare, *fine, "image.save(out, format='WEBP')"]
    assert [_saves(ast.parse(call, mode="eval").body) for call in calls] == [True] * 2 + [False] * 3


_CLOCK = re.compile(
    r"\b(now\s*\(\s*\)|current_timestamp|current_date|localtimestamp|(clock|statement|transaction)_timestamp\s*\()",
    re.IGNORECASE,
)


def _sql(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in the code that is a statement or a part of one."""
    verbs = re.compile(r"\b(select|insert|update|delete|where|values|function)\b", re.IGNORECASE)
    for node in _nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and verbs.search(node.value):
            yield node.lineno, node.value


def test_it_asks_no_clock_in_sql() -> None:
    """`now` is an argument, also of every SQL function (design W6)."""
    in_files = _lines(SQL, lambda line: _CLOCK.search(line.partition("--")[0]))
    in_code = [
        _where(path, line)
        for path in OURS
        if not path.is_relative_to(ROOT / "src/noren/runtime")
        for line, text in _sql(path)
        if _CLOCK.search(text) and "clock.now()" not in text
    ]
    assert not in_files + in_code


def test_it_asks_the_systems_clock_in_one_place_a_side() -> None:
    """The app's is noren.clock; the vault and the supervisor have their own."""
    found = [
        _where(path, node.lineno)
        for path in OURS
        if any(path.is_relative_to(ROOT / "src/noren" / room) for room in (*BUSINESS, "engine"))
        for node in _nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date", "timezone")
    ]
    assert not found


def test_it_reads_the_environment_in_the_runtime_only() -> None:
    allowed = (ROOT / "src/noren/runtime", ROOT / "src/noren_vault")
    edges = {ROOT / "src/noren/cli.py", ROOT / "src/noren/web/wsgi.py"}
    found = [
        _where(path, node.lineno)
        for path in OURS
        if path not in edges and not any(path.is_relative_to(folder) for folder in allowed)
        for node in _nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    assert not found


# -- words


def test_it_leaves_nothing_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    here = Path(__file__)
    assert not _lines([p for p in [*PYTHON, *SQL, *TEMPLATES] if p != here], later.search)


def test_it_names_no_room_utils() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert not [_where(path) for path in PYTHON if {path.stem, path.parent.name} & nothing]


def test_it_says_only_what_is_of_this_house() -> None:
    """No path of a machine, no maker's tools, no address of a registry."""
    foreign = re.compile(r"/root/|/home/|/Users/|\bsub-?agents?\b|\bLLM\b|\bAI-generated\b", re.IGNORECASE)
    # Written for those who start it as root, and about users of the system.
    told = {ROOT / "bin/venv", Path(__file__)}
    scripts = [p for p in [*(ROOT / "bin").iterdir(), ROOT / "Makefile", ROOT / ".ci/run"] if p not in told]
    texts = [path for path in [*PYTHON, *SQL, *TEMPLATES, *PROSE, *scripts] if path not in told]
    assert not _lines(texts, foreign.search)


def test_it_locks_without_an_address() -> None:
    """The lock names versions and hashes; where they come from is each machine's own matter."""
    address = re.compile(r"https?://|file:|--(extra-)?index-url|--find-links|\s@\s")
    lock = ROOT / "requirements.txt"
    assert not _lines([lock], address.search)
    assert "--hash=sha256:" in lock.read_text(encoding="utf-8")


# -- tests


def _tests() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in PYTHON:
        if path.name.startswith("test_"):
            for node in _nodes(path):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    yield path, node


@pytest.mark.parametrize("room", ["ledger", "vault"])
def test_it_says_in_a_sentence_what_each_test_of_the_vault_shows(room: str) -> None:
    silent = [
        f"{_where(path, node.lineno)} {node.name}"
        for path, node in _tests()
        if path.is_relative_to(ROOT / "tests" / room) and not ast.get_docstring(node)
    ]
    assert not silent


def test_it_skips_no_test_silently() -> None:
    """A skip says why; nothing is expected to fail."""
    bare = re.compile(r"mark\.(xfail|skip\b(?!if))|importorskip")
    tests = [path for path in PYTHON if path.is_relative_to(ROOT / "tests") and path != Path(__file__)]
    assert not _lines(tests, bare.search)


# -- templates


_UNSAFE = {
    "a script in the page": r"<script(?![^>]*\bsrc=)",
    "a style in the page": r"<style|\sstyle\s*=",
    "a handler in the page": r"\son[a-z]+\s*=",
    "text taken for markup": r"\|\s*safe\b|autoescape off",
    "another site": r"(src|href|action)\s*=\s*[\"']?(https?:)?//",
    "a javascript: address": r"javascript:",
}


@pytest.mark.parametrize("fault", _UNSAFE)
def test_it_keeps_templates_within_the_policy(fault: str) -> None:
    """What the content security policy would stop in the browser does not get so far."""
    assert TEMPLATES
    assert not _lines(TEMPLATES, re.compile(_UNSAFE[fault], re.IGNORECASE).search)


def test_it_gives_every_form_that_writes_its_token() -> None:
    forms = re.compile(r"<form\b[^>]*method=[\"']?post.*?</form>", re.IGNORECASE | re.DOTALL)
    bare = [
        _where(path)
        for path in TEMPLATES
        for form in forms.findall(path.read_text(encoding="utf-8"))
        if "csrf_token" not in form
    ]
    assert not bare
