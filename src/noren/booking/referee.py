"""The SQL functions by their names, and what their refusals mean. The one place that knows SQLSTATEs."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from noren.engine import wall
from noren.engine.model import BufferPolicy, Claim, ShopRules
from noren.errors import (
    AlreadyCancelled,
    AlreadyWaiting,
    BookingUnknown,
    ClassThere,
    HoldExpired,
    LimitReached,
    NorenError,
    NotOffered,
)
from noren.shops.tenancy import current_shop


class Overtaken(Exception):
    """Somebody was faster, or the rules have changed: read again and decide again."""


class KeyInUse(Exception):
    """There is a booking with this Idempotency-Key."""


# SQLSTATEs of our own, and PostgreSQL's for two transactions that cannot both go on.
_REFUSALS: dict[str, type[NorenError | Overtaken]] = {
    "NR001": Overtaken,  # slot_taken
    "NR002": Overtaken,  # rules_changed
    "NR003": Overtaken,  # no_seats
    "NR004": HoldExpired,
    "NR005": AlreadyCancelled,  # not_active
    "NR006": BookingUnknown,
    "NR007": NotOffered,  # no_such_session
    "NR008": LimitReached,
    "40P01": Overtaken,  # deadlock_detected
    "40001": Overtaken,  # serialization_failure
}
_CONSTRAINTS: dict[str, type[NorenError | KeyInUse]] = {
    "booking_booking_idempotency_key": KeyInUse,
    "booking_waiting_person_key": AlreadyWaiting,
    "booking_classsession_start_key": ClassThere,
}


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the database's refusals into ours."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error):
            refusal = _REFUSALS.get(cause.sqlstate or "") or _CONSTRAINTS.get(
                cause.diag.constraint_name or ""
            )
            if refusal is not None:
                raise refusal from error
        raise


Limits = Sequence[dict[str, Any]]
"""What is to be counted anew (usage.checks)."""


def hold(
    rules: ShopRules,
    values: dict[str, Any],
    claims: Sequence[Claim],
    limits: Limits,
    *,
    now: datetime,
    idempotency: bytes | None,
    by: str,
    over: str = "",
) -> int:
    """Write a hold; gives its id. `over` is the reason of an override.

    Raises Overtaken, KeyInUse, NotOffered, LimitReached.
    """
    return int(
        _call(
            "SELECT booking_hold(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            current_shop(),
            now,
            rules.revision,
            _added(rules),
            json.dumps(values),
            plain(rules, claims),
            json.dumps(limits),
            idempotency,
            by,
            over,
        )
    )


def confirm(
    booking_id: int,
    person: UUID,
    *,
    now: datetime,
    locale: str,
    agreed: dict[str, Any],
    limits: Limits,
    reminder_job: int | None,
    status: str,
    takes: bool,
    by: str,
) -> bool:
    """Make a hold a booking; false when it had been one already. Raises HoldExpired, LimitReached."""
    return bool(
        _call(
            "SELECT booking_confirm(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            current_shop(),
            now,
            booking_id,
            person,
            locale,
            json.dumps(agreed),
            json.dumps(limits),
            reminder_job,
            str(status),
            takes,
            by,
        )
    )


def mark(
    booking_id: int, statuses: Sequence[str], status: str, what: str, *, now: datetime, by: str, why: str = ""
) -> None:
    """Give a booking that takes capacity another status that does. Raises AlreadyCancelled."""
    _call(
        "SELECT booking_mark(%s, %s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        booking_id,
        [str(each) for each in statuses],
        str(status),
        what,
        by,
        why,
    )


def end(
    booking_id: int,
    statuses: Sequence[str],
    status: str,
    *,
    now: datetime,
    by: str,
    why: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """End a booking or a hold that has one of `statuses`. Raises AlreadyCancelled, BookingUnknown."""
    _call(
        "SELECT booking_end(%s, %s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        booking_id,
        [str(each) for each in statuses],
        str(status),
        by,
        why,
        json.dumps(facts or {}),
    )


def move(
    rules: ShopRules,
    booking_id: int,
    statuses: Sequence[str],
    values: dict[str, Any],
    claims: Sequence[Claim],
    *,
    limits: Limits = (),
    now: datetime,
    by: str,
    what: str = "moved",
    why: str = "",
    over: bool = False,
) -> None:
    """Give back and take in one. `values` with `changes` and `takes`, and `status` where it changes.

    Raises Overtaken, AlreadyCancelled, BookingUnknown, NotOffered, LimitReached.
    """
    _call(
        "SELECT booking_move(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        rules.revision,
        _added(rules),
        booking_id,
        [str(each) for each in statuses],
        json.dumps(values),
        plain(rules, claims),
        json.dumps(limits),
        over,
        by,
        what,
        why,
    )


def lock_series(
    rules: ShopRules,
    limits: Limits,
    sessions: Sequence[int],
    resources: Sequence[int],
    days: Sequence[date],
    *,
    now: datetime,
) -> None:
    """Lock what the dates of a series may touch, and sweep the expired holds there. Raises Overtaken."""
    _call(
        "SELECT booking_lock_series(%s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        rules.revision,
        json.dumps(limits),
        list(sessions),
        list(resources),
        list(days),
    )


def unlock_series(resources: Sequence[int], days: Sequence[date]) -> None:
    """Take away the empty rows by which days were locked."""
    _call("SELECT booking_unlock_series(%s, %s, %s)", current_shop(), list(resources), list(days))


def lock_limits(limits: Limits) -> None:
    """Lock counts in one order, before bookings are counted one by one. Raises Overtaken."""
    _call("SELECT booking_lock_limits(%s, %s)", current_shop(), json.dumps(limits))


def lock_taken(booking_ids: Sequence[int]) -> None:
    """Lock the seats and days that bookings take, before they are ended one by one. Raises Overtaken."""
    _call("SELECT booking_lock_taken(%s, %s)", current_shop(), list(booking_ids))


def open_session(
    rules: ShopRules, values: dict[str, Any], claims: Sequence[Claim], *, now: datetime
) -> int | None:
    """Make a date of a class; None when there is one already. Raises Overtaken."""
    made = _call(
        "SELECT booking_open_session(%s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        rules.revision,
        _added(rules),
        json.dumps(values),
        plain(rules, claims),
    )
    return None if made is None else int(made)


def move_session(
    rules: ShopRules,
    session_id: int,
    values: dict[str, Any],
    claims: Sequence[Claim],
    *,
    now: datetime,
    by: str,
    why: str = "",
) -> list[int]:
    """Move a date of a class with its bookings; gives their ids. Raises Overtaken, NotOffered, ClassThere."""
    return list(
        _call(
            "SELECT booking_move_session(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            current_shop(),
            now,
            rules.revision,
            _added(rules),
            session_id,
            json.dumps(values),
            plain(rules, claims),
            by,
            why,
        )
    )


def cancel_session(
    session_id: int, *, now: datetime, by: str, why: str, facts: dict[str, Any], fewer: int | None = None
) -> list[int] | None:
    """Cancel a date of a class, with `fewer` only where fewer seats are booked; gives the ids of the bookings
    that ended with it, None where nothing was done. Raises NotOffered.
    """
    ended = _call(
        "SELECT booking_cancel_session(%s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        session_id,
        fewer,
        by,
        why,
        json.dumps(facts),
    )
    return None if ended is None else list(ended)


def resize_session(session_id: int, capacity: int, *, now: datetime) -> int:
    """Give a date of a class another number of seats; gives how many are taken. Raises NotOffered."""
    call = "SELECT booking_resize_session(%s, %s, %s, %s)"
    return int(_call(call, current_shop(), now, session_id, capacity))


def block(
    rules: ShopRules, values: dict[str, Any], claims: Sequence[Claim], *, now: datetime, by: str
) -> int:
    """Block a resource, over bookings too; gives the block's id."""
    return int(
        _call(
            "SELECT booking_add_block(%s, %s, %s, %s, %s)",
            current_shop(),
            now,
            json.dumps(values),
            plain(rules, claims),
            by,
        )
    )


def give_back(bookings: Sequence[int]) -> None:
    """Free what these bookings have claimed, their days locked in one order: they are about to be ended."""
    _call("SELECT booking_give_back(%s, %s, '{}', '{}')", current_shop(), list(bookings))


def unblock(block_id: int) -> None:
    _call("SELECT booking_remove_block(%s, %s)", current_shop(), block_id)


def reindex(resource_id: int, since: date) -> None:
    """Compute a resource's sheets anew from its claims."""
    _call("SELECT booking_reindex(%s, %s, %s)", current_shop(), resource_id, since)


def lock_days(resource_id: int, days: Sequence[int]) -> None:
    """Lock a resource's days, free ones too (as empty rows: recompute them). Days are counted from 1970."""
    _call("SELECT booking_lock_days(%s, %s, %s)", current_shop(), *_keys(resource_id, days))


def recompute(resource_id: int, days: Sequence[int]) -> None:
    """Compute a resource's locked days anew from their claims."""
    _call("SELECT booking_recompute(%s, %s, %s)", current_shop(), *_keys(resource_id, days))


def recount(session_id: int) -> tuple[int, int]:
    """Count the seats of a date of a class anew; gives what was counted before, and what is now."""
    before, after = _call("SELECT booking_recount(%s, %s)", current_shop(), session_id)
    return int(before), int(after)


def _keys(resource_id: int, days: Sequence[int]) -> tuple[list[int], list[date]]:
    return [resource_id] * len(days), [wall.as_date(day) for day in days]


def plain(rules: ShopRules, claims: Sequence[Claim]) -> str:
    """Return claims as the SQL functions take them."""
    return json.dumps(
        [
            {
                "resource_id": claim.resource_id,
                "units": claim.units,
                "stock": rules.resources[claim.resource_id].stock,
                "start": claim.start,
                "end": claim.end,
                "padded_start": claim.padded_start,
                "padded_end": claim.padded_end,
            }
            for claim in claims
        ]
    )


def _added(rules: ShopRules) -> bool:
    return rules.buffer_policy is BufferPolicy.ADDED


def _call(query: str, *values: Any) -> Any:
    with refusals(), connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return None if row is None else row[0]
