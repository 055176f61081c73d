"""Two screens agree: the question is cheap and needs no vault, and a swap asks for nobody's name again."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from noren import people
from noren.booking import actions, blocks, day, late
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked


def attribute(page: str, name: str) -> str:
    found = re.search(f'data-{name}="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def ask(address: str, mark: str) -> Any:
    return Client().get(address, headers={"If-None-Match": f'"{mark}"'})


@pytest.mark.parametrize("page", ["/console/", "/console/day"])
def test_it_is_asked_without_session_or_vault(
    made: Salon, staff: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = staff.get(page).content.decode()
    address, mark = attribute(shown, "pulse"), attribute(shown, "mark")
    monkeypatch.setattr(people, "reveal", None)
    assert ask(address, mark).status_code == 304
    booking = booked(made, NOON + timedelta(hours=2)).booking
    changed = ask(address, mark)
    assert changed.status_code == 204
    mark = changed["ETag"].strip('"')
    assert ask(address, mark).status_code == 304
    late.tell(made.id, booking.id, 10, now=NOON, by="customer")
    assert ask(address, mark).status_code == 204
    actions.cancel(made.id, booking.id, now=NOON, by="staff:1")


def test_a_block_changes_it_and_its_end_does(made: Salon) -> None:
    marks = [day.mark(made.id)]
    at = NOON + timedelta(days=1)
    ids = [
        blocks.block(made.id, each, at, at + timedelta(hours=1), now=NOON, by="staff:1")
        for each in made.staff[:2]
    ]
    marks.append(day.mark(made.id))
    for each in ids:
        blocks.unblock(made.id, each)
        marks.append(day.mark(made.id))
    assert len(set(marks)) == len(marks) - 1, "with none left it is as before"


def test_who_is_no_screen_of_ours_is_told_nothing(staff: Client) -> None:
    address = attribute(staff.get("/console/").content.decode(), "pulse")
    assert Client().get("/console/pulse").status_code == 403
    assert Client().get(address.replace("of=", "of=9")).status_code == 403


@pytest.mark.parametrize("page", ["/console/", "/console/day"])
def test_only_who_is_new_is_asked_for(
    made: Salon, staff: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = booked(made, NOON + timedelta(hours=3)).booking
    shown = staff.get(page).content.decode()
    assert f'data-known="{first.id}"' in shown
    second = booked(made, NOON + timedelta(hours=4), name="佐藤 二郎", mail="jiro@example.jp").booking
    asked: list[list[Any]] = []

    def reveal(grant: str, purpose: Any, persons: list[Any], fields: Any) -> Any:
        asked.append(list(persons))
        return real(grant, purpose, persons, fields)

    real = people.reveal
    monkeypatch.setattr(people, "reveal", reveal)
    swapped = staff.get(f"{page}?known={first.id}").content.decode()
    assert asked == [[second.person_id]]
    assert "佐藤 二郎" in swapped
    assert f'data-known="{first.id}"' not in swapped, "the screen keeps what it shows"
    staff.get(f"{page}?known={first.id},{second.id}")
    assert len(asked) == 1, "nobody is new: nothing is recorded"
    for each in (first, second):
        actions.cancel(made.id, each.id, now=NOON, by="staff:1")


def test_it_costs_less_than_a_millisecond_of_the_database(made: Salon) -> None:
    day.mark(made.id)
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        day.mark(made.id)
        times.append(time.perf_counter() - begun)
    assert sorted(times)[len(times) // 2] < 0.005, "the median, on a machine that does other things too"
