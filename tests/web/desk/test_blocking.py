"""Time is blocked at the calendar: what it touches is shown first, and opened again it can be put back."""

import re
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.test import Client

from noren.booking import blocks
from noren.booking.models import Attention, Block, Booking, Claim, Status
from noren.shops import rules
from noren.shops.models import OpeningHours
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked
from tests.web.flow import Visitor

_days = count(30)


def day() -> datetime:
    """Noon of a day of its own."""
    return NOON + timedelta(days=next(_days))


def form(made: Salon, at: datetime, **changed: str) -> dict[str, str]:
    usual = {"resource": f"{made.staff[0]}", "date": f"{at:%Y-%m-%d}", "from": "13:00", "to": "14:30"}
    return {**usual, "until": "", **changed}


def those(made: Salon, at: datetime) -> list[Block]:
    with shop(made.id):
        near = Block.objects.filter(start__gte=at - timedelta(hours=3), start__lt=at + timedelta(hours=12))
        return list(near.order_by("id"))


def test_it_is_blocked_said_so_and_undone(made: Salon, staff: Client) -> None:
    at = day()
    visitor = Visitor(client=staff)
    asked = "&".join(f"{name}={value}" for name, value in form(made, at).items())
    visitor.open(f"/console/block?{asked}")
    assert 'value="13:00"' in visitor.text
    assert f'<option value="{made.staff[0]}" selected>' in visitor.text
    answer = staff.post("/console/block", form(made, at))
    [block] = those(made, at)
    assert (block.start, block.end) == (at + timedelta(hours=1), at + timedelta(hours=2, minutes=30))
    assert (block.resource_id, block.by) == (made.staff[0], "staff:aoi.salon")
    visitor.open(answer.headers["Location"])
    assert f'href="/console/blocks/{block.id}"' in visitor.text
    assert "ブロックしました" in visitor.text
    visitor.press("deed", "undo")
    assert those(made, at) == []
    assert "ブロックしました" not in visitor.text


def test_pressed_twice_is_pressed_once(made: Salon, staff: Client) -> None:
    at = day()
    for _ in range(2):
        assert staff.post("/console/block", form(made, at)).status_code == 302
    assert len(those(made, at)) == 1


def test_what_it_touches_is_shown_and_chosen(made: Salon, staff: Client) -> None:
    at = day()
    rows = [booked(made, at + timedelta(hours=hour), mail=f"b{hour}@example.jp").booking for hour in range(3)]
    with shop(made.id):
        Booking.objects.filter(id__in=[row.id for row in rows]).update(staff_id=made.staff[0])
        Claim.objects.filter(booking_id__in=[row.id for row in rows]).update(resource_id=made.staff[0])
    wish = form(made, at, **{"from": "11:00", "to": "19:00"})
    shown = staff.post("/console/block", wish).content.decode()
    assert those(made, at) == [], "nothing is blocked before it is chosen"
    for row in rows:
        assert f"choice-{row.id}" in shown
    assert 'name="from" value="11:00"' in shown
    one = staff.post("/console/block", {**wish, f"choice-{rows[0].id}": "keep"})
    assert one.status_code == 200, "each needs a choice"
    chosen = {
        f"choice-{row.id}": choice for row, choice in zip(rows, ("keep", "cancel", "move"), strict=True)
    }
    assert staff.post("/console/block", {**wish, **chosen}).status_code == 302
    assert len(those(made, at)) == 1
    with shop(made.id):
        kept, cancelled, to_move = (Booking.objects.get(id=row.id) for row in rows)
    assert (kept.status, kept.attention) == (Status.CONFIRMED, Attention.BLOCKED)
    assert cancelled.status == Status.CANCELLED
    assert to_move.attention == Attention.BLOCKED
    page = staff.get(f"/console/blocks/{those(made, at)[0].id}").content.decode()
    assert f"/console/bookings/{kept.id}" in page
    assert f"/console/bookings/{cancelled.id}" not in page


def test_it_is_opened_from_the_calendar_and_put_back(made: Salon, staff: Client) -> None:
    at = day()
    staff.post("/console/block", form(made, at))
    [block] = those(made, at)
    visitor = Visitor(client=staff)
    visitor.open(f"/console/blocks/{block.id}")
    assert "aoi.salon" in visitor.text
    visitor.press("deed", "open")
    assert those(made, at) == []
    assert "もう一度受け付けます" in visitor.text
    visitor.press("deed", "again")
    [again] = those(made, at)
    assert (again.start, again.end, again.resource_id) == (block.start, block.end, block.resource_id)
    assert staff.get(f"/console/blocks/{block.id}").status_code == 404


def test_who_is_away_is_opened_as_away_and_put_back_as_it(made: Salon, staff: Client) -> None:
    at = day()
    block = blocks.block(
        made.id, made.staff[0], at, at + timedelta(hours=2), now=NOON, by="staff:1", reason="away"
    )
    there = staff.post(f"/console/blocks/{block}").headers["Location"]
    what = re.search(r"opened=(\S+)", there)
    assert what is not None
    assert staff.post("/console/block", {"deed": "again", "what": what[1]}).status_code == 302
    assert [each.why for each in those(made, at)] == ["away"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"resource": ""}, "選んでください"),
        ({"resource": "999"}, "選んでください"),
        ({"date": "2026-02-30"}, "ありません"),
        ({"from": "25:00"}, "ありません"),
        ({"until": "2026-11-26", "date": "2026-11-27"}, "開始より前"),
        ({"date": "2026-11-20"}, "過ぎています"),
        ({"until": "2199-01-01"}, "1年まで"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_is_kept(
    made: Salon, staff: Client, changed: dict[str, str], words: str
) -> None:
    answer = staff.post("/console/block", form(made, day(), **changed))
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert 'value="14:30"' in text


def test_until_two_in_the_morning_is_of_the_next_day(made: Salon, staff: Client) -> None:
    at = day()
    staff.post("/console/block", form(made, at, **{"from": "22:00", "to": "02:00"}))
    [block] = those(made, at + timedelta(hours=10))
    assert block.end - block.start == timedelta(hours=4)


def test_what_was_made_up_is_put_back_nowhere(staff: Client) -> None:
    for what in ("", "x", "1-2-3", "1-99999999999-3", "999-1-4102444800", "1-1-2-x", "1-1-4102444800-no"):
        assert staff.post("/console/block", {"deed": "again", "what": what}).status_code == 404, what
        assert staff.get("/console/day", {"opened": what}).status_code == 200
    for name in ("moved", "blocked", "opened"):
        assert staff.get("/console/day", {name: "x"}).status_code == 200
    assert staff.get("/console/blocks/999999").status_code == 404


def test_a_closed_spot_asks_why(made: Salon, staff: Client) -> None:
    at = day()
    block = blocks.block(made.id, made.staff[1], at, at + timedelta(hours=1), now=NOON, by="staff:1")
    with shop(made.id), rules.change():
        hours = OpeningHours.objects.create(resource_id=made.staff[0], weekly=[[[720, 900]]] * 7)
    page = staff.get(f"/console/day?date={at:%Y-%m-%d}").content.decode()
    shut = re.findall(r'<a href="(/console/why\?[^"]+)" tabindex="-1"[^>]*class="shut"', page)
    with shop(made.id), rules.change():
        hours.delete()
    assert len(shut) == 2
    assert "time=10%3A00" in shut[0]
    for address in shut:
        assert staff.get(address.replace("&amp;", "&")).status_code == 200
    blocks.unblock(made.id, block)
