"""Something long, done in steps: bookings and customers that come in from another system, the undoing of
bookings, and what a change of the rules makes of many bookings.

A step is a job of a few lines; each line is one transaction, which writes what it does together with its
mark. So whatever dies in between, the next step goes on behind the last mark and does nothing twice. Of
customers the lines lie in the vault: a step has it bring some hundred in, and only the next one, which says
up to which place all is written down here, has it let go of them. Customers of a list of bookings come in
first. It can be stopped between two steps, and go on again. No job holds anything of a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db.models import Count

from noren.booking import bringing, following, incoming, jobs
from noren.booking.changes import CHANGE
from noren.booking.models import LineState, Work, WorkLine, WorkState
from noren.booking.transact import Actor
from noren.errors import NoSuchTransfer, NothingHere, TransferOver
from noren.people import lists
from noren.shops.models import Shop
from noren.shops.tenancy import shop, write_in

IN: Final = "bookings_in"
UNDO: Final = "bookings_undo"
PERSONS: Final = "customers_in"
LINES_A_STEP: Final = 20
SHOWN: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Ask:
    """Bookings to bring in, line by line. `persons`: so many rows of customers were left in the vault for
    them. `anyway`: also outside hours, grid and notice, where it is free.
    """

    transfer: str
    lines: Iterable[WorkLine]
    persons: int = 0
    remind: bool = True
    anyway: bool = True


def bring(shop_id: int, ask: Ask, *, now: datetime, by: Actor) -> Work:
    """Begin to bring bookings in; for the same list once more it gives what was begun then."""
    with write_in(shop_id):
        Shop.objects.select_for_update(no_key=True).first()
        begun = Work.objects.filter(transfer=ask.transfer, kind=IN).first()
        if begun is not None:
            return begun
        lines = list(ask.lines)
        facts: dict[str, object] = {"remind": ask.remind, "anyway": ask.anyway}
        if ask.persons:
            # `brought` is there as long as they come in.
            facts |= {"persons": ask.persons, "brought": 0}
        work = Work.objects.create(
            kind=IN,
            by=by,
            transfer=ask.transfer,
            total=len(lines),
            facts=facts,
            made_at=now,
        )
        for each in lines:
            each.work_id = work.id
        WorkLine.objects.bulk_create(lines, batch_size=1000)
        jobs.step(work.id)
        return work


def bring_customers(shop_id: int, transfer: str, total: int, *, now: datetime, by: Actor) -> Work:
    """Begin to bring customers in whose rows were left in the vault; once more it gives what is not done.

    Raises NothingHere: that list is being undone.
    """
    with write_in(shop_id):
        Shop.objects.select_for_update(no_key=True).first()
        begun = Work.objects.filter(transfer=transfer, kind=PERSONS).exclude(state=WorkState.DONE).first()
        if begun is not None and begun.facts:
            raise NothingHere
        if begun is not None:
            return begun
        work = Work.objects.create(kind=PERSONS, by=by, transfer=transfer, total=total, made_at=now)
        jobs.step(work.id)
        return work


def bookings_of(shop_id: int, transfer: str) -> Work | None:
    """Return the work that brings a list's bookings in, or brought them."""
    with shop(shop_id):
        return Work.objects.filter(transfer=transfer, kind=IN).first()


def end_customers(shop_id: int, transfer: str) -> bool:
    """See to it that nobody more comes in with a list, and no booking. False, and nothing is done: they are
    coming in.
    """
    with write_in(shop_id):
        Shop.objects.select_for_update(no_key=True).first()
        rows = Work.objects.filter(transfer=transfer, kind__in=(IN, PERSONS)).exclude(state=WorkState.DONE)
        found = list(rows.select_for_update(no_key=True).order_by("id"))
        if any(each.state == WorkState.RUNNING or jobs.is_stepping(each.id) for each in found):
            return False
        for each in found:
            Work.objects.filter(id=each.id).update(facts=each.facts | {"over": True})
        return True


def undo(shop_id: int, work_id: int, *, now: datetime, by: Actor) -> Work:
    """Begin to cancel what came in with it and is as it came; what it had not brought in yet stays out.

    Nobody is mailed. Once more gives the undoing that runs. Raises NothingHere.
    """
    with write_in(shop_id):
        work = _locked(work_id)
        if work.kind != IN:
            raise NothingHere
        running = Work.objects.filter(of_work_id=work.id, state=WorkState.RUNNING).first()
        if running is not None:
            return running
        if work.state != WorkState.DONE:
            Work.objects.filter(id=work.id).update(state=WorkState.STOPPED)
        made = WorkLine.objects.filter(work_id=work.id, state=LineState.MADE).count()
        undoing = Work.objects.create(
            kind=UNDO, by=by, transfer=work.transfer, of_work_id=work.id, total=made, made_at=now
        )
        jobs.step(undoing.id)
        return undoing


def stop(shop_id: int, work_id: int) -> None:
    """Stop after the step that runs; what is done stays done."""
    with write_in(shop_id):
        if _locked(work_id).state == WorkState.RUNNING:
            Work.objects.filter(id=work_id).update(state=WorkState.STOPPED)


def resume(shop_id: int, work_id: int) -> None:
    """Go on where it was stopped. What is being undone, or is over, does not: NothingHere."""
    with write_in(shop_id):
        found = _locked(work_id)
        if is_undone(shop_id, work_id) or "over" in found.facts:
            raise NothingHere
        if found.state == WorkState.STOPPED:
            Work.objects.filter(id=work_id).update(state=WorkState.RUNNING)
            jobs.step(work_id)


def step(shop_id: int, work_id: int, *, now: datetime) -> None:
    """Do some lines, then say how far it is, and write the next step's job or that it is done."""
    with shop(shop_id):
        work = Work.objects.filter(id=work_id).first()
        if work is None or work.state != WorkState.RUNNING:
            return
    if work.kind == PERSONS or customers_first(work):
        _bring_customers(shop_id, work, now)
    else:
        _lines(shop_id, work, now)


def _lines(shop_id: int, work: Work, now: datetime) -> None:
    with shop(shop_id):
        state = LineState.MADE if work.kind == UNDO else LineState.WAITING
        left = WorkLine.objects.filter(work_id=work.of_work_id or work.id, state=state).order_by("line")
        lines = list(left[:LINES_A_STEP])
    deed = {IN: bringing.bring, UNDO: bringing.undo, CHANGE: following.follow}[work.kind]
    for each in lines:
        deed(shop_id, work, each, now)
    with write_in(shop_id):
        running = _locked(work.id).state == WorkState.RUNNING
        counted = _counted(work)
        more = left.exists()
        if running and not more:
            counted |= {"state": WorkState.DONE, "ended_at": now}
        Work.objects.filter(id=work.id).update(**counted)
        if running and more:
            jobs.step(work.id)


def _bring_customers(shop_id: int, work: Work, now: datetime) -> None:
    """Have the vault bring the next rows in, and write down who came. Where the list is over or cancelled
    there nobody more comes, and no booking either.
    """
    first, total = customers(work)
    came = None
    try:
        came = lists.step_import(shop_id, work.transfer, first)
        over = False
    except (NoSuchTransfer, TransferOver):
        over = first < total
    with write_in(shop_id):
        found = _locked(work.id)
        running = found.state == WorkState.RUNNING
        if over:
            changed: dict[str, object] = {
                "state": WorkState.STOPPED,
                "facts": found.facts | {"over": True},
            }
        elif came is None:
            changed = _all_in(found, running, now)
        else:
            changed = _came(found, came)
        Work.objects.filter(id=work.id).update(**changed)
        if running and "state" not in changed:
            jobs.step(work.id)


def customers_first(work: Work) -> bool:
    """Say whether it is bookings, and their customers have still to come in."""
    return "brought" in work.facts


def customers(work: Work) -> tuple[int, int]:
    """Return how many of a list's customers are in, and how many there are."""
    if work.kind == PERSONS:
        return work.done, work.total
    total = work.facts.get("persons", 0)
    return work.facts.get("brought", total), total


def _came(work: Work, came: lists.Came) -> dict[str, object]:
    """Write the ids of who came in onto the lines that are for them."""
    first, total = customers(work)
    place = max(first, min(came.place, total))
    if work.kind == PERSONS:
        return {"done": place}
    secret = settings.IDEMPOTENCY_KEY
    persons = {incoming.person_key(work.shop_id, key, secret): one for key, one in came.persons.items()}
    lines = list(WorkLine.objects.filter(work_id=work.id, person_key__in=persons))
    for each in lines:
        each.person_id, each.person_key = persons[each.person_key], ""
    WorkLine.objects.bulk_update(lines, ["person_id", "person_key"], batch_size=200)
    return {"facts": work.facts | {"brought": place}}


def _all_in(work: Work, running: bool, now: datetime) -> dict[str, object]:
    """All customers are in. Of bookings it goes on with them; who did not come after all is unclear."""
    if work.kind == PERSONS:
        return {"done": work.total} | ({"state": WorkState.DONE, "ended_at": now} if running else {})
    lines = WorkLine.objects.filter(work_id=work.id).exclude(person_key="")
    lines.filter(state=LineState.WAITING).update(state=LineState.ODD, why="person", person_key="")
    lines.update(person_key="")
    return {"facts": {name: value for name, value in work.facts.items() if name != "brought"}} | _counted(
        work
    )


def all_of(shop_id: int, *, now: datetime) -> list[Work]:
    """Return what runs and what ran in the last 90 days, the newest first."""
    with shop(shop_id):
        return list(Work.objects.filter(made_at__gt=now - SHOWN).order_by("-made_at", "-id")[:200])


def one(shop_id: int, work_id: int) -> Work:
    """Return one. Raises NothingHere."""
    with shop(shop_id):
        found = Work.objects.filter(id=work_id).first()
    if found is None:
        raise NothingHere
    return found


def odd_lines(shop_id: int, work_id: int, most: int) -> list[WorkLine]:
    """Return what did not come in as it was wished, in the file's order."""
    with shop(shop_id):
        rows = WorkLine.objects.filter(work_id=work_id, state__in=(LineState.ODD, LineState.KEPT))
        return list(rows.order_by("line", "id")[:most])


def lines_left(shop_id: int, work_id: int, most: int) -> list[WorkLine]:
    """Return what has not been done yet, in its order."""
    with shop(shop_id):
        rows = WorkLine.objects.filter(work_id=work_id, state=LineState.WAITING)
        return list(rows.order_by("line", "id")[:most])


def changes_open(shop_id: int) -> list[Work]:
    """Return the changes of the rules that some bookings have still to follow, the newest first."""
    with shop(shop_id):
        rows = Work.objects.filter(kind=CHANGE).exclude(state=WorkState.DONE)
        return list(rows.order_by("-made_at", "-id"))


def lines_of(shop_id: int, booking_ids: Iterable[int]) -> Mapping[int, WorkLine]:
    """Return, of those bookings that wait for a change's next steps, what becomes of each."""
    with shop(shop_id):
        rows = WorkLine.objects.filter(booking_id__in=list(booking_ids), state=LineState.WAITING)
        return {row.booking_id: row for row in rows if row.booking_id is not None}


def counts(shop_id: int, work_id: int) -> Mapping[str, int]:
    """Return how many lines are in each state."""
    with shop(shop_id):
        return _by_state(work_id)


def is_undone(shop_id: int, work_id: int) -> bool:
    """Say whether somebody has begun to undo it."""
    with shop(shop_id):
        return Work.objects.filter(of_work_id=work_id).exists()


def ids_of(transfer: str) -> list[int]:
    """Return the works that belong to a list, inside the shop."""
    return list(Work.objects.filter(transfer=transfer).values_list("id", flat=True))


def of_transfer(shop_id: int, transfer: str) -> list[Work]:
    """Return the works that belong to a list, the newest first."""
    with shop(shop_id):
        return list(Work.objects.filter(transfer=transfer).order_by("-id")[:20])


def note_taken(shop_id: int, kind: str, transfer: str, total: int, *, now: datetime, by: Actor) -> int:
    """Note something long that this very request does: it shows with the others. Gives its id."""
    with write_in(shop_id):
        return Work.objects.create(kind=kind, by=by, transfer=transfer, total=total, made_at=now).id


def note_done(shop_id: int, work_id: int, done: int, *, now: datetime, **facts: int) -> None:
    """Note how it ended."""
    values = {"done": done, "facts": facts, "state": WorkState.DONE, "ended_at": now}
    with write_in(shop_id):
        Work.objects.filter(id=work_id).update(**values)


def _locked(work_id: int) -> Work:
    found = Work.objects.select_for_update(no_key=True).filter(id=work_id).first()
    if found is None:
        raise NothingHere
    return found


def _by_state(work_id: int) -> Mapping[str, int]:
    rows = WorkLine.objects.filter(work_id=work_id).values_list("state").annotate(n=Count("id"))
    return MappingProxyType(dict(rows.order_by("state")))


def _counted(work: Work) -> dict[str, object]:
    found = _by_state(work.of_work_id or work.id)
    odd, kept = found.get(LineState.ODD, 0), found.get(LineState.KEPT, 0)
    if work.kind == UNDO:
        return {"done": work.total - found.get(LineState.MADE, 0), "odd": kept}
    done = work.total - found.get(LineState.WAITING, 0)
    return {"done": done, "odd": odd if work.kind == IN else odd + kept}
