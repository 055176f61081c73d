"""One statement, one round trip: the walls of `with shop(id):`, and a clean connection whatever happens."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.db import (
    DataError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from psycopg.pq import TransactionStatus

from noren.shops.guard import QueryWithoutShop
from noren.shops.models import Shop
from noren.shops.tenancy import shop
from noren.shops.trip import Value, read_in
from tests.booking.scene import House, salon
from tests.servers import AppDatabase

SHOPS = "SELECT shop_id, zone FROM shops_shop WHERE shop_id > $1::bigint"
DIVIDE = "SELECT shop_id / $1::bigint FROM shops_shop WHERE shop_id > 0"
ECHO = "SELECT $1::bigint, $2::text, $3::bytea, $4::timestamptz, $5::bigint[], $6::text"


@pytest.fixture
def house(app_db: AppDatabase) -> House:
    return salon()


@pytest.fixture
def stranger(app_db: AppDatabase) -> House:
    return salon()


@pytest.fixture
def pooled(app_db: AppDatabase) -> Iterator[None]:
    """Connections come from a pool of three, as in a web process (there are eight)."""
    entry = connections.settings["default"]
    connection.close()
    entry["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 3, "timeout": 60}
    # Django keeps one by its alias: another file's, whose database is gone, would be taken for this one.
    connection.close_pool()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        del entry["OPTIONS"]["pool"]


def idle() -> bool:
    raw = connection.connection
    return bool(raw.info.transaction_status == TransactionStatus.IDLE) and raw.autocommit is True


def shop_of_setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('noren.shop', true), '')")
        return str(cursor.fetchone()[0])


def test_it_sees_its_own_shop_and_no_other(house: House, stranger: House) -> None:
    assert [row[0] for row in read_in(house.id, SHOPS, [0])] == [house.id]
    assert [row[0] for row in read_in(stranger.id, SHOPS, [0])] == [stranger.id]
    assert idle()
    assert shop_of_setting() == ""


def test_it_carries_every_kind_of_value(house: House) -> None:
    at = datetime(2026, 11, 2, 3, 4, 5, 678, tzinfo=UTC)
    given: list[Value] = [-7, "暖簾 {1,2}", b"\x00\xff", at, [3, 1, 2], None]
    assert list(read_in(house.id, ECHO, given)[0]) == given
    assert read_in(house.id, ECHO, [0, "", b"", at, [], None])[0][4] == []


def test_inside_the_shop_it_belongs_to_the_transaction(house: House) -> None:
    with shop(house.id):
        Shop.objects.update(zone="Asia/Seoul")
        assert read_in(house.id, SHOPS, [0])[0][1] == "Asia/Seoul"
        transaction.set_rollback(True)
    assert read_in(house.id, SHOPS, [0])[0][1] == "Asia/Tokyo"


def test_it_refuses_another_shop_inside(house: House, stranger: House) -> None:
    with shop(house.id), pytest.raises(RuntimeError, match="cannot be read inside"):
        read_in(stranger.id, SHOPS, [0])


def test_it_refuses_another_transaction(house: House) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside another transaction"):
        read_in(house.id, SHOPS, [0])


def test_it_cannot_write(house: House) -> None:
    with pytest.raises(InternalError, match="read-only"):
        read_in(house.id, "UPDATE shops_shop SET zone = 'UTC' WHERE shop_id = $1::bigint", [house.id])
    assert read_in(house.id, SHOPS, [0])[0][1] == "Asia/Tokyo"


def test_the_guard_sees_the_statement(house: House) -> None:
    with pytest.raises(QueryWithoutShop):
        read_in(house.id, "SELECT 1 FROM booking_claim", [])
    assert idle()


@pytest.mark.usefixtures("pooled")
def test_after_an_error_the_connection_is_clean(house: House, stranger: House) -> None:
    """The one connection of the pool, in turn: an error, another shop, a statement that cannot be planned."""
    for _ in range(3):
        with pytest.raises(DataError):
            read_in(house.id, DIVIDE, [0])
        assert idle()
        assert shop_of_setting() == ""
        assert [row[0] for row in read_in(stranger.id, SHOPS, [0])] == [stranger.id]
        with pytest.raises(ProgrammingError):
            read_in(house.id, "SELECT shop_id, nothing FROM shops_shop", [])
        assert idle()
        assert read_in(house.id, DIVIDE, [1]) == [(house.id,)]
        connection.close()


def test_an_error_inside_the_shop_ends_its_transaction(house: House, stranger: House) -> None:
    with pytest.raises(DataError), shop(house.id):
        read_in(house.id, DIVIDE, [0])
    assert idle()
    assert [row[0] for row in read_in(stranger.id, SHOPS, [0])] == [stranger.id]


@pytest.mark.usefixtures("pooled")
def test_a_lost_connection_is_not_used_again(app_db: AppDatabase, house: House) -> None:
    read_in(house.id, SHOPS, [0])
    with app_db.connect("web", autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        read_in(house.id, SHOPS, [0])
    assert [row[0] for row in read_in(house.id, SHOPS, [0])] == [house.id]


@pytest.mark.usefixtures("pooled")
def test_a_connection_that_was_lost_in_the_pool_costs_nobody_anything(
    app_db: AppDatabase, house: House
) -> None:
    """As after a restart of the server: every one that waits there has ended."""
    connection.close()
    with ThreadPoolExecutor(3) as pool:
        gate = Barrier(3, timeout=60)

        def take(_: int) -> int:
            connection.ensure_connection()
            gate.wait()
            process = int(connection.connection.info.backend_pid)
            connection.close()
            return process

        processes = list(pool.map(take, range(3)))
    assert len(set(processes)) == 3
    with app_db.connect("web", autocommit=True) as other:
        for process in processes:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    with shop(house.id):
        assert Shop.objects.count() == 1
    connection.close()
    assert [row[0] for row in read_in(house.id, SHOPS, [0])] == [house.id]


@pytest.mark.usefixtures("pooled")
def test_what_breaks_off_in_between_leaves_no_answer_behind(
    house: House, stranger: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a question that nobody waits for any more is never taken for that to the next."""

    def broken(*_: Any) -> Any:
        raise KeyboardInterrupt

    read_in(house.id, SHOPS, [0])
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "wait", broken)
        with pytest.raises(KeyboardInterrupt):
            read_in(house.id, SHOPS, [0])
    assert [row[0] for row in read_in(stranger.id, SHOPS, [0])] == [stranger.id]


@pytest.mark.usefixtures("pooled")
def test_ten_thousand_reads_of_two_shops_are_never_mixed(house: House, stranger: House) -> None:
    """Threads that share three connections, with errors and ordinary transactions in between."""

    def right(shop_id: int) -> bool:
        return [row[0] for row in read_in(shop_id, SHOPS, [0])] == [shop_id]

    def wrong(shop_id: int) -> bool:
        with pytest.raises(DataError):
            read_in(shop_id, DIVIDE, [0])
        return True

    def plain(shop_id: int) -> bool:
        with shop(shop_id):
            return list(Shop.objects.values_list("shop_id", flat=True)) == [shop_id]

    def thread(seed: int) -> int:
        dice = random.Random(seed)
        done = 0
        for _ in range(2500):
            deed: Callable[[int], bool] = dice.choices([right, wrong, plain], [90, 5, 5])[0]
            done += deed(dice.choice([house.id, stranger.id]))
            if dice.random() < 0.3:
                connection.close()
        connection.close()
        return done

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(thread, range(4))) == 10_000
