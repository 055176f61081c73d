"""How often the pages of staff and shifts ask the database does not depend on how much there is to show."""

from datetime import date, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.booking import blocks, book, changes
from noren.shops import day_requests, edits
from noren.shops.models import OpeningHours, Resource, Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.flow import CUSTOMER

PAGES = ("staff", "shifts", "requests", "me", "resources", "holidays", "pattern", "shift", "resource")
DAY = date(2026, 12, 3)


def asked(staff: Client, made: Salon, room: int) -> dict[str, int]:
    """How often each page asks the second time, when what a process remembers is remembered."""
    more = {
        "shifts": "shifts?month=2026-12",
        "pattern": f"pattern/{made.staff[0]}",
        "shift": f"shifts/{made.staff[0]}?date={DAY}",
        "resource": f"resources/{room}",
    }
    found = {}
    for page in PAGES:
        address = f"/console/{more.get(page, page)}"
        staff.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(address).status_code == 200, address
        found[page] = len(caught)
    return found


def grow(made: Salon, first: int, many: int) -> int:
    """So many more of everything that these pages list; give a room."""
    rooms = []

    def write() -> bool:
        for number in range(first, first + many):
            words = {"name": {"ja": f"人{number}"}}
            row = Resource.objects.create(key=f"p{number}", kind="staff", texts=words, position=number)
            Staff.objects.create(id=row.id, key=row.key, texts=words, position=number)
            later = [{"first": f"2027-01-{number + 1:02}", "weekly": [[[600, 900]]] * 7}]
            OpeningHours.objects.create(resource_id=row.id, weekly=[], later=later, last=date(2027, 3, 1))
            edits.set_day(DAY + timedelta(days=number), [], resource_id=row.id)
            edits.set_day(date(2027, 2, 1) + 2 * timedelta(days=number), [], edits.DayReason.WORKS)
            on = DAY + timedelta(days=number)
            day_requests.ask(row.id, on, on, [], day_requests.Why.PRIVATE, now=NOON)
            day_requests.ask(made.staff[0], on, on, [], day_requests.Why.LEAVE, now=NOON)
            rooms.append(Resource.objects.create(key=f"r{number}", kind="room", texts=words).id)
        return True

    changes.change(made.id, write, now=NOON, by="staff:1")
    for number in range(first, first + many):
        at = NOON + timedelta(days=30 + number)
        blocks.block(made.id, rooms[0], at, at + timedelta(hours=1), now=NOON, by="staff:1")
        start = NOON + timedelta(hours=1 + number)
        if number < 5:
            wish = book.BookRequest(made.cut, start, made.staff[0], 1, book.Customer(**CUSTOMER), "ja")
            book.book(made.id, wish, now=NOON)
    return rooms[0]


def test_no_page_of_shifts_asks_more_where_there_is_more(staff: Client, made: Salon) -> None:
    room = grow(made, 0, 1)
    few = asked(staff, made, room)
    grow(made, 1, 8)
    assert asked(staff, made, room) == few
    with shop(made.id):
        assert Staff.objects.count() == 12
