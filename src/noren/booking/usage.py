"""What is used of limits, counted by SQL in periods that the engine cuts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from noren.booking.asked import Beside
from noren.engine import limits, wall
from noren.engine.limits import Concern, Tally, Used, UsedMap
from noren.engine.model import DAY, LimitOf, Service, ShopRules, Window
from noren.shops.tenancy import current_shop

Plain = dict[str, Any]
"""One count, as the SQL function `booking_used` is asked for it."""


def used(
    rules: ShopRules,
    service: Service,
    window: Window,
    *,
    now: datetime,
    own: int | None = None,
    person: UUID | None = None,
    beside: Iterable[Beside] = (),
) -> UsedMap:
    """Return what is used of all limits that concern a service in a window: one query, none without limits.

    A limit of customers is counted where `person` is known. `beside` counts as if it were written. Inside the
    shop.
    """
    tallies: list[Tally] = []
    asked: list[Plain] = []
    for concern, subject in _concerned(rules, service, person):
        limit = concern.limit
        for first, following in limits.periods(rules, limit.period, window):
            asked.append(_asked(rules, concern, subject, person, first, following) | {"n": len(asked)})
            tallies.append(Tally(limit.of, subject, concern.service_id, limit.period, wall.as_date(first)))
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n, used_count, used_minutes FROM booking_used(%s, %s, %s, %s)",
            [current_shop(), now, json.dumps(asked), own],
        )
        found = {tallies[n]: Used(count, minutes) for n, count, minutes in cursor.fetchall()}
    _count(rules, service, person, beside, found)
    return found


def _count(
    rules: ShopRules,
    service: Service,
    person: UUID | None,
    beside: Iterable[Beside],
    onto: dict[Tally, Used],
) -> None:
    """Count what is not written yet. Staff are counted by claims, as SQL does."""
    for concern, subject in _concerned(rules, service, person):
        limit = concern.limit
        for each in beside:
            if limit.of is LimitOf.STAFF and all(claim.resource_id != subject for claim in each.claims):
                continue
            for first, share in limits.shares(rules, limit.period, each.start, each.end):
                tally = Tally(limit.of, subject, concern.service_id, limit.period, first)
                before = onto.get(tally, Used())
                onto[tally] = Used(before.count + share.count, before.minutes + share.minutes)


def checks(
    rules: ShopRules,
    service: Service,
    start: int,
    end: int,
    *,
    resources: Iterable[int] = (),
    person: UUID | None = None,
    of: Iterable[LimitOf] = tuple(LimitOf),
) -> list[Plain]:
    """Return what the referee has to count anew when this booking is written (`booking_check_limits`)."""
    chosen, kinds = set(resources), set(of)
    found: list[Plain] = []
    for concern, subject in _concerned(rules, service, person):
        limit = concern.limit
        if limit.of not in kinds or (limit.of is LimitOf.STAFF and subject not in chosen):
            continue
        begins, ends = start, end
        if service.parts and concern.service_id:
            begins = start + concern.offset
            ends = begins + concern.minutes
        for first, share in limits.shares(rules, limit.period, begins, ends):
            day = wall.number(first)
            following = limits.period_end(limit.period, day)
            added = {
                "n": len(found),
                "most": limit.most,
                "minutes": limit.minutes,
                "add_count": share.count,
                "add_minutes": share.minutes,
            }
            found.append(_asked(rules, concern, subject, person, day, following) | added)
    return found


def _concerned(rules: ShopRules, service: Service, person: UUID | None) -> Iterator[tuple[Concern, int]]:
    """Go through the limits of a service or a visit, each with its subject."""
    for concern in limits.of_service(rules, service):
        if concern.limit.of is LimitOf.STAFF:
            yield from ((concern, each) for each in _staff(rules.resources, concern.service))
        elif concern.limit.of is LimitOf.SERVICE or person is not None:
            yield concern, 0


def _staff(resources: Mapping[int, Any], service: Service) -> list[int]:
    pools = {each for need in service.requirements for each in need.pool}
    return sorted(each for each in pools if each in resources and resources[each].kind == "staff")


def _asked(  # noqa: PLR0917
    rules: ShopRules,
    concern: Concern,
    subject: int,
    person: UUID | None,
    first: int,
    following: int,
) -> Plain:
    begin = limits.bound(rules, first)
    return {
        "of": concern.limit.of,
        "subject": subject,
        "person": str(person) if concern.limit.of is LimitOf.CUSTOMER else None,
        "service_id": concern.service_id,
        "since": begin - _longest(rules),
        "begin": begin,
        "until": limits.bound(rules, following),
    }


def _longest(rules: ShopRules) -> int:
    """Return how long before a period a booking may have begun that reaches into it: a stay, or a visit."""
    longest = together = 0
    for each in rules.services.values():
        if each.stay is not None:
            longest = max(longest, (each.stay.most + 1) * DAY)
        else:
            longest = max(longest, each.minutes)
            together += 0 if each.capacity is not None else each.minutes
    return max(longest, together)
