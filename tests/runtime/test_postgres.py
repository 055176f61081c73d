"""The embedded cluster: nobody's superuser, no network, whole after a kill."""

import os
import signal
import stat
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from noren.runtime import child, postgres, users
from noren.runtime.env import StartRefused
from noren.runtime.postgres import Cluster
from noren.runtime.record import started_at
from tests.environment import TOP
from tests.servers import wait_for

pytestmark = pytest.mark.embedded


@pytest.fixture
def cluster() -> Cluster:
    folder = Path(tempfile.mkdtemp(dir=TOP))
    user = users.sides().app
    for path in (folder, folder / "s"):
        users.own(path, user, 0o700)
    made = Cluster(folder / "pg", folder / "s", user, "noren_migrator", durable=False)
    made.prepare("a-password")
    return made


def _connect(cluster: Cluster, **words: str) -> "psycopg.Connection[tuple[object, ...]]":
    given = {"host": str(cluster.socket_dir), "dbname": "postgres", "user": "noren_migrator"}
    return psycopg.connect(**(given | words), autocommit=True)  # type: ignore[arg-type]


def test_it_lets_in_who_knows_a_password_and_never_the_superuser(cluster: Cluster) -> None:
    server = cluster.start(-3)
    try:
        wait_for(lambda: cluster.ready(server.pid))
        with _connect(cluster, password="a-password") as conn:
            row = conn.execute("SHOW listen_addresses").fetchone()
        assert row == ("",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            _connect(cluster, password="guess")
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
            _connect(cluster, user=postgres.SUPERUSER, password="a-password")
    finally:
        child.stop_group(server, postgres.STOP)


def test_it_keeps_what_was_committed_when_it_is_killed(cluster: Cluster) -> None:
    server = cluster.start(-3)
    wait_for(lambda: cluster.ready(server.pid))
    with _connect(cluster, password="a-password") as conn:
        conn.execute("CREATE DATABASE kept")
    server.send_signal(signal.SIGKILL)
    server.wait()
    again = cluster.start(-3)
    try:
        wait_for(lambda: cluster.ready(again.pid))
        _connect(cluster, password="a-password", dbname="kept").close()
    finally:
        child.stop_group(again, postgres.STOP)


def test_it_waits_until_a_killed_postmaster_is_buried(cluster: Cluster) -> None:
    """Its parent, the system's first process, takes its time; meanwhile its id seems to be somebody's."""
    server = cluster.start(-3)
    wait_for(lambda: cluster.ready(server.pid))
    server.send_signal(signal.SIGKILL)
    wait_for(lambda: started_at(server.pid) is None)
    burial = threading.Timer(1.0, server.wait)
    burial.start()
    cluster.prepare("a-password")
    again = cluster.start(-3)
    try:
        wait_for(lambda: again.poll() is not None or cluster.ready(again.pid))
        assert again.poll() is None
    finally:
        child.stop_group(again, postgres.STOP)
        burial.join()


def test_it_keeps_a_prepared_cluster(cluster: Cluster) -> None:
    before = (cluster.data / "global" / "pg_control").stat().st_ino
    cluster.prepare("another-password")
    assert (cluster.data / "global" / "pg_control").stat().st_ino == before


def test_it_refuses_the_files_of_another_version(cluster: Cluster) -> None:
    (cluster.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StartRefused, match="made by PostgreSQL 17"):
        cluster.prepare("a-password")


def test_it_stops_when_its_parent_dies(cluster: Cluster) -> None:
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        # Nothing of pytest may run in the fork: it ends by a kill.
        server = cluster.start(-3)
        os.write(writing, str(server.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    pid = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    wait_for(lambda: started_at(pid) is None)


def test_it_writes_through_no_link_that_the_folders_user_made(cluster: Cluster, tmp_path: Path) -> None:
    """Root would write the settings into any file of the machine, and give it away."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    owner = victim.stat().st_uid
    for name in ("postgresql.conf", "pg_hba.conf", "pg_hba.conf.new"):
        (cluster.data / name).unlink(missing_ok=True)
        (cluster.data / name).symlink_to(victim)
    cluster.prepare("a-password")
    assert (victim.read_text(), victim.stat().st_uid) == ("as it was", owner)
    for name in ("postgresql.conf", "pg_hba.conf"):
        written = (cluster.data / name).lstat()
        assert stat.S_ISREG(written.st_mode)
        assert (written.st_uid, stat.S_IMODE(written.st_mode)) == (cluster.data.stat().st_uid, 0o600)


def test_it_writes_into_no_other_folder(cluster: Cluster, tmp_path: Path) -> None:
    cluster.data.rename(cluster.data.with_name("moved"))
    cluster.data.symlink_to(cluster.data.with_name("moved"))
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        cluster.prepare("a-password")
