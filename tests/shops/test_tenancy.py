"""A shop's rows are a shop's own: on a real database, as role noren_app, with real commits."""

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection

from noren.booking import doctor
from noren.booking.models import Booking, Claim
from noren.shops import directory, rules
from noren.shops.guard import QueryWithoutShop
from noren.shops.models import Resource, Service, Shop
from noren.shops.tenancy import GLOBAL_TABLES, ShopModel, current_shop, shop, tenant_tables, write_in
from tests.booking.scene import House, salon
from tests.servers import AppDatabase

if TYPE_CHECKING:
    import psycopg

KEYS = """
SELECT t.relname, x.conname,
    (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = x.conkey[1])
FROM pg_constraint x JOIN pg_class t ON t.oid = x.conrelid
WHERE t.relnamespace = 'public'::regnamespace AND x.contype IN ('p', 'u', 'f')
"""
UNIQUES = """
SELECT t.relname, i.indexrelid::regclass::text,
    (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0])
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique
"""
POLICIES = """
SELECT c.relname, p.polname, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
    ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1), p.polcmd::text
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
"""
INSERT = """INSERT INTO shops_override (shop_id, service_id, date, ranges, why)
VALUES (%s, %s, '2026-01-01', '[]', '')"""


@pytest.fixture
def house(module_app_db: AppDatabase) -> House:
    return salon()


@pytest.fixture
def stranger(module_app_db: AppDatabase) -> House:
    return salon()


@pytest.fixture
def owner(module_app_db: AppDatabase) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with module_app_db.connect("owner", autocommit=True) as conn:
        yield conn


def test_it_knows_every_table(module_app_db: AppDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        there = {name for (name,) in cursor.fetchall()}
    assert there == tenant_tables() | GLOBAL_TABLES & there
    assert not tenant_tables() & GLOBAL_TABLES


def test_it_has_no_implicit_tables() -> None:
    own = [
        each for each in apps.get_models(include_auto_created=True) if each.__module__.startswith("noren.")
    ]
    assert own
    for model in own:
        assert not model._meta.many_to_many
        assert issubclass(model, ShopModel) or model._meta.db_table in GLOBAL_TABLES


def test_it_adds_the_shop_in_the_base_manager_too() -> None:
    for model in apps.get_models():
        if issubclass(model, ShopModel):
            assert model._meta.base_manager_name == "objects"


def test_it_stands_on_every_wall(module_app_db: AppDatabase) -> None:
    assert doctor.walls() == []


def test_it_lets_the_shop_and_the_owner_in_and_nobody_else(module_app_db: AppDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(POLICIES)
        rows = cursor.fetchall()
    by_table: dict[str, dict[str, tuple[object, ...]]] = {}
    for table, name, *rest in rows:
        by_table.setdefault(table, {})[name] = tuple(rest)
    mine = "(shop_id = (NULLIF(current_setting('noren.shop'::text, true), ''::text))::bigint)"
    wanted = {
        "tenant": (mine, mine, ["noren_app", "noren_worker"], "*"),
        "owner": ("true", "true", ["noren_owner"], "*"),
    }
    assert by_table == dict.fromkeys(tenant_tables(), wanted)


@pytest.mark.parametrize("query", [KEYS, UNIQUES])
def test_it_begins_every_key_with_the_shop(module_app_db: AppDatabase, query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query)
        keys = [row for row in cursor.fetchall() if row[0] in tenant_tables()]
    assert len(keys) > len(tenant_tables())
    assert [row for row in keys if row[2] != "shop_id"] == []


def test_it_has_a_migration_for_every_model(module_app_db: AppDatabase) -> None:
    with module_app_db.role("owner"):
        call_command("makemigrations", check=True, dry_run=True, skip_checks=True, stdout=StringIO())


def test_it_runs_no_function_with_its_owners_rights(module_app_db: AppDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


def test_it_shows_nothing_without_a_shop(house: House) -> None:
    with connection.cursor() as cursor:
        for table in sorted(tenant_tables()):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE shop_id = %s", [house.id])  # noqa: S608
            assert cursor.fetchone() == (0,)


def test_it_shows_nothing_after_a_reset_on_the_same_connection(house: House) -> None:
    with shop(house.id):
        assert Shop.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('noren.shop', true)")
        assert cursor.fetchone() == ("",), "the setting is empty now, not missing: the policy must bear it"
        cursor.execute("SELECT count(*) FROM shops_shop WHERE shop_id = %s", [house.id])
        assert cursor.fetchone() == (0,)


def test_it_refuses_to_write_without_a_shop(house: House) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), connection.cursor() as cursor:
        cursor.execute(INSERT, [house.id, None])


def test_it_refuses_to_write_for_another_shop(house: House, stranger: House) -> None:
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        shop(house.id),
        connection.cursor() as cursor,
    ):
        cursor.execute(INSERT, [stranger.id, None])


def test_it_shows_nothing_of_another_shop(house: House, stranger: House) -> None:
    booking = stranger.book("cut", "2026-11-03 10:00")
    with shop(house.id):
        assert Booking.objects.filter(id=booking.id).first() is None
        assert Service.objects.filter(id=stranger.services["cut"]).first() is None
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM booking_sheet WHERE shop_id = %s", [stranger.id])
            assert cursor.fetchone() == (0,)
            cursor.execute("UPDATE booking_booking SET party = 9 WHERE shop_id = %s", [stranger.id])
            assert cursor.rowcount == 0


def test_it_refuses_a_reference_to_another_shops_row(house: House, stranger: House) -> None:
    """The foreign key begins with the shop, so that it is no oracle for another shop's ids."""
    with (
        pytest.raises(DatabaseError, match="foreign key"),
        shop(house.id),
        connection.cursor() as cursor,
    ):
        cursor.execute(INSERT, [house.id, stranger.services["cut"]])


def test_it_refuses_another_shop_inside(house: House, stranger: House) -> None:
    with shop(house.id), pytest.raises(RuntimeError, match="cannot be entered"), shop(stranger.id):
        pass


def test_it_enters_the_same_shop_again(house: House) -> None:
    with shop(house.id), shop(house.id):
        assert current_shop() == house.id


def test_it_refuses_a_deed_of_its_own_inside(house: House) -> None:
    with shop(house.id), pytest.raises(RuntimeError, match="transaction of its own"), write_in(house.id):
        pass


def test_it_asks_for_a_shop() -> None:
    with pytest.raises(RuntimeError, match="No shop"):
        Shop.objects.count()


def test_it_leaves_the_shop_after_an_error(house: House) -> None:
    with pytest.raises(ZeroDivisionError), shop(house.id):
        raise ZeroDivisionError
    with pytest.raises(RuntimeError, match="No shop"):
        current_shop()


def test_control_a_query_without_its_shop_is_caught(house: House) -> None:
    with (
        pytest.raises(QueryWithoutShop),
        shop(house.id),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM booking_booking")


def test_it_saves_and_deletes_with_its_shop(house: House) -> None:
    """The guard watches: each of Django's own statements names the shop."""
    with shop(house.id):
        row = Resource.objects.create(key="chair", kind="chair")
        row.position = 3
        row.save(update_fields=["position"])
        row.refresh_from_db()
        assert row.position == 3
        assert row.delete()[0] == 1
        assert list(Claim.objects.all()) == []


def test_it_gives_the_owner_every_shop(house: House, owner: "psycopg.Connection[tuple[object, ...]]") -> None:
    row = owner.execute("SELECT count(*) FROM shops_shop WHERE shop_id = %s", [house.id]).fetchone()
    assert row == (1,)


def test_it_makes_a_new_revision_of_every_change(house: House) -> None:
    with shop(house.id):
        before = rules.known()
        assert rules.known() is before, "kept in memory"
        with rules.change():
            Service.objects.filter(key="cut").update(price=5000)
        after = rules.known()
    assert after.rules.revision == before.rules.revision + 1
    assert after.terms.services[house.services["cut"]].price == 5000


def test_it_knows_a_shop_by_its_address(house: House) -> None:
    assert directory.shop_id(house.slug) == house.id
    assert directory.slug(house.id) == house.slug


@pytest.mark.parametrize(
    "slug",
    ["console", "api", "news", "static", "well-known", "a", "-a", "A", "a_b", "a--b", "ａ", "", "x" * 40],
)
def test_it_gives_no_shop_a_word_of_the_house(slug: str) -> None:
    assert not directory.is_free_word(slug)
