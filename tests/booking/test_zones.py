"""A zone's clock is changed by law (case 28): the time on the wall is what was agreed."""

import struct
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from noren.booking import actions, blocks, tasks, zones
from noren.booking.models import Attention, Booking, Claim, ClassSession, Event
from noren.engine import plan, wall
from noren.engine.model import Claim as Stretch
from noren.messages import ics
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found
from tests.booking.test_classes import WEDNESDAY
from tests.booking.test_impact import jobs, told

pytestmark = pytest.mark.usefixtures("module_app_db")
ZONE = "Noren/Town"
DAY = "2026-12-02"
HOUR = 3600
Offsets = list[tuple[datetime | None, int]]
BEFORE: Offsets = [(None, HOUR)]
AHEAD: Offsets = [(None, HOUR), (datetime(2026, 11, 15, tzinfo=UTC), 2 * HOUR)]
"""From 15 November on clocks are an hour ahead: 10:00 on the wall is an hour earlier."""
BEHIND: Offsets = [(None, HOUR), (datetime(2026, 11, 15, tzinfo=UTC), HOUR // 2)]
JUMP: Offsets = [(None, HOUR), (datetime(2026, 12, 2, 8, 30, tzinfo=UTC), 2 * HOUR)]
"""On 2 December they jump from 9:30 to 10:30."""


def compiled(offsets: Offsets) -> bytes:
    """A zone's file (RFC 9636, version 1): from which instant on which offset holds."""
    times = [int(since.timestamp()) for since, _ in offsets if since is not None]
    counts = struct.pack(">6l", 0, 0, 0, len(times), len(offsets), 4)
    moments = struct.pack(f">{len(times)}l", *times) + bytes(range(1, len(offsets)))
    types = b"".join(struct.pack(">lBB", offset, 0, 0) for _, offset in offsets)
    return b"TZif" + bytes(16) + counts + moments + types + b"TWN\0"


class Law:
    """Puts tz data in force, as an update of the package and a new start do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, offsets: Offsets) -> None:
        file = self.folder / ZONE
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(compiled(offsets))
        zoneinfo.reset_tzpath(to=[str(self.folder), *self.usual])
        _forget()

    usual = zoneinfo.TZPATH


def _forget() -> None:
    zoneinfo.ZoneInfo.clear_cache()
    wall.calendar.cache_clear()
    plan.plan.cache_clear()


@pytest.fixture
def law(tmp_path: Path) -> Iterator[Law]:
    made = Law(tmp_path)
    made.says(BEFORE)
    yield made
    zoneinfo.reset_tzpath(to=made.usual)
    _forget()


def town(**service: Any) -> House:
    return found(
        {"aoi": {}, "chair": {"kind": "chair"}},
        {"cut": {"needs": {"staff": ["aoi"], "chair": ["chair"]}, "after": 15, **service}},
        hours=((8 * 60, 20 * 60),),
        zone=ZONE,
    )


def at(text: str) -> str:
    """A time on the town's wall, as it stands in the law of the moment."""
    return datetime.fromisoformat(f"{DAY} {text}").replace(tzinfo=zoneinfo.ZoneInfo(ZONE)).isoformat()


def book(house: House, text: str, **more: Any) -> Booking:
    start = datetime.fromisoformat(at(text))
    held = actions.hold(
        house.id, actions.HoldRequest(house.services["cut"], start, None, more.get("party", 1)), now=NOW
    )
    return actions.confirm(house.id, held.id, more["person"], now=NOW, locale="ja", consent=1)


def spans(house: House, booking_id: int) -> list[tuple[int, int, int]]:
    with shop(house.id):
        rows = Claim.objects.filter(booking_id=booking_id).order_by("resource_id", "day")
        return [(row.core_from, row.core_to, row.padded_to) for row in rows]


def hour(booking: Booking) -> tuple[int, int]:
    start = booking.start.astimezone(UTC)
    return start.hour, start.minute


PERSON = UUID(int=28)


def test_case_028_it_moves_to_the_instant_of_its_wall_time(law: Law) -> None:
    house = town()
    booking = book(house, "10:00", person=PERSON)
    assert hour(booking) == (9, 0)
    before = ics.event(house.id, booking.id, now=NOW)
    law.says(AHEAD)
    assert [each.what for each in house.findings()] == ["wall_differs"]
    assert zones.review(house.id, now=NOW) == 1
    moved = house.booking(booking.id)
    assert (hour(moved), moved.wall, moved.attention) == ((8, 0), f"{DAY}T10:00", Attention.ZONE)
    assert moved.end - moved.start == booking.end - booking.start
    assert spans(house, booking.id) == [(480, 540, 555)] * 2, "its claims are where it is, buffers too"
    assert told(house, booking.id)[-1] == ("moved", "zone")
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "zone"} in jobs(
        house, "messages.tasks.send"
    )
    after = ics.event(house.id, booking.id, now=NOW)
    assert (b"SEQUENCE:0" in before, b"SEQUENCE:1" in after) == (True, True)
    assert b"T100000" in after, "the customer's file says the same time on the wall"
    assert house.findings() == []
    assert zones.review(house.id, now=NOW) == 0, "a second time nothing moves"


@pytest.mark.parametrize("offsets", [AHEAD, BEHIND])
def test_case_028_neighbours_make_room_for_each_other(law: Law, offsets: Offsets) -> None:
    house = town(after=0)
    bookings = [book(house, f"{hour_}:00", person=PERSON) for hour_ in (10, 11, 12, 13)]
    law.says(offsets)
    assert zones.review(house.id, now=NOW) == 4
    with shop(house.id):
        moves = Event.objects.filter(what="moved")
        assert [each.facts["over"] for each in moves] == [False] * 4
    assert [house.booking(each.id).wall for each in bookings] == [each.wall for each in bookings]
    assert house.findings() == []


def test_case_028_over_what_does_not_move_if_need_be(law: Law) -> None:
    house = town()
    booking = book(house, "10:00", person=PERSON)
    law.says(AHEAD)
    start = datetime(2026, 12, 2, 8, 0, tzinfo=UTC)
    blocks.block(house.id, house.resources["aoi"], start, booking.start, now=NOW, by="staff:1")
    zones.review(house.id, now=NOW)
    assert (hour(house.booking(booking.id)), house.booking(booking.id).attention) == ((8, 0), Attention.ZONE)
    assert house.findings() == []


def test_case_028_a_time_that_is_jumped_over_becomes_the_next(law: Law) -> None:
    house = town()
    booking = book(house, "10:00", person=PERSON)
    law.says(JUMP)
    zones.review(house.id, now=NOW)
    moved = house.booking(booking.id)
    assert (hour(moved), moved.wall) == ((8, 30), f"{DAY}T10:30")
    assert zones.review(house.id, now=NOW) == 0
    assert house.findings() == []


def test_case_028_a_class_moves_with_all_who_have_booked_it(
    law: Law, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = town(capacity=4, timetable=[{"weekday": WEDNESDAY, "start": 600}], party_max=2)
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    tasks.timetables(house.id)
    bookings = [book(house, "10:00", person=PERSON, party=party) for party in (1, 2)]
    law.says(AHEAD)
    tasks.timetables(house.id)  # by the new law it wants a date at ten of the new clock
    tasks.review(house.id)
    assert [hour(house.booking(each.id)) for each in bookings] == [(8, 0)] * 2
    assert {house.booking(each.id).attention for each in bookings} == {"zone"}
    with shop(house.id):
        there = ClassSession.objects.filter(start__date=DAY, cancelled=False)
        assert [(row.start.hour, row.booked) for row in there] == [(8, 3)]
    assert house.findings() == []


def test_case_028_what_is_over_stays_as_it_was(law: Law) -> None:
    house = town()
    booking = book(house, "10:00", person=PERSON)
    law.says(AHEAD)
    assert zones.review(house.id, now=datetime(2026, 12, 3, tzinfo=UTC)) == 0
    assert house.booking(booking.id).start == booking.start


def test_a_doubled_hour_of_autumn_is_its_own(law: Law) -> None:
    """The second 1:30 of a night shows the same on the wall as the first: it is no change of the law."""
    assert law

    def shows(hour_: int, text: str) -> bool:
        start = datetime(2026, 10, 25, hour_, 30, tzinfo=UTC)
        return not zones.differs(Booking(shop_id=1, start=start, wall=text, zone="Europe/London"))

    assert shows(0, "2026-10-25T01:30")
    assert shows(1, "2026-10-25T01:30")
    assert not shows(0, "2026-10-25T02:30")


def test_claims_that_were_cut_at_midnight_are_whole_again() -> None:
    cut = [
        Stretch(1, 1, 1400, 1440, 1390, 1440),
        Stretch(1, 1, 1440, 1460, 1440, 1470),
        Stretch(2, 1, 1440, 1460, 1440, 1470),
    ]
    assert zones.whole(cut) == [Stretch(1, 1, 1400, 1460, 1390, 1470), cut[2]]
    buffer = [Stretch(1, 1, 1400, 1440, 1400, 1440), Stretch(1, 1, 1440, 1440, 1440, 1450)]
    assert zones.whole(buffer) == [Stretch(1, 1, 1400, 1440, 1400, 1450)]
