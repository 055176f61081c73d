"""Keeping one child alive: start, log, wait until ready, start again with growing patience, stop."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import IO

from noren.runtime import child
from noren.runtime.env import StartRefused
from noren.runtime.logfile import LogFile
from noren.runtime.record import Record

Process = subprocess.Popen[bytes]
PATIENCE = (0.5, 30.0)  # seconds before a new start: the first time, and at most
STEADY = 60.0  # who ran so long is given the first patience again


def say(words: str) -> None:
    """Tell the person in front of the terminal."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Spec:
    """What a child is.

    `launch` starts it with its output; `ready` looks whether it serves (None: its line `ready` says so);
    `stop` are the signals and the seconds each is given; an exit code in `refusals` is its decision not to
    run.
    """

    name: str
    launch: Callable[[int | IO[bytes]], Process]
    ready: Callable[[int], Awaitable[bool]] | None = None
    stop: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 15.0),)
    refusals: Sequence[int] = ()


class Keeper:
    """Keeps one child. All of it runs in the supervisor's one loop; `poll` is called at every SIGCHLD."""

    def __init__(self, spec: Spec, log: LogFile, record: Record) -> None:
        self.spec = spec
        self.log = log
        self.record = record
        self.process: Process | None = None
        self.refused = False
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._keep: asyncio.Task[None] | None = None

    async def start(self, seconds: float = 90) -> None:
        """Start the child and wait until it is ready, or has refused. Raises StartRefused otherwise."""
        await self._launch()
        ready = asyncio.create_task(self._until_ready())
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait({ready, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        ended.cancel()
        if not self._ready.is_set():
            code = await self._end() if self._ended.is_set() else None
            if code not in self.spec.refusals:
                how = f"did not get ready in {seconds:.0f} s" if code is None else f"ended with code {code}"
                raise StartRefused(f"{self.spec.name} {how}. The last of {self.log.path}:\n{self.log.tail()}")
            self.refused = True
            return
        self._keep = asyncio.create_task(self._keep_on())

    def poll(self) -> None:
        """See whether the child has ended."""
        if self.process is not None and self.process.poll() is not None:
            self._ended.set()

    async def stop(self) -> None:
        """Stop the child, at last by force; it is not started again."""
        self._stopping.set()
        if self._keep is not None:
            self._keep.cancel()
        for sign, seconds in self.spec.stop:
            if self.process is None or self._ended.is_set():
                break
            self.process.send_signal(sign)
            await _within(self._ended.wait(), seconds)
        await self._end()
        self.log.close()

    async def _keep_on(self) -> None:
        patience, highest = PATIENCE
        while True:
            began = time.monotonic()
            await self._ended.wait()
            code = await self._end()
            if code in self.spec.refusals:
                self.refused = True
                say(f"{self.spec.name} refuses to run:\n{self.log.tail()}")
                return
            if time.monotonic() - began > STEADY:
                patience = PATIENCE[0]
            say(f"{self.spec.name} ended with code {code}; it is started again in {patience:g} s.")
            if await _within(self._stopping.wait(), patience):
                return
            patience = min(patience * 2, highest)
            await self._launch()
            asyncio.create_task(self._tell_ready())  # noqa: RUF006 - ends with the child it waits for

    async def _tell_ready(self) -> None:
        if await _within(self._until_ready(), 90) and not self._stopping.is_set():
            say(f"{self.spec.name} is back.")

    async def _launch(self) -> None:
        self._ready.clear()
        self._ended.clear()
        reading, writing = os.pipe()
        try:
            self.process = self.spec.launch(writing)
        finally:
            os.close(writing)
        self.record.add(self.spec.name, self.process.pid, self.spec.stop[0][0])
        self._pump = asyncio.create_task(self._read(reading))
        self.poll()

    async def _read(self, reading: int) -> None:
        loop = asyncio.get_running_loop()
        stream = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb")
        )
        try:
            while chunk := await stream.read(65536):
                if "ready" in self.log.write(chunk):
                    self._ready.set()
        finally:
            transport.close()

    async def _until_ready(self) -> None:
        asked, process = self.spec.ready, self.process
        while asked is not None and process is not None and not self._ready.is_set():
            if await asked(process.pid):
                self._ready.set()
            else:
                await asyncio.sleep(0.05)
        await self._ready.wait()

    async def _end(self) -> int | None:
        """Clear away after the child has ended, or make it end: its group, its log, its record."""
        process, self.process = self.process, None
        if process is None:
            return None
        child.kill_group(process.pid)
        code = process.wait()
        if self._pump is not None:
            # Somebody outside the group may hold the pipe open; the log does not wait for it.
            await _within(self._pump, 2)
        self.record.remove(self.spec.name)
        return code


async def _within(what: Awaitable[object], seconds: float) -> bool:
    try:
        await asyncio.wait_for(what, seconds)
    except TimeoutError:
        return False
    return True
