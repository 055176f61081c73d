"""The page on OWASP ASVS answers each requirement once, and what it names is there."""

import ast
import csv
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
LIST = (Path(__file__).parent / "asvs.csv").read_text(encoding="utf-8").splitlines()
LEVELS = {one["id"]: one["level"] for one in csv.DictReader(line for line in LIST if line[0] != "#")}
STATES = ("met", "partly", "not met", "does not apply")
# Each line that answers something, whatever is wrong with it: id, level, state, where.
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\|\s*V?\d+\.\d+", line)
]
# What looks like a path from the root, with a test in it or not.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+(?:::\w+)?|[\w-]+\.\w+)`")
NAMED = sorted({named for row in ROWS for named in PATH.findall(row[-1])})


def test_it_has_every_requirement_of_three_chapters() -> None:
    assert Counter(one.partition(".")[0] for one in LEVELS) == {"V6": 47, "V7": 19, "V8": 13}


def test_it_answers_each_requirement_once_in_order_and_no_other() -> None:
    assert [row[0] for row in ROWS] == list(LEVELS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_it_says_how_each_stands_and_where(row: list[str]) -> None:
    _, level, state, where = row
    assert level == LEVELS.get(row[0])
    assert state in STATES
    assert where


@pytest.mark.parametrize("row", [row for row in ROWS if row[2:3] == ["met"]], ids=lambda row: row[0])
def test_it_names_what_meets_a_requirement(row: list[str]) -> None:
    """A file, or a part of the page itself."""
    assert PATH.search(row[-1]) or re.search(r"\babove\b|\bsame place\b", row[-1], re.IGNORECASE)


@pytest.mark.parametrize("named", NAMED)
def test_it_names_files_and_tests_that_are_there(named: str) -> None:
    file, _, function = named.partition("::")
    assert (ROOT / file).is_file()
    if function:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_it_counts_them_rightly() -> None:
    found = Counter(row[2] for row in ROWS)
    told = ", ".join(f"{found[state]} {state}" for state in STATES)
    assert f"Of {len(LEVELS)}: {told}." in PAGE
