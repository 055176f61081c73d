"""The free starts of some weeks as the API tells them: the one answer that is asked for again and again.

The JSON is written here and not by way of objects: a month of ten staff is some hundred starts, and making a
value of each would cost more than finding them. For the same reason its view is a plain one: ninja's way to a
view costs as much as finding the starts (docs/decisions/0010).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from noren import clock
from noren.accounts.rules import public
from noren.api.problems import with_problems
from noren.api.schemas import Window
from noren.booking import availability
from noren.booking.kept import Kept
from noren.engine import wall
from noren.engine.availability import Starts
from noren.engine.model import DAY
from noren.errors import BadField, NotTogether
from noren.shops import directory

# Nothing is offered so far ahead or in the past: such days are answered without being looked at.
MOST_DAYS = 62
_ASKED = ("service", "from", "to", "staff", "nights", "also")
AHEAD = timedelta(days=732)
BEHIND = timedelta(days=2)

Days = Mapping[date, str]


@public
@csrf_exempt
@require_GET
@with_problems
def view(request: HttpRequest, slug: str) -> HttpResponse:
    """GET /shops/{slug}/availability, as noren.api.endpoints describes it."""
    shop_id = directory.shop_id(slug)
    window = Window.model_validate({name: request.GET[name] for name in _ASKED if name in request.GET})
    _check(window)
    asked: dict[str, Any] = {"now": clock.now(), "staff": window.staff, "nights": window.nights}
    asked["also"] = window.also
    body = answer(slug, shop_id, window.service, window.first, window.last, **asked)
    return HttpResponse(
        body, content_type="application/json; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def _check(window: Window) -> None:
    if window.last < window.first:
        raise BadField(field="to", reason="before_from")
    if (window.last - window.first).days >= MOST_DAYS:
        raise BadField(field="to", reason="too_many_days")


def answer(
    slug: str,
    shop_id: int,
    service_id: int,
    first: date,
    last: date,
    *,
    now: datetime,
    staff: int | None,
    nights: int = 0,
    also: tuple[int, ...] = (),
) -> bytes:
    """Return the body of the answer (schemas.Availability). ShopUnknown, ServiceUnknown, NotTogether."""
    from_, to = max(first, (now - BEHIND).date()), min(last, (now + AHEAD).date())
    # Where nothing that could be offered is asked for, an empty day is looked at: for the refusals.
    wanted: dict[str, Any] = {"now": now, "staff": staff, "nights": nights, "also": also}
    found = availability.find(shop_id, service_id, min(from_, to), to, **wanted)
    if also and not found.service.bookable:
        raise NotTogether
    same = found.same
    rests_on = None if same is None else (slug, first, last, same)
    body = None if rests_on is None else _bodies.get(rests_on)
    if body is None:
        if from_ > to:
            days: Days = {}
        elif found.is_class:
            days = _classes(availability.month(shop_id, service_id, from_, to, **wanted))
        else:
            days = _slots(found.starts())
        head = f'{{"shop":"{slug}","service":{service_id},"zone":"{found.rules.zone}","days":['
        listed = ",".join([f"{begun}{days.get(day, '')}]}}" for day, begun in _heads(first, last)])
        body = f"{head}{listed}]}}".encode()
        if rests_on is not None:
            _bodies.keep(rests_on, body, len(body))
    return body


# What was told last, by all that it rests on.
_bodies: Kept[bytes] = Kept(4 * 1024 * 1024)


@lru_cache(maxsize=512)
def _heads(first: date, last: date) -> tuple[tuple[date, str], ...]:
    """Every day from `first` to `last`, and what is written before its starts."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple((day, f'{{"date":"{day.isoformat()}","starts":[') for day in days)


Point = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _Written:
    """Every start that a service could have in a window, written once: byte and bit in the mask, and JSON.

    `points` are the engine's own, compiled with the rules; held here, their id stays theirs.
    """

    points: tuple[tuple[int, int, int], ...]
    days: tuple[tuple[date, tuple[Point, ...]], ...]


# Written by `_written` alone. The plans it belongs to are kept by the engine in the same way.
_cache: dict[int, _Written] = {}
_CACHED = 256


def _slots(found: Starts) -> Days:
    if found.points is None:
        # A packed grid: where its starts lie depends on what is booked.
        return {
            wall.as_date(day): ",".join(_start(found, minute) for minute in minutes)
            for day, minutes in groupby(found.minutes(), found.calendar.day)
        }
    raw = found.mask.to_bytes(found.window.size >> 3, "big")
    written = _cache.get(id(found.points)) or _written(found, found.points)
    return {
        day: ",".join([text for byte, bit, text in points if raw[byte] & bit]) for day, points in written.days
    }


def _written(found: Starts, points: tuple[tuple[int, int, int], ...]) -> _Written:
    days = groupby(points, lambda point: found.calendar.day(point[0]))
    fresh = _Written(
        points,
        tuple(
            (wall.as_date(day), tuple((byte, bit, _start(found, minute)) for minute, byte, bit in those))
            for day, those in days
        ),
    )
    if len(_cache) >= _CACHED:
        _cache.pop(next(iter(_cache)), None)
    _cache[id(points)] = fresh
    return fresh


def _start(found: Starts, minute: int) -> str:
    """Write one start as the shop's wall shows it, with the offset of that moment."""
    offset = found.calendar.offset(minute)
    day, clock = divmod(minute + offset, DAY)
    at = f"{wall.as_date(day).isoformat()}T{clock // 60:02}:{clock % 60:02}:00"
    return f'{{"at":"{at}{_offset(offset)}"}}'


def _classes(found: availability.Availability) -> Days:
    return {
        day: ",".join(f'{{"at":"{start.at.isoformat()}","left":{start.left}}}' for start in starts)
        for day, starts in found.days.items()
    }


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
