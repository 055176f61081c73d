"""A whole system: its own sessions make no sign, everybody else's do, and nothing is lost meanwhile."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.test import override_settings

from noren import clock, people
from noren.doors import log
from noren.people import doors as vault
from noren.people.doors import Door
from noren.runtime import databases, env, postgres
from noren.runtime.databases import Conninfo
from noren.runtime.paths import Paths
from tests.environment import TOP
from tests.ports import free_port
from tests.runtime.up import Up, descendants
from tests.servers import wait_for

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="process trees are read from /proc"),
]


def _system() -> Up:
    folder = Path(tempfile.mkdtemp(dir=TOP))
    folder.chmod(0o755)
    return Up(folder / "var", free_port())


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    """One system; each test leaves it running."""
    system = _system().start()
    assert system.opens(), system.text()
    with override_settings(VAULT_SOCKET=Paths(system.var).vault_socket):
        yield system
    system.end()


@pytest.fixture
def system() -> Iterator[Up]:
    made = _system()
    with override_settings(VAULT_SOCKET=Paths(made.var).vault_socket):
        yield made
    made.end()


def _logins(up: Up) -> dict[str, Conninfo]:
    given = env.read({"NOREN_VAR": str(up.var)})
    return {
        "noren_app": databases.app(given, "web"),
        "noren_worker": databases.app(given, "worker"),
        "noren_migrator": databases.app(given, "owner"),
        "noren_vault": databases.vault(given, "vault"),
        "noren_vault_migrator": databases.vault(given, "migrator"),
    }


def _psql(words: Conninfo, query: str = "SELECT 1", name: str = "psql", program: str = "psql") -> str:
    command = [str(postgres.binaries() / program), "-h", words["host"], "-U", words["user"]]
    command += ["-Atc", query] if program == "psql" else ["--schema-only"]
    environ = {"PATH": os.environ["PATH"], "PGPASSWORD": words["password"], "PGAPPNAME": name}
    # A dump ends in an error: no login but the owner may read everything. The session was there all the same.
    done = subprocess.run(
        [*command, words["dbname"]], env=environ, capture_output=True, text=True, check=program == "psql"
    )
    return done.stdout


def _doors() -> Sequence[Door]:
    return vault.doors(since=datetime.fromtimestamp(0, UTC), until=clock.now() + timedelta(days=1))


def _found(application: str) -> list[Door]:
    return [one for one in _doors() if one.application == application]


def _noren(up: Up, *words: str) -> tuple[int, str]:
    environ = {"PATH": os.environ["PATH"], "NOREN_VAR": str(up.var), "NOREN_PORT": str(up.port)}
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", *words],
        env=environ,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _opened(up: Up) -> int:
    folders = (Paths(up.var).app_pg_log, Paths(up.var).vault_pg_log)
    return sum(event.what == "opened" for folder in folders for event in log.read(folder, None))


def test_it_makes_no_sign_of_its_own_sessions_through_every_death_and_command(running: Up) -> None:
    """First of all: nothing but Noren has been at this system's databases."""
    for name in ("web", "worker", "vault", "doors", "app database", "vault database"):
        before = running.child(name)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda name=name, before=before: running.children().get(name, before) != before)  # type: ignore[misc]
        wait_for(lambda name=name: f"{name} is back." in running.said)  # type: ignore[misc]
        wait_for(running.opens)
    os.kill(descendants(running.child("web"))[-1], signal.SIGKILL)
    wait_for(running.opens)
    for words in (["migrate"], ["doctor"], ["doors"], ["scope", "--all", "--since", "1h"]):
        code, said = _noren(running, *words)
        assert code == 0, (words, said)
    assert _opened(running) > 20
    # A stranger now: whatever came before it in the log was judged when it is told.
    for login in ("noren_app", "noren_vault"):
        _psql(_logins(running)[login], name="the end")
    wait_for(lambda: len(_found("the end")) == 2)
    assert [one.why for one in _doors()] == [("stranger",)] * 2
    for one in _doors():
        vault.explain(one.session, "a test's own")
    assert _noren(running, "doctor")[0] == 0


@pytest.mark.parametrize(
    "login", ["noren_app", "noren_worker", "noren_migrator", "noren_vault", "noren_vault_migrator"]
)
def test_it_signs_a_session_of_each_login(running: Up, login: str) -> None:
    since = clock.now()
    _psql(_logins(running)[login], name=f"look.{login}")
    wait_for(lambda: bool(_found(f"look.{login}")))
    wait_for(lambda: _found(f"look.{login}")[0].ended is not None)
    [one] = _found(f"look.{login}")
    cluster = "vault" if login.startswith("noren_vault") else "app"
    assert (one.login, one.why, one.cluster, one.host) == (login, ("stranger",), cluster, "[local]")
    assert one.database == _logins(running)[login]["dbname"]
    assert since - timedelta(seconds=2) <= one.started <= clock.now()
    code, said = _noren(running, "doctor")
    assert code == 1
    assert f"door: {one.session}: stranger; login {login}" in said
    assert vault.watched().open >= 1
    assert _noren(running, "doors", "explain", one.session, "--because", "a test")[0] == 0
    assert _found(f"look.{login}")[0].explained == "a test"


def test_it_signs_a_dump(running: Up) -> None:
    _psql(_logins(running)["noren_app"], program="pg_dump", name="dump")
    wait_for(lambda: bool(_found("dump") or _found("pg_dump")))
    assert {one.why for one in _found("dump") + _found("pg_dump")} == {("stranger",)}


def test_it_takes_no_mark_that_somebody_has_seen(running: Up) -> None:
    words = _logins(running)["noren_vault"]
    seen = _psql(words, "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'noren:%'")
    mark = seen.splitlines()[0]
    _psql(words, name=mark)
    wait_for(lambda: bool(_found(mark)))
    assert set(_found(mark)[0].why) <= {"replayed", "stale"}


def test_it_holds_no_address_and_no_name_in_the_ledger(running: Up) -> None:
    _psql(_logins(running)["noren_app"], name="Hanako Yamada")
    wait_for(lambda: bool(_found("Hanako Yamada")))
    data = b"".join(path.read_bytes() for path in sorted(Paths(running.var).ledger.rglob("*.seg")))
    assert b'"kind":"door"' in data
    assert b"Hanako" not in data
    assert b"[local]" not in data


def test_it_names_everybody_whom_a_session_at_the_vault_could_read(running: Up) -> None:
    person = people.put(1, "k1", {"name": "Aoi Sato", "mail": "aoi@example.com"})
    names = {}
    for login in ("noren_vault", "noren_app"):
        _psql(_logins(running)[login], name=f"scope.{login}")
        wait_for(lambda login=login: bool(_found(f"scope.{login}")))  # type: ignore[misc]
        names[login] = _found(f"scope.{login}")[0].session
    since, until = clock.now() - timedelta(hours=1), clock.now()
    found = people.scope(since=since, until=until, door=(names["noren_vault"],))
    assert [(one.person, str(one.state)) for one in found.persons] == [(person, "possibly")]
    assert found.stores[0].form == "cipher"
    found = people.scope(since=since, until=until, door=(names["noren_app"],))
    assert found.persons == ()
    assert [one.person for one in found.spared] == [person]
    bundle = running.var.parent / "answer.zip"
    told = _noren(
        running,
        "scope",
        "--door",
        names["noren_vault"],
        "--since",
        "1h",
        "--bundle",
        str(bundle),
        "--complete",
    )
    assert told[0] == 0, told[1]
    key = Paths(running.var).ledger / "vkey"
    verify = [sys.executable, "-m", "noren_verify", "bundle", str(bundle), "--vkey", str(key)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "the answer follows from them: 1 persons" in done.stdout


def test_it_finds_a_session_that_was_opened_while_nobody_watched(system: Up) -> None:
    """The whole system is down but for the database, which an intruder started by himself."""
    system.start()
    assert system.stop() == 0
    given = env.read({"NOREN_VAR": str(system.var)})
    paths, words = Paths(system.var), databases.app(given, "web")
    user = None if os.geteuid() != 0 else paths.app_pg.stat().st_uid
    cluster = [
        str(postgres.binaries() / "postgres"),
        "-D",
        str(paths.app_pg),
        "-k",
        str(paths.app_pg_socket_dir),
    ]
    alone = subprocess.Popen(
        cluster, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for((paths.app_pg_socket_dir / ".s.PGSQL.5432").exists)
    wait_for(lambda: _connects(words))
    _psql(words, name="at night")
    alone.send_signal(signal.SIGINT)
    alone.wait(60)
    system.start()
    wait_for(lambda: bool(_found("at night")))
    assert {one.why for one in _doors()} == {("stranger",)}


def _connects(words: Conninfo) -> bool:
    try:
        psycopg.connect(**words).close()  # type: ignore[arg-type]
    except psycopg.OperationalError:
        return False
    return True


def _digested(cluster: str, after: int) -> bool:
    return sum(one.cluster == cluster and one.size > 0 for one in vault.digests()) > after


@pytest.mark.parametrize("how", ["edited", "truncated", "deleted"])
def test_it_finds_a_log_that_somebody_changed(system: Up, how: str) -> None:
    """At its next start, on the ledger; and by the doctor, whatever the watcher says."""
    system.start()
    wait_for(lambda: _digested("vault", 0))
    [digest] = [one for one in vault.digests() if one.cluster == "vault"][-1:]
    path = Paths(system.var).vault_pg_log / digest.file
    if how == "edited":
        path.write_bytes(path.read_bytes().replace(b"noren_vault", b"noren_vaulT", 1))
    elif how == "truncated":
        os.truncate(path, 10)
    else:
        path.unlink()
    code, said = _noren(system, "doctor")
    why = "log_missing" if how == "deleted" else "log_changed"
    assert code == 1
    assert f"door_{why}: vault database: {digest.file}" in said
    os.kill(system.child("doors"), signal.SIGKILL)
    wait_for(lambda: any(why in one.why and one.session.endswith(digest.file) for one in _doors()))


def test_it_sees_that_the_log_was_turned_off(running: Up) -> None:
    """A session beside the log is seen by asking the server; and that the log is off is a sign."""
    paths = Paths(running.var)
    conf = paths.vault_pg / "postgresql.auto.conf"
    conf.write_text("log_connections = ''\n", encoding="ascii")
    postmaster = int((paths.vault_pg / "postmaster.pid").read_text().split("\n")[0])
    try:
        os.kill(postmaster, signal.SIGHUP)
        wait_for(lambda: any("log_off" in one.why for one in _doors()), 120)
        with psycopg.connect(**_logins(running)["noren_vault"], application_name="beside"):  # type: ignore[arg-type]
            wait_for(lambda: bool(_found("beside")))
        assert _found("beside")[0].why == ("unlogged",)
        assert "door_log_off: vault database" in _noren(running, "doctor")[1]
    finally:
        conf.write_text("", encoding="ascii")
        os.kill(postmaster, signal.SIGHUP)
