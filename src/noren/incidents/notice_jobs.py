"""The jobs of notices, by name: written in the transaction that makes them necessary."""

from datetime import datetime

from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from noren.incidents.notice_text import Text
from noren.people import notices as door

QUEUE = "messages"


def follow(text: Text, place: door.Text) -> None:
    """What follows a publication: readers are told, and a promised update is waited for."""
    app.configure_task("noren.incidents.tasks.tell_readers", queue=QUEUE).defer(
        notice=place.notice, number=place.number, version=place.version
    )
    if text.next_at is not None:
        app.configure_task("noren.incidents.tasks.ring_if_late", queue=QUEUE, schedule_at=text.next_at).defer(
            notice=place.notice, number=place.number, version=place.version
        )


def take_up(notice: str, at: datetime) -> None:
    """One such job of each notice waits at a time."""
    lock = f"notice:{notice}"
    try:
        app.configure_task(
            "noren.incidents.tasks.take_up", queue=QUEUE, schedule_at=at, queueing_lock=lock
        ).defer(notice=notice)
    except AlreadyEnqueued:
        return
