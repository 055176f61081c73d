"""Credential stuffing in short: 300 pairs, three of them true, while honest people sign in."""

import asyncio
from collections import Counter
from unittest import mock

from bench.stuffing import CASES, run
from noren_vault import levels
from noren_vault.levels import Bound
from tests.servers import Sink
from tests.vault.conftest import Bench

PAIRS = 300
# Of 300 pairs as of 10,000: a thirtieth is looked at before sign-in as a whole counts as attacked.
FEW = Bound(10, 100)


def _tried(bench: Bench, mail: Sink, name: str) -> Counter[str]:
    [case] = [one for one in CASES if one.name == name]
    with mock.patch.object(levels, "EVERYBODY", FEW):
        return asyncio.run(run(bench.configured, mail, case, pairs=PAIRS, seed=7))


def test_it_lets_everything_in_without_a_defence(bench: Bench, mail: Sink) -> None:
    """The control: every true pair gets in, and every pair is looked at."""
    seen = _tried(bench, mail, "none")
    assert (seen["in"], seen["looked_at"], seen["challenged"]) == (3, PAIRS, 0)


def test_it_lets_hardly_anything_in(bench: Bench, mail: Sink) -> None:
    """Without puzzles solved: what was looked at before the bound. Honest people all get in."""
    seen = _tried(bench, mail, "all")
    assert seen["looked_at"] <= FEW.short + 3
    assert seen["in"] <= 1
    _unhurt(seen)


def test_it_stops_who_solves_every_puzzle_by_a_mailed_code(bench: Bench, mail: Sink) -> None:
    """Every pair is paid for and looked at; the true ones end at the owners' mailboxes."""
    seen = _tried(bench, mail, "all_solving")
    assert seen["looked_at"] == PAIRS
    assert seen["in"] <= 1
    assert seen["stopped_by_code"] + seen["in"] == 3
    assert seen["hashes"] > (PAIRS - FEW.short - 5) * 2**17
    _unhurt(seen)


def _unhurt(seen: Counter[str]) -> None:
    """All got in, from their own browsers without being asked for anything."""
    assert seen["honest_refused"] == 0
    assert seen["honest_in"] == seen["honest_own"] + seen["honest_new"] > 0
    assert seen["honest_own_challenged"] == seen["honest_own_code"] == 0
