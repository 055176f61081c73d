"""A message to many: the shop writes to all whose bookings it picks, about these bookings and nothing else.

A draft until it is sent; then long work. Each person gets one mail, about all of her bookings that were
picked, under a key of its own that the vault sends once. A step sends a few and writes the job of the next,
behind whatever else is due: a reminder waits for one step at most.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from procrastinate.contrib.django import app

from noren.booking.models import Booking, Work, WorkState
from noren.booking.transact import Actor
from noren.errors import LedgerUnavailable, NorenError, NothingHere, VaultUnavailable, WordsChanged
from noren.messages import picked, wording, words
from noren.messages.deliver import NotSentYet, deliver
from noren.messages.models import Addressed, Message, ToMany
from noren.messages.notice import Kind
from noren.messages.wording import LANGUAGES, Fault
from noren.shops.models import Shop
from noren.shops.tenancy import shop, write_in

WORK: Final = "mails_out"
PARTS: Final = ("subject", "opening")
SHOWN: Final = 100
_A_STEP: Final = 5
# Whatever else is due is sent first.
_BEHIND: Final = -1
_LATER: Final = timedelta(minutes=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pick:
    """Which bookings: those that touch a stretch, of a service, of one who serves; None: any."""

    since: datetime
    until: datetime
    service: int | None = None
    staff: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """To whom it would go as it stands. `languages`: how many persons read each of them."""

    bookings: int
    persons: tuple[UUID, ...]
    languages: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """How far it is, counted in persons. `over`: it was true of none of her bookings any more."""

    done: int
    states: Mapping[str, int]
    over: int


def draft(shop_id: int, pick: Pick, *, now: datetime, by: Actor) -> int:
    """Begin one; gives its number."""
    with write_in(shop_id):
        return ToMany.objects.create(**_picks(pick), made_at=now, made_by=by).id


def _picks(pick: Pick) -> dict[str, object]:
    return {
        "since": pick.since,
        "until": pick.until,
        "service_id": pick.service,
        "staff_id": pick.staff,
    }


def one(shop_id: int, many_id: int) -> ToMany:
    """Return one. Raises NothingHere."""
    with shop(shop_id):
        found = ToMany.objects.filter(id=many_id).first()
    if found is None:
        raise NothingHere
    return found


def all_of(shop_id: int) -> list[tuple[ToMany, Work | None]]:
    """Return the newest, each with the work that sends it. Two queries."""
    with shop(shop_id):
        rows = list(ToMany.objects.order_by("-id")[:SHOWN])
        works = Work.objects.in_bulk({each.work_id for each in rows if each.work_id is not None})
    return [(each, works.get(each.work_id or 0)) for each in rows]


def reach(shop_id: int, row: ToMany, *, now: datetime) -> Reach:
    """Count to whom it would go now. Two queries."""
    with shop(shop_id):
        found, house = _by_person(row, now), str(Shop.objects.values_list("locale", flat=True).get())
    languages: dict[str, int] = defaultdict(int)
    for first, *_ in found.values():
        languages["en" if words.language(first.locale or house) == "en" else "ja"] += 1
    return Reach(sum(map(len, found.values())), tuple(found), languages)


def _by_person(row: ToMany, now: datetime) -> dict[UUID, list[Booking]]:
    found: dict[UUID, list[Booking]] = {}
    for each in picked.of(row, now=now):
        if each.person_id is not None:
            found.setdefault(each.person_id, []).append(each)
    return found


def faults(given: Mapping[str, Mapping[str, str]]) -> dict[str, list[Fault]]:
    """Return by language what is wrong with words that somebody wishes to keep."""
    return {lang: wording.faults(Kind.MANY, said) for lang, said in given.items()}


def plain(given: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the words as they are kept: of the languages that have a text."""
    said = {
        lang: {part: wording.plain(part, given.get(lang, {}).get(part, "")) for part in PARTS}
        for lang in LANGUAGES
    }
    return {lang: parts for lang, parts in said.items() if any(parts.values())}


def keep(shop_id: int, many_id: int, given: Mapping[str, Mapping[str, str]], *, seen: int) -> None:
    """Keep words that have no fault. `seen`: the version that was looked at when they were written.

    Raises WordsChanged; NothingHere: it is being sent.
    """
    wanted = plain(given)
    if any(faults(wanted).values()):
        raise ValueError("these words are refused: look for their faults first")
    with write_in(shop_id):
        row = _draft(many_id)
        if row.words == wanted:
            return
        if row.version != seen:
            raise WordsChanged
        ToMany.objects.filter(id=row.id).update(words=wanted, version=row.version + 1)


def pick_anew(shop_id: int, many_id: int, pick: Pick) -> None:
    """Pick other bookings. Raises NothingHere: it is being sent."""
    with write_in(shop_id):
        ToMany.objects.filter(id=_draft(many_id).id).update(**_picks(pick))


def drop(shop_id: int, many_id: int) -> None:
    """Throw a draft away. Raises NothingHere: it is being sent."""
    with write_in(shop_id):
        ToMany.objects.filter(id=_draft(many_id).id).delete()


def _draft(many_id: int) -> ToMany:
    row = _locked(many_id)
    if row.work_id is not None:
        raise NothingHere
    return row


def _locked(many_id: int) -> ToMany:
    found = ToMany.objects.select_for_update(no_key=True).filter(id=many_id).first()
    if found is None:
        raise NothingHere
    return found


def send(shop_id: int, many_id: int, *, seen: int, persons: int, now: datetime, by: Actor) -> bool:
    """Begin to send what was looked at (`seen`, its version) to as many as were agreed to. False, and
    nothing is done: they are more or fewer by now, or its words are others. Once more gives what was begun.

    Raises NothingHere: it says nothing yet.
    """
    with write_in(shop_id):
        row = _locked(many_id)
        if row.work_id is not None:
            return True
        if not says_something(row):
            raise NothingHere
        found = _by_person(row, now)
        if not found or len(found) != persons or row.version != seen:
            return False
        work = Work.objects.create(kind=WORK, by=by, total=len(found), facts={"many": row.id}, made_at=now)
        Addressed.objects.bulk_create(
            [
                Addressed(shop_id=shop_id, many_id=row.id, booking_id=first.id, others=[o.id for o in others])
                for first, *others in found.values()
            ],
            batch_size=1000,
        )
        ToMany.objects.filter(id=row.id).update(work_id=work.id)
        _enqueue(shop_id, work.id)
    return True


def says_something(row: ToMany) -> bool:
    """Whether each language that is written has a text, and one is: a subject alone is none."""
    return bool(row.words) and all(said["opening"] for said in row.words.values())


def stop(shop_id: int, many_id: int) -> None:
    """Stop after the step that runs; who has it has it."""
    _turn(shop_id, many_id, WorkState.RUNNING, WorkState.STOPPED)


def resume(shop_id: int, many_id: int) -> None:
    """Go on where it was stopped."""
    _turn(shop_id, many_id, WorkState.STOPPED, WorkState.RUNNING)


def _turn(shop_id: int, many_id: int, given: WorkState, wanted: WorkState) -> None:
    with write_in(shop_id):
        row = _locked(many_id)
        turned = Work.objects.filter(id=row.work_id or 0, state=given).update(state=wanted)
        if turned and wanted == WorkState.RUNNING and row.work_id is not None:
            _enqueue(shop_id, row.work_id)


def _enqueue(shop_id: int, work_id: int) -> None:
    """Write the next step's job: behind all else, and of a shop one at a time."""
    task = app.configure_task("noren.messages.tasks.many_step", priority=_BEHIND, lock=f"many:{shop_id}")
    task.defer(shop_id=shop_id, work_id=work_id)


def step(shop_id: int, work_id: int, *, now: datetime) -> None:
    """Send the next few, then say how far it is, and write the next step's job or that it is done.

    VaultUnavailable, LedgerUnavailable: nothing is lost, the same step is tried again.
    """
    with shop(shop_id):
        row = ToMany.objects.filter(work_id=work_id).first()
        work = Work.objects.filter(id=work_id, state=WorkState.RUNNING).first()
        if row is None or work is None:
            return
        left = list(Addressed.objects.filter(many_id=row.id, done=False).order_by("id")[:_A_STEP])
    for each in left:
        _tell(shop_id, row, each, now)
    with write_in(shop_id):
        work = Work.objects.select_for_update(no_key=True).get(id=work_id)
        rest = Addressed.objects.filter(many_id=row.id, done=False).count()
        changed: dict[str, object] = {"done": work.total - rest}
        running = work.state == WorkState.RUNNING
        if running and not rest:
            changed |= {"state": WorkState.DONE, "ended_at": now}
        Work.objects.filter(id=work_id).update(**changed)
        if running and rest:
            _enqueue(shop_id, work_id)


def _tell(shop_id: int, row: ToMany, to: Addressed, now: datetime) -> None:
    """Send one; what the mail server does not take now is tried again by itself, as every mail is."""
    later = False
    try:
        deliver(shop_id, to.booking_id, Kind.MANY, others=to.others, many=row.id, now=now)
    except (VaultUnavailable, LedgerUnavailable):
        raise
    except NotSentYet:
        later = True
    except (NorenError, RuntimeError):
        # Refused for good, and noted as such: the others must not wait for it.
        log.exception("message_to_many_refused", shop_id=shop_id, many=row.id, booking=to.booking_id)
    with write_in(shop_id):
        if Addressed.objects.filter(id=to.id, done=False).update(done=True) and later:
            task = app.configure_task(
                "noren.messages.tasks.send", priority=_BEHIND, schedule_in={"seconds": _LATER.seconds}
            )
            task.defer(
                shop_id=shop_id, booking_id=to.booking_id, kind=Kind.MANY, others=to.others, many=row.id
            )


def sent(shop_id: int, row: ToMany) -> Sent:
    """Count how far it is. Two queries."""
    with shop(shop_id):
        done = Addressed.objects.filter(many_id=row.id, done=True).count()
        states = _states(row.id)
    return Sent(done, states, max(0, done - sum(states.values())))


def _states(many_id: int) -> dict[str, int]:
    """Count the persons by what became of her mail; one that was sent again counts as it went last."""
    rows = Message.objects.filter(many_id=many_id).order_by("booking_id", "-id").distinct("booking_id")
    return Counter(rows.values_list("state", flat=True))
