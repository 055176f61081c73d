"""Numbered SQL: applied once, checked always, and rights no wider than they must be."""

import re

import psycopg
import pytest

from noren.runtime import databases
from noren_vault import migrations
from noren_vault.migrations import MigrationError
from tests.servers import Server, VaultProcess
from tests.vault.cast import sql


def _url(server: Server, name: str) -> str:
    return databases.url(server.side.migrator | {"dbname": name})


def test_it_applies_each_migration_once(vault_server: Server) -> None:
    """A database that stands where the code does is left alone."""
    with vault_server.clone() as name:
        assert migrations.migrate(_url(vault_server, name)) == []
        migrations.check(_url(vault_server, name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE vault.migration SET checksum = 'x'", "another text"),
        ("INSERT INTO vault.migration VALUES (999, '999_x.sql', 'x')", "newer than this code"),
    ],
)
def test_it_refuses_a_database_of_other_code(vault_server: Server, change: str, words: str) -> None:
    """An applied text that changed, or a migration from the future, stops migrate and start alike."""
    with vault_server.clone() as name:
        url = _url(vault_server, name)
        with psycopg.connect(url) as connection:
            connection.execute(change.encode())
        for act in (migrations.migrate, migrations.check):
            with pytest.raises(MigrationError, match=words):
                act(url)


def test_it_says_what_is_not_applied(vault_server: Server) -> None:
    """A start on an empty database names the command that mends it."""
    with vault_server.clone() as name:
        url = _url(vault_server, name)
        with psycopg.connect(url) as connection:
            connection.execute("DROP SCHEMA vault, keystore CASCADE")
        with pytest.raises(MigrationError, match=r"001_base\.sql.*migrate"):
            migrations.check(url)
        assert migrations.migrate(url)[0] == "001_base.sql"


def test_it_numbers_its_files_once() -> None:
    """Files are 001, 002, ... and their names say what they hold."""
    names = [one.name for one in migrations.all_of_them()]
    assert names[0] == "001_base.sql"
    assert all(re.fullmatch(r"\d{3}_[a-z_]+\.sql", name) for name in names)


def test_it_belongs_to_the_owner_and_not_to_the_process(module_vault: VaultProcess) -> None:
    """Every table is the owner's; the process cannot alter or drop one."""
    query = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('vault', 'keystore')"
    assert sql(module_vault, query) == [("noren_vault_owner",)]
    for words in (
        "DROP TABLE vault.person",
        "ALTER TABLE vault.field ADD x int",
        "CREATE TABLE vault.x (y int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sql(module_vault, words)


@pytest.mark.parametrize(
    "table",
    ["person", "actor", "shop", "membership", "invite", "access_grant", "message", "ledger_head"],
)
def test_it_deletes_nothing_that_must_stay(module_vault: VaultProcess, table: str) -> None:
    """The process has no right to delete who exists, who worked where, and what was promised."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql(module_vault, f"DELETE FROM vault.{table}")  # noqa: S608 - names from the list above
