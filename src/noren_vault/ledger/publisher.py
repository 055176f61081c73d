"""What follows an append and must never delay it: subscribers are told, tiles and the checkpoint file are
written.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .checkpoint import Head
from .entry import Entry
from .hand import Hand
from .tiles import Tree, replace_file, write_tiles

INTERVAL: Final = 1.0
_LAST_WORDS: Final = 5.0
_log = logging.getLogger(__name__)

Subscriber = Callable[[int, Entry], None]


class Publisher:
    """Follows the sequencer. Tiles and checkpoint are written at most once a second, and when the ledger
    closes.

    `head` is the last durable head; its tree is `tree`, and both are changed on the loop only.
    """

    def __init__(self, folder: Path, tree: Tree, head: Head) -> None:
        self._folder = folder
        self._tree = tree
        self._head = head
        self._cosigned: Head | None = None
        self._subscribers: list[Subscriber] = []
        self._news: asyncio.Queue[list[tuple[int, Entry]]] = asyncio.Queue()
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._hand = Hand("ledger-publisher")
        self._tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._publish_when_due())]

    def appended(self, head: Head, news: list[tuple[int, Entry]]) -> None:
        """The sequencer's word that a batch is durable."""
        self._head = head
        self._due.set()
        if self._subscribers:
            self._news.put_nowait(news)

    def cosigned(self, head: Head) -> None:
        """Publish this head, with its witnesses' signatures, until there is a newer one that has them too."""
        self._cosigned = head
        self._due.set()

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """See Ledger.subscribe."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def publish(self) -> None:
        """Write the tiles, then the checkpoint that speaks of them. Raises OSError."""
        async with self._writing:
            tiles, head, shown = self._tree.snapshot(), self._head, self._cosigned or self._head

            def write() -> None:
                write_tiles(self._folder, tiles)
                replace_file(self._folder / "checkpoint", shown.signed.encode())
                if shown is not head:
                    replace_file(self._folder / "head", head.signed.encode())

            await self._hand.run(write)
            self._tree.written(tiles)

    async def close(self) -> None:
        """Tell what is left to tell, publish a last time, end the tasks."""
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._news.join()
                await self.publish()
        except (OSError, TimeoutError) as error:
            _log.warning("ledger: tiles and checkpoint could not be written at the end: %r", error)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hand.stop()

    async def _tell(self) -> None:
        while True:
            for index, entry in await self._news.get():
                for callback in list(self._subscribers):
                    try:
                        callback(index, entry)
                    except Exception:  # noqa: BLE001 -- whatever a subscriber raises is its own and must not end the telling
                        _log.exception("ledger: a subscriber failed at entry %d", index)
            self._news.task_done()

    async def _publish_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.publish()
            except OSError as error:
                _log.warning("ledger: tiles and checkpoint could not be written: %s", error)
            await asyncio.sleep(INTERVAL)
