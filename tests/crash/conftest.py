"""One system for this room's tests: the short form of `make crash` has been run on it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.crash import run
from tests.crash.system import System, running

SEED, OPERATIONS, EVERY = 7, 400, 45


@dataclass(frozen=True)
class Crashed:
    system: System
    outcome: run.Outcome


@pytest.fixture(scope="session")
def crashed() -> Iterator[Crashed]:
    with running() as system:
        yield Crashed(system, run.crash(system, seed=SEED, operations=OPERATIONS, every=EVERY))
