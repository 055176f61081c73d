"""When a zone's clock is changed by law: what was agreed is the time on the wall, so its instant moves.

Everything a booking has claimed moves with it. What stands there already stays too: the shop is warned.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from noren.booking import actions, changes, classes, impact, jobs, referee
from noren.booking.models import Attention, Booking, ClassSession
from noren.booking.referee import Overtaken
from noren.booking.transact import Actor, note, of_id
from noren.engine import wall
from noren.engine.model import DAY, Claim
from noren.shops.rules import known
from noren.shops.tenancy import shop, write_in

SYSTEM: Actor = "system"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows


def differs(booking: Booking) -> bool:
    """Say whether the clock on the wall does not show, at its start, the time that was agreed."""
    start = int(booking.start.timestamp()) // 60
    return wall.around(booking.zone, start).wall(start) != _wall_minute(booking.wall)


def meant(booking: Booking) -> datetime:
    """Return the instant at which the clock shows the time that was agreed."""
    minute = _wall_minute(booking.wall)
    start = int(booking.start.timestamp()) // 60
    return datetime.fromtimestamp(wall.around(booking.zone, start).instant(*divmod(minute, DAY)) * 60, UTC)


def wandering(now: datetime | None = None) -> Iterator[Booking]:
    """Go through the bookings whose instant does not fit their wall time. Inside the shop."""
    rows = Booking.objects.filter(status__in=actions.OPEN)
    if now is not None:
        rows = rows.filter(start__gt=now)
    return (row for row in rows.order_by("start", "id").iterator(chunk_size=2000) if differs(row))


def review(shop_id: int, *, now: datetime) -> int:
    """Move what wanders to the instant of its wall time, and have it looked at. Gives how many moved."""
    with shop(shop_id):
        found = list(wandering(now))
    single = [row for row in found if row.session_id is None]
    # In the direction in which they move, so that neighbours that move alike make room for each other.
    single.sort(key=lambda row: row.start, reverse=any(meant(row) > row.start for row in single))
    for row in single:
        _moved(shop_id, row, now)
    sessions = {row.session_id: row for row in found if row.session_id is not None}
    for session_id, row in sessions.items():
        _date_moved(shop_id, session_id, row, now)
    return len(found)


def _moved(shop_id: int, row: Booking, now: datetime) -> None:
    # Once more where only the rules moved on; and then over what stands there.
    for over in (False, False, True):
        try:
            with write_in(shop_id):
                _shift(row.id, now, over=over)
        except Overtaken:
            continue
        return


def _shift(booking_id: int, now: datetime, *, over: bool) -> None:
    # Not locked before the shop's row is: the referee looks whether it stands where it stood here.
    booking = of_id(booking_id)
    if booking.status not in actions.OPEN or not differs(booking):
        return
    start = meant(booking)
    shift = start - booking.start
    values: dict[str, Any] = {
        "session_id": None,
        "staff_id": booking.staff_id,
        "asked_staff_id": booking.asked_staff_id,
        "start": start.isoformat(),
        "end": (booking.end + shift).isoformat(),
        "wall": _shown(start, booking.zone),
        "zone": booking.zone,
        "takes": booking.takes,
        "changes": booking.changes,
        "agreed": {},
    }
    claims = shifted(impact.claims_of(booking=booking.id), shift)
    said: dict[str, Any] = {"now": now, "by": SYSTEM, "why": "zone", "over": over}
    referee.move(known().rules, booking.id, actions.OPEN, values, claims, **said)
    Booking.objects.filter(id=booking.id).update(attention=Attention.ZONE)
    _told(booking.id, now)
    jobs.freed(booking.start, booking.end)


def _told(booking_id: int, now: datetime) -> None:
    moved = Booking.objects.get(id=booking_id)
    moved.reminder_job = jobs.moved(moved, now=now, kind="zone")
    moved.save(update_fields=["reminder_job"])


def _date_moved(shop_id: int, session_id: int, one: Booking, now: datetime) -> None:
    """Move a date of a class with all its bookings. Where its teacher is taken then, it stays, to be seen."""
    try:
        with write_in(shop_id):
            _shift_date(session_id, one, now)
    except Overtaken:
        with write_in(shop_id):
            for row in Booking.objects.filter(session_id=session_id, status__in=actions.OPEN):
                if row.attention != Attention.ZONE:
                    Booking.objects.filter(id=row.id).update(attention=Attention.ZONE)
                    note(row.id, "touched", now=now, by=SYSTEM, why="zone")


def _shift_date(session_id: int, one: Booking, now: datetime) -> None:
    row = ClassSession.objects.get(id=session_id)
    start = meant(one)
    shift = start - row.start
    # The timetable may have made a date at this time by the new clock already: nobody has booked it.
    there = ClassSession.objects.filter(service_id=row.service_id, start=start, cancelled=False)
    changes.drop_dates(there.values_list("id", flat=True), now=now, by=SYSTEM)
    minute = int(start.timestamp()) // 60
    decided = classes.decided_at(known(), row.service_id, minute, now=now)
    values = {
        "staff_id": row.staff_id,
        "start": start.isoformat(),
        "end": (row.end + shift).isoformat(),
        "wall": _shown(start, one.zone),
        "zone": one.zone,
        "decided_at": None if decided is None else decided.isoformat(),
    }
    claims = shifted(impact.claims_of(session=row.id), shift)
    said: dict[str, Any] = {"now": now, "by": SYSTEM, "why": "zone"}
    ids = referee.move_session(known().rules, row.id, values, claims, **said)
    if decided is not None:
        jobs.decide(row.id, decided)
    Booking.objects.filter(id__in=ids).update(attention=Attention.ZONE)
    for booking_id in ids:
        _told(booking_id, now)
    jobs.freed(min(row.start, start), max(row.end, row.end + shift))


def shifted(claims: Sequence[Claim], shift: timedelta) -> list[Claim]:
    """Return claims moved in time, those that were cut at midnight made whole first."""
    minutes = int(shift.total_seconds()) // 60
    return [
        replace(
            each,
            start=each.start + minutes,
            end=each.end + minutes,
            padded_start=each.padded_start + minutes,
            padded_end=each.padded_end + minutes,
        )
        for each in whole(claims)
    ]


def whole(claims: Iterable[Claim]) -> list[Claim]:
    """Return claims that were cut at UTC's midnights in one piece again."""
    joined: list[Claim] = []
    for each in sorted(claims, key=lambda claim: (claim.resource_id, claim.padded_start)):
        last = joined[-1] if joined else None
        cut = each.padded_start % DAY == 0
        if last and last.resource_id == each.resource_id and cut and last.padded_end == each.padded_start:
            cores = [(c.start, c.end) for c in (last, each) if c.start < c.end]
            start, end = (min(c[0] for c in cores), max(c[1] for c in cores)) if cores else (0, 0)
            joined[-1] = replace(last, start=start, end=end, padded_end=each.padded_end)
        else:
            joined.append(each)
    return joined


def _shown(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def _wall_minute(text: str) -> int:
    return int((datetime.fromisoformat(text) - _EPOCH).total_seconds()) // 60
