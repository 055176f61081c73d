"""Jobs that a change of a booking makes necessary: rows, written by name in the change's transaction.

There is no booking without a mail job, and no mail job without a booking. For every booking that was
confirmed (or asked for) there is a job `noren.messages.tasks.send` of the kind `booked` (or `asked`) whose
`booking_id` it is, or whose `others` name it: a series is told in one mail, its first date in front. So is
`cancelled` where the rest of a series was cancelled. Every other kind is for one booking alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from procrastinate.contrib.django import app
from procrastinate.jobs import Job
from procrastinate.types import JSONValue

from noren.booking.models import Booking, Status
from noren.shops.tenancy import current_shop

# The vault erases within the hour whom nobody kept: a mail server that hangs, and every mail that waits for
# it, must never stand before a `keep`.
_FIRST = 1


def expire(booking_id: int, at: datetime) -> None:
    """When the hold's time is over, free what it keeps."""
    _write(_later("expire", at, booking_id))


def booked(booking: Booking, person: UUID, *, now: datetime, told: bool = True) -> int | None:
    """Tell her, keep her data, remind her. Gives the reminder's job. Not `told`: that is the caller's."""
    return _reminded(booking, now, *(_told([booking], person, "booked") if told else ()))


def asked(booking: Booking, person: UUID, *, told: bool = True) -> None:
    """Tell her that the shop will answer, keep her data; who is not answered by the start is declined."""
    others = _told([booking], person, "asked") if told else ()
    _write(*others, _later("lapse", booking.start, booking.id))


def told(bookings: Sequence[Booking], person: UUID, kind: str) -> None:
    """Tell her of several bookings in one mail (booked, asked), and keep her data."""
    _write(*_told(bookings, person, kind))


def approved(booking: Booking, *, now: datetime) -> int | None:
    """Tell her, remind her. Gives the reminder's job."""
    return _reminded(booking, now, _mail(booking, "booked"))


def moved(booking: Booking, *, now: datetime, kind: str = "moved") -> int | None:
    """Tell her, and remind her of the new time alone. Gives the new reminder's job.

    Of a booking that waits for approval she is told when it is answered.
    """
    _forget(booking)
    if booking.status == Status.PENDING:
        _write(_later("lapse", booking.start, booking.id))
        return None
    return _reminded(booking, now, _mail(booking, kind))


def move_nearest(booking_id: int) -> None:
    """Find another time for a booking whose own is not offered any more."""
    _write(_job("noren.booking.tasks.move_nearest", booking_id=booking_id))


def ended(booking: Booking, kind: str, *, others: Sequence[Booking] = ()) -> None:
    """Tell her (cancelled, declined, released), of others too in the same mail; remind her of nothing."""
    for each in (booking, *others):
        _forget(each)
    _write(_mail(booking, kind, others=others))


def _reminded(booking: Booking, now: datetime, *others: Job) -> int | None:
    """Write the jobs, and a reminder where there is still time for one; give the reminder's."""
    jobs = [*others]
    release = booking.agreed["check_in"]["release_minutes"]
    if release is not None:
        jobs.append(_later("release", booking.start + timedelta(minutes=release), booking.id))
    before = timedelta(minutes=booking.agreed["reminder_minutes"])
    at = booking.start - before
    if not before or at <= now:
        _write(*jobs)
        return None
    return _write(*jobs, _mail(booking, "reminder", at))[-1]


def _forget(booking: Booking) -> None:
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
    return [job.id for job in app.job_manager.batch_defer_jobs(list(jobs)) if job.id is not None]
