"""The team's mails: at once of what happens to a booking, and once a day of all that did. By times and ids.

Who came is not in them: the link leads behind the sign-in. What happens to one booking, or one series, within
some minutes is one mail; a worker that is killed tells of the same again, and the vault sends a key once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from noren import people
from noren.booking.models import Booking, Event
from noren.engine import quiet
from noren.errors import NoSuchPerson
from noren.messages import about, telling, words
from noren.messages.deliver import NotSentYet
from noren.messages.models import TeamTold, Telling
from noren.messages.notice import Kind
from noren.messages.telling import About, Member, News, Way
from noren.people import SendState, team
from noren.shops import curtain
from noren.shops.models import Shop
from noren.shops.rules import known
from noren.shops.tenancy import shop

TOGETHER: Final = timedelta(minutes=5)
"""What happens to a booking within this time is told in one mail."""
LINES: Final = 50
"""As many as one mail has; the console has the others."""
_SUBJECT: Final = {"ja": "【{shop}】予約のお知らせ({count}件)", "en": "{shop}: bookings, {count} changes"}
_TEXT: Final = {
    "ja": "{name} 様\n\n予約に次の動きがありました。\n\n{lines}\n\n"
    "お客様のお名前は、リンク先でサインインするとご覧いただけます。\nこのお知らせの設定：{settings}\n\n{shop}\n",
    "en": "Dear {name},\n\nthis happened to bookings:\n\n{lines}\n\n"
    "Sign in at the links to see whose they are.\nWhat you are told of: {settings}\n\n{shop}\n",
}
_MORE: Final = {"ja": "ほか{n}件", "en": "and {n} more"}
_SAID: Final = {
    "ja": {
        About.NEW: "新しい予約",
        About.ASKED: "承認待ちの申し込み",
        About.CHANGED: "変更",
        About.CANCELLED: "取り消し",
        About.MISSED: "遅れ・無断キャンセル",
    },
    "en": {
        About.NEW: "New",
        About.ASKED: "Waits for your yes",
        About.CHANGED: "Changed",
        About.CANCELLED: "Cancelled",
        About.MISSED: "Late, or did not come",
    },
}


@dataclass(frozen=True, slots=True)
class _Window:
    """The events that are told of together."""

    row: TeamTold
    events: Sequence[Event]


def due(shop_id: int, *, now: datetime) -> datetime:
    """Return when the team is told of what happens now: in some minutes, and not in quiet hours."""
    with shop(shop_id):
        zone, terms = Shop.objects.get().zone, known().terms
    at = int((now + TOGETHER).timestamp())
    return datetime.fromtimestamp(quiet.awake(zone, terms.quiet, at), UTC)


def tell(shop_id: int, booking_id: int) -> int:
    """Write to whoever wants it of what happened to a booking, or a series; gives how many were written to.

    Raises NotSentYet, VaultUnavailable, LedgerUnavailable: try again; who has the mail is not sent it twice.
    """
    written = 0
    while (window := _window(shop_id, booking_id)) is not None:
        key = f"{booking_id}:{window.row.upto}"
        written += _to_each(shop_id, window.events, Way.MAIL, key)
        with shop(shop_id):
            TeamTold.objects.filter(id=window.row.id).update(done=window.row.upto)
    return written


def _window(shop_id: int, booking_id: int) -> _Window | None:
    """Return what is to be told: what a killed worker was telling, else all that is new. It is said first."""
    with shop(shop_id):
        TeamTold.objects.get_or_create(about=booking_id)
        row = TeamTold.objects.select_for_update(no_key=True).get(about=booking_id)
        series = Booking.objects.filter(Q(id=booking_id) | Q(series_id=booking_id))
        found = Event.objects.filter(booking_id__in=series.values("id"), id__gt=row.done)
        events = list(found.filter(what__in=list(telling.OF)).order_by("id"))
        if row.upto > row.done:
            events = [each for each in events if each.id <= row.upto]
        if not events or not curtain.is_open(shop_id):
            return None
        row.upto = max(row.upto, events[-1].id)
        TeamTold.objects.filter(id=row.id).update(upto=row.upto)
        return _Window(row, events)


def digest(shop_id: int, hour: int, *, since: datetime, until: datetime) -> int:
    """Write to whoever wants a digest at this hour of what happened between the two moments."""
    with shop(shop_id):
        found = Event.objects.filter(at__gte=since, at__lt=until, what__in=list(telling.OF))
        events = list(found.order_by("id")[: telling.MOST * 5]) if curtain.is_open(shop_id) else []
    key = f"digest:{int(until.timestamp())}"
    return _to_each(shop_id, events, Way.DIGEST, key, hour=hour)


def next_digest(shop_id: int, hour: int, *, now: datetime) -> datetime:
    """Return the next time that it is this hour on the shop's wall."""
    with shop(shop_id):
        zone = ZoneInfo(Shop.objects.get().zone)
    here = now.astimezone(zone).replace(hour=hour, minute=0, second=0, microsecond=0)
    return here if here > now else here + timedelta(days=1)


def wants_digest(shop_id: int, hour: int) -> bool:
    """Say whether anybody wants a digest at this hour."""
    with shop(shop_id):
        ways = Telling.objects.filter(digest_hour=hour).values_list("ways", flat=True)
        return any(Way.DIGEST in each.values() for each in ways)


def _to_each(shop_id: int, events: Sequence[Event], way: Way, key: str, *, hour: int | None = None) -> int:
    if not events:
        return 0
    states = []
    for each in team.of(shop_id):
        member = Member(each.handle, each.staff, each.permissions)
        with shop(shop_id):
            wish = telling.choice(member, Telling.objects.filter(handle=member.handle).first())
            if "bookings.see" not in member.permissions or hour not in (None, wish.digest_hour):
                continue
            letter = _letter(telling.chosen(events, member, wish, wish.wants(way)))
        if letter is not None:
            states.append(_send(shop_id, each, f"{shop_id}:team:{key}:{each.person}", letter))
    if SendState.DEFERRED in states:
        raise NotSentYet
    return len(states)


@dataclass(frozen=True, slots=True)
class _Letter:
    spoken: str
    values: dict[str, str]


def _letter(found: Sequence[News]) -> _Letter | None:
    """Say it: of each booking one line, whatever happened to it. Inside the shop."""
    if not found:
        return None
    row = Shop.objects.get()
    spoken = "en" if words.language(row.locale) == "en" else "ja"
    by_booking: dict[int, list[News]] = {}
    for each in found:
        by_booking.setdefault(each.booking.id, []).append(each)
    lines = [_line(each, spoken) for each in by_booking.values()]
    more = [_MORE[spoken].replace("{n}", str(len(lines) - LINES))] if len(lines) > LINES else []
    return _Letter(
        spoken,
        {
            "shop": row.texts["name"].get(spoken) or next(iter(row.texts["name"].values())),
            "count": str(len(lines)),
            "lines": "\n\n".join([*lines[:LINES], *more]),
            "settings": f"{settings.NOREN_ORIGIN}/console/messages/told",
        },
    )


def _line(found: Sequence[News], spoken: str) -> str:
    """What happened, when it is, of what, with whom, and where to see it."""
    told = about.notice(found[0].booking, Kind.BOOKED)
    happened = list(dict.fromkeys(each.about for each in found))
    said = " → ".join(_SAID[spoken][each] for each in happened)
    when = words.when(told.start, told.end, spoken)
    what = " · ".join(part for part in (when, told.service, told.staff) if part)
    return f"{said}\n{what}\n{settings.NOREN_ORIGIN}/console/bookings/{found[0].booking.id}"


def _send(shop_id: int, member: team.Member, key: str, letter: _Letter) -> SendState:
    subject, text = _SUBJECT[letter.spoken], _TEXT[letter.spoken]
    try:
        return people.send(shop_id, member.person, key, subject=subject, text=text, values=letter.values)
    except NoSuchPerson:
        return SendState.ALREADY
