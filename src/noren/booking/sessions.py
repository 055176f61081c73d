"""The deeds of a date of a class: move, cancel, resize, and decide whether enough have come.

Nobody is dropped and nothing is changed silently: who has booked is told, and answers where she can choose.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from noren.booking import agreement, classes, jobs, referee
from noren.booking.models import Attention, Booking, ClassSession, Event
from noren.booking.transact import Actor, may_insist, of_id, tried
from noren.errors import InThePast, NotOffered, SeatsBooked
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in


def move_session(
    shop_id: int,
    session_id: int,
    start: datetime,
    staff: int | None,
    *,
    now: datetime,
    by: Actor,
    why: str = "",
) -> list[int]:
    """Move a date of a class, to another time or to other staff (None: whoever is free). Gives the bookings
    whose customers are told: they keep it or cancel free of charge. Forms that are being filled are let go.

    It may overlap itself. `why` is a code. Raises NotOffered, InThePast, SlotTaken, ClassThere.
    """
    if start.timestamp() % 60:
        raise NotOffered
    minute = int(start.timestamp()) // 60

    def write() -> list[int]:
        session = _to_come(session_id, now)
        if start <= now:
            raise InThePast
        if (session.start, session.staff_id) == (start, staff):
            return []
        house = known()
        chosen = classes.placed(house, session.service_id, minute, staff, now=now, session=session_id)
        decided = classes.decided_at(house, session.service_id, minute, now=now)
        values = {
            **classes.plain(chosen, decided),
            "wall": start.astimezone(ZoneInfo(house.rules.zone)).strftime("%Y-%m-%dT%H:%M"),
            "zone": house.rules.zone,
        }
        ids = referee.move_session(house.rules, session_id, values, chosen.claims, now=now, by=by, why=why)
        for each in ids:
            booking = of_id(each)
            booking.reminder_job = jobs.moved(booking, now=now, kind="rescheduled")
            booking.save(update_fields=["reminder_job"])
        if decided is not None:
            jobs.decide(session_id, decided)
        # Its old time, and the seats of forms that were let go.
        jobs.freed(session.start, session.end)
        jobs.freed(start, start + (session.end - session.start))
        return ids

    return tried(shop_id, write)


def cancel_session(
    shop_id: int, session_id: int, *, now: datetime, by: Actor, why: str = "", told: bool = True
) -> list[int]:
    """Call a date of a class off. Gives the bookings that ended with it: their customers are `told`, and owe
    nothing. `why` is a code. Raises NotOffered, InThePast.
    """
    with write_in(shop_id):
        return _called_off(_to_come(session_id, now), now=now, by=by, why=why, told=told) or []


def decide(shop_id: int, session_id: int, *, now: datetime) -> None:
    """Call a date off for which too few have come by its deadline. Once: to any other nothing happens."""
    with write_in(shop_id):
        session = ClassSession.objects.filter(id=session_id, cancelled=False, start__gt=now).first()
        minimum = None if session is None else known().terms.services[session.service_id].minimum
        if session is None or minimum is None:
            return
        try:
            _called_off(session, now=now, by="system", why="minimum", fewer=minimum.seats)
        except NotOffered:  # somebody has called it off at the same moment
            return


def was(booking: Booking) -> tuple[datetime, datetime] | None:
    """Return from when to when a booking was before the shop moved its class, while she has not answered;
    else None. Inside the shop. However often it was moved: what she last knew and agreed to.
    """
    if booking.attention != Attention.MOVED:
        return None
    before = Event.objects.filter(booking_id=booking.id).order_by("-id")
    moves: list[Event] = []
    for event in before:
        if event.what in _AGREED:
            break
        if event.what == "session_moved":
            moves.append(event)
    if not moves:
        return None
    facts = moves[-1].facts
    return datetime.fromisoformat(facts["from"]), datetime.fromisoformat(facts["from_end"])


_AGREED = ("kept", "moved", "confirmed", "asked")


@dataclass(frozen=True, slots=True)
class Seats:
    """Of a date of a class: how many there are, and how many are taken."""

    capacity: int
    booked: int

    @property
    def over(self) -> int:
        """How many more are taken than there are."""
        return max(0, self.booked - self.capacity)


def seats(shop_id: int, session_id: int, capacity: int) -> Seats:
    """Say what another number of seats would mean; nothing changes. Raises NotOffered."""
    with shop(shop_id):
        return Seats(capacity, _standing(session_id).booked)


def resize(
    shop_id: int, session_id: int, capacity: int, *, now: datetime, by: Actor, insist: bool = False
) -> Seats:
    """Give a date of a class another number of seats. Below what is booked only who insists; nobody is
    dropped, and nobody else comes in. Raises SeatsBooked (facts: booked), NotOffered.
    """
    may_insist("insist" if insist else "", by)
    with write_in(shop_id):
        found = Seats(capacity, referee.resize_session(session_id, capacity, now=now))
        if found.over and not insist:
            raise SeatsBooked(booked=found.booked)
        session = _standing(session_id)
        jobs.freed(session.start, session.end)
        return found


def _standing(session_id: int) -> ClassSession:
    found = ClassSession.objects.filter(id=session_id, cancelled=False).first()
    if found is None:
        raise NotOffered
    return found


def _to_come(session_id: int, now: datetime) -> ClassSession:
    session = _standing(session_id)
    if session.end <= now:
        raise InThePast
    return session


def _called_off(
    session: ClassSession,
    *,
    now: datetime,
    by: Actor,
    why: str,
    fewer: int | None = None,
    told: bool = True,
) -> list[int] | None:
    facts = asdict(agreement.NOTHING)
    ids = referee.cancel_session(session.id, now=now, by=by, why=why, facts=facts, fewer=fewer)
    for each in ids or ():
        jobs.ended(of_id(each), "called_off", told=told)
    if ids is not None:
        jobs.freed(session.start, session.end)
    return ids
