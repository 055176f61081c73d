"""Policies in the console: for all services or for one, beside what customers read; what was agreed stays."""

from typing import Any

import pytest
from django.test import Client

from noren.booking import actions
from noren.booking.models import Booking
from noren.errors import TooLateToCancel
from noren.shops.models import Service, Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import TOMORROW, booked
from tests.web.desk.test_offers import EN, fields, service

ALL = "/console/policies"
FEES: dict[str, Any] = {
    "cancel-n": "1",
    "cancel-unit": "days",
    "cancel-at": "20:00",
    "tier-0-n": "24",
    "tier-0-unit": "hours",
    "tier-0-percent": "50",
    "free_minutes": "30",
}


def version(made: Salon) -> int:
    with shop(made.id):
        return Shop.objects.get().policy_version


def test_one_service_differs_and_what_was_agreed_stays(staff: Client, made: Salon) -> None:
    there = f"/console/offers/{made.cut}/policy"
    before, was = booked(made, TOMORROW.replace(hour=4)).booking, version(made)
    answer = staff.post(there, {**fields(staff, there), **FEES}, headers=EN, follow=True)
    assert not answer.context["form"].errors
    row = service(made, made.cut)
    assert (row.cancel, row.own_policy) == ({"days": 1, "at": 1200}, True)
    assert row.fees == {"tiers": [{"since": {"minutes": 1440}, "percent": 50}], "free_minutes": 30}
    assert row.lead == {"minutes": 60}, "what was not touched is as it was"
    assert version(made) == was + 1
    with shop(made.id):
        assert Booking.objects.get(id=before.id).agreed["cancel"]["minutes"] == 120
    actions.cancel(made.id, before.id, now=NOON, by="customer")
    newer = booked(made, TOMORROW.replace(hour=4)).booking
    with pytest.raises(TooLateToCancel):
        actions.cancel(made.id, newer.id, now=TOMORROW.replace(hour=0), by="customer")
    staff.post(there, {**fields(staff, there)}, headers=EN)
    assert version(made) == was + 1, "the same again is no other version"


def test_what_customers_will_read_is_shown_in_both_languages_and_nothing_saved(
    staff: Client, made: Salon
) -> None:
    there = f"/console/offers/{made.cut}/policy"
    before = service(made, made.cut).fees
    more = {"tier-0-percent": "80", "look": "1", "lead-n": "2", "lead-unit": "hours", "lead-at": ""}
    answer = staff.post(there, {**fields(staff, there), **FEES, **more}, headers=EN)
    japanese, english = answer.context["read"]
    assert (japanese.lang, english.lang) == ("ja", "en")
    assert any("80 % of the price (¥5,280)" in line for line in english.lines)
    assert any("80%" in line.replace(" ", "") for line in japanese.lines)
    assert "Booking: until 2 hours before the start." in english.lines
    assert "ご予約：開始の2時間前まで" in japanese.lines
    assert service(made, made.cut).fees == before


def test_all_that_are_ticked_follow_the_shop_until_one_differs(staff: Client, made: Salon) -> None:
    given = {**fields(staff, ALL), **FEES, "follows": [str(made.cut), str(made.lesson)]}
    answer = staff.post(ALL, given, headers=EN, follow=True)
    assert not answer.context["form"].errors
    rows = [service(made, each) for each in (made.cut, made.lesson)]
    assert all(not row.own_policy and row.cancel == {"days": 1, "at": 1200} for row in rows)
    with shop(made.id):
        assert Shop.objects.get().policies["cancel"] == {"days": 1, "at": 1200}
    there = f"/console/offers/{made.lesson}/policy"
    staff.post(there, {**fields(staff, there), "cancel-n": "3", "cancel-at": ""}, headers=EN)
    own = service(made, made.lesson)
    assert (own.own_policy, own.cancel) == (True, {"minutes": 3 * 1440})
    changed = {**fields(staff, ALL), "follows": [str(made.cut)], "cancel-n": "2"}
    staff.post(ALL, changed, headers=EN)
    assert service(made, made.cut).cancel == {"days": 2, "at": 1200}
    assert service(made, made.lesson).cancel == {"minutes": 3 * 1440}
    staff.post(there, {"whose": "shop"}, headers=EN)
    again = service(made, made.lesson)
    assert (again.own_policy, again.cancel) == (False, {"days": 2, "at": 1200})
    with shop(made.id):
        assert not Service.objects.exclude(horizon__kind__isnull=False).filter(own_policy=False).exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"cancel-at": "8 pm"}, "Please write a time like 20:00."),
        ({"cancel-unit": "hours", "cancel-at": "20:00"}, "please choose days"),
        ({"tier-1-percent": "50"}, "from when on this is due"),
        ({"tier-0-percent": "101"}, "less than or equal to 100"),
        ({"horizon_days": ""}, "Please fill this in."),
        ({"horizon_first": "2027-01-02", "horizon_last": "2027-01-01"}, "The last day is before the first."),
        ({"limit-0-of": "customer"}, "Please write how many"),
        (
            {
                "limit-0-of": "customer",
                "limit-0-period": "day",
                "limit-0-most": "9",
                "limit-1-of": "customer",
                "limit-1-period": "week",
                "limit-1-most": "3",
            },
            "allows more than a longer time does",
        ),
    ],
)
def test_it_says_what_cannot_be(staff: Client, made: Salon, changed: dict[str, str], told: str) -> None:
    there = f"/console/offers/{made.cut}/policy"
    before = service(made, made.cut)
    answer = staff.post(there, {**fields(staff, there), **FEES, **changed}, headers=EN)
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert service(made, made.cut).fees == before.fees


def test_limits_and_the_waiting_list(staff: Client, made: Salon) -> None:
    there = f"/console/offers/{made.cut}/policy"
    more = {"limit-0-of": "customer", "limit-0-period": "week", "limit-0-most": "2", "waits": "on"}
    given = {**fields(staff, there), **more, "waiting_hours": "6", "release_minutes": "15"}
    assert not staff.post(there, given, headers=EN, follow=True).context["form"].errors
    row = service(made, made.cut)
    assert row.limits == [{"of": "customer", "period": "week", "most": 2}]
    assert row.waiting == {"hours": 6, "stop_minutes": 20, "pass_over": False}
    assert row.check_in["release_minutes"] == 15
    assert fields(staff, there)["limit-0-most"] == 2
