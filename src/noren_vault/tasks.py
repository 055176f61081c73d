"""Tasks beside the answers: work that goes on after one, and ending a task for good."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.errors import VaultError

_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger("tasks")


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task until it has ended.

    Once is not enough: `asyncio.wait_for` of Python 3.11, on which the pool's waiting is built, loses a
    cancellation that comes in the moment in which it has its answer (python/cpython#86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_SECONDS)


class Afterwards:
    """What goes on after the answer, so that its time tells nothing; waited for at the end."""

    def __init__(self, fault: str) -> None:
        """Nothing goes on yet. `fault`: by which name what could not be done is logged."""
        self._fault = fault
        self._open: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How much goes on."""
        return len(self._open)

    def begin(self, act: Coroutine[Any, Any, Any]) -> None:
        """Do it without making anybody wait."""
        task = asyncio.create_task(self._quietly(act))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def settle(self, *, cancel: bool = False) -> None:
        """Wait for all of it; `cancel`: let go of what waits for something itself."""
        for task in self._open if cancel else ():
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _quietly(self, act: Coroutine[Any, Any, Any]) -> None:
        try:
            await act
        except (VaultError, psycopg.Error, PoolTimeout) as fault:
            _log.error(self._fault, fault=type(fault).__name__)
