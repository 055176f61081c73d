"""The SQL functions by their names, and what their refusals mean. The one place that knows SQLSTATEs."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from noren.engine.model import BufferPolicy, Claim, ShopRules
from noren.errors import AlreadyCancelled, BookingUnknown, HoldExpired, NorenError, NotOffered
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
    "40P01": Overtaken,  # deadlock_detected
    "40001": Overtaken,  # serialization_failure
}
_CONSTRAINTS: dict[str, type[KeyInUse]] = {"booking_booking_idempotency_key": KeyInUse}


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


def hold(
    rules: ShopRules,
    values: dict[str, Any],
    claims: Sequence[Claim],
    *,
    now: datetime,
    idempotency: bytes | None,
    by: str,
) -> int:
    """Write a hold; gives its id. Raises Overtaken, KeyInUse, NotOffered."""
    return int(
        _call(
            "SELECT booking_hold(%s, %s, %s, %s, %s, %s, %s, %s)",
            current_shop(),
            now,
            rules.revision,
            _added(rules),
            json.dumps(values),
            plain(rules, claims),
            idempotency,
            by,
        )
    )


def confirm(
    booking_id: int,
    person: UUID,
    *,
    now: datetime,
    locale: str,
    agreed: dict[str, Any],
    reminder_job: int | None,
    by: str,
) -> bool:
    """Make a hold a booking; false when it had been one already. Raises HoldExpired."""
    return bool(
        _call(
            "SELECT booking_confirm(%s, %s, %s, %s, %s, %s, %s, %s)",
            current_shop(),
            now,
            booking_id,
            person,
            locale,
            json.dumps(agreed),
            reminder_job,
            by,
        )
    )


def end(
    booking_id: int, statuses: Sequence[str], status: str, *, now: datetime, by: str, why: str = ""
) -> None:
    """End a booking or a hold that has one of `statuses`. Raises AlreadyCancelled, BookingUnknown."""
    _call(
        "SELECT booking_end(%s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        booking_id,
        [str(each) for each in statuses],
        str(status),
        by,
        why,
    )


def move(
    rules: ShopRules,
    booking_id: int,
    values: dict[str, Any],
    claims: Sequence[Claim],
    *,
    now: datetime,
    by: str,
    why: str = "",
) -> None:
    """Give back and take in one. Raises Overtaken, AlreadyCancelled, BookingUnknown, NotOffered."""
    _call(
        "SELECT booking_move(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        current_shop(),
        now,
        rules.revision,
        _added(rules),
        booking_id,
        json.dumps(values),
        plain(rules, claims),
        by,
        why,
    )


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


def unblock(block_id: int) -> None:
    _call("SELECT booking_remove_block(%s, %s)", current_shop(), block_id)


def reindex(resource_id: int, since: date) -> None:
    """Compute a resource's sheets anew from its claims."""
    _call("SELECT booking_reindex(%s, %s, %s)", current_shop(), resource_id, since)


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
