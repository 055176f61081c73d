"""Every change of a shop's rules: what it touches is listed before anything is saved, and the shop chooses.

The rules' new rows, what was chosen for each booking and the jobs that follow are one transaction: a crash
loses nothing, and no booking is without an answer. Where many are to be moved or cancelled the answers are
lines of a long work, which does them one by one; until then they stand, and wait for a look.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from noren.booking import actions, impact, jobs, referee
from noren.booking.impact import Impact, Touched
from noren.booking.models import (
    Attention,
    Booking,
    ClassSession,
    Event,
    LineState,
    Status,
    Waiting,
    Work,
    WorkLine,
)
from noren.booking.transact import Actor, note, tried
from noren.engine.model import Why
from noren.errors import ChangeTouchesBookings
from noren.shops import rules
from noren.shops.holidays import public_holidays
from noren.shops.models import Shop
from noren.shops.rules import Known
from noren.shops.tenancy import current_shop

CHANGE: Final = "change"
AT_ONCE: Final = 50
"""So many bookings are moved or cancelled with the change itself; more follow it step by step."""
# How many years of published holidays are remembered, this one included: further than anybody books.
_YEARS = 4


class Choice(StrEnum):
    """What becomes of a booking that a change touches."""

    KEEP = "keep"
    """It stays where it is, and somebody looks at it."""
    MOVE = "move"
    """It goes to the nearest time that is free by the new rules; where there is none it stays."""
    CANCEL = "cancel"
    """It is cancelled, and its customer told; she owes nothing."""
    MOVE_UNTOLD = "move_untold"
    CANCEL_UNTOLD = "cancel_untold"
    """The same without a mail: the shop tells her itself."""

    @property
    def moves(self) -> bool:
        return self in (Choice.MOVE, Choice.MOVE_UNTOLD)

    @property
    def cancels(self) -> bool:
        return self in (Choice.CANCEL, Choice.CANCEL_UNTOLD)

    @property
    def tells(self) -> bool:
        return self not in (Choice.MOVE_UNTOLD, Choice.CANCEL_UNTOLD)

    @property
    def untold(self) -> "Choice":
        """The same without a mail."""
        return {Choice.MOVE: Choice.MOVE_UNTOLD, Choice.CANCEL: Choice.CANCEL_UNTOLD}.get(self, self)


@dataclass(frozen=True, slots=True)
class ForAll:
    """One for all that were shown, but for some. `seen`: a digest of what was shown (digest_of); where other
    bookings are touched by now nobody has chosen for them.
    """

    choice: Choice
    but: Mapping[int, Choice]
    seen: str


Choices = Choice | ForAll | Mapping[int, Choice]
"""One for all, or by booking."""
NONE: Choices = {}


@dataclass(frozen=True, slots=True)
class Done:
    """Whether anything was changed, which bookings it touched, and the work by which they follow step by
    step.
    """

    changed: bool
    touched: tuple[Touched, ...] = ()
    work_id: int | None = None


def change(
    shop_id: int, write: Callable[[], bool], choices: Choices = NONE, *, now: datetime, by: Actor
) -> Done:
    """Change a shop's rules: `write` writes their rows, and says whether anything differs.

    Raises ChangeTouchesBookings, and nothing is saved, while a booking it touches has no choice.
    """

    def deed() -> Done:
        # No booking is decided, and none confirmed, while this row is locked: referee.hold asks for it.
        row = Shop.objects.select_for_update(no_key=True).first()
        before = None if row is None else _as_seen(rules.read(), row)
        if not write():
            return Done(False)
        with rules.change():
            _remember(now)
            if before is None:
                return Done(True)
            found = _locked(before, now)
            return Done(True, found.touched, _answer(before, found, choices, now=now, by=by))

    return tried(shop_id, deed)


def _locked(before: Known, now: datetime) -> Impact:
    """Return what is touched, its rows locked: what was being confirmed meanwhile is a booking now."""
    after = rules.read()
    first = impact.compare(before, after, impact.future(now))
    ids = [*(each.booking_id for each in first.touched), *first.holds, *first.healed]
    if not ids:
        return first
    list(Booking.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id").values_list("id"))
    return impact.compare(before, after, impact.future(now))


def _answer(before: Known, found: Impact, choices: Choices, *, now: datetime, by: Actor) -> int | None:
    answers = chosen(choices, found.touched)
    for hold_id in found.holds:
        referee.end(hold_id, [Status.HELD], Status.RELEASED, now=now, by=by, why="rules")
    for session_id, seats in found.seats.items():
        ClassSession.objects.filter(id=session_id).update(capacity=seats)
    work_id = settle(found.touched, answers, now=now, by=by)
    for booking_id in found.healed:
        Booking.objects.filter(id=booking_id).update(attention="")
        note(booking_id, "fits_again", now=now, by=by)
    drop_dates(found.closed_dates, now=now, by=by)
    _reindex(before, now)
    return work_id


def digest_of(found: Iterable[Touched]) -> str:
    """Return by what a page says which bookings it has shown."""
    ids = ",".join(str(number) for number in sorted(each.booking_id for each in found))
    return hashlib.sha256(ids.encode()).hexdigest()[:16]


def chosen(choices: Choices, found: Sequence[Touched]) -> dict[int, Choice]:
    """Return what becomes of each. Raises ChangeTouchesBookings: of one of them nobody has said."""
    if isinstance(choices, Choice):
        return dict.fromkeys((each.booking_id for each in found), choices)
    by_booking = choices if isinstance(choices, Mapping) else choices.but
    if isinstance(choices, ForAll) and choices.seen == digest_of(found):
        by_booking = dict.fromkeys((each.booking_id for each in found), choices.choice) | {**by_booking}
    answers = {each.booking_id: by_booking.get(each.booking_id) for each in found}
    told = {booking_id: answer for booking_id, answer in answers.items() if answer is not None}
    if len(told) < len(answers):
        raise ChangeTouchesBookings(touched=tuple(found))
    return told


def settle(
    found: Sequence[Touched], answers: Mapping[int, Choice], *, now: datetime, by: Actor, why: str = ""
) -> int | None:
    """Do with each what was chosen, inside the shop's transaction, the bookings' rows locked.

    Gives the work by which they follow, where more than AT_ONCE are to be moved or cancelled. `why`: the same
    for all of them, as a code. What an earlier change had still to do with them is over.
    """
    ids = [each.booking_id for each in found]
    waits = WorkLine.objects.filter(booking_id__in=ids, state=LineState.WAITING)
    waits.update(state=LineState.KEPT, why="touched")
    reasons = {each.booking_id: why or each.why for each in found}
    going = [each for each in found if answers[each.booking_id] is not Choice.KEEP]
    if len(going) > AT_ONCE:
        _attend(reasons, answers, now=now, by=by)
        return _by_steps(going, reasons, answers, now=now, by=by)
    ending = {each: reason for each, reason in reasons.items() if answers[each].cancels}
    _cancel(ending, answers, now=now, by=by)
    _attend({each: reasons[each] for each in ids if each not in ending}, answers, now=now, by=by)
    jobs.move_nearest({each: choice.tells for each, choice in answers.items() if choice.moves})
    return None


def _cancel(reasons: Mapping[int, str], answers: Mapping[int, Choice], *, now: datetime, by: Actor) -> None:
    rows = Booking.objects.in_bulk(list(reasons))
    referee.give_back(sorted(rows))
    for each, why in reasons.items():
        actions.write_cancel(rows[each], now=now, by=by, why=why, told=answers[each].tells)


def _attend(reasons: Mapping[int, str], answers: Mapping[int, Choice], *, now: datetime, by: Actor) -> None:
    """Let them stay, for somebody to look at, or for a job to move or cancel."""
    for attention in (Attention.STAFF, Attention.BLOCKED, Attention.CLOSED):
        those = [each for each, why in reasons.items() if _waits_as(why) is attention]
        Booking.objects.filter(id__in=those).update(attention=attention)
    said: dict[str, Any] = {"shop_id": current_shop(), "at": now, "by": by, "what": "touched"}
    lines = [
        Event(booking_id=each, why=why, facts={"choice": answers[each]}, **said)
        for each, why in reasons.items()
    ]
    Event.objects.bulk_create(lines, batch_size=1000)


def _waits_as(why: str) -> Attention:
    return {str(Why.STAFF): Attention.STAFF, "blocked": Attention.BLOCKED}.get(why, Attention.CLOSED)


def _by_steps(
    going: Sequence[Touched],
    reasons: Mapping[int, str],
    answers: Mapping[int, Choice],
    *,
    now: datetime,
    by: Actor,
) -> int:
    """Write down what is to be done with each, and the job that begins it."""
    work = Work.objects.create(kind=CHANGE, by=by, total=len(going), made_at=now)
    lines = [
        WorkLine(
            shop_id=current_shop(),
            work_id=work.id,
            line=number,
            booking_id=each.booking_id,
            service_id=each.service_id,
            start=each.start,
            choice=answers[each.booking_id],
            why=reasons[each.booking_id],
            state=LineState.WAITING,
        )
        for number, each in enumerate(going, 1)
    ]
    WorkLine.objects.bulk_create(lines, batch_size=1000)
    jobs.step(work.id)
    return work.id


def drop_dates(session_ids: Iterable[int], *, now: datetime, by: Actor) -> None:
    """Take away dates of classes that are not held any more and that nobody has booked.

    Where nobody ever did, or waits for it, the row goes too, so that the timetable may make it again.
    """
    ids = list(session_ids)
    if not ids:
        return
    empty = ClassSession.objects.filter(id__in=ids, booked=0, cancelled=False).order_by("id")
    waiting = Booking.objects.filter(session_id__in=ids, status__in=impact.OPEN)
    kept = set(waiting.values_list("session_id", flat=True))
    for row in empty:
        if row.id in kept:
            continue
        referee.cancel_session(row.id, now=now, by=by, why="rules", facts={})
        known_by = (Booking, Waiting)
        if not any(each.objects.filter(session_id=row.id).exists() for each in known_by):
            row.delete()


def _reindex(before: Known, now: datetime) -> None:
    """Compute the sheets of changed stocks anew at once: nothing is booked on the old ones."""
    after = rules.read().rules.resources
    for resource_id, old in before.rules.resources.items():
        if resource_id in after and after[resource_id].stock != old.stock:
            referee.reindex(resource_id, now.date() - timedelta(days=1))


def review_holidays(shop_id: int, *, now: datetime) -> Done:
    """Hold the shop's bookings against holidays that were published since: what they touch stays, for
    somebody to look at.
    """

    def differs() -> bool:
        row = Shop.objects.get()
        return bool(row.holidays_seen != _published(row.holiday_region, now))

    return change(shop_id, differs, Choice.KEEP, now=now, by="system")


def _remember(now: datetime) -> None:
    row = Shop.objects.get()
    Shop.objects.filter(shop_id=current_shop()).update(holidays_seen=_published(row.holiday_region, now))


def _published(region: str, now: datetime) -> dict[str, Any]:
    since, until = date(now.year, 1, 1), date(now.year + _YEARS - 1, 12, 31)
    days = sorted(day.isoformat() for day in public_holidays(region) if since <= day <= until)
    return {"region": region, "since": since.isoformat(), "until": until.isoformat(), "days": days}


def _as_seen(house: Known, row: Shop) -> Known:
    """Return what was known, with the holidays as seen last: newly published ones are a change too."""
    seen = row.holidays_seen
    if not seen:
        return house
    since, until = date.fromisoformat(seen["since"]), date.fromisoformat(seen["until"])
    others = frozenset(day for day in house.rules.holidays if not since <= day <= until)
    days = frozenset(date.fromisoformat(day) for day in seen["days"])
    holidays = others | days | frozenset(row.own_holidays)
    return replace(house, rules=replace(house.rules, holidays=holidays))
