"""Answers that leave at a fixed moment: refusals, answers, faults; what took longer at the next."""

import asyncio
import math
from contextlib import nullcontext

import pytest

from noren_vault.errors import PasswordRefused
from noren_vault.even import METHODS, evenly
from noren_vault.vault import Vault
from tests.vault.conftest import Bench


class Clock:
    """A loop's clock that only sleeping moves."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        patch.setattr("noren_vault.even.asyncio.get_running_loop", lambda: self)
        patch.setattr("noren_vault.even.asyncio.sleep", self.sleep)

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("method", "took", "left"),
    [
        ("password_check", 0.0, 0.25),
        ("password_check", 0.07, 0.25),
        ("own_begin", 0.249, 0.25),
        ("own_finish", 0.26, 0.5),
        ("reveal", 0.07, 0.07),
    ],
)
def test_it_answers_at_the_next_step(
    monkeypatch: pytest.MonkeyPatch, method: str, took: float, left: float
) -> None:
    """However long it took, and when it is refused, too, it leaves at a multiple; other methods at once."""

    async def act(*, refused: bool) -> float:
        clock = Clock(monkeypatch)
        begun = clock.now
        with pytest.raises(PasswordRefused) if refused else nullcontext():
            async with evenly(method):
                clock.now += took
                if refused:
                    raise PasswordRefused
        return clock.now - begun

    for refused in (False, True):
        assert math.isclose(asyncio.run(act(refused=refused)), left)


def test_it_names_methods_that_are_there(bench: Bench) -> None:
    """A method that was renamed does not lose its moment unseen."""

    async def act(vault: Vault) -> None:
        assert set(vault.methods._methods) >= METHODS

    bench.run(act)
