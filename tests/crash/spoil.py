"""Faults made on purpose, behind the system's back, for as long as it takes to look at them."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.crash import facts, verdicts
from tests.crash.clients import Told
from tests.crash.facts import Facts
from tests.crash.system import System
from tests.crash.verdicts import Faults

Verdict = Callable[[Facts], Faults]
WORDS = {
    ":standing": "(SELECT id FROM booking_booking WHERE status = 'confirmed')",
    ":cancelled": "(SELECT id FROM booking_booking WHERE status = 'cancelled')",
    ":one": "(SELECT min(id) FROM booking_booking WHERE status = 'confirmed' AND session_id IS NULL)",
    ":single": "(SELECT id FROM shops_resource WHERE stock = 1)",
}
"""Written shortly in the statements below. `:one` is one booking that stands and has claims."""
_REMIND = """
INSERT INTO procrastinate_jobs (task_name, queue_name, args, scheduled_at) SELECT 'noren.messages.tasks.send',
    'messages', jsonb_build_object('shop_id', 1, 'booking_id', b.id, 'kind', 'reminder'), 'infinity'
FROM """

FAULTS: dict[str, tuple[Verdict, str]] = {
    "two claim one minute": (
        verdicts.no_double_booking,
        """INSERT INTO booking_claim
            (shop_id, resource_id, day, units, core_from, core_to, padded_from, padded_to, session_id)
        SELECT c.shop_id, resource_id, day, units, core_from, core_to, padded_from, padded_to, s.id
        FROM booking_claim c CROSS JOIN (SELECT id FROM booking_classsession LIMIT 1) s
        WHERE booking_id IN :standing AND resource_id IN :single AND core_from < core_to LIMIT 1""",
    ),
    "only buffers are overrun": (
        verdicts.no_double_booking,
        """INSERT INTO booking_claim
            (shop_id, resource_id, day, units, core_from, core_to, padded_from, padded_to, session_id)
        SELECT c.shop_id, resource_id, day, units, core_to, core_to + 1, core_to, core_to + 1, s.id
        FROM booking_claim c CROSS JOIN (SELECT id FROM booking_classsession LIMIT 1) s
        WHERE booking_id IN :standing AND resource_id IN :single
            AND core_from < core_to AND core_to < padded_to LIMIT 1""",
    ),
    "more units than there are": (
        verdicts.no_double_booking,
        "UPDATE booking_claim SET units = 5 WHERE booking_id IN :standing AND resource_id NOT IN :single",
    ),
    "more seats than there are": (
        verdicts.no_double_booking,
        """UPDATE booking_classsession SET capacity = 0
        WHERE id IN (SELECT session_id FROM booking_booking WHERE id IN :standing)""",
    ),
    "a claim is gone": (
        verdicts.claims_as_booked,
        "DELETE FROM booking_claim WHERE id = (SELECT min(id) FROM booking_claim WHERE booking_id = :one)",
    ),
    "a claim has more units": (
        verdicts.claims_as_booked,
        """UPDATE booking_claim SET units = units + 1
        WHERE booking_id IN :standing AND resource_id NOT IN :single""",
    ),
    "a claim is shorter": (
        verdicts.claims_as_booked,
        "UPDATE booking_claim SET core_to = core_to - 1 WHERE booking_id = :one AND core_to > core_from",
    ),
    "who is cancelled takes time": (
        verdicts.claims_as_booked,
        "UPDATE booking_booking SET status = 'cancelled', takes = false WHERE id = :one",
    ),
    "a booking is gone": (
        verdicts.nothing_acknowledged_is_lost,
        """DELETE FROM booking_claim WHERE booking_id = :one;
        DELETE FROM messages_message WHERE booking_id = :one;
        DELETE FROM booking_event WHERE booking_id = :one;
        DELETE FROM booking_booking WHERE id = :one""",
    ),
    "a booking has another status": (
        verdicts.nothing_acknowledged_is_lost,
        "UPDATE booking_booking SET status = 'cancelled', takes = false WHERE id = :one",
    ),
    "a cancelled booking stands": (
        verdicts.nothing_acknowledged_is_lost,
        "UPDATE booking_booking SET status = 'confirmed', takes = true WHERE id IN :cancelled",
    ),
    "a booking has another time": (
        verdicts.nothing_acknowledged_is_lost,
        "UPDATE booking_booking SET start = start - interval '1 minute' WHERE id = :one",
    ),
    "a mail of a booking is gone": (
        verdicts.every_booking_has_its_mail,
        "DELETE FROM messages_message WHERE kind = 'booked' AND booking_id = :one",
    ),
    "a mail of a cancelling is gone": (
        verdicts.every_booking_has_its_mail,
        "DELETE FROM messages_message WHERE kind = 'cancelled'",
    ),
    "a reminder's job is gone": (
        verdicts.every_booking_has_its_mail,
        "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND args->>'kind' = 'reminder'",
    ),
    "a mail has failed": (
        verdicts.every_booking_has_its_mail,
        "UPDATE messages_message SET state = 'failed' WHERE booking_id = :one",
    ),
    "a mail was begun and left": (
        verdicts.every_booking_has_its_mail,
        "UPDATE messages_message SET state = 'queued'",
    ),
    "a job has failed": (
        verdicts.every_booking_has_its_mail,
        "UPDATE procrastinate_jobs SET status = 'failed' WHERE args->>'kind' = 'reminder'",
    ),
    "a job reminds twice": (
        verdicts.every_mail_has_its_booking,
        f"{_REMIND} booking_booking b WHERE b.id = :one",
    ),
    "a job reminds of what is cancelled": (
        verdicts.every_mail_has_its_booking,
        f"{_REMIND} booking_booking b WHERE b.id IN :cancelled",
    ),
    "a job reminds of nothing": (verdicts.every_mail_has_its_booking, f"{_REMIND} (SELECT 0 AS id) b"),
    "a mail calls cancelled what stands": (
        verdicts.every_mail_has_its_booking,
        "UPDATE messages_message SET kind = 'cancelled' WHERE booking_id = :one",
    ),
    "a mail is of what never was a booking": (
        verdicts.every_mail_has_its_booking,
        "DELETE FROM booking_event WHERE what = 'confirmed' AND booking_id = :one",
    ),
    "a mail on record did not come": (
        verdicts.every_mail_has_its_booking,
        "UPDATE messages_message SET key = key || 'x' WHERE state = 'sent'",
    ),
    "the vault keeps somebody for nothing": (
        verdicts.every_customer_is_kept,
        "DELETE FROM booking_event WHERE what = 'confirmed' AND booking_id = :one",
    ),
}
NOT_KEPT = """
UPDATE vault.person SET state = 'provisional' WHERE person = (
    SELECT person FROM vault.person WHERE kind = 'customer' AND state = 'kept' LIMIT 1)
"""
HELD = "UPDATE booking_booking SET status = 'held', expires_at = start WHERE id = :one"
DUE = "UPDATE procrastinate_jobs SET scheduled_at = 'epoch' WHERE status = 'todo'"


@contextmanager
def spoiled(
    system: System, told: Sequence[Told], statement: str = "SELECT 1", vault: str = "SELECT 1"
) -> Iterator[Facts]:
    """Change rows of both databases and give what is then seen; nothing of it is committed."""
    for short, words in WORDS.items():
        statement = statement.replace(short, words)
    with system.app() as app, system.vault() as safe:  # noqa: SIM117 - their transactions are within
        with app.transaction(force_rollback=True), safe.transaction(force_rollback=True):
            for each in statement.split(";"):
                assert app.execute(each.encode()).rowcount != 0, "nothing was there to be spoiled"
            assert safe.execute(vault.encode()).rowcount > 0
            system.within, system.within_vault = app, safe
            try:
                yield facts.read(system, copy.deepcopy(told))
            finally:
                system.within = system.within_vault = None
