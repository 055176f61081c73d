"""What a system holds once it is at rest, read row by row: by no code of the product."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage

from tests.crash.clients import Told
from tests.crash.system import Row, System

STANDSTILL = 300.0  # seconds: a mail that was tried in vain waits 3, 9, 27, 81, 243 of them, a hold 60
_BUSY = """
SELECT (SELECT count(*) FROM booking_booking WHERE status = 'held')
    + (SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'
        OR status = 'todo' AND (attempts > 0 OR coalesce(scheduled_at, %s) <= %s))
"""
_BOOKINGS = """
SELECT b.id, b.status, b.start, b."end", b.staff_id, b.party, b.session_id, b.person_id::text,
    b.reminder_job, s.key
FROM booking_booking b JOIN shops_service s ON s.shop_id = b.shop_id AND s.id = b.service_id ORDER BY b.id
"""
_CLAIMS = """
SELECT c.id, c.resource_id, r.stock, c.units, coalesce(c.booking_id, 0), coalesce(c.session_id, 0),
    (c.day - date '1970-01-01') * 1440, c.core_from, c.core_to, c.padded_from, c.padded_to
FROM booking_claim c JOIN shops_resource r ON r.shop_id = c.shop_id AND r.id = c.resource_id
ORDER BY c.resource_id, c.day, c.padded_from, c.id
"""
_JOBS = """
SELECT id, task_name, status::text, (args->>'booking_id')::bigint, coalesce(args->>'kind', '')
FROM procrastinate_jobs
"""
_CONFIRMED = "SELECT DISTINCT booking_id FROM booking_event WHERE what = 'confirmed'"
TAKING = ("held", "pending", "confirmed", "checked_in", "no_show")


@dataclass(frozen=True, slots=True)
class Booking:
    id: int
    status: str
    start: datetime
    end: datetime
    staff: int | None
    party: int
    session: int | None
    person: str | None
    reminder: int | None
    service: str

    @property
    def takes(self) -> bool:
        return self.status in TAKING


@dataclass(frozen=True, slots=True)
class Claim:
    """Edges are minutes since the epoch."""

    id: int
    resource: int
    stock: int
    units: int
    booking: int
    session: int
    core: tuple[int, int]
    padded: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    task: str
    status: str
    booking: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class Message:
    booking: int
    kind: str
    key: str
    state: str


@dataclass
class Facts:
    """All that the verdicts look at. `told` is what the clients know."""

    told: Sequence[Told]
    bookings: dict[int, Booking]
    confirmed: set[int]
    """Every booking that was one for a moment at least."""
    claims: list[Claim]
    seats: list[tuple[int, int]]
    """Of each class: capacity, and the party sizes of its bookings together."""
    jobs: list[Job]
    messages: list[Message]
    kept: set[str]
    """The customers that the vault keeps."""
    mails: list[EmailMessage]
    logs: dict[str, str] = field(default_factory=dict)


def rested(system: System, standstill: float = STANDSTILL) -> bool:
    """Wait until no hold is left and no job is due; false when for so long nothing has become less."""
    fewest, since = sys.maxsize, time.monotonic()
    while time.monotonic() - since < standstill:
        now = datetime.now(UTC)
        ((busy,),) = system.rows(_BUSY, now, now)
        if not busy:
            return True
        if busy < fewest:
            fewest, since = busy, time.monotonic()
        time.sleep(0.5)
    return False


def read(system: System, told: Sequence[Told]) -> Facts:
    """Read everything."""
    bookings = {row[0]: Booking(*row) for row in system.rows(_BOOKINGS)}
    sessions = system.rows("SELECT id, capacity FROM booking_classsession")
    messages = system.rows("SELECT booking_id, kind, key, state FROM messages_message ORDER BY key")
    kept = "SELECT person::text FROM vault.person WHERE kind = 'customer' AND state = 'kept'"
    return Facts(
        told=told,
        bookings=bookings,
        confirmed={row[0] for row in system.rows(_CONFIRMED)},
        claims=[_claim(row) for row in system.rows(_CLAIMS)],
        seats=[
            (capacity, sum(b.party for b in bookings.values() if b.session == session and b.takes))
            for session, capacity in sessions
        ],
        jobs=[Job(*row) for row in system.rows(_JOBS)],
        messages=[Message(*row) for row in messages],
        kept={row[0] for row in system.vault_rows(kept)},
        mails=[mail for mail in system.mails() if str(mail["To"]).startswith("c")],
        logs={name: system.log(name) for name in ("app-database", "vault-database")},
    )


def _claim(row: Row) -> Claim:
    number, resource, stock, units, booking, session, day, *edges = row
    core_from, core_to, padded_from, padded_to = (day + edge for edge in edges)
    return Claim(
        number, resource, stock, units, booking, session, (core_from, core_to), (padded_from, padded_to)
    )


def booking_of(token: str) -> int:
    """Return the booking that a link's token names, in base 36."""
    return int(token.split(".")[1], 36)
