"""The page of figures: pictures, tables and files of the same numbers, and the bookings behind each."""

import csv
import io
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlparse

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import actions
from noren.booking.models import Booking, Status
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked

AT = NOON - timedelta(days=7)
"""A Tuesday at twelve."""


@pytest.fixture(scope="module", autouse=True)
def past(made: Salon, staff: Client) -> list[Booking]:
    """A week ago: one who came, one who did not, and one who came twice."""
    assert staff
    rows = [
        booked(made, NOON + timedelta(days=1), mail=f"f{number}@example.jp").booking for number in range(3)
    ]
    again = booked(made, NOON + timedelta(days=2), mail="f0@example.jp").booking
    with shop(made.id):
        for row in rows:
            _put(row, AT)
        _put(again, AT + timedelta(days=1))
        Booking.objects.filter(id=again.id).update(person_id=rows[0].person_id)
        Booking.objects.filter(id=rows[1].id).update(status=Status.NO_SHOW)
    return [*rows, again]


def _put(row: Booking, at: datetime) -> None:
    """Put it into the past, with what it takes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE booking_claim SET day = %s WHERE shop_id = %s AND booking_id = %s",
            [at.date(), row.shop_id, row.id],
        )
    Booking.objects.filter(id=row.id).update(start=at, end=at + timedelta(hours=1))


def _text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def _links(page: str, kind: str) -> list[str]:
    found = [each.replace("&amp;", "&") for each in re.findall(r'href="([^"]*figures/bookings[^"]*)"', page)]
    return [each for each in found if parse_qs(urlparse(each).query)["kind"] == [kind]]


def test_each_number_leads_to_its_bookings_and_names_nobody(
    made: Salon, staff: Client, past: list[Booking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "reveal", None)
    page = _text(staff, "/console/figures")
    hour = next(each for each in _links(page, "taken") if "day=1&hour=12" in each)
    behind = _text(staff, hour)
    for row in past[:3]:
        assert f'href="/console/bookings/{row.id}"' in behind
    assert f'href="/console/bookings/{past[3].id}"' not in behind
    [missed] = {each for each in _links(page, "missed") if "day" not in each and "of_service" not in each}
    behind = _text(staff, missed)
    assert re.findall(r"/console/bookings/(\d+)", behind) == [str(past[1].id)]
    assert "山田" not in page + behind


def test_whoever_came_twice_is_one_new_customer(made: Salon, staff: Client, past: list[Booking]) -> None:
    assert made
    page = _text(staff, "/console/figures")
    assert "新規2名" in page
    new = _links(page, "new")
    behind = "".join(_text(staff, each) for each in set(new))
    assert set(re.findall(r"/console/bookings/(\d+)", behind)) == {
        str(row.id) for row in (past[0], past[2], past[3])
    }


def test_the_table_and_the_file_say_what_the_picture_says(made: Salon, staff: Client) -> None:
    assert made
    page = _text(staff, "/console/figures")
    # Three of twelve offered hours: four Tuesdays with three who serve.
    assert 'aria-label="火曜日12:00：25%が予約済み">25</a>' in page
    told = staff.get("/console/figures/file?what=occupancy")
    assert told["Content-Type"] == "text/csv; charset=utf-8"
    text = told.content.decode()
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert ["火曜日", "12:00", "720", "180", "25"] in rows
    missed = staff.get("/console/figures/file?what=no-shows").content.decode()
    assert '"すべて","","1","4","25"' in missed
    customers = staff.get("/console/figures/file?what=customers&by=month").content.decode()
    assert customers.count("\r\n") == 3


def test_a_name_that_a_spreadsheet_would_run_is_text(made: Salon, staff: Client) -> None:
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(texts={"name": {"ja": "=HYPERLINK(1)"}})
    told = staff.get("/console/figures/file?what=no-shows").content.decode()
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(texts={"name": {"ja": "カット", "en": "Cut"}})
    assert '"\'=HYPERLINK(1)"' in told


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("span=own&from=2026-11-10", "両方"),
        ("span=own&from=2026-11-10&to=2026-11-01", "終了日より前"),
        ("span=own&from=2020-01-01&to=2026-11-01", "400日以内"),
        ("span=own&from=2026-11-01&to=2026-12-01", "本日まで"),
    ],
)
def test_dates_that_cannot_be_are_said_and_kept(staff: Client, query: str, words: str) -> None:
    answer = staff.get(f"/console/figures?{query}")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert f'value="{parse_qs(query)["from"][0]}"' in page


@pytest.mark.parametrize("query", ["what=nothing", "what=customers&span=own"])
def test_there_is_no_other_file(staff: Client, query: str) -> None:
    assert staff.get(f"/console/figures/file?{query}").status_code == 404


def test_it_asks_as_often_for_many_as_for_few(made: Salon, staff: Client) -> None:
    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(address).status_code == 200
        return len(caught)

    pages = (
        "/console/figures",
        "/console/figures/bookings?kind=visits",
        "/console/figures/file?what=customers",
    )
    before = [(asked(page), asked(page))[1] for page in pages]
    for number in range(5):
        held = actions.hold(
            made.id,
            actions.HoldRequest(made.cut, NOON + timedelta(days=3, hours=number), None, 1),
            now=NOON,
        )
        with shop(made.id):
            Booking.objects.filter(id=held.id).update(status=Status.CONFIRMED, expires_at=None)
            _put(Booking.objects.get(id=held.id), AT + timedelta(days=2, hours=number))
    assert [asked(page) for page in pages] == before


def test_of_nobody_there_is_nothing_offered(staff: Client) -> None:
    page = _text(staff, "/console/figures?staff=999999")
    assert "受付できた時間がありません" in page
