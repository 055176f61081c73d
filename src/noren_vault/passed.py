"""What passed by a path: the entries that match, and what they say of whom.

Each path has an index of its own, so each is asked by its own statement and the entries are put together:
an OR over several columns would read them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault.database import Database, Row
from noren_vault.exposure import SILENT, Exposures, state_of
from noren_vault.question import Question, Texts
from noren_vault.told import Told
from noren_vault.visits import Found, Visits

_MOST_WAYS: Final = 1000
_COLUMNS: Final[Mapping[str, str]] = {
    "actor": "e.actor = ANY(%(actor)s)",
    "credential": "e.credential = ANY(%(credential)s)",
    "session": "e.session = ANY(%(session)s)",
    "process": "e.process <> '' AND e.process = ANY(%(process)s)",
    "unsure": "e.session = ANY(%(unsure)s)",
    "export": "e.kind IN ('backup', 'export') AND e.ref = ANY(%(export)s)",
}
# The clock may have stood behind the entry before: then the entry is up to `skew` older than it says.
_WHEN: Final = (
    "e.at >= %(since)s AND e.at <= %(until)s",
    "e.skew > 0 AND e.at > %(until)s AND e.at - e.skew <= %(until)s",
)
_HITS: Final = "SELECT e.entry, {sure} AS sure FROM vault.ledger_entry e WHERE {path} AND {when} AND {narrow}"
_OF_PERSON: Final = (
    "SELECT e.entry, {sure} AS sure FROM vault.ledger_person q JOIN vault.ledger_entry e USING (entry) "
    "WHERE q.person = ANY(%(persons)s::uuid[]) AND {path} AND {when} AND {narrow}"
)
_NARROW: Final = "e.entry < %(size)s AND e.kind <> ALL(%(silent)s) AND ({shop})"
_GROUPED: Final = """
WITH hit AS MATERIALIZED (SELECT entry, bool_or(sure) AS sure FROM ({hits}) h GROUP BY entry),
told AS (
    SELECT e.entry, e.at, e.kind, e.shop_id, e.purpose, e.fields, {outcome} AS outcome, h.sure,
        e.actor, e.credential, e.session, e.process
    FROM hit h JOIN vault.ledger_entry e USING (entry)
)
"""
_PERSONS: Final = """
SELECT t.shop_id, p.person::text, t.fields, t.kind, t.purpose, t.outcome, t.sure,
    min(t.at), max(t.at), array_agg(t.entry)
FROM told t JOIN vault.ledger_person p USING (entry)
WHERE %(persons)s::uuid[] IS NULL OR p.person = ANY(%(persons)s::uuid[])
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_WAYS: Final = """
SELECT t.actor, t.credential, t.session, t.process, t.kind, min(t.at), max(t.at), count(*)
FROM told t WHERE EXISTS (SELECT FROM vault.ledger_person p WHERE p.entry = t.entry)
GROUP BY 1, 2, 3, 4, 5 ORDER BY 8 DESC, 1, 2, 3, 4, 5 LIMIT {most}
"""


@dataclass(slots=True)
class Asked:
    """The paths with addresses and devices turned into sessions: what an entry itself can be held against."""

    paths: dict[str, Texts] = field(default_factory=dict)
    everything: bool = False

    @classmethod
    def of(cls, question: Question, found: Found) -> "Asked":
        """Put the found sessions beside those that were named."""
        paths = {name: question.paths[name] for name in _COLUMNS if name in question.paths}
        if found.sessions:
            paths["session"] = tuple(sorted({*paths.get("session", ()), *found.sessions}))
        if unsure := found.unsure - set(paths.get("session", ())):
            paths["unsure"] = tuple(sorted(unsure))
        if "export" in paths:
            paths["export"] = tuple(f"export:{one.removeprefix('export:')}" for one in paths["export"])
        return cls(paths, everything=not question.paths)

    def to_wire(self) -> dict[str, list[str]]:
        """The shape of the answer."""
        return {name: list(texts) for name, texts in self.paths.items()}


class Passed:
    """Answers for paths."""

    def __init__(self, database: Database, visits: Visits) -> None:
        """Keep the parts."""
        self._database = database
        self._visits = visits

    async def resolve(self, question: Question) -> Asked:
        """Open what is sealed about the sessions of the time, when addresses or devices are asked for."""
        addresses, devices = (question.paths.get(name, ()) for name in ("address", "device"))
        if not addresses and not devices:
            return Asked.of(question, Found())
        found = await self._visits.find(
            addresses=addresses, devices=devices, since=question.since, until=question.until
        )
        return Asked.of(question, found)

    async def read(
        self, question: Question, asked: Asked, told: Told, found: Exposures
    ) -> list[dict[str, Any]]:
        """Put what passed into `found`; gives the ways by which it did, those with most entries first."""
        params = _params(question, asked) | told.params
        hits = _hits(question, asked)
        if not hits:
            return []
        grouped = _GROUPED.format(hits=" UNION ALL ".join(hits), outcome=told.outcome)
        for row in await self._database.rows(grouped + _PERSONS, params):
            _add(found, row)
        ways = await self._database.rows(grouped + _WAYS.format(most=_MOST_WAYS), params)
        return [_way(row) for row in ways]


def hits(
    question: Question, asked: Asked, size: int, *, silent: Sequence[str] = SILENT
) -> tuple[list[str], dict[str, Any]]:
    """Give the statements that find the entries (`entry`, `sure`), and what they take."""
    return _hits(question, asked), _params(question, asked) | {"size": size, "silent": list(silent)}


def _hits(question: Question, asked: Asked) -> list[str]:
    pattern = _OF_PERSON if question.persons else _HITS
    narrow = _NARROW.format(shop="e.shop_id = %(shop)s" if question.shop is not None else "true")
    paths = [(_COLUMNS[name], name != "unsure") for name in asked.paths]
    if asked.everything:
        paths = [("true", True)]
    return [
        pattern.format(path=path, sure="true" if sure else "false", when=when, narrow=narrow)
        for path, sure in paths
        for when in _WHEN
    ]


def _params(question: Question, asked: Asked) -> dict[str, Any]:
    return {
        "since": question.since,
        "until": question.until,
        "silent": list(SILENT),
        "shop": question.shop,
        "persons": list(question.persons) or None,
        **{name: list(texts) for name, texts in asked.paths.items()},
    }


def _add(found: Exposures, row: Row) -> None:
    shop, person, names, kind, purpose, outcome, sure, first, last, entries = row
    found.add(
        shop,
        person,
        names,
        first=first,
        last=last,
        state=state_of(kind, outcome, sure=sure),
        purpose=purpose or kind,
        entries=entries,
    )


def _way(row: Sequence[Any]) -> dict[str, Any]:
    actor, credential, session, process, kind, first, last, entries = row
    return {
        "actor": actor,
        "credential": credential,
        "session": session,
        "process": process,
        "kind": kind,
        "first": first / 1000,
        "last": last / 1000,
        "entries": entries,
    }
