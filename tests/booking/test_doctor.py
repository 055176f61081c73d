"""The doctor finds what is not as it must be."""

import threading
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection

from noren.booking import actions, doctor, planes, waiting
from noren.booking.models import Booking, ClassSession
from noren.shops.models import Resource, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, salon
from tests.booking.test_classes import studio
from tests.servers import AppDatabase, VaultProcess

pytestmark = pytest.mark.usefixtures("module_app_db")


def booked() -> House:
    house = salon()
    house.book("cut", "2026-11-05 10:00")
    assert house.findings() == []
    return house


def spoil(house: House, statement: str) -> list[str]:
    with shop(house.id), connection.cursor() as cursor:
        cursor.execute(statement, [house.id])
        assert cursor.rowcount > 0
    return [finding.what for finding in house.findings()]


def test_it_finds_a_bit_too_many() -> None:
    house = booked()
    set_bit = "UPDATE booking_sheet SET padded = set_bit(padded, 0, 1) WHERE shop_id = %s"
    assert spoil(house, set_bit) == ["sheet_differs"]


def test_it_finds_a_sheet_that_is_missing() -> None:
    assert spoil(booked(), "DELETE FROM booking_sheet WHERE shop_id = %s") == ["sheet_differs"]


def test_it_finds_a_claim_that_is_missing() -> None:
    found = spoil(booked(), "DELETE FROM booking_claim WHERE shop_id = %s")
    assert found == ["sheet_differs", "claims_differ"]


def test_it_finds_a_cancelled_booking_that_takes_time() -> None:
    house = booked()
    with shop(house.id):
        Booking.objects.update(status="cancelled", takes=False)
    assert [finding.what for finding in house.findings()] == ["claims_differ"]


def test_it_finds_seats_counted_wrong() -> None:
    house = studio()
    with shop(house.id):
        ClassSession.objects.filter(booked=0).update(booked=1)
    assert {finding.what for finding in house.findings()} == {"seats_differ"}


def test_it_takes_no_booking_of_the_meantime_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims and sheets are read one after the other, and bookings go on."""
    house = booked()
    read = planes.of_claims

    def slow(resource: Resource) -> planes.Planes:
        found = read(resource)
        other = threading.Thread(target=_book_beside, args=(house,))
        other.start()
        other.join()
        return found

    monkeypatch.setattr(planes, "of_claims", slow)
    assert house.findings() == []
    assert house.sheet_rows() == 2


def _book_beside(house: House) -> None:
    try:
        house.book("cut", "2026-11-06 10:00")
    finally:
        connection.close()


def test_it_finds_an_offer_without_its_hold_and_a_hold_without_its_offer() -> None:
    house = salon()
    with shop(house.id), change():
        Service.objects.update(waiting={"hours": 4})
    day = "2026-11-05"
    for hour in range(9, 18):
        house.book("cut", f"{day} {hour:02}:00")
    wish = waiting.JoinRequest(house.services["cut"], day=date(2026, 11, 5))
    waiting.join(house.id, wish, uuid4(), now=NOW)
    with shop(house.id):
        booking = Booking.objects.earliest("id")
    actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert waiting.offer(house.id, now=NOW) == 1
    assert house.findings() == []
    spoiled = "UPDATE booking_waiting SET hold_id = NULL, state = 'waiting' WHERE shop_id = %s"
    assert spoil(house, spoiled) == ["hold_without_offer"]
    spoiled = "UPDATE booking_waiting SET hold_id = %d, state = 'offered' WHERE shop_id = %%s"
    assert spoil(house, spoiled % booking.id) == ["hold_without_offer", "offer_without_hold"]


def test_it_goes_through_every_shop_as_the_owner(module_app_db: AppDatabase) -> None:
    house = booked()
    spoil(house, "DELETE FROM booking_sheet WHERE shop_id = %s")
    with module_app_db.role("owner"):
        found = doctor.check()
    assert f"shop {house.id} " in " ".join(finding.where for finding in found)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("ALTER TABLE booking_claim NO FORCE ROW LEVEL SECURITY", "wall_down"),
        ("ALTER TABLE booking_claim DISABLE ROW LEVEL SECURITY", "wall_down"),
        ("CREATE POLICY open ON booking_claim USING (true)", "wall_down"),
        ("CREATE TABLE shops_notes (id bigint PRIMARY KEY)", "table_unknown"),
    ],
)
def test_it_finds_a_wall_that_is_down(app_db: AppDatabase, statement: str, what: str) -> None:
    with app_db.connect("owner", autocommit=True) as owner:
        owner.execute(statement.encode())
    assert what in {finding.what for finding in doctor.walls()}


def test_it_tells_of_sheets_and_of_the_ledger(
    app_db: AppDatabase, vault: VaultProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """`noren doctor`: 0 and no finding; then a sheet that lies and a byte of the ledger that was turned."""
    house = booked()
    with app_db.role("owner"):
        assert doctor.main([]) == 0
    assert capsys.readouterr().out == "1 shops examined, 0 findings.\n"
    spoil(house, "DELETE FROM booking_sheet WHERE shop_id = %s")
    segment = next((vault.ledger / "segments").iterdir())
    with segment.open("r+b") as file:
        file.seek(segment.read_bytes().index(b'"kind":"start"'))
        file.write(b'"kind":"stare"')
    with app_db.role("owner"):
        assert doctor.main([]) == 1
    told = capsys.readouterr().out
    for finding in ("sheet_differs: shop 1 resource", "ledger: vault: ", "index: vault: "):
        assert finding in told
    assert told.endswith("1 shops examined, 3 findings.\n")
