"""Which passwords may be chosen: each rule with what it refuses, and what it must let through."""

import subprocess
import sys
from pathlib import Path

import pytest

from noren_vault import password_rules as rules
from noren_vault.errors import BadPassword

OWN = ["aoi.sato@staff.example.jp", "佐藤 葵", "aoi.salon", "salon", "noren"]
GOOD = [
    "correct horse battery staple",
    "ひみつのことばはながいほうがいい",
    "x7!x7!x8?qq1Z.",
    "          spaces   count    ",
    "salon noren umbrella",
    "🐙🦑🦐🦞🦀🐡🐠🐟🐬🐳🐋🦈🐊🐅🐆",
]


def _reason(text: str, *, least: int = 15) -> str:
    with pytest.raises(BadPassword) as refused:
        rules.check(text, least=least, words=OWN)
    return str(refused.value.facts["reason"])


@pytest.mark.parametrize("text", GOOD)
def test_it_takes_any_text_that_nobody_guesses(text: str) -> None:
    """Spaces, Japanese, signs, emoji; no rule on what it is composed of."""
    rules.check(text, least=14, words=OWN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fourteen signs", "too_short"),
        ("x" * 257, "too_long"),
        ("1Qaz2wsx3edc4rfv", "common"),
        ("Characteristically", "common"),
        ("Passwordpassword", "common"),
        ("ａｄｍｉｎｉｓｔｒａｔｏｒadministrator", "common"),
        ("123456789012345", "pattern"),
        ("987654321098765", "pattern"),
        ("abcdefghijklmnop", "pattern"),
        ("zzzzzzzzzzzzzzz", "pattern"),
        ("qwertyqwertyqwerty", "pattern"),
        ("noren-salon-2026!!", "own_words"),
        ("AoiSato.AoiSato.", "own_words"),
        ("佐藤葵salon2026-11-27", "own_words"),
        ("broken \udc80 surrogate", "not_text"),
    ],
)
def test_it_refuses_with_the_reason(text: str, reason: str) -> None:
    """Each reason of the closed list."""
    assert _reason(text) == reason


def test_it_counts_code_points_after_nfc() -> None:
    """Two code points that NFC makes one count as one, and an emoji as one: 15 alone, 8 beside a factor."""
    assert _reason("e\u0301" * 2 + "x1y2z3w4v5u6") == "too_short"
    rules.check("e\u0301" * 2 + "x1y2z3w4v5u6t", least=15, words=OWN)
    assert _reason("x1y2z3w", least=8) == "too_short"
    rules.check("x1y2z3w4", least=8, words=OWN)
    assert rules.prepared("e\u0301") == rules.prepared("\u00e9") == "\u00e9".encode()


def test_it_tells_the_bounds_with_a_refusal() -> None:
    """Least and most go with the reason, so that a page can say them."""
    with pytest.raises(BadPassword) as refused:
        rules.check("short", least=8, words=[])
    assert refused.value.facts == {"reason": "too_short", "least": 8, "most": 256}


def test_it_asks_another_blocklist_where_one_is_given() -> None:
    """The list is a function: who has a larger one hands it in."""
    rules.check("a password of my own", least=15, words=[])
    with pytest.raises(BadPassword):
        rules.check("a password of my own", least=15, words=[], common=lambda text: "own" in text)


def test_it_bundles_a_list_that_its_script_makes() -> None:
    """It has tens of thousands of entries, none too short to matter, and is what `bin/blocklist` gives."""
    assert len(rules.blocklist()) > 45_000
    assert min(len(one) for one in rules.blocklist()) >= rules.LEAST_WITH_SECOND
    script = Path(__file__).parents[2] / "bin" / "blocklist"
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0
