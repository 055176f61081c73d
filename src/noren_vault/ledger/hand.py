"""A thread that makes the blocking calls on the disk, one after the other."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Hand:
    """One daemon thread: a disk that hangs for ever must not keep the process from ending (an executor's
    would).
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def run(self, call: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Have `call` made in the thread. The future belongs to the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put((call, loop, future))
        return future

    def stop(self) -> None:
        """End the thread after the jobs that were given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, loop, future = job
            try:
                result, error = call(), None
            except Exception as caught:  # noqa: BLE001 -- handed over whole to the one who waits for the job
                result, error = None, caught
            with suppress(RuntimeError):  # the loop was closed in the meantime: nobody waits
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
