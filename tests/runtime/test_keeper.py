"""Keeping a child: ready, back after its end, stopped for good, refused with its words."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from noren.runtime import child, keeper
from noren.runtime.env import StartRefused
from noren.runtime.keeper import Keeper, Process, Spec
from noren.runtime.logfile import LogFile
from noren.runtime.record import Record, started_at
from tests.servers import wait_for

SERVES = "import time; print('ready', flush=True); time.sleep(600)"
GRANDCHILD = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "PATIENCE", (0.05, 0.2))


def _launch(code: str, output: int | IO[bytes]) -> Process:
    return child.start([sys.executable, "-c", code], env={"LANG": "C.UTF-8"}, stdout=output)


def _run(folder: Path, code: str, deed: Callable[[Keeper], Awaitable[None]], **more: object) -> None:
    """Start a child, do something with its keeper, stop it."""

    async def inside() -> None:
        spec = Spec("web", partial(_launch, code), **more)  # type: ignore[arg-type]
        kept = Keeper(spec, LogFile(folder / "web.log"), Record(folder / "children.json"))
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, kept.poll)
        try:
            await kept.start(20)
            await deed(kept)
        finally:
            await kept.stop()

    asyncio.run(inside())


async def _nothing(_kept: Keeper) -> None:
    """The start and the stop are the test."""


async def _until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - what is waited for is outside the loop
            await asyncio.sleep(0.02)


def test_it_starts_and_stops_without_leaving_anything(tmp_path: Path) -> None:
    pids = []

    async def note(kept: Keeper) -> None:
        assert kept.process is not None
        pids.append(kept.process.pid)

    _run(tmp_path, SERVES, note)
    assert started_at(pids[0]) is None
    assert (tmp_path / "children.json").read_text() == "{}"


@pytest.mark.usefixtures("patience")
def test_it_starts_a_killed_child_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def kill_twice(kept: Keeper) -> None:
        for _ in range(2):
            before = kept.process
            assert before is not None
            os.kill(before.pid, signal.SIGKILL)
            await _until(lambda b=before: kept.process not in (None, b))  # type: ignore[misc]

    _run(tmp_path, SERVES, kill_twice)
    said = capsys.readouterr().out
    assert "web ended with code -9; it is started again in 0.05 s." in said
    assert "in 0.1 s." in said


def test_it_ends_the_whole_group(tmp_path: Path) -> None:
    _run(tmp_path, GRANDCHILD, _nothing)
    grandchild = int((tmp_path / "web.log").read_text().split()[0])
    wait_for(lambda: started_at(grandchild) is None)


def test_it_refuses_the_start_with_the_childs_last_words(tmp_path: Path) -> None:
    code = "import sys; print('the port is taken', flush=True); sys.exit(1)"
    with pytest.raises(StartRefused, match=r"web ended with code 1(.|\n)*the port is taken"):
        _run(tmp_path, code, _nothing)


def test_it_goes_on_without_a_child_that_refuses_to_run(tmp_path: Path) -> None:
    async def look(kept: Keeper) -> None:
        assert kept.refused
        assert "ledger is short" in kept.log.tail()

    _run(tmp_path, "import sys; print('ledger is short'); sys.exit(3)", look, refusals=(3,))


def test_it_uses_force_at_last(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVES
    _run(tmp_path, deaf, _nothing, stop=((signal.SIGTERM, 0.2),))
    assert (tmp_path / "children.json").read_text() == "{}"
