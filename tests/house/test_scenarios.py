"""The table of scenarios: each of vault and ledger is there, and what it names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "drills" / "README.md"
ROWS = dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
WANTED = {str(number) for number in (*range(1, 7), *range(9, 13), *range(14, 34), *range(35, 42))}
NAMED = sorted({found for row in ROWS.values() for found in re.findall(r"`(tests/[^`]+)`", row)})


def test_it_has_every_scenario_of_vault_and_ledger() -> None:
    assert ROWS.keys() == WANTED


@pytest.mark.parametrize("number", ROWS)
def test_it_names_a_test_or_a_drill_for_each(number: str) -> None:
    assert "`tests/" in ROWS[number] or "drill [" in ROWS[number]


@pytest.mark.parametrize("named", NAMED)
def test_it_names_tests_that_are_there(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert function in there


def test_it_lists_every_drill() -> None:
    drills = {path.name for path in PAGE.parent.glob("[0-9]*.md")}
    assert drills == set(re.findall(r"\]\((\d\d-[a-z-]+\.md)\)", PAGE.read_text(encoding="utf-8")))
