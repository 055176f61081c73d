"""One question to the database for many who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Nothing is kept: who asks gets what was read after they asked.

    While one question is under way, those who come wait for the next, which is then asked for all of them.
    """

    def __init__(self, fetch: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        """`fetch` gives what is there of the keys."""
        self._fetch = fetch
        self._waiting: dict[Key, list[asyncio.Future[Value | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        """Give the key's value, or None. Raises what `fetch` raises."""
        future: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found, fault = await self._fetch(list(asked)), None
            except Exception as caught:  # noqa: BLE001 - handed to each who asked
                found, fault = {}, caught
            for key, futures in asked.items():
                for future in futures:
                    if future.done():  # whoever asked was cancelled
                        continue
                    if fault is None:
                        future.set_result(found.get(key))
                    else:
                        future.set_exception(fault)
