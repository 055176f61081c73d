"""`noren doctor --repair`: what differs from its truth is made anew, and it is said what has changed."""

from functools import partial

import pytest
from django.db import connection

from noren.booking import doctor, repair
from noren.booking.models import Booking, ClassSession
from noren.errors import SlotTaken
from noren.shops.models import Resource
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import House, found, salon
from tests.booking.test_classes import seats, studio
from tests.servers import AppDatabase, VaultProcess

DAY = "2026-11-05"
# 10:00 to 11:00 in Tokyo is 1:00 to 2:00 of UTC: the minutes from 60 to 120.


@pytest.fixture
def house(module_app_db: AppDatabase) -> House:
    """Somebody who cuts, and three bikes; a cut and two rides are booked at ten."""
    assert module_app_db
    made = found(
        {"aoi": {}, "bikes": {"kind": "equipment", "stock": 3}},
        {"cut": {"needs": {"staff": ["aoi"]}, "after": 15}, "ride": {"needs": {"bike": ["bikes"]}}},
    )
    for service in ("cut", "ride", "ride"):
        made.book(service, f"{DAY} 10:00")
    return made


def spoil(house: House, statement: str) -> None:
    with shop(house.id), connection.cursor() as cursor:
        cursor.execute(statement, [house.id])
        assert cursor.rowcount > 0
    assert house.findings() != []


def repaired(database: AppDatabase, house: House) -> list[str]:
    """Repair as the command does; return what was said, without the shop's number."""
    with database.role("owner"):
        return [words.removeprefix(f"shop {house.id} ") for words in repair.of_shop(house.id)]


def test_it_leaves_alone_what_is_right(module_app_db: AppDatabase, house: House) -> None:
    before = house.sheet_rows()
    assert repaired(module_app_db, house) == []
    assert house.sheet_rows() == before


@pytest.mark.parametrize(
    ("bits", "change"),
    [
        ("padded = set_bit(padded, 5, 1)", "0 minutes taken, 1 freed"),
        (
            "padded = set_bit(padded, 70, 0), core = set_bit(core, 70, 0)",
            "1 minutes taken, 0 freed, 1 in the core",
        ),
        ("core = set_bit(core, 70, 0)", "0 minutes taken, 0 freed, 1 in the core"),
    ],
    ids=["a bit too many", "a bit too few", "a bit of the core"],
)
def test_it_sets_bits_as_the_claims_say(
    module_app_db: AppDatabase, house: House, bits: str, change: str
) -> None:
    spoil(house, f"UPDATE booking_sheet SET {bits} WHERE shop_id = %s")  # noqa: S608 - words of ours
    aoi, bikes = house.resources["aoi"], house.resources["bikes"]
    assert repaired(module_app_db, house) == [
        f"resource {aoi} day {DAY} plane 1: {change}",
        f"resource {bikes} day {DAY} plane 1: {change}",
        f"resource {bikes} day {DAY} plane 2: {change}",
    ]
    assert house.findings() == []


def test_it_makes_sheets_that_are_missing(module_app_db: AppDatabase, house: House) -> None:
    spoil(house, "DELETE FROM booking_sheet WHERE shop_id = %s")
    assert house.starts("cut", DAY)[0] == "09:00"
    aoi, bikes = house.resources["aoi"], house.resources["bikes"]
    assert repaired(module_app_db, house) == [
        f"resource {aoi} day {DAY} plane 1: 75 minutes taken, 0 freed, 60 in the core",
        f"resource {bikes} day {DAY} plane 1: 60 minutes taken, 0 freed, 60 in the core",
        f"resource {bikes} day {DAY} plane 2: 60 minutes taken, 0 freed, 60 in the core",
    ]
    assert house.findings() == []
    with pytest.raises(SlotTaken):
        house.book("cut", f"{DAY} 10:30")


def test_it_removes_sheets_of_which_nothing_is_taken(module_app_db: AppDatabase, house: House) -> None:
    before = house.sheet_rows()
    spoil(
        house,
        "INSERT INTO booking_sheet (shop_id, resource_id, plane, day, core, padded) "
        "SELECT shop_id, id, 1, date '2026-12-01', 0::bit(1440), set_bit(0::bit(1440), 9, 1) "
        "FROM shops_resource WHERE shop_id = %s",
    )
    assert len(repaired(module_app_db, house)) == 2
    assert (house.findings(), house.sheet_rows()) == ([], before)


def test_it_gives_a_stock_its_planes(module_app_db: AppDatabase, house: House) -> None:
    """The stock has become one, and the job that follows has not run."""
    with shop(house.id):
        Resource.objects.filter(key="bikes").update(stock=1)
    assert house.findings() != []
    bikes = house.resources["bikes"]
    change = "0 minutes taken, 60 freed, 60 in the core"
    assert repaired(module_app_db, house) == [f"resource {bikes} day {DAY} plane 2: {change}"]
    assert house.findings() == []


def test_it_counts_seats_anew(module_app_db: AppDatabase) -> None:
    house = studio()
    house.book("yoga", "2026-11-04 10:00", party=3)
    with shop(house.id):
        session = ClassSession.objects.get(booked=3)
        ClassSession.objects.filter(id=session.id).update(booked=1)
    assert repaired(module_app_db, house) == [f"session {session.id}: 1 seats counted, now 3"]
    assert (house.findings(), seats(house, "2026-11-04 10:00")) == ([], 3)


def test_it_repairs_while_bookings_go_on(module_app_db: AppDatabase) -> None:
    """Ten customers and the repair at the same moment: nothing is lost, and nothing is taken twice."""
    house = salon(staff=3)
    house.book("cut", f"{DAY} 17:00")
    spoil(house, "UPDATE booking_sheet SET padded = set_bit(padded, 1439, 1) WHERE shop_id = %s")
    hours = [f"{DAY} {hour:02}:00" for hour in range(9, 14)]
    deeds = [partial(_book, house, at) for at in hours * 2]
    done = at_once([*deeds, partial(_repair, house)])
    assert [each for each in done if isinstance(each, BaseException)] == []
    assert repaired(module_app_db, house) == []
    with shop(house.id):
        assert Booking.objects.count() == 11
    assert house.findings() == []


def _book(house: House, at: str) -> None:
    house.book("cut", at)


def _repair(house: House) -> None:
    assert len(list(repair.of_shop(house.id))) == 1


def test_it_says_what_it_cannot_repair(
    app_db: AppDatabase, vault: VaultProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command: 1 while something is left, and 0 when all is well."""
    assert vault
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    spoil(house, "DELETE FROM booking_sheet WHERE shop_id = %s")
    with shop(house.id):
        Booking.objects.update(takes=False, status="cancelled")
    with app_db.role("owner"):
        assert doctor.main(["--repair"]) == 1
    sheet = f"shop 1 resource {house.resources['stylist0']} day {DAY} plane 1"
    assert capsys.readouterr().out.splitlines() == [
        f"repaired: {sheet}: 60 minutes taken, 0 freed, 60 in the core",
        f"not repaired: claims_differ: shop 1 booking {booking.id} cancelled: 1 claims",
        "1 shops examined, 1 repaired, 1 findings.",
    ]
    with shop(house.id):
        Booking.objects.update(takes=True, status="confirmed")
    with app_db.role("owner"):
        assert doctor.main(["--repair"]) == 0
    assert capsys.readouterr().out == "1 shops examined, 0 repaired, 0 findings.\n"
