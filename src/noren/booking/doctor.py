"""`noren doctor`: is the index equal to the truth, does every wall stand? Reads only; --repair writes."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from noren import clock, people
from noren.booking import planes, repair, zones
from noren.booking.models import JOINED, MERGES_OVER, Merge, MergeState
from noren.doors import doctor as doors
from noren.engine import wall
from noren.errors import GrantRefused, LedgerUnavailable, VaultUnavailable
from noren.people import card, tls
from noren.shops.models import Resource, ShopDirectory
from noren.shops.tenancy import GLOBAL_TABLES, shop, tenant_tables

_WALLS = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
    (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
ORDER BY c.relname
"""
_BYPASSING = """
SELECT rolname FROM pg_roles
WHERE rolname IN ('noren_owner', 'noren_migrator', 'noren_app', 'noren_worker') AND (rolbypassrls OR rolsuper)
"""
# A job does within minutes what a crash has left.
_FOLLOWED_BY = timedelta(hours=1)
_ORPHANS = """
SELECT b.id, b.status, count(c.id) FROM booking_booking b
    LEFT JOIN booking_claim c ON c.shop_id = b.shop_id AND c.booking_id = b.id
WHERE b.shop_id = %s
GROUP BY b.id, b.status, b.takes, b.session_id
HAVING (count(c.id) > 0) <> (b.takes AND b.session_id IS NULL)
"""
_SEATS = """
SELECT s.id, s.booked, coalesce(sum(b.party) FILTER (WHERE b.takes), 0) AS seats
FROM booking_classsession s LEFT JOIN booking_booking b ON b.shop_id = s.shop_id AND b.session_id = s.id
WHERE s.shop_id = %s GROUP BY s.id, s.booked
HAVING s.booked <> coalesce(sum(b.party) FILTER (WHERE b.takes), 0)
"""
# A place is kept for an offered entry by the hold it names, and by an offer's hold for the entry it names.
_OFFERS = """
SELECT 'offer_without_hold', w.id, w.hold_id FROM booking_waiting w
    LEFT JOIN booking_booking b ON b.shop_id = w.shop_id AND b.id = w.hold_id AND b.status = 'held'
WHERE w.shop_id = %(shop)s AND w.state = 'offered' AND b.id IS NULL
UNION ALL
SELECT 'hold_without_offer', (b.agreed->>'waiting')::bigint, b.id FROM booking_booking b
    LEFT JOIN booking_waiting w ON w.shop_id = b.shop_id AND w.hold_id = b.id AND w.state = 'offered'
WHERE b.shop_id = %(shop)s AND b.status = 'held' AND b.agreed ? 'waiting' AND w.id IS NULL
ORDER BY 1, 2
"""
# Whoever was joined to another has nothing of her own: what she books is the other's.
_DOUBLES = """
SELECT m.id, 'booking', b.id FROM booking_merge m
    JOIN booking_booking b ON b.shop_id = m.shop_id AND b.person_id = m.double
WHERE m.shop_id = %(shop)s AND m.state IN ('merged', 'undoing')
UNION ALL
SELECT m.id, 'waiting', w.id FROM booking_merge m
    JOIN booking_waiting w ON w.shop_id = m.shop_id AND w.person_id = m.double
WHERE m.shop_id = %(shop)s AND m.state IN ('merged', 'undoing')
ORDER BY 1, 2, 3
"""
_ATTENDING = """
SELECT b.id, s.id FROM booking_booking b
    JOIN booking_classsession s ON s.shop_id = b.shop_id AND s.id = b.session_id
WHERE b.shop_id = %s AND (b.start <> s.start OR s.cancelled)
    AND b.status IN ('held', 'pending', 'confirmed', 'checked_in', 'no_show')
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it must be: `what` is a code, `where` says which row or table."""

    what: str
    where: str


def check() -> list[Finding]:
    """Examine the walls, then every shop. As the owner (NOREN_ROLE=owner), who may enter each."""
    shops = ShopDirectory.objects.order_by("id").values_list("id", flat=True)
    return [*walls(), *(finding for shop_id in shops for finding in of_shop(shop_id))]


def walls() -> list[Finding]:
    """Every table of a shop has forced row-level security, its two policies and a key of its own; no other
    table exists but the global ones; no login passes by the policies.
    """
    found: list[Finding] = []
    seen = set()
    for table, enabled, forced, policies, first_of_key in _rows(_WALLS):
        seen.add(table)
        if table in GLOBAL_TABLES:
            continue
        if table not in tenant_tables():
            found.append(Finding("table_unknown", table))
        if not (enabled and forced and policies == 2):
            found.append(Finding("wall_down", table))
        if first_of_key != "shop_id":
            found.append(Finding("key_without_shop", table))
    found += [Finding("table_missing", table) for table in sorted(tenant_tables() - seen)]
    return found + [Finding("role_bypasses", role) for (role,) in _rows(_BYPASSING)]


def of_shop(shop_id: int) -> list[Finding]:
    """Sheets equal claims; who takes capacity has claims and nobody else; seats are counted right; whoever
    attends a class is where it is; bookings begin when the clock on the wall shows the time that was agreed.
    """
    found: list[Finding] = []
    with shop(shop_id):
        _one_moment()
        for resource in Resource.objects.order_by("id"):
            where = f"shop {shop_id} resource {resource.id}"
            found += [
                Finding("sheet_differs", f"{where} day {wall.as_date(day)} plane {plane}")
                for day, plane in planes.differing(planes.of_claims(resource), planes.stored(resource))
            ]
        for booking_id, status, claims in _rows(_ORPHANS, shop_id):
            where = f"shop {shop_id} booking {booking_id} {status}: {claims} claims"
            found.append(Finding("claims_differ", where))
        for session_id, booked, seats in _rows(_SEATS, shop_id):
            where = f"shop {shop_id} session {session_id}: {booked} counted, {seats} booked"
            found.append(Finding("seats_differ", where))
        found += [
            Finding("wall_differs", f"shop {shop_id} booking {row.id}: {row.wall} in {row.zone}")
            for row in zones.wandering()
        ]
        for booking_id, session_id in _rows(_ATTENDING, shop_id):
            found.append(
                Finding("session_differs", f"shop {shop_id} booking {booking_id} session {session_id}")
            )
        found += _offers(shop_id)
        for merge, what, row in _rows_of(_DOUBLES, shop_id):
            found.append(Finding("merge_not_followed", f"shop {shop_id} merge {merge} {what} {row}"))
    return found


def _one_moment() -> None:
    """Let all that follows see one moment: bookings go on while the claims and the sheets are read."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _offers(shop_id: int) -> list[Finding]:
    """Every offer has its hold, and every hold of an offer its offer; of one that ran out a job says so."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS, {"shop": shop_id})
        return [
            Finding(what, f"shop {shop_id} waiting {entry} booking {hold}")
            for what, entry, hold in cursor.fetchall()
        ]


def _rows_of(query: str, shop_id: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"shop": shop_id})
        return list(cursor.fetchall())


def merges(shop_id: int) -> list[Finding]:
    """Which records are one both sides say alike; what a crash cut off is gone on with within minutes."""
    told = card.merges(shop_id)
    with shop(shop_id):
        rows = {row.double: row for row in Merge.objects.exclude(state__in=MERGES_OVER)}
    found = []
    for person in sorted({*told, *rows}, key=str):
        row, said = rows.get(person), told.get(person)
        joined = said is not None and said.state in (card.MergeState.MERGED, card.MergeState.SETTLED)
        alike = joined == (row is not None) and (row is None or said is None or row.kept == said.into)
        late = row is not None and row.state not in JOINED and clock.now() - row.begun_at > _FOLLOWED_BY
        if late or (not alike and (row is None or row.state == MergeState.MERGED)):
            found.append(Finding("merge_differs", f"shop {shop_id} person {person}"))
    return found


def _rows(query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        yield from cursor.fetchall()


def _vault() -> list[Finding]:
    """Ask the vault to examine itself: its ledger, its keys, its tables.

    On another host it lets an administrator's certificate ask that; without one it has answered, at least.
    """
    try:
        return [Finding(each.check, f"vault: {each.detail}") for each in people.doctor() if not each.ok]
    except (VaultUnavailable, LedgerUnavailable) as error:
        return [Finding(error.code, "vault")]
    except GrantRefused:
        if not _remote():
            raise
        sys.stdout.write("The vault answers; `noren doctor` on its own host examines it.\n")
        return []


def _merges(shop_id: int) -> list[Finding]:
    """Hold both sides' merges against each other, where the vault lets an administrator of this host ask."""
    try:
        return merges(shop_id)
    except (VaultUnavailable, LedgerUnavailable, GrantRefused):
        return []  # said once, by `_vault`


def _certificates() -> list[Finding]:
    """Say in time which certificate of the line to a vault on another host ends."""
    if not _remote():
        return []
    folder, now = Path(settings.VAULT_TLS), clock.now()
    try:
        ends = {one.name: (one.ends - now).days for one in tls.endings(folder)}
    except (OSError, ValueError) as fault:
        return [Finding("certificates_unreadable", f"{folder}: {fault}")]
    missing = [f"{part}.pem" for part in tls.PARTS[:2] if f"{part}.pem" not in ends]
    found = [Finding("certificate_missing", str(folder / name)) for name in missing]
    return found + [
        Finding("certificate_ends", f"{folder / name}: in {days} days")
        for name, days in ends.items()
        if days < tls.WARN_DAYS
    ]


def _remote() -> bool:
    return str(settings.VAULT_SOCKET).startswith(tls.SCHEME)


def _shops() -> Iterator[int]:
    yield from ShopDirectory.objects.order_by("id").values_list("id", flat=True)


_NOT_WATCHED = (
    "foreign sessions at this host's database; only who administers the vault may write them down, "
    "and that is on its own host"
)


def _doors() -> list[Finding]:
    """Ask whether anybody else was at the databases; what cannot be seen is said, and is no finding."""
    if _remote():
        sys.stdout.write(f"not seen: {_NOT_WATCHED}.\n")
        return []
    try:
        examined = doors.examine()
    except (VaultUnavailable, LedgerUnavailable) as error:
        return [Finding(error.code, "sessions at the databases")]
    for words in examined.unseen:
        sys.stdout.write(f"not seen: {words}.\n")
    return [Finding(what, where) for what, where in examined.findings]


def main(
    argv: list[str],
    more: Callable[[], list[Finding]] = list,
    ring: Callable[[list[Finding]], None] = lambda _: None,
) -> int:
    """Print what is found (after what was repaired, where that was asked for); 1 where something is.

    `more` examines what stands on this room, `ring` tells operators of it, where that was asked for.
    """
    parser = argparse.ArgumentParser(prog="noren doctor", description=__doc__)
    parser.add_argument(
        "--repair",
        action="store_true",
        help="make sheets anew from claims, and counts of seats from bookings",
    )
    parser.add_argument("--ring", action="store_true", help="make each finding a sign, which rings")
    asked = parser.parse_args(argv)
    repairs = asked.repair
    shops = list(_shops()) if settings.APP_HERE else []
    changes = [words for shop_id in shops for words in repair.of_shop(shop_id)] if repairs else []
    for words in changes:
        sys.stdout.write(f"repaired: {words}\n")
    here = [*check(), *more()] if settings.APP_HERE else []
    findings = [*here, *_certificates(), *_vault(), *_doors()]
    findings += [finding for shop_id in shops for finding in _merges(shop_id)]
    for finding in findings:
        sys.stdout.write(f"{'not repaired: ' if repairs else ''}{finding.what}: {finding.where}\n")
    if asked.ring:
        ring(findings)
    done = f"{len(changes)} repaired, " if repairs else ""
    sys.stdout.write(f"{len(shops)} shops examined, {done}{len(findings)} findings.\n")
    return 1 if findings else 0
