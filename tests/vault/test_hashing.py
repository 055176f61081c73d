"""Argon2id, bounded: how many at once, how many wait, and who is refused."""

import asyncio
import base64
import threading
import time

import pytest
from argon2.low_level import Type, hash_secret

from noren_vault.errors import Busy
from noren_vault.hashing import COST, Cost, Hashing, argon2id, cores

CHEAP = Cost(64, 1, 1)
SALT = bytes(32)


class Watched:
    """Real hashing that counts how many run at once, each for so long that others would run beside it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = self.most = 0

    def __call__(self, password: bytes, salt: bytes, cost: Cost) -> bytes:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.02)
        hashed = argon2id(password, salt, cost)
        with self.lock:
            self.running -= 1
        return hashed


def _rush(hashing: Hashing, count: int) -> list[bytes | BaseException]:
    async def rush() -> list[bytes | BaseException]:
        tries = (hashing.run(b"x", SALT, CHEAP) for _ in range(count))
        return await asyncio.gather(*tries, return_exceptions=True)

    return asyncio.run(rush())


def test_it_is_argon2id_of_the_stated_cost() -> None:
    """The reference encoding of the same input names Argon2id and its cost, and ends in our hash."""
    whole = hash_secret(b"secret", SALT, 2, 19_456, 1, 32, Type.ID).decode()
    assert whole.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert base64.b64decode(whole.rsplit("$", 1)[1] + "=") == argon2id(b"secret", SALT, COST)


def test_it_runs_no_more_at_once_than_it_may() -> None:
    """Thirty at once on a bound of two: two ran beside each other, and all were done."""
    watched = Watched()
    done = _rush(Hashing(at_once=2, waiting=28, work=watched), 30)
    assert watched.most == 2
    assert set(done) == {argon2id(b"x", SALT, CHEAP)}


def test_it_would_run_more_without_the_bound() -> None:
    """The control: the same rush on a bound that does not bind runs more at once."""
    watched = Watched()
    _rush(Hashing(at_once=30, waiting=0, work=watched), 30)
    assert watched.most > 2


def test_it_refuses_who_would_stand_too_far_back() -> None:
    """Beyond the queue it is Busy, at once; afterwards there is room again."""
    hashing = Hashing(at_once=1, waiting=2, work=Watched())
    done = _rush(hashing, 8)
    assert [type(one) for one in done].count(Busy) == 5
    assert not [one for one in _rush(hashing, 3) if isinstance(one, BaseException)]


def test_it_counts_a_hash_that_nobody_waits_for_any_more() -> None:
    """Who gives up does not make room: the hash still runs, and takes its memory."""
    hashing = Hashing(at_once=1, waiting=0, work=Watched())

    async def give_up() -> None:
        task = asyncio.create_task(hashing.run(b"x", SALT, CHEAP))
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(Busy):
            await hashing.run(b"x", SALT, CHEAP)

    asyncio.run(give_up())


def test_it_lets_the_loop_go_on() -> None:
    """While real hashes run, the loop turns."""

    async def turn() -> int:
        task = asyncio.create_task(Hashing(at_once=1).run(b"x", SALT))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(turn()) > 10


def test_it_takes_as_many_as_cores_and_says_how_much_memory() -> None:
    """One a core, never past 256 MiB; the figure is told."""
    hashing = Hashing()
    assert hashing.at_once == cores() >= 1
    assert hashing.memory_kib == hashing.at_once * 19_456 <= 256 * 1024
    assert hashing.most == hashing.at_once * 9
