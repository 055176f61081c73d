"""The worker: runs the jobs, and takes up again those that a killed worker left.

Every task may run twice (a kill can fall between its deed and its mark), so each is idempotent by itself: a
message key is sent once, a hold expires once.
"""

import asyncio
import contextlib
import os
import sys

import django
import procrastinate
from procrastinate.contrib.django import app as proxy
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from noren.runtime import doorkey

HEARTBEAT = 2.0
# A worker that has not been heard of for so many seconds is dead: its jobs are somebody else's now.
DEAD_AFTER = 10.0
NICE = 10


async def retry_stalled(app: procrastinate.App, every: float = HEARTBEAT) -> None:
    """Put back, for ever, the jobs that are marked as being done by a worker that is dead."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
            await app.job_manager.retry_job(job)
        await asyncio.sleep(every)


async def work(app: procrastinate.App, *, concurrency: int = 4) -> None:
    """Run jobs until SIGTERM or SIGINT; one that is running gets ten seconds to end."""
    async with app.open_async():
        stalled = asyncio.create_task(retry_stalled(app))
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                delete_jobs="successful",
                shutdown_graceful_timeout=10,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD_AFTER,
            )
        )
        # Either's end is the end: the supervisor starts the worker again.
        done, _ = await asyncio.wait({stalled, worker}, return_when=asyncio.FIRST_COMPLETED)
        stalled.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stalled
        if worker not in done:
            worker.cancel()
        await worker


def main() -> int:
    # Whoever waits for a page comes before whoever waits for a mail.
    os.nice(NICE)
    django.setup()
    connector = proxy.connector
    if not isinstance(connector, DjangoConnector):
        raise TypeError("jobs are enqueued through Django's connection")
    words = connector_params()
    # Called for each connection: a mark is good for one session.
    marking = PsycopgConnector(kwargs=lambda: doorkey.marked(words))
    with proxy.replace_connector(marking) as app:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        asyncio.run(work(app))
    return 0


if __name__ == "__main__":
    sys.exit(main())
