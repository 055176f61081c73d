"""A sample of `make mutate`: two small files of the engine, each held by its own tests alone."""

import shutil
from pathlib import Path

import pytest

from tests.mutation.run import ROOT, Change, explained, mutate, survivors

pytestmark = pytest.mark.timeout(900)
SAMPLE = ("classes", "windows")
TOY = "def more(one: int, other: int) -> bool:\n    return one > other\n"
WEAK = "from noren.engine import toy\n\n\ndef test_it() -> None:\n    assert toy.more(2, 1)\n"
STRONG = f"{WEAK}    assert not toy.more(1, 1)\n"


def checkout(top: Path, *modules: str) -> Path:
    """Lay out the engine; only these files are changed, only their tests are asked."""
    for folder in ("src/noren/engine", "tests/engine", "tests/mutation"):
        shutil.copytree(ROOT / folder, top / folder)
    shutil.copy(ROOT / "src/noren/__init__.py", top / "src/noren")
    given = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tests = ", ".join(f'"tests/engine/test_{module}.py"' for module in modules)
    changed = ", ".join(f'"src/noren/engine/{module}.py"' for module in modules)
    given = given.replace('"src/noren/engine/*.py"', changed).replace('"tests/engine"', tests)
    (top / "pyproject.toml").write_text(given, encoding="utf-8")
    return top


def test_each_mutant_of_the_sample_is_killed_or_explained(tmp_path: Path) -> None:
    top = checkout(tmp_path, *SAMPLE)
    statuses = mutate(top, SAMPLE)
    assert len(statuses) > 100
    assert set(survivors(top, statuses)) <= set(explained())


@pytest.mark.parametrize(
    ("tests", "left"),
    [(WEAK, [Change("toy.more", "return one > other", "return one >= other")]), (STRONG, [])],
)
def test_a_mutant_lives_as_long_as_no_test_asks(tmp_path: Path, tests: str, left: list[Change]) -> None:
    top = checkout(tmp_path, "toy")
    (top / "src/noren/engine/toy.py").write_text(TOY, encoding="utf-8")
    (top / "tests/engine/test_toy.py").write_text(tests, encoding="utf-8")
    assert survivors(top, mutate(top, ["toy"])) == left


@pytest.mark.parametrize("change", explained(), ids=str)
def test_an_explained_mutant_is_of_a_line_that_is_there(change: Change) -> None:
    module = change.place.partition(".")[0]
    source = (ROOT / f"src/noren/engine/{module}.py").read_text(encoding="utf-8")
    assert change.was in " ".join(source.split())
