"""What the ledger knows of a path in a time, for an incident's timeline: in numbers, a line a minute.

Entries of one minute, kind, purpose, shop and session are one line: how many, and of how many persons; never
which. Who of an incident's members wants to know whose data they were asks `scope`, under a power.
"""

from collections.abc import Mapping
from typing import Any, Final

from noren_vault.database import Database, Row
from noren_vault.errors import BadRequest
from noren_vault.index import Index
from noren_vault.passed import Asked, Passed, hits
from noren_vault.question import LONGEST_NOTE, Question
from noren_vault.record import Path, Record

A_PAGE: Final = 100
MOST_PAGES: Final = 1000
_SECONDS: Final = 30.0
_SAME: Final = "minute, kind, purpose, shop_id, actor, credential, session"
_LINES: Final = """
WITH hit AS MATERIALIZED (SELECT entry, bool_or(sure) AS sure FROM ({hits}) h GROUP BY entry),
told AS MATERIALIZED (
    SELECT e.entry, e.at / 60000 AS minute, e.at, e.kind, e.purpose, e.shop_id, e.actor, e.credential,
        e.session, e.outcome, h.sure
    FROM hit h JOIN vault.ledger_entry e USING (entry)
),
line AS MATERIALIZED (
    SELECT {same}, min(at) AS first, count(*) AS entries, min(entry) AS low, max(entry) AS high,
        count(*) FILTER (WHERE outcome = 'failed') AS failed, bool_and(sure) AS sure
    FROM told GROUP BY {same} ORDER BY min(at) DESC, max(entry) DESC LIMIT {most} OFFSET %(offset)s
),
whose AS (
    SELECT {same}, count(DISTINCT p.person) AS persons
    FROM told JOIN vault.ledger_person p USING (entry)
    WHERE entry BETWEEN (SELECT min(low) FROM line) AND (SELECT max(high) FROM line) GROUP BY {same}
)
SELECT l.*, coalesce(w.persons, 0) FROM line l LEFT JOIN whose w USING ({same})
ORDER BY l.first DESC, l.high DESC
"""


# Nothing passes by these: the facts are what the ledger says of a foreign session, and of a key, itself.
_OF: Final[Mapping[str, str]] = {
    "door": "e.kind = 'door' AND e.session = ANY(%(door)s)",
    "key": "e.kind = 'key' AND regexp_split_to_array(e.ref, '[^0-9a-f]+') && %(key)s::text[]",
}
_TAKEN: Final = (
    "SELECT e.entry, true AS sure FROM vault.ledger_entry e "
    "WHERE {of} AND e.at >= %(since)s AND e.at <= %(until)s AND e.entry < %(size)s"
)


class Facts:
    """Reads them; that it was asked, and by which path, is an entry first."""

    def __init__(self, *, database: Database, record: Record, index: Index, passed: Passed) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._passed = passed

    async def read(self, question: Question, page: int, path: Path) -> dict[str, Any]:
        """Give a page of lines, the newest first, and whether there are more. Raises BadRequest."""
        named = question.paths or question.taken
        if not named or not set(question.taken) <= set(_OF) or question.persons or page >= MOST_PAGES:
            raise BadRequest("facts are of paths, page by page")
        await self._record.write(
            "scope",
            path,
            shop=question.shop or 0,
            ref=question.to_ref(),
            note=f"facts:{question.to_note()}"[:LONGEST_NOTE],
        )
        size = self._record.ledger.size
        await self._index.reach(size, _SECONDS)
        rows = await self._rows(question, await self._passed.resolve(question), page, size)
        return {"lines": [_line(row) for row in rows[:A_PAGE]], "more": len(rows) > A_PAGE}

    async def _rows(self, question: Question, asked: Asked, page: int, size: int) -> list[Row]:
        wanted: list[str] = []
        params: dict[str, Any] = {"since": question.since, "until": question.until, "size": size}
        if question.paths:
            wanted, params = hits(question, asked, size, silent=("outcome",))
        for name, texts in question.taken.items():
            wanted = [*wanted, _TAKEN.format(of=_OF[name])]
            params |= {name: [text.lower() for text in texts]}
        if not wanted:
            return []
        statement = _LINES.format(hits=" UNION ALL ".join(wanted), most=A_PAGE + 1, same=_SAME)
        return await self._database.rows(statement, params | {"offset": page * A_PAGE})


def _line(row: Row) -> dict[str, Any]:
    _minute, kind, purpose, shop, actor, credential, session, first, entries, low, high, failed, sure = row[
        :13
    ]
    return {
        "at": first / 1000,
        "kind": kind,
        "purpose": purpose,
        "shop": shop,
        "actor": actor,
        "credential": credential,
        "session": session,
        "entries": entries,
        "first": low,
        "last": high,
        "failed": failed,
        "sure": sure,
        "persons": row[13],
    }
