"""The worker: a job that a killed worker left is done by the next one."""

from pathlib import Path

import pytest
from procrastinate.contrib.django import app

from tests.killable import working
from tests.servers import AppDatabase, wait_for

# The real worker with one more task: it hangs the first time, and ends the second.
WORKER = """
import time
from procrastinate.contrib.django import app

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
"""


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
    with working(app_db, tmp_path, more=WORKER) as first:
        wait_for(lambda: notes.read_text() == "begun\n")
        first.kill()
    assert _status(app_db) == ["doing"]
    with working(app_db, tmp_path, more=WORKER):
        wait_for(lambda: notes.read_text() == "begun\nbegun\ndone\n")
        wait_for(lambda: _status(app_db) == [])


def test_it_leaves_a_job_to_a_worker_that_lives(app_db: AppDatabase, notes: Path, tmp_path: Path) -> None:
    with working(app_db, tmp_path, more=WORKER):
        wait_for(lambda: notes.read_text() == "begun\n")
        with working(app_db, tmp_path, more=WORKER):
            # The second has looked for the dead when it has done a job of its own.
            other = tmp_path / "other"
            other.write_text("again\n")
            app.configure_task("tests.slow", allow_unknown=True).defer(path=str(other))
            wait_for(lambda: other.read_text().endswith("done\n"))
            assert notes.read_text() == "begun\n"
