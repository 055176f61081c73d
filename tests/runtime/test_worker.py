"""The worker: a job that a killed worker left is done by the next one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
from procrastinate.contrib.django import app

from noren.runtime import child, databases
from tests.environment import PATHS
from tests.servers import AppDatabase, wait_for

# The real worker with one more task: it hangs the first time, and ends the second.
WORKER = """
import sys, time
import django
django.setup()
from procrastinate.contrib.django import app
from noren.runtime import worker
worker.HEARTBEAT, worker.DEAD_AFTER = 0.2, 1.0

@app.task(name="tests.slow")
def slow(path):
    with open(path, "a+") as file:
        file.seek(0)
        again = bool(file.read())
        file.write("begun\\n")
        file.flush()
        if not again:
            time.sleep(600)
        file.write("done\\n")

sys.exit(worker.main())
"""


@contextmanager
def _worker(database: AppDatabase, folder: Path) -> Iterator[Popen[bytes]]:
    settings = {
        "NOREN_VAR": str(PATHS.var),
        "NOREN_ROLE": "worker",
        "NOREN_DATABASE_URL": databases.url(database.words("migrate")),
        "DJANGO_SETTINGS_MODULE": "noren.runtime.settings",
    }
    with (folder / "worker.log").open("ab") as log:
        environ = child.environment(settings, home=folder)
        process = child.start([sys.executable, "-c", WORKER], env=environ, stdout=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def notes(app_db: AppDatabase, tmp_path: Path) -> Path:
    path = tmp_path / "notes"
    path.touch()
    app.configure_task("tests.slow", allow_unknown=True).defer(path=str(path))
    return path


def _status(database: AppDatabase) -> list[object]:
    """How our jobs stand. For some minutes of each hour a worker that starts has a periodic one besides."""
    with database.connect("owner") as conn:
        rows = conn.execute("SELECT status FROM procrastinate_jobs WHERE task_name = 'tests.slow'").fetchall()
    return [status for (status,) in rows]


def test_it_takes_up_a_job_that_a_killed_worker_left(
    app_db: AppDatabase, notes: Path, tmp_path: Path
) -> None:
    with _worker(app_db, tmp_path) as first:
        wait_for(lambda: notes.read_text() == "begun\n")
        first.kill()
    assert _status(app_db) == ["doing"]
    with _worker(app_db, tmp_path):
        wait_for(lambda: notes.read_text() == "begun\nbegun\ndone\n")
        wait_for(lambda: _status(app_db) == [])


def test_it_leaves_a_job_to_a_worker_that_lives(app_db: AppDatabase, notes: Path, tmp_path: Path) -> None:
    with _worker(app_db, tmp_path):
        wait_for(lambda: notes.read_text() == "begun\n")
        with _worker(app_db, tmp_path):
            # The second has looked for the dead when it has done a job of its own.
            other = tmp_path / "other"
            other.write_text("again\n")
            app.configure_task("tests.slow", allow_unknown=True).defer(path=str(other))
            wait_for(lambda: other.read_text().endswith("done\n"))
            assert notes.read_text() == "begun\n"
