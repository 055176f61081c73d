"""The short form of `make soak`, and its control: a leak is seen."""

import os
import random

import pytest

from tests.crash import memory, soak
from tests.crash.conftest import Crashed

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]
HOUR = range(60)


def test_it_stays_flat_under_load(crashed: Crashed) -> None:
    done = soak.soak(crashed.system, seed=8, seconds=24, rate=8, every=1)
    assert done.faults() == []
    assert done.load.number > 50
    assert set(done.read) == {f"{page} 200" for page in ("shop", "times", "today", "day")}
    lines = {line.name: line for line in done.lines()}
    assert all(lines[name].early > 5 for name in ("web", "worker", "vault", "supervisor"))
    assert all(lines[f"connections to the {side} database"].early >= 1 for side in ("app", "vault"))
    growing = [line.words() for line in lines.values() if not line.flat and "database" not in line.name]
    assert growing == []


def _noise(megabytes: float) -> float:
    return megabytes + random.Random(megabytes).uniform(-2, 2)


def test_its_rule_calls_flat_what_fills_up_once_and_then_stays() -> None:
    assert memory.judge("web", [_noise(100 + min(minute, 12) * 4) for minute in HOUR]).flat


@pytest.mark.parametrize("base", [40, 150])
def test_its_rule_sees_a_leak(base: int) -> None:
    """Half a megabyte a minute; over a day it would be 700."""
    line = memory.judge("web", [_noise(base + minute / 2) for minute in HOUR])
    assert not line.flat
    assert line.words().startswith("FAIL web: ")


def test_its_rule_sees_connections_that_are_never_given_back() -> None:
    samples = [{"connections to the app database": 6 + minute // 5} for minute in HOUR]
    assert [line.flat for line in memory.verdict(samples)] == [False]


def test_it_sees_the_memory_that_a_process_has_taken() -> None:
    before = memory.private(os.getpid())
    taken = os.urandom(50_000_000)
    assert memory.private(os.getpid()) - before > 40
    assert len(taken) == 50_000_000
