"""Ending a task for good."""

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.5


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task until it has ended.

    Once is not enough: `asyncio.wait_for` of Python 3.11, on which the pool's waiting is built, loses a
    cancellation that comes in the moment in which it has its answer (python/cpython#86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_SECONDS)
