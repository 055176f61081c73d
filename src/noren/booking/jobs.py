"""Jobs that a change of a booking makes necessary: rows, written by name in the change's transaction.

There is no booking without a mail job, and no mail job without a booking. For every booking that was
confirmed (or asked for) there is a job `noren.messages.tasks.send` of the kind `booked` (or `asked`) whose
`booking_id` it is, or whose `others` name it: a series is told in one mail, its first date in front. So is
`cancelled` where the rest of a series was cancelled, and `link`. Every other kind is for one booking alone.
Where somebody at the desk has told her, and said so, there is no mail: of a new booking only the job `keep`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job
from procrastinate.types import JSONValue

from noren.booking import reminder
from noren.booking.models import Booking, Status, Waiting
from noren.engine import wall
from noren.shops.rules import known
from noren.shops.tenancy import current_shop

# The vault erases within the hour whom nobody kept: a mail server that hangs, and every mail that waits for
# it, must never stand before a `keep`.
_FIRST = 1


def expire(booking_id: int, at: datetime) -> None:
    """When the hold's time is over, free what it keeps."""
    _write(_later("expire", at, booking_id))


def booked(booking: Booking, person: UUID, *, now: datetime, told: bool = True) -> int | None:
    """Tell her, keep her data, remind her. Gives the reminder's job. Not `told`: that is the caller's."""
    return _reminded(
        booking, now, *_team(booking, "new"), *(_told([booking], person, "booked") if told else ())
    )


def asked(booking: Booking, person: UUID, *, told: bool = True) -> None:
    """Tell her that the shop will answer, keep her data; who is not answered by the start is declined."""
    others = _told([booking], person, "asked") if told else ()
    _write(*others, *_team(booking, "asked"), _later("lapse", booking.start, booking.id))


def told(bookings: Sequence[Booking], person: UUID, kind: str) -> None:
    """Tell her of several bookings in one mail (booked, asked), and keep her data."""
    _write(*_told(bookings, person, kind))


def approved(booking: Booking, *, now: datetime) -> int | None:
    """Tell her, remind her. Gives the reminder's job."""
    return _reminded(booking, now, *_team(booking, "changed"), _mail(booking, "booked"))


def keep(person: UUID) -> None:
    """Keep her data, of whom no mail tells."""
    _write(_keep(person))


def moved(booking: Booking, *, now: datetime, kind: str = "moved", told: bool = True) -> int | None:
    """Tell her, and remind her of the new time alone. Gives the new reminder's job. Not `told`: she knows.

    With no `kind` she is told of nothing. Of a booking that waits for approval she is told when it is
    answered; and at once when the shop moved it.
    """
    forget(booking)
    if booking.status == Status.PENDING:
        mails = [_mail(booking, kind)] if told and kind == "rescheduled" else []
        _write(*mails, *_team(booking, "changed"), _later("lapse", booking.start, booking.id))
        return None
    return _reminded(
        booking, now, *_team(booking, "changed"), *([_mail(booking, kind)] if told and kind else ())
    )


def relinked(booking: Booking, *, others: Sequence[Booking]) -> None:
    """Tell her the new link, and those of the other dates of its series in the same mail."""
    _write(_mail(booking, "link", others=others))


def remind_not(booking: Booking) -> None:
    """Remind her of nothing, whatever the shop's rules become: it has said so. A move reminds of its time."""
    forget(booking)
    Booking.objects.filter(id=booking.id).update(agreed={**booking.agreed, "unreminded": True})


def step(work_id: int) -> None:
    """Do the next step of something long."""
    _write(_job("noren.booking.tasks.step", work_id=work_id))


def is_stepping(work_id: int) -> bool:
    """Say whether a worker is at a step of it, or died there and nobody has taken it up yet."""
    said = {"shop_id": current_shop(), "work_id": work_id}
    rows = ProcrastinateJob.objects.filter(task_name="noren.booking.tasks.step", status="doing")
    return rows.filter(args__contains=said).exists()


def decide(session_id: int, at: datetime) -> None:
    """When it is time, cancel a date of a class for which too few have come."""
    _write(_job("noren.booking.tasks.decide", at, session_id=session_id))


def move_nearest(those: Mapping[int, bool]) -> None:
    """Find another time for bookings whose own is not offered any more; by each, whether a mail tells her."""
    name = "noren.booking.tasks.move_nearest"
    _write(*(_job(name, booking_id=each, told=told) for each, told in those.items()))


def ended(booking: Booking, kind: str, *, others: Sequence[Booking] = (), told: bool = True) -> None:
    """Tell her (cancelled, declined, released), of others too in the same mail; remind her of nothing. Not
    `told`: she knows.
    """
    for each in (booking, *others):
        forget(each)
    team = [job for each in (booking, *others) for job in _team(each, "cancelled")]
    free = _offers((each.start, each.end) for each in (booking, *others))
    _write(*([_mail(booking, kind, others=others)] if told else []), *team, *free)


def freed(start: datetime, end: datetime) -> None:
    """Offer the time that is free now to those who wait for it."""
    _write(*_offers([(start, end)]))


def write_to(booking: Booking, kind: str) -> None:
    """Write to her about a booking that stays as it is."""
    _write(_mail(booking, kind))


def noted(booking: Booking, what: str) -> None:
    """Tell the team of what only its history says: that she is late, or did not come."""
    _write(*_team(booking, what))


def _team(booking: Booking, what: str) -> list[Job]:
    """Return the job that tells the team, where anybody wants to be told of it at once. Of a series one
    booking stands for all.
    """
    if what not in known().terms.told_at_once:
        return []
    return [_job("noren.messages.tasks.team", about=booking.series_id or booking.id)]


def joined(entry: Waiting) -> None:
    """Tell her, keep her data, and look again: what was freed while she joined is hers. When her time has
    come without a place she waits no more.
    """
    again = _offer(entry.day, entry.last_day, entry.ends_at)
    _write(_keep(entry.person_id), _tell(entry, "joined"), _offer(entry.day, entry.last_day), again)


def offered(entry: Waiting, at: datetime) -> None:
    """Tell her of the place that is kept for her, when it is no longer quiet."""
    _write(_tell(entry, "offered", at))


def not_waiting(entry: Waiting) -> None:
    """Ask those behind her, who had to wait for her."""
    _write(_offer(entry.day, entry.last_day))


def _offers(stretches: Iterable[tuple[datetime, datetime]]) -> list[Job]:
    """Return the jobs that offer what is free in these stretches; none where the shop keeps no waiting list.

    Whether somebody waits they ask themselves, after this transaction: asked in here, who joins at this
    moment would not be seen, nor see what is freed. A buffer may reach into the days beside; where there are
    limits a booking that ends may make room in its whole week or month.
    """
    house = known()
    if not any(terms.waiting for terms in house.terms.services.values()):
        return []
    rules = house.rules
    reach = 31 if rules.limits or any(service.limits for service in rules.services.values()) else 1
    days = {tuple(wall.local_day(rules.zone, int(at.timestamp()) // 60) for at in each) for each in stretches}
    return [_offer(wall.as_date(first - reach), wall.as_date(last + reach)) for first, last in sorted(days)]


def _offer(first: date, last: date, at: datetime | None = None) -> Job:
    return _job("noren.booking.tasks.offer", at, first=first.isoformat(), last=last.isoformat())


def _tell(entry: Waiting, kind: str, at: datetime | None = None) -> Job:
    return _job("noren.messages.tasks.tell", at, waiting_id=entry.id, kind=kind)


def _reminded(booking: Booking, now: datetime, *others: Job) -> int | None:
    """Write the jobs, and the first mail that goes by the clock, if there is one; give that one's."""
    jobs = [*others]
    release = booking.agreed["check_in"]["release_minutes"]
    if release is not None:
        jobs.append(_later("release", booking.start + timedelta(minutes=release), booking.id))
    step = reminder.following(booking, now=now)
    if step is None:
        _write(*jobs)
        return None
    return _write(*jobs, _step(booking, step))[-1]


def follow(booking: Booking, *, now: datetime, after: int | None = None) -> int | None:
    """Write the job of the next mail that goes by the clock; give its number, or None where there is none.
    `after`: a reminder so many minutes before the start.
    """
    step = reminder.following(booking, now=now, after=after)
    return None if step is None else _write(_step(booking, step))[0]


def replan(last: int) -> None:
    """Plan the mails of the bookings after this one anew."""
    _write(_job("noren.booking.tasks.replan", last=last))


def _step(booking: Booking, step: reminder.Step) -> Job:
    said: dict[str, JSONValue] = {} if step.before is None else {"before": step.before}
    said |= {"booking_id": booking.id, "kind": step.kind}
    return _job("noren.messages.tasks.send", step.at, priority=0, **said)


def forget(booking: Booking) -> None:
    """Remind, and thank, of nothing that was planned."""
    if booking.reminder_job is not None:
        app.job_manager.cancel_job_by_id(booking.reminder_job)


def _keep(person: UUID) -> Job:
    return _job("noren.people.tasks.keep", priority=_FIRST, person_id=str(person))


def _later(task: str, at: datetime, booking_id: int) -> Job:
    return _job(f"noren.booking.tasks.{task}", at, booking_id=booking_id)


def _told(bookings: Sequence[Booking], person: UUID, kind: str) -> tuple[Job, Job]:
    return _keep(person), _mail(bookings[0], kind, others=bookings[1:])


def _mail(booking: Booking, kind: str, at: datetime | None = None, *, others: Sequence[Booking] = ()) -> Job:
    said: dict[str, JSONValue] = {"booking_id": booking.id, "kind": kind}
    if others:
        said["others"] = [each.id for each in others]
    return _job("noren.messages.tasks.send", at, priority=0, **said)


def _job(name: str, at: datetime | None = None, *, priority: int = 0, **values: JSONValue) -> Job:
    task = app.configure_task(name, schedule_at=at, priority=priority)
    return task.make_new_job(shop_id=current_shop(), **values)


def _write(*jobs: Job) -> list[int]:
    """Write jobs in one statement, on Django's own connection and so in its transaction."""
    if not jobs:
        return []
    return [job.id for job in app.job_manager.batch_defer_jobs(list(jobs)) if job.id is not None]
