"""One line of a list of bookings that comes in: booked as the desk books, or taken back as it came.

Each is one transaction, which writes what it does together with the line's mark.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from noren.booking import actions, availability, jobs
from noren.booking.actions import OPEN, HoldRequest
from noren.booking.decide import decide
from noren.booking.desk import BY_DESK
from noren.booking.models import Booking, Event, LineState, Status, Work, WorkLine, WorkState
from noren.booking.referee import KeyInUse
from noren.booking.transact import attempt, note
from noren.errors import InThePast, NorenError, SlotTaken
from noren.shops.models import Service, Shop
from noren.shops.tenancy import shop, write_in

NEAREST: Final = 3
# What a booking's history says while nobody has done anything to it since it came in.
_AS_IT_CAME: Final = ("held", "confirmed", "moved_in")


def bring(shop_id: int, work: Work, line: WorkLine, now: datetime) -> None:
    """Book one line as the desk does; what does not fit is kept with the reason and the nearest times."""
    earlier = actions.of_key(shop_id, line.key, now=now)
    if earlier is not None:
        same = earlier.start == line.start and earlier.service_id == line.service_id
        _mark(shop_id, line, LineState.THERE if same else LineState.ODD, "" if same else "moved", earlier.id)
        return None
    refused: NorenError = SlotTaken()
    for walk_in in (False, True) if work.facts["anyway"] and not _is_class(shop_id, line) else (False,):
        try:
            return _book(shop_id, work, line, now=now, walk_in=walk_in)
        except NorenError as refusal:
            refused = refusal
        if isinstance(refused, SlotTaken | InThePast):
            break
    near: list[str] = []
    if not isinstance(refused, InThePast) and line.start is not None and line.service_id is not None:
        found = availability.nearest(
            shop_id,
            line.service_id,
            line.start,
            now=now,
            staff=line.asked_staff_id,
            limit=NEAREST,
            desk=True,
        )
        near = [each.at.isoformat() for each in found]
    _mark(shop_id, line, LineState.ODD, refused.code, near=near)
    return None


def _is_class(shop_id: int, line: WorkLine) -> bool:
    """Whether it has dates and seats: who comes to those cannot come at any minute."""
    with shop(shop_id):
        return Service.objects.filter(id=line.service_id or 0, capacity__isnull=False).exists()


def _book(shop_id: int, work: Work, line: WorkLine, *, now: datetime, walk_in: bool) -> None:
    if line.service_id is None or line.start is None or line.person_id is None:
        raise RuntimeError("A line that waits has a service, a start and a person.")
    person, start = line.person_id, line.start
    if start <= now:
        raise InThePast
    request = HoldRequest(
        line.service_id, start, line.asked_staff_id, 1, line.key, person=person, walk_in=walk_in
    )
    wanted = request.asked(work.by)

    def write() -> None:
        # Who stops it or undoes it waits for this line, or we for her: then it stays out.
        if (
            not Work.objects.select_for_update(no_key=True)
            .filter(id=work.id, state=WorkState.RUNNING)
            .exists()
        ):
            return
        row = WorkLine.objects.select_for_update(no_key=True).get(id=line.id)
        if row.state != LineState.WAITING:
            return
        digest = actions.digest_of(shop_id, line.key)
        decision = decide(wanted, now=now)
        held = actions.write_hold(request, decision, now=now, by=work.by, idempotency=digest)
        locale = str(Shop.objects.values_list("locale", flat=True).get())
        said: dict[str, Any] = {"locale": locale, "consent": None, "said": BY_DESK}
        booking = actions.write_confirm(held.id, person, now=now, by=work.by, told=False, **said)
        if not work.facts["remind"]:
            jobs.remind_not(booking)
        note(booking.id, "moved_in", now=now, by=work.by, work=work.id)
        WorkLine.objects.filter(id=line.id).update(state=LineState.MADE, booking_id=booking.id)

    try:
        attempt(shop_id, wanted, write, now=now)
    except KeyInUse:
        # The same list came in at the same moment: the other one has it.
        _mark(shop_id, line, LineState.THERE)


def undo(shop_id: int, work: Work, line: WorkLine, now: datetime) -> None:
    """Cancel what came in and is as it came; else it stays, and is counted."""
    with write_in(shop_id):
        row = WorkLine.objects.select_for_update(no_key=True).get(id=line.id)
        if row.state != LineState.MADE:
            return
        booking = Booking.objects.select_for_update(no_key=True).filter(id=row.booking_id or 0).first()
        if booking is None or not _as_it_came(booking, now):
            WorkLine.objects.filter(id=line.id).update(state=LineState.KEPT, why=_why_kept(booking, now))
            return
        actions.write_cancel(booking, now=now, by=work.by, why="moved_in", told=False)
        # The same list may come in again.
        Booking.objects.filter(id=booking.id).update(idempotency=None)
        WorkLine.objects.filter(id=line.id).update(state=LineState.UNDONE)


def _as_it_came(booking: Booking, now: datetime) -> bool:
    if booking.status != Status.CONFIRMED or booking.changes or booking.attention or booking.start <= now:
        return False
    return not Event.objects.filter(booking_id=booking.id).exclude(what__in=_AS_IT_CAME).exists()


def _why_kept(booking: Booking | None, now: datetime) -> str:
    if booking is None or booking.status not in OPEN:
        return "ended"
    return "in_the_past" if booking.start <= now else "touched"


def _mark(
    shop_id: int,
    line: WorkLine,
    state: LineState,
    why: str = "",
    booking_id: int | None = None,
    *,
    near: Iterable[str] = (),
) -> None:
    values: dict[str, object] = {"state": state, "why": why, "near": [*near], "booking_id": booking_id}
    with write_in(shop_id):
        WorkLine.objects.filter(id=line.id, state=LineState.WAITING).update(**values)
