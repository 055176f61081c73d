"""PostgreSQL's own dumps (custom format): `pg_dump` out, `pg_restore` in, both of the wheel's programs.

A password goes by the environment of the child, never on its command line.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import psycopg

from noren.runtime import databases, doorkey, postgres
from noren.runtime.databases import Conninfo
from noren.runtime.env import StartRefused


@contextmanager
def snapshot(words: Conninfo, owner: str) -> Iterator[str]:
    """Hold one state of a database; gives its name for several dumps of the same state."""
    with psycopg.connect(**doorkey.marked(words)) as conn:
        conn.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute(f"SET LOCAL ROLE {owner}".encode())
        row = conn.execute("SELECT pg_export_snapshot()").fetchone()
        if row is None:
            raise RuntimeError("a snapshot has a name")
        yield str(row[0])


@contextmanager
def dump(words: Conninfo, owner: str, options: Sequence[str], log: Path) -> Iterator[IO[bytes]]:
    """Run pg_dump and give its output. Raises StartRefused when it failed; then the output is of no use."""
    # Every table's policy lets its owner see all: row-level security stays on and hides nothing.
    argv = ["pg_dump", "--format=custom", f"--role={owner}", "--enable-row-security", "--no-password"]
    argv[0] = str(postgres.binaries() / argv[0])
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*argv, *options, *_where(words)],
            env=_environment(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    output = cast("IO[bytes]", process.stdout)
    try:
        with output:
            yield output
    except BaseException:
        process.kill()
        process.wait()
        raise
    _check("pg_dump", process.wait(), log)


def restore(words: Conninfo, owner: str, archive: Path, log: Path) -> None:
    """Read a dump into a database that has none of its tables: all of it, or nothing. Raises StartRefused."""
    argv = [str(postgres.binaries() / "pg_restore"), f"--role={owner}", "--no-owner", "--no-password"]
    with log.open("ab") as errors:
        done = subprocess.run(
            [*argv, "--exit-on-error", "--single-transaction", *_where(words), str(archive)],
            env=_environment(words),
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            check=False,
        )
    _check("pg_restore", done.returncode, log)


def _where(words: Conninfo) -> list[str]:
    without = {name: value for name, value in words.items() if name != "password"}
    return [f"--dbname={databases.url(without)}"]


def _environment(words: Conninfo) -> dict[str, str]:
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ |= {"LC_ALL": "C.UTF-8", "PGTZ": "UTC"}
    # One session is opened with it: Noren's own mark.
    if name := doorkey.marked(words).get("application_name"):
        environ["PGAPPNAME"] = name
    return environ | ({"PGPASSWORD": words["password"]} if "password" in words else {})


def _check(program: str, code: int, log: Path) -> None:
    if code != 0:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        raise StartRefused(f"{program} ended with code {code}. The last of {log}:\n" + "\n".join(last))
