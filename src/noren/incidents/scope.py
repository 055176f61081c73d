"""Whose data, which fields, when, by which path: the question of every leak, put to the vault's ledger."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from noren import people

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")


class BadMoment(ValueError):
    """A point in time that cannot be read; its words say how to write one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One path, and when: [since, until), aware. One of actor, credential, session; shop narrows it."""

    since: datetime
    until: datetime
    actor: str | None = None
    credential: str | None = None
    session: str | None = None
    shop_id: int | None = None

    def path(self) -> str:
        """Name the path in words."""
        for kind, value in (
            ("actor", self.actor),
            ("credential", self.credential),
            ("session", self.session),
        ):
            if value is not None:
                return f"{kind} {value}"
        raise RuntimeError("a question names a path")


def ask(question: Question) -> people.Scope:
    """Return every person and field that passed by the path: complete up to the head the answer names."""
    return people.scope(
        since=question.since,
        until=question.until,
        actor=question.actor,
        credential=question.credential,
        session=question.session,
        shop_id=question.shop_id,
    )


def moment(text: str, *, now: datetime) -> datetime:
    """Read `1h`, `30m`, `7d` (ago) or an ISO 8601 instant with its offset. Raises BadMoment."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise BadMoment(f"{text}: that is before the calendar began.") from None
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadMoment(
            f"{text}: write how long ago (45s, 30m, 1h, 7d, 2w) or an instant, 2026-11-22T09:30:00+09:00."
        ) from None
    if instant.tzinfo is None:
        raise BadMoment(f"{text}: say in which zone, for instance {text}Z or {text}+09:00.")
    return instant
