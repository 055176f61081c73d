"""Several dates at once: a rhythm, the dates of a class, or a course. Each is reported, and she ticks.

What she ticks is held together or not at all: to skip is to leave one out, to take the nearest is to tick it.
So who was overtaken in between never gets other dates than those she saw; she is shown the report anew.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren.accounts.rules import public
from noren.booking import actions, availability, series
from noren.booking.report import Line, SeriesRequest
from noren.engine.series import Rhythm, Unit
from noren.errors import BadField, IdempotencyKeyReused, NorenError, NotOffered, SeriesNotFree, SeriesTooLong
from noren.web import times
from noren.web.held import Held
from noren.web.public import face_or_404
from noren.web.week import Asked

RHYTHMS = {
    "1": (Unit.WEEK, 1),
    "2": (Unit.WEEK, 2),
    "4": (Unit.WEEK, 4),
    "month": (Unit.MONTH_WEEKDAY, 1),
}
# How often she comes is 4 times until she says otherwise.
USUAL = 4
# Of a class the dates of that many days may be ticked.
AHEAD = timedelta(days=83)
# What she can mend in the form.
MENDED = (SeriesTooLong, BadField, NotOffered)


@dataclass(frozen=True, slots=True)
class Wish:
    """What she asks: the question as anywhere; from which start on, and how often. No start: of a class."""

    asked: Asked
    at: datetime | None
    every: str
    count: int
    until: date | None

    @property
    def rhythm(self) -> Rhythm:
        unit, every = RHYTHMS[self.every]
        return Rhythm(unit, every, None if self.until else self.count, self.until)


@dataclass(frozen=True, slots=True)
class Shown:
    """A date of the report. `why` it is not free; `near` is what is nearest then."""

    at: datetime
    why: str
    near: datetime | None
    ticked: bool

    @property
    def stamp(self) -> int:
        return int(self.at.timestamp())

    @property
    def near_stamp(self) -> int:
        return int(self.near.timestamp()) if self.near else 0


@public
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, slug: str, service_id: str) -> HttpResponse:
    """GET reports on the dates; POST holds those that are ticked and leads on to the form."""
    wish = _wish(request, times.question(request, face_or_404(slug), int(service_id)))
    if not _is_offered(wish):
        return HttpResponseRedirect(wish.asked.address())
    if request.method != "POST":
        return _looked(request, wish)
    try:
        held = hold(wish.asked, ticked(request.POST), request.POST.get("key", ""))
    except SeriesNotFree as refusal:
        return _page(request, wish, of(wish.asked, refusal.facts["report"]), refusal)
    except MENDED as refusal:
        return _looked(request, wish, refusal)
    there = [slug, wish.asked.offer.id]
    return HttpResponseRedirect(wish.asked.way.at("book_who", there, {"held": held.sign()}))


def as_series(
    asked: Asked, starts: tuple[datetime, ...], rhythm: Rhythm | None = None, key: str = ""
) -> SeriesRequest:
    """Return what is asked of the booking room. No starts: a course. Her own hold is let go before."""
    nights = asked.nights_on(starts[0]) if starts else 0
    return SeriesRequest(
        asked.offer.id, asked.staff, asked.party, starts, rhythm, key=key, nights=nights, own=asked.hold
    )


def ticked(given: QueryDict) -> tuple[datetime, ...]:
    """Read the dates that a form sent. Raises NotOffered."""
    return tuple(times.instant(each) for each in sorted(set(given.getlist("date"))))


def hold(asked: Asked, starts: tuple[datetime, ...], key: str = "") -> Held:
    """Keep all these dates for her, or none, and let go what she held before; of a course all that are to
    come. Raises SeriesNotFree (facts: report), and MENDED.
    """
    if not starts and not asked.offer.course:
        raise BadField(field="dates", reason="missing")
    shop_id = asked.face.id
    if asked.hold is not None:
        series.let_go(shop_id, asked.hold, now=asked.now)
    starts = () if asked.offer.course else starts
    try:
        kept = series.hold_series(shop_id, as_series(asked, starts, key=key or _key()), now=asked.now)
    except IdempotencyKeyReused:
        # She went back to this page and ticked others: those of before are let go.
        before = actions.of_key(shop_id, key, now=asked.now)
        if before is not None:
            series.let_go(shop_id, before.id, now=asked.now)
        kept = series.hold_series(shop_id, as_series(asked, starts, key=_key()), now=asked.now)
    stamps = tuple(int(line.wanted.timestamp()) for line in kept.report)
    return Held(
        shop=shop_id,
        hold=kept.id,
        service=asked.offer.id,
        start=stamps[0],
        staff=asked.staff or 0,
        party=asked.party,
        until=int(kept.expires_at.timestamp()),
        nights=asked.nights_on(kept.report[0].wanted),
        dates=stamps,
    )


def of(asked: Asked, lines: Iterable[Line]) -> list[Shown]:
    """Return a report as the page shows it: what is free is ticked."""
    zone = asked.face.zone
    return [
        Shown(
            line.wanted.astimezone(zone),
            _why(line.refusal),
            line.nearest and line.nearest.astimezone(zone),
            not line.refusal,
        )
        for line in lines
    ]


def told(shown: Sequence[Shown]) -> dict[str, Any]:
    """What the list of dates needs (book/dates_list.html)."""
    free = sum(not each.why for each in shown)
    return {"dates": shown, "free": free, "all_free": free == len(shown)}


def _key() -> str:
    return secrets.token_urlsafe(16)


def _why(code: str) -> str:
    """Say in short why a date is not free; "" where it is."""
    if not code:
        return ""
    short = {
        "slot_taken": _("already taken"),
        "too_late": _("too soon"),
        "in_the_past": _("past"),
        "outside_horizon": _("not open yet"),
        "not_offered": _("closed at this time"),
        "limit_reached": _("as many as may be booked"),
        "party_too_large": _("not enough seats"),
    }
    return short.get(code) or _("not free")


def _is_offered(wish: Wish) -> bool:
    offer = wish.asked.offer
    return offer.course or (offer.series > 1 and (wish.at is not None or offer.is_class))


def _wish(request: HttpRequest, asked: Asked) -> Wish:
    given = request.POST if request.method == "POST" else request.GET
    every = given.get("every", "1")
    try:
        at = times.instant(given["at"]) if given.get("at") else None
    except NotOffered:
        at = None
    return Wish(
        asked,
        at,
        every if every in RHYTHMS else "1",
        times.number(given.get("times")) or min(USUAL, asked.offer.series),
        times.day_of(given.get("until")),
    )


def _looked(request: HttpRequest, wish: Wish, refusal: NorenError | None = None) -> HttpResponse:
    try:
        shown = _report(wish)
    except MENDED as wrong:
        shown, refusal = [], refusal or wrong
    if request.method == "POST":
        chosen = request.POST.getlist("date")
        shown = [replace(each, ticked=str(each.stamp) in chosen) for each in shown]
    return _page(request, wish, shown, refusal)


def _report(wish: Wish) -> list[Shown]:
    asked = wish.asked
    if asked.offer.course:
        return of(asked, series.look(asked.face.id, as_series(asked, ()), now=asked.now))
    if wish.at is None:
        return _classes(asked)
    return of(asked, series.look(asked.face.id, as_series(asked, (wish.at,), wish.rhythm), now=asked.now))


def _classes(asked: Asked) -> list[Shown]:
    """Return the dates of a class that can be had, none of them ticked."""
    wanted: dict[str, Any] = {"now": asked.now, "staff": asked.staff, "party": asked.party, "own": asked.hold}
    found = availability.month(asked.face.id, asked.offer.id, asked.today, asked.today + AHEAD, **wanted)
    return [
        Shown(start.at, "", None, ticked=False) for day in sorted(found.days) for start in found.days[day]
    ]


def _page(
    request: HttpRequest, wish: Wish, shown: list[Shown], refusal: NorenError | None = None
) -> HttpResponse:
    asked, offer = wish.asked, wish.asked.offer
    context = {
        "shop": asked.face,
        "chosen": {
            "service": offer.name,
            "price": offer.total(asked.party, asked.staff, asked.nights_on(wish.at) if wish.at else 0),
            "visitors": offer.visitors,
            "minutes": 0 if offer.stay else offer.minutes_with(asked.staff),
            "party": asked.party,
            "approval": offer.approval,
        },
        "here": asked.way.at("book_series", [asked.face.slug, offer.id]),
        "back": asked.way.at("shop", [asked.face.slug], asked.whom) if offer.course else asked.address(),
        "wish": wish,
        "at": wish.at and int(wish.at.timestamp()),
        "course": offer.course,
        "most": offer.series,
        "choose_from": wish.at is None and not offer.course and not isinstance(refusal, SeriesNotFree),
        "counts": range(2, offer.series + 1),
        "kept": asked.said() | asked.way.kept,
        "key": _key(),
        "refused": refusal and _refused(refusal),
        **told(shown),
    }
    response = render(request, "web/book/dates.html", context, status=refusal.status if refusal else 200)
    add_never_cache_headers(response)
    return response


def _refused(refusal: NorenError) -> str:
    if isinstance(refusal, BadField):
        last = _("No date is left. Please choose a later last day.")
        return last if refusal.facts["field"] == "repeat" else _("Please tick a date.")
    return refusal.words()
