"""All kinds of keys rotated over all kinds of sealed rows: after a restart each of them still opens."""

from typing import Any

import psycopg
import pytest

from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.vault import Vault
from noren_vault.visits import Visit, Visits
from tests.servers import Sink
from tests.vault.accounts import check, joined
from tests.vault.cast import SALON, customer
from tests.vault.conftest import Bench, ask

ADMIN = Path("admin", "uid:0")
BACKUP = "20270101T000000Z-0123abcd"
# Every column that holds ciphertext; a new one is added here and to the test below.
SEALED = {
    ("keystore", "person_key", "wrapped"),
    ("keystore", "signin_mail", "sealed"),
    ("vault", "field", "sealed"),
    ("vault", "password", "sealed"),
    ("vault", "recovery", "sealed"),
    ("vault", "session", "sealed"),
    ("vault", "totp", "sealed"),
}


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def _visits(vault: Vault) -> Visits:
    rotation = vault.keeping.rotation
    return Visits(rotation._database, rotation._keys)


async def _visit(vault: Vault, address: str, device: str) -> None:
    async with vault.keeping.rotation._database.transaction() as connection:
        await _visits(vault).add(connection, "s-1", Visit("s-1", address, device), 0)


@pytest.mark.parametrize("last", list(What))
def test_it_reads_everything_after_all_rotations(bench: Bench, mail: Sink, last: What) -> None:
    """Customer, backup's canary, two places of one session, and an account: all open, in any order."""

    async def fill(vault: Vault) -> tuple[str, str, str]:
        await joined(vault, mail, "aoi")
        put = await ask(vault, "put", shop=SALON, key="k", fields=customer(7), session="")
        await ask(vault, "keep", shop=SALON, person=put["person"])
        begun = await ask(vault, "backup_begin", backup=BACKUP)
        canary = begun["canary"]["person"]
        await _visit(vault, "192.0.2.7", "Firefox")
        await _visit(vault, "198.51.100.9", "Safari")
        return (
            put["person"],
            canary,
            (await ask(vault, "backup_canary", backup=BACKUP, person=canary))["mail"],
        )

    async def rotate(vault: Vault) -> None:
        for what in [*(one for one in What if one is not last), last]:
            await vault.keeping.rotation.begin(what, ADMIN)
            await vault.keeping.rotation.work()
        assert all(one["left"] == 0 for one in await vault.keeping.rotation.status())

    async def read(vault: Vault) -> None:
        grant = (await check(vault, "aoi"))["grant"]
        told = await ask(
            vault, "reveal", grant=grant, purpose="customer", persons=[person], fields=["name", "mail"]
        )
        assert told["persons"][person]["name"] == customer(7)["name"]
        assert (await ask(vault, "backup_canary", backup=BACKUP, person=canary))["mail"] == address
        for place in ("192.0.2.7", "198.51.100.0/24"):
            found = await _visits(vault).find(addresses=[place], devices=[], since=0, until=1)
            assert found.unsure == {"s-1"}
        both = await _visits(vault).find(
            addresses=["192.0.2.7", "198.51.100.9"], devices=[], since=0, until=1
        )
        assert both.sessions == {"s-1"}
        assert not (await _visits(vault).find(addresses=["203.0.113.1"], devices=[], since=0, until=1)).unsure

    person, canary, address = bench.run(fill)
    before = _rows(bench, "SELECT sealed FROM vault.session")
    bench.run(rotate)
    assert not set(before) & set(_rows(bench, "SELECT sealed FROM vault.session"))
    bench.run(read)


def test_it_knows_every_column_that_is_sealed(bench: Bench) -> None:
    """A column for ciphertext that no rotation was thought of for does not come in unseen."""

    async def act(_: Vault) -> None:
        return

    bench.run(act)
    found = _rows(
        bench,
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        "WHERE table_schema IN ('vault', 'keystore') AND data_type = 'bytea' "
        "AND column_name ~ '(sealed|wrapped|cipher|secret$)'",
    )
    assert set(found) == SEALED
