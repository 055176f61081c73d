"""Series and courses by program: the same deeds as a booking's, told in the API's words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from noren.api import asking, bookings
from noren.api.schemas import DateBooked, DateShown, NewSeries, SeriesBooked, SeriesReport, SeriesWish
from noren.booking import series
from noren.booking.book_series import book_series
from noren.booking.report import Line, SeriesRequest
from noren.engine.series import Rhythm
from noren.errors import BadField, SeriesNotFree
from noren.shops.rules import known
from noren.shops.tenancy import shop


def look(slug: str, shop_id: int, wanted: SeriesWish, *, now: datetime) -> SeriesReport:
    """Report on each date. Raises what noren.booking.series.look does."""
    lines = series.look(shop_id, _request(wanted), now=now)
    return SeriesReport(shop=slug, service=wanted.service, dates=_dates(shop_id, lines))


def book(slug: str, shop_id: int, wanted: NewSeries, key: str | None, *, now: datetime) -> SeriesBooked:
    """Book, and show every date. Raises what book_series does, its facts in the API's words."""
    request = _request(wanted, mode=wanted.mode, key=key or "")
    who, told = bookings.customer(wanted.customer), asking.told(wanted)
    try:
        language = (get_language() or "ja")[:2]
        booked = book_series(shop_id, request, who, told=told, locale=language, now=now)
    except SeriesNotFree as refused:
        dates = [each.model_dump(mode="json") for each in _dates(shop_id, refused.facts["report"])]
        raise SeriesNotFree(dates=dates) from None
    except BadField as bad:
        own = bad.facts.get("field") in ("starts", "repeat")
        raise bad if own else bookings.in_customer(bad) from None
    found = (None if line.booking is None else booked.bookings.get(line.booking) for line in booked.report)
    shown = [
        DateBooked(**date.model_dump(), booking=None if row is None else bookings.shown(slug, row, now=now))
        for date, row in zip(_dates(shop_id, booked.report), found, strict=True)
    ]
    return SeriesBooked(shop=slug, service=wanted.service, dates=shown)


def _request(wanted: SeriesWish, **more: Any) -> SeriesRequest:
    for start in wanted.starts:
        bookings.check(start)
    if wanted.repeat is not None and len(wanted.starts) != 1:
        raise BadField(field="starts", reason="one_with_repeat")
    return SeriesRequest(
        wanted.service,
        None if wanted.staff == "any" else wanted.staff,
        wanted.party,
        tuple(wanted.starts),
        _rhythm(wanted),
        nights=wanted.nights,
        **more,
    )


def _rhythm(wanted: SeriesWish) -> Rhythm | None:
    repeat = wanted.repeat
    if repeat is None:
        return None
    if (repeat.count is None) == (repeat.until is None):
        raise BadField(field="repeat", reason="count_or_until")
    return Rhythm(repeat.unit, repeat.every, repeat.count, repeat.until)


def _dates(shop_id: int, lines: Iterable[Line]) -> list[DateShown]:
    with shop(shop_id):
        zone = ZoneInfo(known().rules.zone)
    return [
        DateShown(
            wanted=line.wanted.astimezone(zone),
            code=line.refusal or None,
            nearest=None if line.nearest is None else line.nearest.astimezone(zone),
        )
        for line in lines
    ]
