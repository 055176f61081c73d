"""Bookings that follow a change, in the console: how far they are, what is left, stopped and gone on with."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from noren.booking import actions, changes, work
from noren.booking.models import Booking, Work, WorkState
from noren.shops import rules
from noren.shops.models import Override
from noren.shops.tenancy import shop
from noren.web import touched
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked
from tests.web.desk.test_touched import ATTENTION, HOURS, close, fresh, text


@pytest.fixture(autouse=True)
def _few_at_once(made: Salon, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is more than two is many; each test finds the usual hours and nothing booked."""
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    monkeypatch.setattr(work, "LINES_A_STEP", 2)
    yield
    with shop(made.id), rules.change():
        Override.objects.all().delete()
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
    for booking_id in ids:
        actions.cancel(made.id, booking_id, now=NOON, by="staff:1")


def some(made: Salon, number: int = 5) -> list[Booking]:
    return [booked(made, NOON + timedelta(hours=22 + n)).booking for n in range(number)]


def saved(staff: Client, those: list[Booking], choice: str) -> str:
    """Close the day with one answer for each; gives the page on which they follow."""
    answer = staff.post(HOURS, close(those[0]) | {f"choice-{each.id}": choice for each in those})
    address: str = answer["Location"]
    return address


def steps(made: Salon, number: int = 100) -> Work:
    """Do the newest work's steps as the worker does."""
    with shop(made.id):
        one = Work.objects.order_by("-id")[0]
    for _ in range(number):
        work.step(made.id, one.id, now=NOON)
    return work.one(made.id, one.id)


def test_the_page_says_how_far_they_are_and_what_is_left(made: Salon, staff: Client) -> None:
    """The change is saved, two are done; the others say what they wait for, here and in the list."""
    those = some(made)
    address = saved(staff, those, "cancel")
    assert re.fullmatch(r"/console/changes/\d+", address)
    assert "0 / 5" in text(staff.get(address))
    steps(made, 1)
    page = text(staff.get(address))
    assert "2 / 5" in page
    assert 'max="5" value="2"' in page
    assert page.count("取り消し予定") == 3
    assert "山田" not in page
    waiting = text(staff.get(ATTENTION))
    assert waiting.count("取り消し予定") == 3
    assert address in waiting
    assert address in text(staff.get("/console/work"))
    assert steps(made).state == WorkState.DONE
    page = text(staff.get(address))
    assert "5 / 5" in page
    assert "hx-get" not in page
    assert address not in text(staff.get(ATTENTION))
    assert {fresh(made, each).status for each in those} == {"cancelled"}


def test_it_stops_and_goes_on(made: Salon, staff: Client) -> None:
    """What was not done is listed, each with its own page; once somebody has decided it is left alone."""
    those = some(made)
    address = saved(staff, those, "cancel")
    steps(made, 1)
    assert staff.post(f"{address}/deed", {"deed": "stop"})["Location"] == address
    assert steps(made).state == WorkState.STOPPED
    page = text(staff.get(address))
    assert 'value="resume"' in page
    assert f"{ATTENTION}/{those[2].id}" in page
    staff.post(f"{ATTENTION}/{those[2].id}", {"deed": "keep"})
    staff.post(f"{address}/deed", {"deed": "resume"})
    assert steps(made).state == WorkState.DONE
    assert [fresh(made, each).status for each in those] == ["cancelled"] * 2 + ["confirmed"] + [
        "cancelled"
    ] * 2
    page = text(staff.get(address))
    assert "選んだとおりにならなかった" in page
    assert "ほかの対応がされています" in page


def test_few_lead_back_to_where_one_was(made: Salon, staff: Client) -> None:
    those = some(made, 2)
    assert saved(staff, those, "cancel").endswith("#saved")
    assert {fresh(made, each).status for each in those} == {"cancelled"}


def test_of_many_there_is_one_answer_for_all(made: Salon, staff: Client, monkeypatch: Any) -> None:
    """Another one for some of those that are listed; whoever booked meanwhile is shown first."""
    monkeypatch.setattr(touched, "SHOWN", 4)
    monkeypatch.setattr(touched, "FIRST", 3)
    those = some(made)
    asked = close(those[0])
    page = text(staff.post(HOURS, asked))
    assert 'name="choice-all"' in page
    assert page.count('<option value="">') == 3
    shown = re.search(r'name="choice-shown" value="(\w+)"', page)
    assert shown is not None
    said = {"choice-all": "cancel", "choice-shown": shown[1], f"choice-{those[0].id}": "keep"}
    said |= {f"choice-{each.id}": "" for each in those[1:3]}
    late = booked(made, NOON + timedelta(hours=28)).booking
    again = text(staff.post(HOURS, asked | said))
    assert 'name="choice-all"' in again
    assert re.search(r'<option value="cancel" selected', again)
    actions.cancel(made.id, late.id, now=NOON, by="staff:1")
    assert "/console/changes/" in staff.post(HOURS, asked | said)["Location"]
    steps(made)
    assert [fresh(made, each).status for each in those] == ["confirmed"] + ["cancelled"] * 4


def test_a_list_that_comes_in_is_no_change_and_a_change_no_list(made: Salon, staff: Client) -> None:
    those = some(made)
    address = saved(staff, those, "move")
    number = address.rpartition("/")[2]
    assert staff.get(f"/console/work/{number}").status_code == 404
    assert staff.post(f"/console/work/{number}/deed", {"deed": "stop"}).status_code == 404
    listed = work.bring(made.id, work.Ask("0" * 16, ()), now=NOON, by="staff:aoi.salon").id
    assert staff.get(f"/console/changes/{listed}").status_code == 404
    assert staff.post(f"/console/changes/{listed}/deed", {"deed": "stop"}).status_code == 404
    steps(made)
