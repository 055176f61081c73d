"""Days off and other hours that somebody who serves asks for, and what became of it: staff ids and codes."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from procrastinate.contrib.django import app

from noren.errors import AlreadyAnswered, AskedAlready, NothingHere
from noren.shops import edits
from noren.shops.models import DayRequest, Override, Staff
from noren.shops.reading import Ranges
from noren.shops.tenancy import current_shop, shop

MOST_DAYS = 31


class State(StrEnum):
    """What became of it."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Why(StrEnum):
    """What it is for. A list that is closed: what is nobody's affair is `private`."""

    PRIVATE = ""
    LEAVE = "leave"
    TRAINING = "training"
    SHIFT = "shift"


def days(row: DayRequest) -> list[date]:
    """Return the days that are asked for."""
    return [row.first + timedelta(days=number) for number in range((row.last - row.first).days + 1)]


def waiting(shop_id: int, since: date) -> int:
    """Return how many wait for an answer."""
    with shop(shop_id):
        return DayRequest.objects.filter(state=State.ASKED, last__gte=since).count()


def ask(staff_id: int, first: date, last: date, ranges: Ranges, why: Why, *, now: datetime) -> DayRequest:
    """Write it down. Raises AskedAlready."""
    # Two at once wait for each other here: the second sees the first.
    Staff.objects.select_for_update(no_key=True).get(id=staff_id)
    open_ones = DayRequest.objects.filter(staff_id=staff_id, state=State.ASKED)
    if open_ones.filter(first__lte=last, last__gte=first).exists():
        raise AskedAlready
    wanted = {"first": first, "last": last, "ranges": ranges, "why": str(why)}
    return DayRequest.objects.create(staff_id=staff_id, asked_at=now, **wanted)


def withdraw(request_id: int, staff_id: int, *, now: datetime) -> None:
    """Take it back, by her who asked. Raises AlreadyAnswered, NothingHere."""
    row = _locked(request_id)
    if row.staff_id != staff_id:
        raise NothingHere
    if row.state != State.ASKED:
        raise AlreadyAnswered
    DayRequest.objects.filter(id=row.id).update(state=State.WITHDRAWN, answered_at=now)


def decline(request_id: int, *, now: datetime, by: str) -> None:
    """Say no; it may still be accepted. Raises AlreadyAnswered, NothingHere."""
    row = _locked(request_id)
    if row.state != State.ASKED:
        raise AlreadyAnswered
    _answer(row, State.DECLINED, now, by)


def accept(request_id: int, since: date, *, now: datetime, by: str) -> bool:
    """Give her these days as she asked, inside `booking.changes.change`; what is before `since` is over.

    Raises AlreadyAnswered, NothingHere.
    """
    row = _locked(request_id)
    if row.state not in (State.ASKED, State.DECLINED):
        raise AlreadyAnswered
    for day in days(row):
        if day >= since:
            edits.set_day(day, row.ranges, resource_id=row.staff_id)
    _answer(row, State.ACCEPTED, now, by)
    return True


def reopen(request_id: int, since: date) -> bool:
    """Take an answer back, inside `booking.changes.change`: days that were given and are still as she asked
    are as usual again, and the request waits anew. Raises AlreadyAnswered, NothingHere.
    """
    row = _locked(request_id)
    if row.state not in (State.ACCEPTED, State.DECLINED):
        raise AlreadyAnswered
    if row.state == State.ACCEPTED:
        given = Override.objects.filter(resource_id=row.staff_id, service_id=None, ranges=row.ranges)
        given.filter(date__gte=max(row.first, since), date__lte=row.last).delete()
    DayRequest.objects.filter(id=row.id).update(state=State.ASKED, answered_at=None, answered_by="")
    return True


def _locked(request_id: int) -> DayRequest:
    row = DayRequest.objects.select_for_update(no_key=True).filter(id=request_id).first()
    if row is None:
        raise NothingHere
    return row


def _answer(row: DayRequest, state: State, now: datetime, by: str) -> None:
    """Answer it, and tell her who asked, where she wants a mail of it."""
    DayRequest.objects.filter(id=row.id).update(state=state, answered_at=now, answered_by=by)
    app.configure_task("noren.messages.tasks.answered").defer(shop_id=current_shop(), request_id=row.id)
