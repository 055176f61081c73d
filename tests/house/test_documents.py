"""What is written down is there, and what is there is written down."""

import re
from pathlib import Path

import pytest

from noren.cli import COMMANDS
from noren.runtime.env import NAMES

ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("name", NAMES)
def test_it_documents_every_setting(name: str) -> None:
    assert f"`{name}`" in SETTINGS


def test_it_documents_no_setting_that_is_not_there() -> None:
    told = {
        name for page in PAGES for name in re.findall(r"\bNOREN_[A-Z_]+\b", page.read_text(encoding="utf-8"))
    }
    assert {name for name in told if not name.startswith("NOREN_VAULT_")} <= set(NAMES)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command.words))
def test_it_documents_every_command(command: object) -> None:
    words = " ".join(getattr(command, "words", ()))
    assert any(f"noren {words}" in page.read_text(encoding="utf-8") for page in PAGES)


def test_it_explains_every_target_of_make() -> None:
    targets = set(re.findall(r"^([a-z%-]+):", MAKEFILE, re.MULTILINE))
    explained = set(re.findall(r"^([a-z%-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert targets == explained


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_points_to_pages_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_it_numbers_decisions_once() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
