"""Data and safety: what the record says of the shop, on one page, for who may change it."""

import re
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import day_sheets
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked


def _text(client: Client, address: str = "/console/safety") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def _looked(page: str) -> dict[str, tuple[int, int]]:
    """What the table says: looks and customers by purpose."""
    rows = re.findall(r"<td>([^<]+)</td><td>(\d+)</td><td>(\d+)</td>", page)
    return {words: (int(looks), int(persons)) for words, looks, persons in rows}


def test_it_counts_who_looked_at_how_many_and_what_for(made: Salon, staff: Client) -> None:
    for number in range(3):
        booked(made, NOON + timedelta(hours=2), mail=f"s{number}@example.jp")
    before = _looked(_text(staff)).get("本日の一覧", (0, 0))
    assert staff.get("/console/").status_code == 200
    assert staff.post("/console/day-sheet", {"date": f"{NOON:%Y-%m-%d}"}).status_code == 200
    page = _text(staff)
    told = _looked(page)
    assert "aoi.salon" in page
    assert told["紙の控え（印刷）"] == (1, 3)
    assert told["本日の一覧"] == (before[0] + 1, 3)
    assert "山田" not in page


def test_it_shows_sign_ins_sheets_and_the_checkpoint(made: Salon, staff: Client) -> None:
    page = _text(staff)
    sheet = day_sheets.newest(made.id, 1)[0]
    assert f'<th scope="row">{sheet.number}</th>' in page
    assert people.checkpoint().splitlines()[0] in page
    signed = re.search(r'<th scope="row">aoi.salon</th><td>(\d+)</td><td>(\d+)</td><td>(\d+)</td>', page)
    assert signed is not None
    assert int(signed[1]) >= 1
    assert int(signed[3]) >= 1


def test_it_leads_to_what_can_be_decided(staff: Client) -> None:
    page = _text(staff)
    for address in (
        "budget",
        "lists",
        "members",
        "operators",
        "members/roles",
        "my-data",
        "security",
        "api-keys",
    ):
        assert f'href="/console/{address}"' in page, address


def test_it_asks_as_often_whatever_there_is(made: Salon, staff: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            _text(staff)
        return len(caught)

    asked()
    before = asked()
    for _ in range(3):
        staff.post("/console/day-sheet", {"date": f"{NOON:%Y-%m-%d}", "form": "page"})
    assert asked() == before
    assert made
