"""Who of the team is told of what, and how: each decides for herself. No customer is named.

Nobody is told of her own deeds. Standard: what happened is listed in the console; a mail goes only where a
request waits for somebody's yes, to who may give it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Max

from noren.booking.history import What
from noren.booking.models import Booking, Event
from noren.messages.models import Telling
from noren.shops.models import Shop, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop, write_in

MOST: Final = 200
"""More than this nobody reads in a list."""
BACK: Final = timedelta(days=14)
"""Further back than this nothing is new."""
SETTLES: Final = "bookings.settle"


class About(StrEnum):
    """What somebody may be told of."""

    NEW = "new"
    ASKED = "asked"  # it waits for the shop's yes
    CHANGED = "changed"
    CANCELLED = "cancelled"
    MISSED = "missed"  # she is late, or did not come
    ANSWERED = "answered"  # the shop has answered what she asked for, a day off: a mail, or her own page


class Way(StrEnum):
    MAIL = "mail"  # at once, what happens within some minutes in one
    DIGEST = "digest"  # once a day
    LIST = "list"  # in the console
    NONE = "none"


OF: Final[Mapping[str, About]] = {
    What.CONFIRMED: About.NEW,
    What.ASKED: About.ASKED,
    What.APPROVED: About.CHANGED,
    What.MOVED: About.CHANGED,
    What.SESSION_MOVED: About.CHANGED,
    What.INSTEAD: About.CHANGED,
    What.CANCELLED: About.CANCELLED,
    What.DECLINED: About.CANCELLED,
    What.RELEASED: About.CANCELLED,
    What.LATE: About.MISSED,
    What.NO_SHOW: About.MISSED,
}
"""Of which events somebody is told at all, and as what."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the team: her handle, her key where she serves, and what she may do."""

    handle: str
    staff: str | None
    permissions: Collection[str]

    @property
    def by(self) -> str:
        return f"staff:{self.handle}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wishes."""

    own_only: bool
    ways: Mapping[About, Way]
    digest_hour: int = 8
    seen: int = 0

    def wants(self, way: Way) -> frozenset[About]:
        return frozenset(about for about, each in self.ways.items() if each is way)

    @property
    def listed(self) -> frozenset[About]:
        """What is on her list: all that she has not said she wants nothing of."""
        return frozenset(about for about, each in self.ways.items() if each is not Way.NONE)


def standard(member: Member) -> Choice:
    """Return how somebody is told who has chosen nothing: no mail that nobody asked for."""
    ways = dict.fromkeys(About, Way.LIST)
    if SETTLES in member.permissions:
        ways[About.ASKED] = Way.MAIL
    return Choice(own_only=member.staff is not None and SETTLES not in member.permissions, ways=ways)


def choice(member: Member, row: Telling | None) -> Choice:
    """Return what she wishes: her row over what is standard for her."""
    usual = standard(member)
    if row is None:
        return usual
    ways = {about: Way(row.ways.get(about, usual.ways[about])) for about in About}
    own_only = usual.own_only if row.own_only is None else row.own_only
    return Choice(own_only, ways, row.digest_hour, row.seen)


def of(shop_id: int, member: Member) -> Choice:
    """Return what she wishes. One query."""
    with shop(shop_id):
        return choice(member, Telling.objects.filter(handle=member.handle).first())


def keep(
    shop_id: int, member: Member, *, own_only: bool, ways: Mapping[About, Way], digest_hour: int
) -> None:
    """Keep what she wishes; the shop's row knows of what anybody wants a mail at once (Shop.told_at_once)."""
    with write_in(shop_id), change():
        values = {
            "own_only": own_only,
            "ways": {str(about): str(way) for about, way in ways.items()},
            "digest_hour": digest_hour,
        }
        Telling.objects.update_or_create(handle=member.handle, defaults=values)
        rows = Telling.objects.values_list("ways", flat=True)
        wanted = {about for each in rows for about, way in each.items() if way == Way.MAIL}
        # Standard for whoever may say yes, whether she has a row or not.
        Shop.objects.update(told_at_once=sorted({*wanted, str(About.ASKED)}))


def looked(shop_id: int, member: Member, *, upto: int) -> None:
    """Note that she has looked at the list up to this event; never back."""
    with write_in(shop_id):
        newest = Event.objects.aggregate(newest=Max("id"))["newest"] or 0
        row, _made = Telling.objects.get_or_create(handle=member.handle)
        Telling.objects.filter(id=row.id, seen__lt=upto).update(seen=min(upto, newest))


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to one booking."""

    event: Event
    booking: Booking
    about: About


def news(shop_id: int, member: Member, wish: Choice, *, now: datetime) -> list[News]:
    """Return what happened since she looked last, the newest first. Three queries."""
    with shop(shop_id):
        found = Event.objects.filter(id__gt=wish.seen, at__gte=now - BACK, what__in=list(OF))
        events = list(found.exclude(by=member.by).order_by("-id")[: MOST * 2])
        return chosen(events, member, wish, wish.listed)[:MOST]


def chosen(events: Iterable[Event], member: Member, wish: Choice, wanted: Collection[About]) -> list[News]:
    """Return which of these she is told of: of what she wants, not her own deeds, of bookings that are hers
    where she wants no others. A hold that was let go was no booking. Inside the shop.
    """
    theirs = [each for each in events if each.by != member.by and OF.get(each.what) in wanted]
    rows = Booking.objects.in_bulk({each.booking_id for each in theirs})
    own = own_ids(member) if wish.own_only else frozenset()
    return [
        News(each, rows[each.booking_id], OF[each.what])
        for each in theirs
        if each.booking_id in rows
        and rows[each.booking_id].person_id is not None
        and (not wish.own_only or own & _concerned(each, rows[each.booking_id]))
    ]


def own_ids(member: Member) -> frozenset[int]:
    """Return what she is as somebody who serves. Inside the shop."""
    if member.staff is None:
        return frozenset()
    return frozenset(Staff.objects.filter(key=member.staff).values_list("id", flat=True))


def _concerned(event: Event, booking: Booking) -> set[int]:
    """Return whom it concerns: who serves, who was asked for, and from whom it was taken."""
    concerned = {booking.staff_id, booking.asked_staff_id, event.facts.get("from_staff")}
    return {each for each in concerned if each is not None}
