"""Argon2id (RFC 9106), bounded: as many at once as there are cores, a short queue, and then a refusal.

One hash takes some 20 MiB and tens of milliseconds of a core. It runs in a thread (the library lets go of the
interpreter's lock), so the vault answers others meanwhile; without the bound a few hundred sign-ins at once
would take its memory.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog
from argon2.low_level import Type, hash_secret_raw

from noren_vault.errors import Busy

HASH_BYTES: Final = 32
SALT_BYTES: Final = 32
_MOST_MEMORY_KIB: Final = 256 * 1024
_WAITING_FOR_EACH: Final = 8
_log = structlog.get_logger("hashing")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one hash costs: memory in KiB, passes over it, lanes side by side. Stored with each hash."""

    memory_kib: int
    passes: int
    lanes: int


# OWASP's Password Storage Cheat Sheet: one of its equally strong settings for Argon2id.
COST: Final = Cost(19_456, 2, 1)
Work = Callable[[bytes, bytes, Cost], bytes]


def argon2id(password: bytes, salt: bytes, cost: Cost) -> bytes:
    """Hash, now and here: 32 bytes."""
    return hash_secret_raw(
        secret=password,
        salt=salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=HASH_BYTES,
        type=Type.ID,
    )


def cores() -> int:
    """How many cores this process may use, and never so many that their hashes pass 256 MiB."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _MOST_MEMORY_KIB // COST.memory_kib))


class Hashing:
    """Hashes for everybody, and never more at once than `at_once`; `waiting` more may stand in the queue."""

    def __init__(
        self, *, at_once: int | None = None, waiting: int | None = None, work: Work = argon2id
    ) -> None:
        """Without numbers: one a core, and eight in the queue for each. Threads are made when needed."""
        self.at_once = cores() if at_once is None else at_once
        self.most = self.at_once + (self.at_once * _WAITING_FOR_EACH if waiting is None else waiting)
        self._work = work
        self._pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="hashing")
        # A hash that nobody waits for any more still takes its place until it ends, in another thread.
        self._lock = threading.Lock()
        self._inside = 0

    @property
    def memory_kib(self) -> int:
        """The most memory that hashing takes at once, in KiB."""
        return self.at_once * COST.memory_kib

    async def run(self, password: bytes, salt: bytes, cost: Cost = COST) -> bytes:
        """Hash, when it is its turn. Raises Busy when the queue is full."""
        with self._lock:
            full = self._inside >= self.most
            self._inside += not full
        if full:
            _log.warning("hashing_busy", most=self.most)
            raise Busy("the queue of password checks is full")
        future = self._pool.submit(self._work, password, salt, cost)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: "Future[bytes]") -> None:
        with self._lock:
            self._inside -= 1
