"""Whose data passed by a path, between two instants: the question after a leak.

Answered from the index when it has caught up with a head, and complete up to that head. What passed in either
direction counts; what the record does not say was not told, counts as possibly told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault.database import Database, Row
from noren_vault.errors import BadRequest
from noren_vault.index import Index
from noren_vault.ledger import ProofInvalid
from noren_vault.record import Outcome, Path, Record, session_name

# In: the values came from outside, so they were seen whatever became of them. Out: the outcome decides.
IN: Final = ("put", "update", "import", "member")
OUT: Final = ("intent", "search", "send")
_SECONDS: Final = 30.0
_MOST_PROOFS: Final = 1000
_QUERY: Final = """
SELECT e.entry, e.at, e.kind, e.shop_id, e.purpose, e.fields, e.outcome, array_agg(p.person::text)
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.at >= %(since)s AND e.at <= %(until)s AND e.entry < %(size)s AND e.kind = ANY(%(kinds)s)
  AND (%(actor)s::text IS NULL OR e.actor = %(actor)s)
  AND (%(credential)s::text IS NULL OR e.credential = %(credential)s)
  AND (%(session)s::text IS NULL OR e.session = %(session)s)
  AND (%(shop)s::bigint IS NULL OR e.shop_id = %(shop)s)
GROUP BY e.entry ORDER BY e.entry
"""


@dataclass(frozen=True, slots=True)
class Question:
    """The path (each part may be left open) and the time, in milliseconds, both ends included."""

    since: int
    until: int
    actor: str | None = None
    credential: str | None = None
    session: str | None = None
    shop: int | None = None
    proofs: tuple[int, ...] = ()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Question":
        """Read it from the wire: instants are POSIX seconds there. Raises BadRequest."""
        since, until = params.get("since"), params.get("until")
        texts = {name: params.get(name) for name in ("actor", "credential", "session")}
        shop, proofs = params.get("shop"), params.get("proofs") or []
        if not all(isinstance(one, int | float) for one in (since, until)):
            raise BadRequest("since and until are POSIX seconds")
        if not all(one is None or isinstance(one, str) for one in texts.values()):
            raise BadRequest("actor, credential and session are texts")
        if not (shop is None or isinstance(shop, int)) or not isinstance(proofs, list):
            raise BadRequest("shop is a number, proofs a list of entries")
        session = texts["session"]
        return cls(
            since=int(float(since or 0) * 1000),
            until=int(float(until or 0) * 1000),
            actor=texts["actor"],
            credential=texts["credential"],
            session=None if session is None else session_name(session),
            shop=shop,
            proofs=tuple(int(one) for one in proofs[:_MOST_PROOFS]),
        )

    def to_note(self) -> str:
        """Say in the record by what was asked."""
        asked = [
            name for name in ("actor", "credential", "session", "shop") if getattr(self, name) is not None
        ]
        return ".".join(asked) or "all"


@dataclass(slots=True)
class Exposure:
    """What is known of one person of one shop."""

    person: str
    shop: int
    first: int
    last: int
    fields: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    entries: list[int] = field(default_factory=list)
    exposed: bool = False

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer; instants are POSIX seconds."""
        return {
            "person": self.person,
            "shop": self.shop,
            "fields": sorted(self.fields),
            "first": self.first / 1000,
            "last": self.last / 1000,
            "purposes": sorted(self.purposes),
            "state": "exposed" if self.exposed else "possibly",
            "entries": self.entries,
        }


class Scope:
    """Answers the question. The question itself is on record."""

    def __init__(self, database: Database, record: Record, index: Index) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index

    async def answer(self, question: Question, path: Path) -> dict[str, Any]:
        """Give every person, with fields, times, purposes and entries. Raises VaultUnavailable."""
        await self._record.settle()
        ref = question.actor or question.credential or question.session or ""
        await self._record.write("scope", path, shop=question.shop or 0, ref=ref, note=question.to_note())
        ledger = self._record.ledger
        head = ledger.head()
        await self._index.reach(head.size, _SECONDS)
        rows = await self._database.rows(
            _QUERY,
            {
                "since": question.since,
                "until": question.until,
                "size": head.size,
                "kinds": [*IN, *OUT],
                "actor": question.actor,
                "credential": question.credential,
                "session": question.session,
                "shop": question.shop,
            },
        )
        told = [row for row in rows if not _not_told(row)]
        try:
            proofs = {str(index): ledger.proof(index) for index in question.proofs}
        except ProofInvalid as fault:
            raise BadRequest("no such entry") from fault
        return {
            "persons": [one.to_wire() for one in _by_person(told)],
            "entries": len(told),
            "head": {"size": head.size, "root": head.root.hex()},
            "checkpoint": head.signed,
            "complete": True,
            "proofs": proofs,
        }


def _not_told(row: Row) -> bool:
    """Only what went out and is on record as failed was not told."""
    return row[2] in OUT and row[6] == Outcome.FAILED


def _by_person(rows: Iterable[Row]) -> list[Exposure]:
    found: dict[tuple[int, str], Exposure] = {}
    for entry, at, kind, shop, purpose, names, outcome, persons in rows:
        surely = kind in IN or outcome in (Outcome.RELEASED, Outcome.SENT)
        for person in persons:
            one = found.setdefault((shop, person), Exposure(person, shop, at, at))
            one.last = at
            one.fields.update(names)
            one.purposes.add(purpose or kind)
            one.entries.append(entry)
            one.exposed = one.exposed or surely
    return list(found.values())
