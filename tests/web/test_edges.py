"""Days and instants that no calendar of a shop has: an address may hold anything."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.api.salon import NOON, Salon

# The last second of the year 9999, which is the year 10,000 in Japan; and the first of the year 1.
INSTANTS = ("253402300799", "-62135596800", "-1", "99999999999999999999", "x", "1" * 5000)
DAYS = ("9999-12-31", "0001-01-01", "2026-02-30", "x")


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", ["from", "day"])
def test_it_shows_free_times_for_a_day_that_cannot_be(made: Salon, name: str, day: str) -> None:
    assert Client().get(f"/salon/book/{made.cut}/", {name: day}).status_code == 200


@pytest.mark.parametrize("at", INSTANTS)
def test_it_refuses_an_instant_that_cannot_be(made: Salon, at: str) -> None:
    assert 400 <= Client().post(f"/salon/book/{made.cut}/", {"at": at}).status_code < 500


def test_it_draws_a_day_that_cannot_be(staff: Client) -> None:
    for day in DAYS:
        assert staff.get("/console/day", {"date": day}).status_code == 200


def test_it_shows_no_form_of_another_service_than_the_held_one(made: Salon) -> None:
    """A held time, carried by hand to another service's form, would be agreed at that one's price."""
    at = str(int((NOON + timedelta(days=1)).timestamp()))
    there = Client().post(f"/salon/book/{made.cut}/", {"at": at}).headers["Location"]
    assert Client().get(there).status_code == 200
    elsewhere = there.replace(f"/{made.cut}/", f"/{made.lesson}/")
    assert elsewhere != there
    assert Client().get(elsewhere).status_code == 410
    assert Client().post(elsewhere.partition("?")[0], {"step": "who"}).status_code == 410
