"""What a change of a shop's rules touches: bookings that the old rules would offer at their time, and the new
would not. Read in three queries, however many bookings there are; decided by the engine. Inside the shop.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from noren.booking import classes
from noren.booking.models import Attention, Booking, ClassSession, Status
from noren.engine.model import DAY, Claim, ShopRules, Why
from noren.engine.standing import Judge, Standing, beyond, beyond_stock
from noren.shops.rules import Known
from noren.shops.tenancy import current_shop
from noren.shops.terms import Plain

OPEN = (Status.PENDING, Status.CONFIRMED)
_CLAIMS = """
SELECT c.booking_id, c.session_id, c.resource_id, c.units, c.day - date '1970-01-01',
    c.core_from, c.core_to, c.padded_from, c.padded_to
FROM booking_claim c
WHERE c.shop_id = %s AND (c.booking_id = ANY (%s) OR c.session_id = ANY (%s))
ORDER BY c.id
"""
Claims = dict[int, tuple[Claim, ...]]


@dataclass(frozen=True, slots=True)
class Touched:
    """A booking that a change touches, and why. Ids and times: nothing of whose it is."""

    booking_id: int
    service_id: int
    start: datetime
    end: datetime
    staff_id: int | None
    why: Why


@dataclass(frozen=True, slots=True)
class Future:
    """What is to come: bookings (and holds that still run), dates of classes, and what each has claimed."""

    bookings: Sequence[Booking]
    sessions: Mapping[int, ClassSession]
    own: Claims = field(repr=False)
    of_session: Claims = field(repr=False)

    def claims(self, booking: Booking) -> tuple[Claim, ...]:
        if booking.session_id is not None:
            return self.of_session.get(booking.session_id, ())
        return self.own.get(booking.id, ())


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does: the bookings it touches, those that are right again, holds and empty dates that
    the new rules would not offer, and the seats that dates have now.
    """

    touched: tuple[Touched, ...] = ()
    healed: tuple[int, ...] = ()
    holds: tuple[int, ...] = ()
    closed_dates: frozenset[int] = frozenset()
    seats: Mapping[int, int] = field(default_factory=dict)


def future(now: datetime) -> Future:
    """Read what is to come."""
    holds = Q(status=Status.HELD, expires_at__gt=now)
    rows = Booking.objects.filter(Q(status__in=OPEN) | holds, start__gt=now)
    bookings = list(rows.order_by("id"))
    sessions = {row.id: row for row in ClassSession.objects.filter(start__gt=now, cancelled=False)}
    own, of_session = _claims([row.id for row in bookings], list(sessions))
    return Future(bookings, sessions, own, of_session)


def touched(before: Known, after: Known, *, now: datetime) -> tuple[Touched, ...]:
    """Return every booking to come that the old rules would offer at its time, and the new would not."""
    return compare(before, after, future(now)).touched


def compare(before: Known, after: Known, there: Future) -> Impact:
    """Decide on what was read: the engine twice, and no query."""
    if before == replace(after, rules=replace(after.rules, revision=before.rules.revision)):
        return Impact()
    seats = _seats(before, after, there.sessions.values())
    old = _reasons(before.rules, there, {}, {})
    new = _reasons(after.rules, there, seats, _lowered(before.rules, after.rules))
    unplanned = frozenset(
        row.id for row in there.sessions.values() if timetabled(before, row) and not timetabled(after, row)
    )
    for row in there.bookings:
        if row.session_id in unplanned:
            new[row.id] |= {Why.NOT_OFFERED}
    found = [(row, _first(new[row.id] - old[row.id])) for row in there.bookings]
    was_looked_for = (Attention.CLOSED, Attention.STAFF)
    return Impact(
        touched=tuple(
            Touched(row.id, row.service_id, row.start, row.end, row.staff_id, why)
            for row, why in sorted(found, key=lambda each: (each[0].start, each[0].id))
            if why is not None and row.status in OPEN
        ),
        healed=tuple(
            row.id
            for row in there.bookings
            if row.attention in was_looked_for and old[row.id] and not new[row.id]
        ),
        holds=tuple(row.id for row, why in found if why is not None and row.status == Status.HELD),
        closed_dates=_closed_dates(before.rules, after.rules, there) | unplanned,
        seats=seats,
    )


def _first(reasons: frozenset[Why]) -> Why | None:
    """Return the one to tell, in the order in which the engine asks."""
    return next((why for why in Why if why in reasons), None)


def _reasons(
    rules: ShopRules, there: Future, seats: Mapping[int, int], lowered: Mapping[int, int]
) -> dict[int, frozenset[Why]]:
    judge = Judge(rules)
    found = {row.id: judge.lacks(standing(row, there.claims(row))) for row in there.bookings}
    for booking_id in _without_seat(there, seats):
        found[booking_id] |= {Why.SEATS}
    for booking_id in _without_stock(there, lowered):
        found[booking_id] |= {Why.STOCK}
    return found


def standing(row: Booking, claims: tuple[Claim, ...]) -> Standing:
    """Return a booking as the engine's value."""
    start, end = _minute(row.start), _minute(row.end)
    before, after = (int(row.agreed.get(key, 0)) for key in ("before", "after"))
    return Standing(
        service_id=row.service_id,
        start=start,
        end=end,
        padded=_padded(claims) or (start - before, end + after),
        claims=claims,
        party=row.party,
        staff=row.asked_staff_id,
        nights=int(row.agreed.get("nights", 0)),
        seated=row.session_id is not None,
        parts=tuple((part["service"], part["minutes"]) for part in row.parts),
    )


def date_standing(rules: ShopRules, row: ClassSession, claims: tuple[Claim, ...]) -> Standing:
    """Return a date of a class as the engine's value: as if the smallest party had booked it."""
    start, end = _minute(row.start), _minute(row.end)
    service = rules.services.get(row.service_id)
    party = 1 if service is None else service.party_min
    return Standing(row.service_id, start, end, _padded(claims) or (start, end), claims, party, seated=True)


def _padded(claims: tuple[Claim, ...]) -> tuple[int, int] | None:
    if not claims:
        return None
    return min(each.padded_start for each in claims), max(each.padded_end for each in claims)


def _closed_dates(before: ShopRules, after: ShopRules, there: Future) -> frozenset[int]:
    """Return the dates of classes that the old rules would hold, and the new would not."""
    old, new = Judge(before), Judge(after)

    def lacks(judge: Judge, row: ClassSession) -> frozenset[Why]:
        return judge.lacks(date_standing(judge.rules, row, there.of_session.get(row.id, ())))

    return frozenset(row.id for row in there.sessions.values() if lacks(new, row) - lacks(old, row))


def _seats(before: Known, after: Known, sessions: Iterable[ClassSession]) -> dict[int, int]:
    """Return the seats of those dates for which the rules say another number now."""
    found = {}
    for row in sessions:
        was, now = _planned(before, row), _planned(after, row)
        if now is not None and now not in (was, row.capacity):
            found[row.id] = now
    return found


def _planned(house: Known, row: ClassSession) -> int | None:
    """Return how many seats service and timetable give a date."""
    service, entry = house.rules.services.get(row.service_id), timetabled(house, row)
    if entry is not None and entry.get("capacity"):
        return int(entry["capacity"])
    return None if service is None else service.capacity


def timetabled(house: Known, row: ClassSession) -> Plain | None:
    """Return the entry of the timetable that wants a date; None for one that was set by hand."""
    terms = house.terms.services.get(row.service_id)
    at = row.planned.astimezone(ZoneInfo(house.rules.zone))
    minute = at.hour * 60 + at.minute
    entries = () if terms is None else terms.timetable
    return next((each for each in entries if each["start"] == minute and classes.runs(each, at.date())), None)


def _without_seat(there: Future, seats: Mapping[int, int]) -> set[int]:
    """Return who would have no seat any more: those who came last. A party is never split."""
    parties: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in there.bookings:
        if row.session_id is not None and row.session_id in seats and row.takes:
            parties[row.session_id].append((row.id, row.party))
    found: set[int] = set()
    for session_id, those in parties.items():
        had = there.sessions[session_id].capacity
        found |= beyond(seats[session_id], those) - beyond(had, those)
    return found


def _lowered(before: ShopRules, after: ShopRules) -> dict[int, int]:
    """Return the resources of which there are fewer now."""
    return {
        each: new.stock
        for each, new in after.resources.items()
        if each in before.resources and new.stock < before.resources[each].stock
    }


def _without_stock(there: Future, lowered: Mapping[int, int]) -> set[int]:
    claims: dict[int, list[tuple[int, Claim]]] = defaultdict(list)
    for row in there.bookings:
        for claim in there.own.get(row.id, ()):
            if claim.resource_id in lowered:
                claims[claim.resource_id].append((row.id, claim))
    found: set[int] = set()
    for resource_id, those in claims.items():
        found |= beyond_stock(lowered[resource_id], those)
    return found


def _claims(bookings: list[int], sessions: list[int]) -> tuple[Claims, Claims]:
    of_booking: dict[int, list[Claim]] = defaultdict(list)
    of_session: dict[int, list[Claim]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS, [current_shop(), bookings, sessions])
        for booking_id, session_id, resource_id, units, day, *minutes in cursor.fetchall():
            claim = Claim(resource_id, units, *(day * DAY + minute for minute in minutes))
            if booking_id is not None:
                of_booking[booking_id].append(claim)
            else:
                of_session[session_id].append(claim)
    return _tuples(of_booking), _tuples(of_session)


def _tuples(found: Mapping[int, list[Claim]]) -> Claims:
    return {each: tuple(claims) for each, claims in found.items()}


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def claims_of(*, booking: int | None = None, session: int | None = None) -> tuple[Claim, ...]:
    """Return what one booking, or one date of a class, has claimed."""
    own, of_session = _claims([booking] if booking else [], [session] if session else [])
    return own.get(booking or 0, ()) or of_session.get(session or 0, ())


def date_is_held(house: Known, row: ClassSession) -> bool:
    """Say whether the rules would hold a date of a class: by hours and teacher, and by a timetable if any."""
    terms = house.terms.services.get(row.service_id)
    planned = terms is None or not terms.timetable or timetabled(house, row) is not None
    judge = Judge(house.rules)
    return planned and not judge.lacks(date_standing(house.rules, row, claims_of(session=row.id)))
