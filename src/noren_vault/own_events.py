"""What happened to one's own account in 90 days: the lines of the ledger in which she is the actor."""

from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import NoSuchSession
from noren_vault.grants import Grant
from noren_vault.index import Index
from noren_vault.own_sessions import NOWHERE, place_words
from noren_vault.record import Record
from noren_vault.visits import Visits

DAYS_MS: Final = 90 * 86_400_000
PAGE: Final = 50
_SECONDS: Final = 10.0
# Of what was refused only what says that somebody tried to come in; what else is refused is no sign-in.
_KINDS: Final = ("signin", "signout", "register", "sign", "prove")
_TRIED: Final = (
    "password", "second_factor", "second_factor_gone", "totp", "recovery", "membership", "passkey", "code",
    "mailed_code", "mailed",
)  # fmt: skip
_HIDDEN: Final = ("totp_begun", "asked")
_HERS: Final = """
FROM vault.ledger_entry e
WHERE e.actor = %(handle)s AND e.at >= %(since)s AND e.outcome <> 'failed'
  AND (e.kind = ANY(%(kinds)s) AND e.note <> ALL(%(hidden)s)
    OR e.kind = 'refused' AND e.note = ANY(%(tried)s))
"""
_PAGE: Final = f"""
SELECT e.entry, e.at, e.kind, e.note, e.credential, e.session {_HERS}
  AND e.entry < %(before)s ORDER BY e.entry DESC LIMIT %(most)s
"""
_ONE: Final = f"SELECT e.session, e.credential {_HERS} AND e.entry = %(entry)s"
# Who went over to another shop has another session, and is the same who came in.
_MADE: Final = """
WITH RECURSIVE one (session) AS (
    SELECT %(session)s::text
    UNION
    SELECT CASE WHEN e.session = one.session THEN e.ref ELSE e.session END
    FROM one JOIN vault.ledger_entry e ON one.session IN (e.session, e.ref)
    WHERE e.actor = %(handle)s AND e.kind = 'signin' AND e.note = 'switched'
)
SELECT e.note, e.ref, e.credential FROM vault.ledger_entry e
WHERE e.actor = %(handle)s AND e.session IN (SELECT session FROM one WHERE session <> '')
  AND e.kind = 'register' AND e.outcome <> 'failed'
"""


@dataclass(frozen=True, slots=True)
class Accused:
    """What somebody says was not she: a session, and what it came in with. Either may be empty."""

    session: str
    credential: str


class OwnEvents:
    """Reads them."""

    def __init__(self, *, database: Database, record: Record, index: Index, visits: Visits, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._visits = visits
        self._now = now

    async def page(self, grant: Grant, before: int | None, most: int = PAGE) -> dict[str, Any]:
        """Give the newest events older than an entry; the caller has written down that she looks."""
        await self.caught_up()
        asked = self._asked(grant) | {
            "before": self._record.ledger.size if before is None else before,
            "most": most + 1,
        }
        rows = await self._database.rows(_PAGE, asked)
        shown = rows[:most]
        places = await self._visits.of([row[5] for row in shown if row[5]] + [grant.session])
        here = places.get(grant.session, NOWHERE)
        return {
            "events": [
                {
                    "entry": entry,
                    "at": at / 1000,
                    "kind": kind,
                    "note": note,
                    "credential": credential,
                    "this": bool(session) and session == grant.session,
                    **place_words(places.get(session, NOWHERE), here),
                }
                for entry, at, kind, note, credential, session in shown
            ],
            "next": shown[-1][0] if len(rows) > most else None,
        }

    async def accused(self, grant: Grant, entry: int) -> Accused:
        """Give session and credential of one of her own events. Raises NoSuchSession."""
        await self.caught_up()
        row = await self._database.row(_ONE, self._asked(grant) | {"entry": entry})
        if row is None:
            raise NoSuchSession
        return Accused(*row)

    async def made_in(self, grant: Grant, session: str) -> list[tuple[str, str, str]]:
        """What was changed in a session of hers: note, `ref` and credential of each entry."""
        await self.caught_up()
        asked = {"handle": grant.handle, "session": session}
        rows = await self._database.rows(_MADE, asked) if session else []
        return [(note, ref, credential) for note, ref, credential in rows]

    async def caught_up(self) -> None:
        """Wait until the index holds what is on record now. Raises VaultUnavailable."""
        await self._record.settle()
        await self._index.reach(self._record.ledger.size, _SECONDS)

    def _asked(self, grant: Grant) -> dict[str, Any]:
        return {
            "handle": grant.handle,
            "since": self._now() - DAYS_MS,
            "kinds": list(_KINDS),
            "hidden": list(_HIDDEN),
            "tried": list(_TRIED),
        }
