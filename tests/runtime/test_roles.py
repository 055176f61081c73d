"""Roles and databases: made once, by the same SQL on every server, or told to a DBA."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from noren.runtime import roles
from noren.runtime.env import StartRefused
from noren.runtime.roles import Side
from tests.servers import AppDatabase, Server


@pytest.fixture
def side(app_server: Server) -> Iterator[Side]:
    """A side of its own on the tests' server."""
    words = app_server.side.migrator | {"dbname": "noren_test_roles"}
    made = Side(words, "noren_test_owner", {"noren_test_login": "first-password"})
    yield made
    app_server.drop("noren_test_roles")
    with psycopg.connect(**app_server.side.migrator, autocommit=True) as conn:  # type: ignore[arg-type]
        for role in ("noren_test_login", "noren_test_owner", "noren_test_weak"):
            conn.execute(f"DROP ROLE IF EXISTS {role}".encode())


def _ask(words: dict[str, str], query: str) -> object:
    with psycopg.connect(**words, autocommit=True) as conn:  # type: ignore[arg-type]
        row = conn.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def test_it_makes_everything_and_does_nothing_again(side: Side) -> None:
    roles.ensure(side)
    roles.ensure(side)
    mine = side.migrator
    assert _ask(mine, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'noren_test_owner'") is False
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert _ask(mine, owner) == "noren_test_owner"
    login = mine | {"user": "noren_test_login", "password": "first-password"}
    assert _ask(login, "SELECT current_user") == "noren_test_login"


def test_it_lets_nobody_else_into_the_database(side: Side) -> None:
    roles.ensure(side)
    everybody = """SELECT count(*) FROM pg_database, aclexplode(datacl)
        WHERE grantee = 0 AND datname = current_database()"""
    assert _ask(side.migrator, everybody) == 0


def test_it_follows_a_new_password(side: Side) -> None:
    roles.ensure(side)
    roles.ensure(replace(side, logins={"noren_test_login": "second-password"}))
    login = side.migrator | {"user": "noren_test_login", "password": "second-password"}
    assert _ask(login, "SELECT 1") == 1


def test_it_takes_over_a_database_that_was_made_before(side: Side, app_server: Server) -> None:
    with psycopg.connect(**app_server.side.migrator, autocommit=True) as conn:  # type: ignore[arg-type]
        conn.execute("CREATE DATABASE noren_test_roles")
    roles.ensure(side)
    become = side.migrator | {"options": "-c role=noren_test_owner"}
    with psycopg.connect(**become, autocommit=True) as conn:  # type: ignore[arg-type]
        conn.execute("CREATE TABLE t (a int)")


def test_it_gives_the_sql_to_a_dba_when_the_login_may_not(side: Side, app_db: AppDatabase) -> None:
    with psycopg.connect(**side.migrator | {"dbname": app_db.name}, autocommit=True) as conn:  # type: ignore[arg-type]
        conn.execute("CREATE ROLE noren_test_weak LOGIN PASSWORD 'weak'")
    weak = app_db.words("migrate") | {"user": "noren_test_weak", "password": "weak"}
    with pytest.raises(StartRefused) as refusal:
        roles.ensure(replace(side, migrator=weak))
    words = str(refusal.value)
    assert 'CREATE ROLE "noren_test_owner" NOLOGIN;' in words
    assert "first-password" not in words
    assert "SCRAM-SHA-256$" in words


def test_it_says_when_the_server_cannot_be_reached(side: Side) -> None:
    nowhere = {"host": "/nowhere", "dbname": "noren", "user": "noren_migrator"}
    with pytest.raises(StartRefused, match="cannot be reached"):
        roles.ensure(replace(side, migrator=nowhere))
