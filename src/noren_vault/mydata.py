"""My data: each person reads who looked at which of her fields, when and what for, and keeps a proof of it.

The lines are those of the ledger's index, once it has caught up with a head, of her own records: the one her
grant is of and, when its mail address is proved, every other of the shop with the same address. Her reading
is on record before it is answered. docs/my-data.md has the rules in words.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from noren_vault import own_records
from noren_vault.database import Database, Row
from noren_vault.errors import GrantRefused, NoSuchEntry, NoSuchPerson
from noren_vault.grants import Grant
from noren_vault.index import Index
from noren_vault.ledger import Entry, Head, ProofInvalid
from noren_vault.ledger.merkle import leaf_hash
from noren_vault.lookups import (
    LONGEST_MS,
    MORE,
    OWNERS_READING,
    PROOF_TAKEN,
    READING,
    READINGS,
    UNTOLD,
    Act,
    Member,
    whole,
)
from noren_vault.naming import Naming
from noren_vault.own_records import MOST_RECORDS
from noren_vault.record import Record
from noren_vault.rights import Purpose, Role
from noren_vault.witnesses import Watch

PAGE: Final = 50
_SECONDS: Final = 30.0
# Told later: an investigation that was open at the time, and is open still (at most LONGEST_MS) or was.
_OPEN: Final = (
    "EXISTS (SELECT 1 FROM vault.investigation i WHERE i.shop_id IN (0, e.shop_id) AND i.opened_at <= e.at "
    "AND (i.closed_at IS NULL OR i.closed_at > {until}))"
)
_HERS: Final = """
e.shop_id = %(shop)s AND e.entry < %(size)s AND e.kind <> ALL(%(untold)s)
AND NOT (e.kind = 'intent' AND e.note = ANY(%(readings)s) AND e.actor = ANY(%(handles)s))
AND NOT (e.purpose = %(incident)s AND e.at > %(now)s - %(longest)s AND {open})
"""
# Each record's newest by its own index, then the newest of all: what is read does not grow with the ledger.
_LINES: Final = """
SELECT e.entry, e.at, e.kind, e.actor, e.purpose, e.fields, e.outcome, e.note,
    e.purpose = %(incident)s AND {open}
FROM (SELECT DISTINCT of_one.entry FROM unnest(%(mine)s::uuid[]) AS m(person) CROSS JOIN LATERAL (
    SELECT p.entry FROM vault.ledger_person p JOIN vault.ledger_entry e USING (entry)
    WHERE p.person = m.person AND p.entry < %(before)s AND {hers}
    ORDER BY p.entry DESC LIMIT %(most)s) of_one) h
JOIN vault.ledger_entry e USING (entry) ORDER BY e.entry DESC LIMIT %(most)s
"""
_LINE: Final = """
SELECT 1 FROM vault.ledger_entry e
WHERE e.entry = %(entry)s AND {hers} AND EXISTS (
    SELECT 1 FROM vault.ledger_person p WHERE p.entry = e.entry AND p.person = ANY(%(mine)s::uuid[]))
"""
_OF_HERS: Final = _HERS.format(open=_OPEN.format(until="%(now)s"))
_PAGE: Final = _LINES.format(hers=_OF_HERS, open=_OPEN.format(until="e.at"))
_ONE: Final = _LINE.format(hers=_OF_HERS)
_MEMBERS: Final = """
SELECT a.handle, m.role, m.staff FROM vault.actor a JOIN vault.membership m USING (actor)
WHERE m.shop_id = %s AND a.handle = ANY(%s)
"""
_READ: Final = """
SELECT count(*), max(e.at) FROM vault.ledger_entry e
WHERE e.actor = ANY(%(handles)s) AND e.kind = 'intent' AND e.note = %(reading)s AND e.shop_id = %(shop)s
  AND e.entry < %(size)s
"""
# The kinds stand in the text, so that their own small index serves every plan.
_LAST: Final = """
SELECT (SELECT max(at) FROM vault.ledger_entry WHERE kind = 'search_build' AND shop_id = %s),
    (SELECT max(at) FROM vault.ledger_entry WHERE kind = 'backup' AND shop_id = 0)
"""
_CUSTOMER: Final = "SELECT 1 FROM vault.person WHERE shop_id = %s AND person = %s AND kind = 'customer'"
_BEGIN: Final = "SELECT at FROM vault.ledger_entry ORDER BY entry LIMIT 1"


class MyData:
    """Reads a person's own lines, and gives the proof of one."""

    def __init__(
        self, *, database: Database, record: Record, index: Index, naming: Naming, watch: Watch
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._naming = naming
        self._watch = watch

    async def page(self, grant: Grant, before: int | None, now: int) -> dict[str, Any]:
        """Give at most PAGE lines older than the entry `before`, the newest first, and what they cover.

        Raises GrantRefused (no customer's grant), LedgerUnavailable, VaultUnavailable (index behind).
        """
        asked, mine, left_off = await self._asked(grant, READING if before is None else MORE, now)
        asked |= {"before": asked["size"] if before is None else before, "most": PAGE + 1}
        acts = [_act(row) for row in await self._database.rows(_PAGE, asked)]
        shown, named = acts[:PAGE], await self._naming.named(grant.shop)
        members = await self._members(grant.shop, [one.actor for one in shown])
        return {
            "lookups": [one.to_wire(mine, members, named=named) for one in shown],
            "next": shown[-1].entry if len(acts) > PAGE else None,
            "records": len(mine),
            "records_left_off": left_off,
            "named": named,
            "covered": await self._covered(asked["size"], now),
            "readings": await self._readings(asked, first=before is None),
            "untold": await self._untold(grant.shop),
        }

    async def of_customer(self, grant: Grant, person: str, before: int | None, now: int) -> dict[str, Any]:
        """Give the shop's owner the same lines of one of its customers, with who of the shop it was.

        That she reads them is a line of that customer's own list. Raises GrantRefused, NoSuchPerson.
        """
        if grant.role is not Role.OWNER:
            raise GrantRefused("the shop's owner reads who looked")
        if await self._database.row(_CUSTOMER, [grant.shop, person]) is None:
            raise NoSuchPerson("nobody of this shop")
        mine = await own_records.with_joined(self._database, grant.shop, [person])
        asked = await self._written(grant, Purpose.CUSTOMER, mine, OWNERS_READING, now)
        asked |= {"before": asked["size"] if before is None else before, "most": PAGE + 1}
        acts = [_act(row) for row in await self._database.rows(_PAGE, asked)]
        members = await self._members(grant.shop, [one.actor for one in acts])
        return {
            "looks": [
                one.to_wire(mine, members, named=True)
                | {"staff": one.actor.partition(".")[0] if one.actor in members else None}
                for one in acts[:PAGE]
            ],
            "next": acts[PAGE - 1].entry if len(acts) > PAGE else None,
        }

    async def proof(self, grant: Grant, entry: int, now: int) -> str:
        """Give the `.tlog-proof` of one of her lines. Raises NoSuchEntry, and as `page` does.

        It carries the entry, or the hash of its leaf where the entry names somebody else.
        """
        asked, mine, _ = await self._asked(grant, PROOF_TAKEN, now, ref=f"entry:{entry}")
        if await self._database.row(_ONE, asked | {"entry": entry}) is None:
            raise NoSuchEntry
        named = await self._naming.named(grant.shop)
        ledger = self._record.ledger
        payload = await asyncio.to_thread(lambda: next(ledger.payloads(entry, entry + 1))[1])
        stands = Entry.from_bytes(payload)
        given = whole(stands.actor, stands.persons, mine, named=named)
        try:
            return ledger.proof(entry, self._head_over(entry), payload if given else leaf_hash(payload))
        except ProofInvalid as fault:
            raise NoSuchEntry from fault

    # -- inside

    def _head_over(self, index: int) -> Head | None:
        """The cosigned head, if it covers the entry; otherwise the ledger's newest, which only we signed."""
        head = self._watch.cosigned
        return head if head is not None and head.size > index else None

    async def _asked(
        self, grant: Grant, note: str, now: int, *, ref: str = ""
    ) -> tuple[dict[str, Any], list[str], bool]:
        """Write down that she reads, wait for the index, and give what every question needs."""
        if grant.role is not Role.CUSTOMER or grant.person is None:
            raise GrantRefused("a customer reads about herself")
        found = await own_records.of_account(self._database, grant.shop, grant.person, MOST_RECORDS + 1)
        mine = await own_records.with_joined(self._database, grant.shop, found[:MOST_RECORDS])
        return (
            await self._written(grant, Purpose.OWN, mine, note, now, ref=ref),
            mine,
            len(found) > MOST_RECORDS,
        )

    async def _written(
        self, grant: Grant, purpose: Purpose, mine: Sequence[str], note: str, now: int, *, ref: str = ""
    ) -> dict[str, Any]:
        await self._record.settle()
        # Up to here the list is whole. This reading comes after it and need not be in the index.
        size = self._record.ledger.size
        await self._record.write(
            "intent", grant.path, shop=grant.shop, purpose=purpose, persons=mine, ref=ref, note=note
        )
        await self._index.reach(size, _SECONDS)
        return {
            "shop": grant.shop,
            "mine": list(mine),
            "handles": [f"person:{one}" for one in mine],
            "size": size,
            "now": now,
            "longest": LONGEST_MS,
            "incident": str(Purpose.INCIDENT),
            "untold": list(UNTOLD),
            "readings": list(READINGS),
            "reading": READING,
        }

    async def _members(self, shop: int, handles: Sequence[str]) -> dict[str, Member]:
        rows = await self._database.rows(_MEMBERS, [shop, list(set(handles))])
        return {handle: Member(role, staff) for handle, role, staff in rows}

    async def _covered(self, size: int, now: int) -> dict[str, Any]:
        row = await self._database.row(_BEGIN)
        return {"since": (row[0] if row is not None else now) / 1000, "until": now / 1000, "size": size}

    async def _readings(self, asked: dict[str, Any], *, first: bool) -> dict[str, Any]:
        """How often she opened the list, this time counted, and when last before it."""
        count, last = await self._database.row(_READ, asked) or (0, None)
        return {"count": count + first, "last": None if last is None else last / 1000}

    async def _untold(self, shop: int) -> dict[str, float | None]:
        searched, copied = await self._database.row(_LAST, [shop]) or (None, None)
        last = {"search_build": searched, "backup": copied}
        return {kind: None if at is None else at / 1000 for kind, at in last.items()}


def _act(row: Row) -> Act:
    entry, at, kind, actor, purpose, names, outcome, note, late = row
    return Act(entry, at, kind, actor, purpose, tuple(names), outcome, note, late)
