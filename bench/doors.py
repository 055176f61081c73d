"""What it costs that each session is logged and marked, and how fast a log is read and judged."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from bench import measure
from noren.doors.judge import Judge
from noren.doors.walk import walk
from noren.runtime import child, doorkey, postgres, users

SESSIONS = 200
LOGIN = "noren_migrator"


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="nb-", dir="/tmp"))
    os.environ["NOREN_VAR"] = str(folder)
    (folder / "run").mkdir()
    doorkey.make(folder / "run" / "door-keys.json")
    logged, plain = _cluster(folder / "logged"), _cluster(folder / "plain")
    with (plain.data / "postgresql.conf").open("a") as conf:
        conf.write("log_connections = ''\nlog_disconnections = off\n")
    servers = [cluster.start(-3) for cluster in (logged, plain)]
    try:
        for cluster, server in zip((logged, plain), servers, strict=True):
            while not cluster.ready(server.pid):
                time.sleep(0.02)
        taken = measure.interleaved(
            {"logged": _connects(logged, mark=True), "plain": _connects(plain, mark=False)}
        )
        per = {name: seconds / SESSIONS * 1e6 for name, seconds in taken.items()}
        measure.figure("session_plain", per["plain"], "us")
        measure.figure("session_logged_and_marked", per["logged"], "us", ratio=per["logged"] / per["plain"])
        time.sleep(0.5)
        begin = time.perf_counter()
        judge = Judge(doorkey.read(folder / "run" / "door-keys.json"))
        walked = walk(logged.log, judge, [])
        seconds = time.perf_counter() - begin
        if walked.strangers:
            raise SystemExit(f"{len(walked.strangers)} of the bench's own sessions are strangers")
        measure.figure("sessions_judged", walked.opened / seconds, "1/s")
    finally:
        for server in servers:
            child.stop_group(server, postgres.STOP)
        shutil.rmtree(folder)


def _cluster(folder: Path) -> postgres.Cluster:
    user = users.sides().app
    folder.parent.chmod(0o755)
    for path in (folder, folder / "s"):
        users.own(path, user, 0o700)
    cluster = postgres.Cluster(folder / "pg", folder / "s", user, LOGIN)
    cluster.prepare("a-password")
    return cluster


def _connects(cluster: postgres.Cluster, *, mark: bool) -> Callable[[], float]:
    words = {"host": str(cluster.socket_dir), "dbname": "postgres", "user": LOGIN, "password": "a-password"}

    def run() -> float:
        begin = time.perf_counter()
        for _ in range(SESSIONS):
            with psycopg.connect(**(doorkey.marked(words) if mark else words)) as connection:
                connection.execute("SELECT 1")
        return time.perf_counter() - begin

    return run


if __name__ == "__main__":
    main()
