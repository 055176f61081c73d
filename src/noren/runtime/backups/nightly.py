"""Every night a backup and its trial, and an examination of all, started by the supervisor."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO

from noren.runtime import child
from noren.runtime.backups import manifest
from noren.runtime.env import Env
from noren.runtime.keeper import Process, say
from noren.runtime.paths import Paths

LOOK_SECONDS = 600.0
BACKUP = ("backup", "--verify")
# What it finds rings for operators; a night without a finding says nothing.
EXAMINE = ("doctor", "--ring")


def due(newest: datetime | None, tried: datetime | None, now: datetime, hour: int) -> bool:
    """Whether tonight's backup is still to be made: none since the last full `hour` (UTC) came.

    One that failed is tried again an hour later.
    """
    since = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if since > now:
        since -= timedelta(days=1)
    if newest is not None and newest >= since:
        return False
    return tried is None or now - tried >= timedelta(hours=1)


def launch(words: Sequence[str], environ: dict[str, str]) -> Callable[[IO[bytes]], Process]:
    """Return what starts a command of the night as our own user, who alone can read both sides."""

    def start(output: IO[bytes]) -> Process:
        return child.start([sys.executable, "-m", "noren.cli", *words], env=environ, stdout=output)

    return start


async def nightly(given: Env, run: Callable[[], Awaitable[int]]) -> None:
    """Look every ten minutes, for ever. `run` does the night's work and gives its exit code."""
    tried: datetime | None = None
    log = Paths.of(given).log / "backup.log"
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        found = await asyncio.to_thread(manifest.ids, given.backups)
        newest = manifest.made(found[-1]) if found else None
        now = datetime.now(UTC)
        if not due(newest, tried, now, given.backup_hour):
            continue
        tried = now
        if await run() != 0:
            say(f"ALARM: tonight's backup failed, or cannot be restored. See {log}.")
