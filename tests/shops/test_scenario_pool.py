"""Scenarios 14 and 15: what a statement that was smuggled in gets, and connections that are used again."""

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, connections

from noren.shops.tenancy import shop
from tests.booking.scene import salon
from tests.servers import AppDatabase

if TYPE_CHECKING:
    from django.db.backends.postgresql.base import DatabaseWrapper

REQUESTS = 10_000
THREADS = 8
# Fewer than threads, so that each connection goes from hand to hand.
POOL = {"min_size": 3, "max_size": 3, "timeout": 60}


class Trouble(Exception):
    """A request that fails in the middle."""


@pytest.fixture
def pooled(app_db: AppDatabase) -> Iterator[AppDatabase]:
    """Django's connections come from a pool, as the web server's do; it is gone before the database is."""
    options = connections.settings["default"]["OPTIONS"]
    connection.close()
    options["pool"] = POOL
    connection.close_pool()  # type: ignore[attr-defined] # another file's, kept by Django under the alias
    try:
        yield app_db
    finally:
        connection.close()
        cast("DatabaseWrapper", connection).close_pool()
        del options["pool"]


def _seen() -> set[int]:
    """Whose rows this connection shows, past the guard that would stop a query without a shop."""
    connection.ensure_connection()
    return {shop_id for (shop_id,) in connection.connection.execute("SELECT shop_id FROM shops_service")}


def _request(number: int, shops: list[int], chance: random.Random) -> str:
    """A request for a shop that ends well, fails, is cancelled or cut off; then one for none."""
    mine, end = shops[number % len(shops)], chance.choice(("well", "well", "fails", "cancelled", "cut"))
    if end == "cut" and number % 10:
        end = "fails"
    try:
        with shop(mine):
            assert _seen() == {mine}
            if end == "fails":
                raise Trouble  # noqa: TRY301 - a request that fails in the middle
            if end == "cancelled":
                connection.connection.execute("SET LOCAL statement_timeout = 1")
                connection.connection.execute("SELECT pg_sleep(5)")
            if end == "cut":
                connection.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    except (Trouble, DatabaseError, psycopg.Error):
        assert end != "well"
    finally:
        connection.close()
    try:
        with contextlib.suppress(OperationalError):
            assert _seen() == set()
    finally:
        connection.close()
    return end


def test_it_mixes_no_shops_in_ten_thousand_requests(pooled: AppDatabase) -> None:
    """Two shops' requests on three connections, many failing or cancelled: each sees its own rows."""
    assert pooled
    shops = [salon().id, salon().id]

    def some(seed: int) -> Counter[str]:
        chance = random.Random(seed)
        return Counter(_request(number, shops, chance) for number in range(seed, REQUESTS, THREADS))

    with ThreadPoolExecutor(THREADS) as threads:
        ends = sum(threads.map(some, range(THREADS)), Counter[str]())
    assert ends.total() == REQUESTS
    assert cast("DatabaseWrapper", connection).pool.get_stats()["requests_num"] > REQUESTS
    assert ends.keys() == {"well", "fails", "cancelled", "cut"}


def test_it_would_see_a_shop_that_stayed_on_a_connection(pooled: AppDatabase) -> None:
    """The control: a setting that outlives its transaction is found by the same look."""
    assert pooled
    mine = salon().id
    connection.ensure_connection()
    connection.connection.execute(f"SET noren.shop = '{mine}'".encode())
    assert _seen() == {mine}


@pytest.mark.parametrize(
    "smuggled",
    [
        "SELECT 1 FROM vault.field",
        "SELECT 1 FROM keystore.person_key",
        "SET ROLE noren_owner",
        "SET SESSION AUTHORIZATION noren_worker",
        "ALTER TABLE shops_service DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON shops_service",
        "CREATE TABLE mine (a int)",
        "CREATE EXTENSION dblink",
        "COPY shops_service TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_it_gives_a_smuggled_statement_no_more_than_the_role_has(app_db: AppDatabase, smuggled: str) -> None:
    """As the web's own login: no other role, no policy changed, no file, and the vault is not there."""
    with app_db.connect() as conn, pytest.raises(psycopg.Error) as refusal:
        conn.execute(smuggled.encode())
    assert refusal.value.sqlstate in {"42501", "42P01", "3F000", "0A000", "58P01"}


def test_it_shows_a_smuggled_statement_no_row_without_a_shop(app_db: AppDatabase) -> None:
    """Without entering a shop it reads nothing; entering one by its number it reads that one."""
    mine, other = salon().id, salon().id
    with app_db.connect() as conn:
        assert conn.execute("SELECT 1 FROM shops_service").fetchall() == []
        # The limit, stated in the threat model: who can run any statement can enter any one shop.
        conn.execute("SELECT set_config('noren.shop', %s, true)", [str(other)])
        seen = {row[0] for row in conn.execute("SELECT shop_id FROM shops_service")}
    assert seen == {other}
    assert mine not in seen
