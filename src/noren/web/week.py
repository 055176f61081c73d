"""The page of free times as values: seven columns, who may be asked for, how many, which months."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from noren.booking import availability
from noren.shops.tenancy import shop as in_shop
from noren.web import adding, photos, shopfront, wording
from noren.web.visits import Visit
from noren.web.ways import OWN, Way

WEEK = timedelta(days=7)
# One read of the sheets covers the columns shown and the look for the first free day.
LOOK = timedelta(days=34)
MONTHS = 3
MOST_PARTY_SHOWN = 12
Found = Mapping[date, tuple[availability.Start, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer asks: of which service, whom, how many, which days, how many nights (0: the fewest
    of the day on which a stay begins).

    `hold` is the one she has already, which `held` names in her form; of who moves a booking it is that one,
    `person` is who she is, and `moving` is the token of her link.
    """

    face: shopfront.Face
    offer: shopfront.Offer
    staff: int | None
    party: int
    nights: int
    first: date | None
    day: date | None
    held: str
    hold: int | None
    now: datetime
    person: UUID | None = None
    moving: str = ""
    way: Way = OWN

    @property
    def today(self) -> date:
        return self.now.astimezone(self.face.zone).date()

    @property
    def begin(self) -> date:
        return max(self.first or self.today, self.today)

    def nights_on(self, at: datetime) -> int:
        """Return how many nights a stay has that begins then."""
        stay = self.offer.stay
        if stay is None:
            return 0
        return self.nights or stay.least[at.astimezone(self.face.zone).weekday()]

    @property
    def here(self) -> str:
        return self._at({})

    @property
    def whom(self) -> dict[str, str]:
        """Return whom she asks for, as the shop's page takes it."""
        return {"staff": str(self.staff)} if self.staff else {}

    def said(self, **changed: object) -> dict[str, str]:
        """Return the question with something changed; what is as usual is left out."""
        values: dict[str, object] = {
            "staff": self.staff,
            "party": self.party,
            "nights": self.nights,
            "from": self.first,
            "held": self.held,
            "also": adding.written(self.offer.also),
        }
        values |= changed
        usual = {"party": self.offer.party_min}
        return {key: str(value) for key, value in values.items() if value and usual.get(key) != value}

    def address(self, **changed: object) -> str:
        """Return the page of that question."""
        return self._at(self.said(**changed))

    def _at(self, said: Mapping[str, str]) -> str:
        if self.moving:
            return self.way.at("own_move", [self.moving], said)
        return self.way.at("book", [self.face.slug, self.offer.id], said)


def like(face: shopfront.Face, offer: shopfront.Offer, visit: Visit, now: datetime) -> Asked:
    """Return what is asked by who wants the same as she had: of whom, for how many, for how many nights."""
    stay = offer.stay
    return Asked(
        face=face,
        offer=offer,
        staff=visit.asked_staff_id if visit.asked_staff_id in offer.staff else None,
        party=min(max(visit.party, offer.party_min), offer.party_max),
        nights=0 if stay is None else min(visit.nights, stay.most),
        first=None,
        day=None,
        held="",
        hold=None,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """The free times of a morning, an afternoon or an evening."""

    name: str
    starts: tuple[availability.Start, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """One date of a class, with who leads it."""

    start: availability.Start
    leader: str


@dataclass(frozen=True, slots=True)
class Column:
    date: date
    open: bool
    href: str
    parts: tuple[Part, ...]
    classes: tuple[Class, ...]
    nights: int
    """Of the stays that begin on this day; they all end at once."""

    @property
    def starts(self) -> tuple[availability.Start, ...]:
        return tuple(start for part in self.parts for start in part.starts)


def page(asked: Asked) -> dict[str, Any]:
    """All that the template shows of free times."""
    found = _found(asked)
    first, further = _first_shown(found, asked)
    columns = _columns(found, asked, first)
    return {
        "here": asked.here,
        "chosen": {
            "service": asked.offer.name,
            "price": asked.offer.price_with(asked.staff),
            "fee": asked.offer.fee(asked.staff),
            "visitors": asked.offer.visitors,
            "minutes": 0 if asked.offer.stay else asked.offer.minutes_with(asked.staff),
            "longest": 0 if asked.staff else asked.offer.reach[1],
            "per_night": asked.offer.stay is not None,
            "approval": asked.offer.approval,
            "parts": _parts_of(asked),
        },
        "also": adding.written(asked.offer.also),
        "adding": () if asked.moving else adding.candidates(asked.face.id, asked.offer, _with(asked)),
        "staff": asked.staff,
        "party": asked.party,
        "nights": asked.nights,
        "stays": _stays(asked),
        "back": asked.way.at("shop", [asked.face.slug], asked.whom),
        "kept": asked.said(nights=0) | asked.way.kept,
        "people": _people(asked),
        "parties": _parties(asked),
        "title": first,
        "columns": columns,
        "timetable": asked.offer.is_class,
        "by_night": asked.offer.stay is not None,
        "any": any(column.parts or column.classes for column in columns),
        "next_free": further and {"date": further, "href": asked.address(**{"from": further})},
        "earlier": asked.address(**{"from": max(asked.today, first - WEEK)}) if first > asked.today else "",
        "later": asked.address(**{"from": first + WEEK}),
        "months": _months(asked, first),
    }


def _with(asked: Asked) -> Callable[[tuple[int, ...]], str]:
    """Return how the page of another visit is addressed: of the same day, if she has opened one."""
    return lambda also: asked.address(also=adding.written(also), day=asked.day)


def _parts_of(asked: Asked) -> list[dict[str, object]]:
    """The services of a visit, each but the one she came for with the page without it."""
    offer, at = asked.offer, _with(asked)
    added = () if asked.moving else offer.also
    return [
        {
            "id": each.id,
            "name": each.name,
            "minutes": each.minutes_with(asked.staff),
            "price": each.price_with(asked.staff),
            "without": at(adding.without(offer, each.id)) if each.id in added else "",
        }
        for each in offer.parts
    ]


def _found(asked: Asked) -> Found:
    """Return what is free; of a stay on each day for the nights it has there."""
    stay = asked.offer.stay
    days: dict[date, tuple[availability.Start, ...]] = {}
    for nights in {asked.nights} if asked.nights or stay is None else set(stay.least):
        free = availability.month(
            asked.face.id,
            asked.offer.id,
            asked.begin,
            asked.begin + LOOK,
            now=asked.now,
            staff=asked.staff,
            party=asked.party,
            own=asked.hold,
            nights=nights,
            person=asked.person,
            also=asked.offer.also,
        ).days
        days |= {day: starts for day, starts in free.items() if _has(asked, day, nights)}
    return days


def _has(asked: Asked, day: date, nights: int) -> bool:
    stay = asked.offer.stay
    return stay is None or (asked.nights or stay.least[day.weekday()]) == nights


def _first_shown(found: Found, asked: Asked) -> tuple[date, date | None]:
    """The first column, and where to go on when the columns hold nothing free.

    A page that nobody has turned yet opens where something is free.
    """
    free = next((day for day in sorted(found) if found[day]), None)
    if free is None or free < asked.begin + WEEK:
        return asked.begin, None
    return (asked.begin, free) if asked.first else (free, None)


def _columns(found: Found, asked: Asked, first: date) -> list[Column]:
    days = [first + timedelta(days=number) for number in range(WEEK.days)]
    free = [day for day in days if found.get(day)]
    opened = asked.day if asked.day in free else next(iter(free), None)
    leaders = _names(asked.face) if asked.offer.is_class else {}
    return [
        Column(
            date=day,
            open=day == opened,
            href=asked.address(**{"from": first, "day": day}),
            parts=() if asked.offer.is_class else _parts(found.get(day, ())),
            classes=_classes(found.get(day, ()), leaders) if asked.offer.is_class else (),
            nights=asked.nights_on(datetime.combine(day, time(12), asked.face.zone)),
        )
        for day in days
    ]


def _parts(starts: tuple[availability.Start, ...]) -> tuple[Part, ...]:
    names = ((12, _("Morning")), (17, _("Afternoon")), (24, _("Evening")))

    def name(start: availability.Start) -> str:
        return next(words for until, words in names if start.at.hour < until)

    return tuple(Part(words, tuple(those)) for words, those in groupby(starts, key=name))


def _classes(starts: tuple[availability.Start, ...], leaders: Mapping[int, str]) -> tuple[Class, ...]:
    return tuple(
        Class(start, wording.joined([leaders[who] for who in start.staff if who in leaders]))
        for start in starts
    )


def _names(face: shopfront.Face) -> dict[int, str]:
    return {key: wording.text(member.texts, "name") for key, member in shopfront.staff(face.id).items()}


def _people(asked: Asked) -> list[dict[str, object]]:
    """Those who may be asked for; "anyone" first. Nothing where there is no choice; the dates of a class tell
    who leads them, so that anybody is the choice there until an address names one.
    """
    if len(asked.offer.staff) < 2 or (asked.offer.is_class and asked.staff is None):
        return []
    with in_shop(asked.face.id):
        names, faces = _names(asked.face), photos.album(asked.face).staff
    anyone = {
        "key": 0,
        "name": _("Anyone"),
        "href": asked.address(staff=None),
        "current": asked.staff is None,
    }
    named: list[dict[str, object]] = [
        {
            "key": member,
            "name": names[member],
            "photo": faces.get(member),
            "fee": asked.offer.fee(member),
            "price": asked.offer.prices.get(member, 0),
            "href": asked.address(staff=member),
            "current": asked.staff == member,
        }
        for member in asked.offer.staff
        if member in names
    ]
    return [anyone, *named]


def _parties(asked: Asked) -> list[dict[str, object]]:
    fewest, most = asked.offer.party_min, min(asked.offer.party_max, MOST_PARTY_SHOWN)
    if most <= fewest:
        return []
    return [
        {"n": n, "href": asked.address(party=n), "current": n == asked.party} for n in range(fewest, most + 1)
    ]


def _stays(asked: Asked) -> list[dict[str, object]]:
    """How many nights may be chosen; the fewest of each day first. Nothing where there is no choice."""
    stay = asked.offer.stay
    if stay is None or stay.most <= min(stay.least):
        return []
    numbers = [0, *range(min(stay.least), stay.most + 1)]
    return [{"n": n, "current": n == asked.nights} for n in numbers]


def _months(asked: Asked, first: date) -> list[dict[str, object]]:
    months = []
    month = asked.today.replace(day=1)
    for _number in range(MONTHS):
        href = asked.address(**{"from": max(month, asked.today)})
        current = (first.year, first.month) == (month.year, month.month)
        months.append({"date": month, "href": href, "current": current})
        month = (month + timedelta(days=32)).replace(day=1)
    return months
