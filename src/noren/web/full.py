"""What is full and can be waited for, as the page of times says it; waits.py is where it leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from noren.booking import wishes
from noren.booking.wishes import Wish
from noren.shops.tenancy import shop as in_shop
from noren.web.ways import OWN
from noren.web.week import Asked, Column

_MOST = 12


@dataclass(frozen=True, slots=True)
class Full:
    """`start` None: any time of that day."""

    day: date
    start: datetime | None
    href: str


def places(asked: Asked, columns: Sequence[Column]) -> list[Full]:
    """Return what of these days is full and can be waited for.

    None of a stay, of several services in one visit, or of a booking that moves.
    """
    if asked.moving or asked.offer.also or asked.offer.stay is not None:
        return []
    free = {each.date: each.starts or tuple(one.start for one in each.classes) for each in columns}
    # A page that opens on a later day has passed over those on which nothing is free.
    skipped = (columns[0].date - asked.begin).days
    days = [asked.begin + timedelta(days=number) for number in range(skipped)] + list(free)
    with in_shop(asked.face.id):
        found = wishes.full(wish(asked, days[0], None), days, free, now=asked.now)
    return [_full(asked, each) for each in found[:_MOST]]


def wish(asked: Asked, day: date, start: datetime | None) -> Wish:
    """Return what is asked as a wish for that day, or for that start."""
    return Wish(asked.offer.id, day, start, asked.staff, asked.party, 0, asked.person, asked.now)


def _full(asked: Asked, wanted: Wish) -> Full:
    start = None if wanted.start is None else wanted.start.astimezone(asked.face.zone)
    named = {"day": wanted.day.isoformat()} if start is None else {"at": str(int(start.timestamp()))}
    said = asked.said(held="", **{"from": None}) | named | asked.way.kept
    # From a frame it opens beside it, as all do that lead to a link of one's own.
    return Full(wanted.day, start, OWN.at("book_wait", [asked.face.slug, asked.offer.id], said))
