"""Jobs of this room. Enqueued by booking, by name, in the transaction that makes them necessary."""

from collections.abc import Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from noren import clock
from noren.booking import reminding
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.messages import answered as answers
from noren.messages import daily, sample, team_mail, to_many
from noren.messages.deliver import NotSentYet, deliver, deliver_waiting
from noren.messages.notice import Kind

# 3 s, 9 s, 27 s ... : the ninth wait is over five hours, and all of them together about eight. The last two
# are our own database, away or back again: a mail must not be lost by that.
RETRY = RetryStrategy(
    max_attempts=9,
    exponential_wait=3,
    retry_exceptions=[NotSentYet, VaultUnavailable, LedgerUnavailable, OperationalError, InterfaceError],
)


@app.task(name="noren.messages.tasks.send", queue="messages", retry=RETRY, pass_context=True)
def send(
    context: JobContext,
    shop_id: int,
    booking_id: int,
    kind: str,
    others: Sequence[int] = (),
    *,
    again: int = 0,
    before: int | None = None,
    many: int | None = None,
) -> None:
    """Send one mail about a booking, and about others of its series. Once, and only of what is true.

    `again`: how often somebody had it sent once more of which nobody knows whether it arrived. `before`: of
    a reminder, how many minutes before the start. `many`: of which message to many. What comes after a
    reminder is planned before it can fail.
    """
    now = clock.now()
    if kind == Kind.REMINDER and not again:
        reminding.step_on(
            shop_id, booking_id, job=None if context.job is None else context.job.id, before=before, now=now
        )
    deliver(shop_id, booking_id, Kind(kind), others=others, again=again, before=before, many=many, now=now)


# Without end, until it is done or stopped: who was told that it goes on relies on it.
@app.task(name="noren.messages.tasks.many_step", queue="messages", retry=RetryStrategy(wait=10))
def many_step(shop_id: int, work_id: int) -> None:
    """Send the next mails of a message to many; it writes the job of the step after it."""
    to_many.step(shop_id, work_id, now=clock.now())


@app.task(name="noren.messages.tasks.try_out_many", queue="messages", retry=RETRY)
def try_out_many(shop_id: int, handle: str, many_id: int, language: str, minute: int) -> None:
    """Send what is kept of a message to many to a member of the shop who wishes to see it arrive."""
    sample.mail_many(shop_id, handle, many_id, language, minute=minute, now=clock.now())


@app.task(name="noren.messages.tasks.tell", queue="messages", retry=RETRY)
def tell(shop_id: int, waiting_id: int, kind: str, again: int = 0) -> None:
    """Send one mail to who waits: joined or offered. Once, and only if true."""
    deliver_waiting(shop_id, waiting_id, Kind(kind), again=again, now=clock.now())


@app.task(name="noren.messages.tasks.try_out", queue="messages", retry=RETRY)
def try_out(shop_id: int, handle: str, kind: str, language: str, minute: int) -> None:
    """Send a mail's words to a member of the shop who wishes to see them arrive."""
    sample.mail(shop_id, handle, Kind(kind), language, minute=minute, now=clock.now())


@app.task(name="noren.messages.tasks.morning", queue="messages", retry=RETRY)
def morning(shop_id: int) -> None:
    """Write to the shop's owners. The next morning's job is there before anything can go wrong with this."""
    now = clock.now()
    plan_morning(shop_id)
    daily.deliver(shop_id, now=now)


@app.task(name="noren.messages.tasks.plan_morning", queue="messages", retry=RETRY)
def plan_morning(shop_id: int) -> None:
    """See to it that the mail of the next morning will be sent: one such job of each shop waits at a time."""
    at = daily.next_morning(shop_id, now=clock.now())
    try:
        morning.configure(schedule_at=at, queueing_lock=f"morning:{shop_id}").defer(shop_id=shop_id)
    except AlreadyEnqueued:
        return


@app.task(name="noren.messages.tasks.team", queue="messages", retry=RETRY)
def team(shop_id: int, about: int) -> None:
    """See to it that the team is told of a booking, or of a series, in some minutes: once, whatever else
    happens to it until then.
    """
    at = team_mail.due(shop_id, now=clock.now())
    try:
        lock = f"team:{shop_id}:{about}"
        team_told.configure(schedule_at=at, queueing_lock=lock).defer(shop_id=shop_id, about=about)
    except AlreadyEnqueued:
        return


@app.task(name="noren.messages.tasks.team_told", queue="messages", retry=RETRY)
def team_told(shop_id: int, about: int) -> None:
    """Write to whoever of the team wants it of what happened to a booking, or a series."""
    team_mail.tell(shop_id, about)


@app.task(name="noren.messages.tasks.answered", queue="messages", retry=RETRY)
def answered(shop_id: int, request_id: int) -> None:
    """See to it that she who asked for a day is told of the answer in some minutes, as it stands then."""
    at = team_mail.due(shop_id, now=clock.now())
    try:
        lock = f"answered:{shop_id}:{request_id}"
        answered_told.configure(schedule_at=at, queueing_lock=lock).defer(
            shop_id=shop_id, request_id=request_id
        )
    except AlreadyEnqueued:
        return


@app.task(name="noren.messages.tasks.answered_told", queue="messages", retry=RETRY)
def answered_told(shop_id: int, request_id: int) -> None:
    """Write to her who asked for a day, where she wants a mail of the answer."""
    answers.deliver(shop_id, request_id)


@app.task(name="noren.messages.tasks.plan_digest", queue="messages", retry=RETRY)
def plan_digest(shop_id: int, hour: int, since: str | None = None) -> None:
    """See to it that the next digest of this hour goes, if anybody wants one: one such job of each waits."""
    if not team_mail.wants_digest(shop_id, hour):
        return
    now = clock.now()
    begin = now if since is None else datetime.fromisoformat(since)
    until = team_mail.next_digest(shop_id, hour, now=max(now, begin))
    job = digest.configure(schedule_at=until, queueing_lock=f"digest:{shop_id}:{hour}")
    try:
        job.defer(shop_id=shop_id, hour=hour, since=begin.isoformat(), until=until.isoformat())
    except AlreadyEnqueued:
        return


@app.task(name="noren.messages.tasks.digest", queue="messages", retry=RETRY)
def digest(shop_id: int, hour: int, since: str, until: str) -> None:
    """Write the digests of this hour. The next one's job is there before anything can go wrong with this."""
    plan_digest(shop_id, hour, since=until)
    begin, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    team_mail.digest(shop_id, hour, since=begin, until=end)
