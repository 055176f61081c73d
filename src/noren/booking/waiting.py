"""The waiting list: join, offer, accept, decline, leave. An offer is a real hold that ends by itself.

What becomes free is offered by a job that its own transaction wrote (jobs.freed): to one for each place, by
priority and then in the order of joining, for as many hours as the service says that are not quiet. Who lets
an offer pass waits no more. Order of locks: an entry comes before everything else.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from noren import people
from noren.booking import actions, jobs, links, persons, referee, turns, wishes
from noren.booking.availability import Start
from noren.booking.book import Booked, Customer, booked
from noren.booking.decide import Decision, decide
from noren.booking.models import (
    LIVE,
    STANDING,
    Booking,
    ClassSession,
    Status,
    Waiting,
    WaitingState,
)
from noren.booking.transact import CUSTOMER, Actor, locked, of_id, tried
from noren.booking.wishes import Wish
from noren.engine import wall
from noren.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    CannotTakeNewCustomers,
    HoldExpired,
    LedgerUnavailable,
    LinkUnknown,
    NorenError,
    NothingOffered,
    VaultUnavailable,
)
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

MARK = "waiting"
"""In what was agreed of an offer's hold: the entry it is kept for."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A wish for a day, or for this very start. The higher `priority` is asked first."""

    service_id: int
    day: date | None = None
    start: datetime | None = None
    staff: int | None = None
    party: int = 1
    nights: int = 0
    locale: str = "ja"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    entry: Waiting
    token: str = field(repr=False)


def join(shop_id: int, request: JoinRequest, who: Customer | UUID, *, now: datetime) -> Joined:
    """Join the waiting list; `who` is a new customer, or the id of one who is known.

    Raises what `wishes.check` raises (SlotFree with the nearest starts), AlreadyWaiting, AlreadyBooked,
    BadField, CannotTakeNewCustomers. Of a new customer we can tell that she waits already only where all that
    she wrote is the same: whose mail is whose is not visible on this side, and is told to nobody who asks.
    """
    with shop(shop_id):
        wish = _wish(request, who, now)
        ends_at = wishes.check(wish, now=now)
    person = who if isinstance(who, UUID) else _put(shop_id, wish, who)
    with write_in(shop_id), referee.refusals():
        given, person = person, persons.standing_for(person)
        _refuse_twice(wish, person)
        entry = Waiting.objects.create(
            service_id=wish.service_id,
            session_id=_session(wish),
            day=wish.day,
            last_day=wish.day + timedelta(days=wish.nights),
            start=wish.start,
            asked_staff_id=wish.staff,
            party=wish.party,
            nights=wish.nights,
            person_id=person,
            locale=request.locale,
            priority=request.priority,
            joined_at=now,
            ends_at=ends_at,
            state=WaitingState.WAITING,
        )
        if person != given:
            persons.noted(given, "places", entry.id)
        jobs.joined(entry)
    return Joined(entry, links.waiting_token(shop_id, entry.id, entry.generation))


def _wish(request: JoinRequest, who: Customer | UUID, now: datetime) -> Wish:
    # In UTC, as the rows are: in a doubled hour two zones' names of one instant are never equal (PEP 495).
    start = None if request.start is None else request.start.astimezone(UTC)
    day = request.day
    if start is not None:
        day = wall.as_date(wall.local_day(known().rules.zone, int(start.timestamp()) // 60))
    if day is None:
        raise RuntimeError("Somebody waits for a day or for a start.")
    person = who if isinstance(who, UUID) else None
    asked = (request.staff, request.party, request.nights)
    return Wish(request.service_id, day, start, *asked, person=person, since=now)


def _put(shop_id: int, wish: Wish, customer: Customer) -> UUID:
    """Store the customer in the vault: for one wish the same values are the same person, others another."""
    fields = customer.fields()
    named = [wish.service_id, wish.day.isoformat(), wish.start and wish.start.timestamp(), fields]
    mark = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
    try:
        return people.put(shop_id, f"waiting-{mark}", fields)
    except (VaultUnavailable, LedgerUnavailable) as error:
        raise CannotTakeNewCustomers from error


def _session(wish: Wish) -> int | None:
    """Return the date of a class that is wished for, if it is one."""
    if wish.start is None or known().rules.services[wish.service_id].capacity is None:
        return None
    found = ClassSession.objects.filter(service_id=wish.service_id, start=wish.start)
    return found.values_list("id", flat=True).first()


def _refuse_twice(wish: Wish, person: UUID) -> None:
    """Refuse who waits or has booked already: a day holds its starts. Of two at once the unique key refuses
    one.
    """
    waits = Waiting.objects.filter(
        person_id=person, service_id=wish.service_id, day=wish.day, state__in=LIVE
    ).values_list("start", flat=True)
    if any(wish.start is None or start in (None, wish.start) for start in waits):
        raise AlreadyWaiting
    zone = known().rules.zone
    in_visit = Q(agreed__parts__contains=[{"service": wish.service_id}])
    bookings = Booking.objects.filter(
        Q(service_id=wish.service_id) | in_visit, person_id=person, status__in=STANDING
    )
    for start in bookings.values_list("start", flat=True):
        day = wall.as_date(wall.local_day(zone, int(start.timestamp()) // 60))
        if start == wish.start or (wish.start is None and day == wish.day):
            raise AlreadyBooked


def offer(shop_id: int, first: date = date.min, last: date = date.max, *, now: datetime) -> int:
    """Offer what is free on these days to those who wait for it, one after the other; return to how many."""
    if not _settle(shop_id, now=now):
        return 0
    _end_what_ran_out(shop_id, now=now)
    made, refused = 0, set[tuple[int, int]]()
    while (turn := _turn(shop_id, first, last, now, refused)) is not None:
        entry, start = turn
        if _offer(shop_id, entry.id, start, now=now):
            made += 1
        else:
            # Somebody was faster, or something bars just her way: another place may do, or the next is asked.
            refused.add((entry.id, start.stamp))
    return made


def _settle(shop_id: int, *, now: datetime) -> bool:
    """Write down what has become of those who wait; return whether anybody still does."""
    with write_in(shop_id):
        rows = list(Waiting.objects.filter(state__in=LIVE).order_by("id"))
        if not rows:
            return False
        house = known()
        holds = Booking.objects.in_bulk([row.hold_id for row in rows if row.hold_id])
        sessions = ClassSession.objects.in_bulk([row.session_id for row in rows if row.session_id])
        for row in rows:
            hold, session = holds.get(row.hold_id or 0), sessions.get(row.session_id or 0)
            changed = turns.become(row, hold, session, house, now=now)
            if changed:
                # Only as it was read: who accepts or leaves at this moment has the first word.
                unchanged = Waiting.objects.filter(id=row.id, state=row.state, hold_id=row.hold_id)
                unchanged.update(**changed)
    return True


def _end_what_ran_out(shop_id: int, *, now: datetime) -> None:
    """End the holds of offers that ran out, should their own jobs be late."""
    with shop(shop_id):
        over = Booking.objects.filter(status=Status.HELD, expires_at__lte=now, agreed__has_key=MARK)
        holds = list(over.values_list("id", flat=True))
    for hold_id in holds:
        actions.expire(shop_id, hold_id, now=now)


def _turn(
    shop_id: int, first: date, last: date, now: datetime, refused: set[tuple[int, int]]
) -> tuple[Waiting, Start] | None:
    """Find whose turn it is, as of one moment: a place that becomes free while the list is gone through must
    not go to somebody further down.
    """
    with shop(shop_id):
        _as_of_one_moment()
        return turns.following(first, last, now=now, refused=refused)


def _as_of_one_moment() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _offer(shop_id: int, entry_id: int, start: Start, *, now: datetime) -> bool:
    """Keep a place for somebody, and tell her. False: it cannot be."""

    def write() -> bool:
        entry = _locked(entry_id)
        house = known()
        rule = wishes.rule(house, entry.service_id)
        if entry.state != WaitingState.WAITING or rule is None:
            return False
        ends = turns.offer_ends(house, rule, start.at, now=now)
        request = actions.HoldRequest(
            entry.service_id,
            start.at,
            entry.asked_staff_id,
            entry.party,
            nights=entry.nights,
            person=entry.person_id,
            until=ends,
            since=entry.joined_at,
        )
        decision = _for(entry, decide(request.asked("system"), now=now))
        held = actions.write_hold(request, decision, now=now, by="system")
        entry.state, entry.hold_id, entry.offer_ends = WaitingState.OFFERED, held.id, ends
        entry.save(update_fields=["state", "hold_id", "offer_ends"])
        jobs.offered(entry, turns.told_at(house, ends, now=now))
        return True

    try:
        return tried(shop_id, write)
    except NorenError:
        return False


def _for(entry: Waiting, decision: Decision) -> Decision:
    """Mark the hold: whose offer it is is seen from both sides (doctor), and as of when it was decided."""
    agreed = decision.values["agreed"] | {MARK: entry.id, "since": entry.joined_at.isoformat()}
    return replace(decision, values=decision.values | {"agreed": agreed})


def accept(shop_id: int, waiting_id: int, *, now: datetime, consent: int | None = None) -> Booked:
    """Book what is kept for her; again gives the same booking. `consent`: see book.BookRequest.

    Raises NothingOffered, HoldExpired when the offer is over, LimitReached, LinkUnknown.
    """
    with write_in(shop_id):
        entry = _locked(waiting_id)
        if entry.state == WaitingState.WAITING:
            raise NothingOffered
        if entry.state not in (WaitingState.OFFERED, WaitingState.BOOKED) or entry.hold_id is None:
            raise HoldExpired
        if entry.state == WaitingState.BOOKED:
            return booked(shop_id, of_id(entry.hold_id))
        version = known().terms.policy_version if consent is None else consent
        booking = actions.write_confirm(
            entry.hold_id, entry.person_id, now=now, locale=entry.locale, consent=version, by=CUSTOMER
        )
        entry.state = WaitingState.BOOKED
        entry.save(update_fields=["state"])
    return booked(shop_id, booking)


def decline_offer(shop_id: int, waiting_id: int, *, now: datetime, by: Actor = CUSTOMER) -> None:
    """Let an offer pass: the next is asked. Nothing happens where nothing is offered. Raises LinkUnknown."""
    with write_in(shop_id):
        entry = _locked(waiting_id)
        if entry.state == WaitingState.OFFERED:
            _end(entry, WaitingState.PASSED, now=now, by=by)


def leave(shop_id: int, waiting_id: int, *, now: datetime, by: Actor = CUSTOMER) -> None:
    """Wait no more; again does nothing. Raises AlreadyBooked when she has booked, LinkUnknown."""
    with write_in(shop_id):
        entry = _locked(waiting_id)
        if entry.state == WaitingState.BOOKED:
            raise AlreadyBooked
        if entry.state in LIVE:
            _end(entry, WaitingState.LEFT, now=now, by=by)


def give_up(entry: Waiting, *, now: datetime, by: Actor) -> None:
    """End a place of whoever waits for the same under another id. Inside the shop, its row locked."""
    _end(entry, WaitingState.LEFT, now=now, by=by)


def _end(entry: Waiting, state: WaitingState, *, now: datetime, by: Actor) -> None:
    hold_id, entry.state = entry.hold_id, state
    entry.save(update_fields=["state"])
    if hold_id is not None and locked(hold_id).status == Status.HELD:
        referee.end(hold_id, [Status.HELD], Status.RELEASED, now=now, by=by)
    jobs.not_waiting(entry)


def of_entry(shop_id: int, waiting_id: int) -> Waiting:
    """Return the row. Raises LinkUnknown."""
    with shop(shop_id):
        entry = Waiting.objects.filter(id=waiting_id).first()
    if entry is None:
        raise LinkUnknown
    return entry


def _locked(waiting_id: int) -> Waiting:
    entry = Waiting.objects.select_for_update(no_key=True).filter(id=waiting_id).first()
    if entry is None:
        raise LinkUnknown
    return entry
