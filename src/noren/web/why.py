"""Why is this time not offered? The engine's answer on a page of the console, which changes nothing and shows
nobody: what stands in the way is named by its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import why
from noren.booking.asked import Asked
from noren.engine import wall
from noren.engine.model import DAY
from noren.errors import ServiceUnknown
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import adding, reasons, shopfront, times, wording
from noren.web.desk import face_of

MOST = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, as the page's form shows it again."""

    service: int
    date: str
    time: str
    staff: int
    party: int
    nights: int
    booking: int = 0
    """One that does not stand in its own way: it is to be moved."""
    also: str = ""
    """The other services of the same visit, as adding.py writes them."""

    @property
    def address(self) -> str:
        given = {name: getattr(self, name) for name in self.__slots__}
        return f"{reverse('console_why')}?{urlencode({k: v for k, v in given.items() if v})}"


def address(
    service: int,
    at: datetime,
    *,
    staff: int | None = None,
    party: int = 1,
    nights: int = 0,
    booking: int = 0,
    also: tuple[int, ...] = (),
) -> str:
    """Return the page about one time; `at` on the shop's wall. `booking`: one that is to be moved there."""
    rest = party, nights, booking, adding.written(also)
    return Form(service, f"{at:%Y-%m-%d}", f"{at:%H:%M}", staff or 0, *rest).address


@permission_required(Permission.BOOKINGS_SEE)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now()
    services, serving = _services(face.id), shopfront.serving(face.id)
    form = _form(request, face, services, now)
    context: dict[str, Any] = {
        "shop": face,
        "way": "day",
        "form": form,
        "services": [(each, wording.text(row.texts, "name") or row.key) for each, row in services.items()],
        "serving": serving,
        "also": [wording.text(services[each].texts, "name") for each in adding.numbers(form.also)],
        "stays": form.nights or any(row.stay for row in services.values()),
        "parties": form.party > 1 or any(row.party_max > 1 for row in services.values()),
    }
    asked = _asked(form, face) if "time" in request.GET else None
    if asked is None:
        return render(request, "web/console/why.html", {**context, "wrong": "time" in request.GET})
    if asked.service_id not in services:
        raise ServiceUnknown
    answer = why.why_not(face.id, asked, now=now)
    speaker = reasons.Speaker(face, asked, answer, serving)
    context |= {
        "at": asked.start.astimezone(face.zone),
        "offered": answer.reason is None,
        "verdict": speaker.verdict(),
        "more": speaker.more(),
        "lines": speaker.lines(),
        "nearest": [
            {
                "words": f"{wording.day(start.at)} {wording.clock(start.at)}",
                "href": replace(form, date=f"{start.at:%Y-%m-%d}", time=f"{start.at:%H:%M}").address,
            }
            for start in answer.nearest
        ],
        "per_customer": reasons.per_customer(answer.rules, asked.service_id),
    }
    return render(request, "web/console/why.html", context)


def _services(shop_id: int) -> dict[int, Service]:
    """Every service, those that cannot be booked too: that is a reason."""
    with in_shop(shop_id):
        return {row.id: row for row in Service.objects.order_by("position", "id")}


def _form(
    request: StaffRequest, face: shopfront.Face, services: Mapping[int, Service], now: datetime
) -> Form:
    given = request.GET
    here, service = now.astimezone(face.zone), times.number(given.get("service")) or 0
    if "service" not in given:
        service = _first(services, times.number(given.get("staff")))
    also = adding.numbers(given.get("also", ""))
    return Form(
        service=service,
        date=given.get("date", f"{here:%Y-%m-%d}"),
        time=given.get("time", f"{here:%H}:00"),
        staff=times.number(given.get("staff")) or 0,
        party=min(times.number(given.get("party")) or 1, MOST),
        nights=min(times.number(given.get("nights")) or 0, MOST),
        booking=times.number(given.get("booking")) or 0,
        also=adding.written([each for each in also if each in services and each != service]),
    )


def _first(services: Mapping[int, Service], staff: int | None) -> int:
    """Return what is asked about where nobody has said: the first service in which it serves, or at all."""
    pools = {
        each: [who for need in row.requirements for who in need["pool"]] for each, row in services.items()
    }
    hers = (each for each, pool in pools.items() if staff in pool)
    return next(hers, next(iter(services), 0))


def _asked(form: Form, face: shopfront.Face) -> Asked | None:
    """Read the question; None where there is no such day or time."""
    start = instant(form.date, form.time, face)
    if start is None:
        return None
    return Asked(
        form.service,
        start,
        form.staff or None,
        form.party,
        own=form.booking or None,
        nights=form.nights,
        also=adding.numbers(form.also),
    )


def instant(on: str | None, at: str | None, face: shopfront.Face) -> datetime | None:
    """Read a day and a time of the shop's wall. A doubled hour is its first appearance, a skipped one the
    moment of the change.
    """
    day = times.day_of(on)
    try:
        clock_time = time.fromisoformat(at or "")
    except ValueError:
        return None
    if day is None or clock_time.tzinfo is not None:
        return None
    number, of_day = wall.number(day), clock_time.hour * 60 + clock_time.minute
    minute = wall.around(face.zone.key, number * DAY).instant(number, of_day)
    return datetime.fromtimestamp(minute * 60, UTC)
