"""A server whose log is not ours is asked who is there; and what the vault takes of a watcher."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from noren import clock, people
from noren.doors import doctor
from noren.doors.watch import Cluster, Polled
from noren.errors import NorenError
from noren.people import doors as vault_doors
from noren.people.doors import Door
from noren.runtime import databases, doorkey
from noren.runtime.databases import Conninfo
from tests.environment import GIVEN, PATHS
from tests.servers import AppDatabase, VaultProcess, wait_for
from tests.vault.cast import sql


@pytest.fixture
def keys() -> Iterator[Path]:
    """The keys of a system that has just started."""
    doorkey.make(PATHS.door_keys)
    yield PATHS.door_keys
    PATHS.door_keys.unlink()
    doorkey._own.cache_clear()


def _polled(words: Conninfo, keys: Path) -> Polled:
    logins = frozenset({*databases.APP_LOGINS.values(), databases.APP_MIGRATOR})
    return Polled(Cluster("app", None, words, logins), keys, every=0)


def _look(watcher: Polled) -> None:
    watcher._next_present = 0
    watcher.step()


def _found() -> tuple[Door, ...]:
    return vault_doors.doors(since=datetime.fromtimestamp(0, UTC), until=clock.now() + timedelta(days=1))


def _connect(words: Any, name: str = "psql") -> "psycopg.Connection[Any]":
    return psycopg.connect(**({"application_name": name} | words))


@pytest.mark.skipif(GIVEN.database_url is not None, reason="a given login may not see others' sessions: next")
def test_it_asks_who_is_there(app_db: AppDatabase, vault: VaultProcess, keys: Path) -> None:
    """Who is at the right database without a mark is a sign, once; the others are none."""
    watcher = _polled(app_db.words("owner"), keys)
    with (
        _connect(doorkey.marked(app_db.words("web"))),
        _connect(app_db.words("web") | {"dbname": "postgres"}),
    ):
        _look(watcher)
        assert _found() == ()
        with _connect(app_db.words("worker")):
            _look(watcher)
            _look(watcher)
            [one] = _found()
            assert (one.why, one.login, one.database) == (("stranger",), "noren_worker", app_db.name)
            assert one.ended is None

        def ended() -> bool:
            _look(watcher)
            return _found()[0].ended is not None

        wait_for(ended)
    notes = [one.note for one in vault_doors.digests()]
    assert notes[0] == "resumed.polled:2.strange:0"
    assert "polled:1.strange:1" in notes
    assert "not ours to read" in doctor._by_url("app", vault_doors.digests())
    assert "pg_read_all_stats" not in doctor._by_url("app", vault_doors.digests())
    watcher.close()


def test_it_says_what_its_login_may_not_see(app_db: AppDatabase, vault: VaultProcess, keys: Path) -> None:
    """As a login without the right it cannot tell Noren's other logins from a stranger's; others it names."""
    watcher = _polled(app_db.words("web"), keys)
    with _connect(app_db.words("worker")), _connect(app_db.words("web")):
        _look(watcher)
        assert [(one.login, one.why) for one in _found()] == [("noren_app", ("stranger",))]
    assert vault_doors.digests()[0].note == "resumed.blind:2.strange:1"
    assert "pg_read_all_stats" in doctor._by_url("app", vault_doors.digests())
    watcher.close()


SIGN = {
    "session": "6b09254b.7ecf",
    "why": "stranger",
    "login": "noren_app",
    "database": "noren",
    "started": 5000,
}


def test_it_writes_a_sign_once_and_an_end_for_a_sign_alone(vault: VaultProcess) -> None:
    """Whatever a watcher tells again after a crash stands in the ledger once."""
    for _ in range(2):
        vault_doors.report("app", signs=[SIGN], ended=[("6b09254b.7ecf", 6000), ("6b09254b.1", 6000)])
    people.doctor()  # waits until the index has caught up
    written = sql(vault, "SELECT note FROM vault.ledger_entry WHERE kind = 'door' ORDER BY entry")
    assert written == [(SIGN["why"],), ("ended",)]
    [one] = _found()
    assert one.session == "pg-app-6b09254b.7ecf"
    assert one.started == datetime.fromtimestamp(5, UTC)
    assert one.ended == datetime.fromtimestamp(6, UTC)
    assert vault_doors.watched().open == 1
    vault_doors.explain(one.session, "a dump for the move")
    assert _found()[0].explained == "a dump for the move"
    assert vault_doors.watched().open == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"why": "bored"},
        {"session": "a b"},
        {"session": ""},
        {"started": -1},
        {"started": "x"},
        {"login": 5},
        {"application": "x" * 3000},
    ],
)
def test_it_takes_no_sign_that_is_none(vault: VaultProcess, wrong: dict[str, Any]) -> None:
    before = people.health().size
    with pytest.raises(RuntimeError, match="BadRequest"):
        vault_doors.report("app", signs=[SIGN | wrong])
    assert people.health().size == before


def test_it_holds_what_a_stranger_typed_out_of_the_ledger(vault: VaultProcess) -> None:
    vault_doors.report("vault", signs=[SIGN | {"login": "Hanako Yamada", "host": "192.0.2.7"}])
    [one] = _found()
    assert (one.login, one.host) == ("Hanako Yamada", "192.0.2.7")
    data = b"".join(path.read_bytes() for path in sorted(vault.ledger.rglob("*.seg")))
    assert b"pg-vault-6b09254b.7ecf" in data
    assert b"Hanako" not in data
    assert b"192.0.2" not in data


def test_it_lets_none_but_an_administrator_report(vault: VaultProcess) -> None:
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_ADMIN_UIDS": "4242"}
    vault.start()
    with pytest.raises(NorenError):
        vault_doors.report("app", signs=[SIGN])
    with pytest.raises(NorenError):
        vault_doors.explain("pg-app-6b09254b.7ecf", "nothing to see")
    assert vault_doors.watched().open == 0
