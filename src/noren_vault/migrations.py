"""Numbered SQL, applied in order, each once, each recorded with the hash of its text."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

import psycopg

from noren_vault import doormark

OWNER: Final = "noren_vault_owner"
_NAME: Final = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
_LOCK: Final = 7_216_301_001


class MigrationError(Exception):
    """The database is not what this code can work with; the words say how it is mended."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/`."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def all_of_them() -> list[Migration]:
    """Give the files in their order; no number is there twice."""
    files = [
        (_NAME.fullmatch(file.name), file)
        for file in resources.files("noren_vault").joinpath("sql").iterdir()
    ]
    found = sorted(
        (Migration(int(match[1]), file.name, file.read_text("utf-8")) for match, file in files if match),
        key=lambda migration: migration.number,
    )
    if len({migration.number for migration in found}) != len(found):
        raise RuntimeError("two migrations have one number")
    return found


def migrate(url: str) -> list[str]:
    """Apply what is missing and give its names. `url` logs in as somebody who may become the owner."""
    with psycopg.connect(url, autocommit=True, application_name=doormark.name()) as connection:
        _become_owner(connection)
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        for schema in (b"vault", b"keystore"):
            connection.execute(b"CREATE SCHEMA IF NOT EXISTS " + schema)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vault.migration "
            "(number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL)"
        )
        applied = _applied(connection)
        _check(applied)
        return [_apply(connection, one) for one in all_of_them() if one.number not in applied]


def check(url: str) -> None:
    """Raise MigrationError unless the database stands exactly where this code does."""
    with psycopg.connect(url, autocommit=True, application_name=doormark.name()) as connection:
        try:
            applied = _applied(connection)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            applied = {}
    _check(applied)
    if missing := [one.name for one in all_of_them() if one.number not in applied]:
        raise MigrationError(f"not applied yet: {', '.join(missing)}; run `python -m noren_vault migrate`")


def _become_owner(connection: psycopg.Connection) -> None:
    try:
        connection.execute(f"SET ROLE {OWNER}".encode())
    except psycopg.errors.Error as fault:
        raise MigrationError(f"the login cannot become {OWNER}: {fault.diag.message_primary}") from fault


def _applied(connection: psycopg.Connection) -> dict[int, str]:
    rows = connection.execute("SELECT number, checksum FROM vault.migration").fetchall()
    return {int(number): str(checksum) for number, checksum in rows}


def _check(applied: dict[int, str]) -> None:
    known = {one.number: one for one in all_of_them()}
    for number, checksum in applied.items():
        if number not in known:
            raise MigrationError(f"the database is newer than this code: it has migration {number}")
        if known[number].checksum != checksum:
            raise MigrationError(f"{known[number].name} was applied with another text")


def _apply(connection: psycopg.Connection, migration: Migration) -> str:
    with connection.transaction():
        connection.execute(migration.text.encode())
        connection.execute(
            "INSERT INTO vault.migration VALUES (%s, %s, %s)",
            [migration.number, migration.name, migration.checksum],
        )
    return migration.name
