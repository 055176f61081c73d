"""Other doors: sessions at either database that no known process opened, and digests of the connection logs.

A watcher outside tells of them; here they become entries. A `door` is one foreign session (or something amiss
with a log), its end, or why it was all right; a `connections` proves a log up to a place, and that somebody
looked. Addresses and names that a stranger gave lie sealed beside the ledger.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, RecordDamaged
from noren_vault.index import Index
from noren_vault.keys import Keys
from noren_vault.protocol import Params
from noren_vault.record import Path, Record

CLUSTERS: Final = ("app", "vault")
WHY: Final = frozenset(
    {"stranger", "forged", "stale", "replayed", "unlogged", "log_changed", "log_missing", "log_off"}
)
ENDED, EXPLAINED = "ended", "explained"
_SECONDS: Final = 30.0
_MOST: Final = 500
_SESSION: Final = re.compile(r"[A-Za-z0-9.-]{1,80}", re.ASCII)
_FILE: Final = re.compile(r"(connections-\d{8}-\d{6}\.json|activity)", re.ASCII)
_CHAIN: Final = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_NOTE: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,63}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,120}", re.ASCII)
_log = structlog.get_logger("doors")


@dataclass(frozen=True, slots=True)
class Sign:
    """A foreign session, or a log that is not as it was. `started` in milliseconds."""

    session: str
    why: str
    login: str
    database: str
    started: int
    sealed: Mapping[str, str]

    @classmethod
    def of(cls, raw: object) -> "Sign":
        """Read it from the wire. Raises BadRequest."""
        params = Params(raw if isinstance(raw, dict) else {})
        why, session = params.text("why", most=20), params.text("session", most=80)
        if why not in WHY or not _SESSION.fullmatch(session):
            raise BadRequest("a sign has a session and one of the known reasons")
        told = {
            name: params.text(name, "", most=2000) for name in ("login", "database", "host", "application")
        }
        return cls(session, why, told["login"], told["database"], params.number("started"), told)


@dataclass(frozen=True, slots=True)
class Report:
    """What the watcher of one cluster has seen since it last told. `digest`: (ref, note), or None."""

    cluster: str
    signs: list[Sign]
    ended: list[tuple[str, int]]
    digest: tuple[str, str] | None

    @classmethod
    def of(cls, params: Params) -> "Report":
        """Read it from the wire. Raises BadRequest."""
        cluster = params.text("cluster", most=5)
        if cluster not in CLUSTERS or len(params.items("signs")) + len(params.items("ended")) > _MOST:
            raise BadRequest(f"a report is of one cluster, and has at most {_MOST} sessions")
        ended = [Params(one if isinstance(one, dict) else {}) for one in params.items("ended")]
        told = None if params.raw.get("digest") is None else Params(params.mapping("digest"))
        return cls(
            cluster,
            [Sign.of(one) for one in params.items("signs")],
            [(one.text("session", most=80), one.number("at")) for one in ended],
            None if told is None else _digest(cluster, told),
        )


def _digest(cluster: str, told: Params) -> tuple[str, str]:
    file, chain, note = (
        told.text("file", most=40),
        told.text("chain", "", most=64),
        told.text("note", most=64),
    )
    if not (_FILE.fullmatch(file) and _CHAIN.fullmatch(chain) and _NOTE.fullmatch(note)):
        raise BadRequest("a digest names a file, its chain and what was counted")
    return f"{cluster}/{file}/{told.number('size')}:{chain}", note


class Doors:
    """Writes signs and digests down, and gives them back."""

    def __init__(self, *, database: Database, record: Record, index: Index, keys: Keys, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._keys = keys
        self._now = now

    async def report(self, report: Report, path: Path) -> None:
        """Write down what is new. Told again, a sign is not written again. Raises LedgerUnavailable."""
        for sign in report.signs:
            await self._sign(report.cluster, sign)
        for session, at in report.ended:
            name = f"pg-{report.cluster}-{session}"
            if await self._is_new(name, ENDED) and not await self._is_new(name):
                await self._record.write(
                    "door", Path("", session=name), ref=f"{report.cluster}/ended:{at}", note=ENDED
                )
                await self._keep(name, ENDED, {})
        if report.digest is not None:
            ref, note = report.digest
            await self._record.write("connections", path, ref=ref, note=note)

    async def _sign(self, cluster: str, sign: Sign) -> None:
        name = f"pg-{cluster}-{sign.session}"
        if not await self._is_new(name, sign.why):
            return
        _log.critical("foreign_session", session=name, why=sign.why)
        who = Path(_id(sign.login), _id(sign.database), name)
        await self._record.write("door", who, ref=f"{cluster}/started:{sign.started}", note=sign.why)
        await self._keep(name, sign.why, sign.sealed)

    async def explain(self, name: str, because: str, path: Path) -> None:
        """Put on record that a sign was looked into. The words lie sealed. Raises BadRequest."""
        if await self._is_new(name):
            raise BadRequest("no such door")
        if await self._is_new(name, EXPLAINED):
            cluster = name.split("-", 2)[1]
            who = Path(path.actor, path.credential, name)
            await self._record.write("door", who, ref=f"{cluster}/explained", note=EXPLAINED)
            await self._keep(name, EXPLAINED, {"because": because})

    async def listed(self, since: int, until: int, path: Path) -> list[dict[str, Any]]:
        """Give the signs of a time (milliseconds), with what is sealed about them. The look is on record."""
        await self._record.write("scope", path, note="doors")
        kept = await self._database.rows("SELECT session, note, sealed FROM vault.door")
        told = {(session, note): self._open(session, note, bytes(sealed)) for session, note, sealed in kept}
        found: dict[str, dict[str, Any]] = {}
        for entry, at, actor, database, session, ref, note in await self._signs():
            one = found.setdefault(session, _empty(session, ref.partition("/")[0], at))
            one["entries"].append(entry)
            if note == ENDED:
                one["ended"] = int(ref.rpartition(":")[2])
            elif note == EXPLAINED:
                one["explained"] = told.get((session, note), {}).get("because", "")
            else:
                one["why"].append(note)
                one["started"] = int(ref.rpartition(":")[2])
                one |= {"login": actor, "database": database} | told.get((session, note), {})
        return [
            one for one in found.values() if since <= one["at"] and min(one["at"], one["started"]) <= until
        ]

    async def digests(self) -> list[dict[str, Any]]:
        """Give the digests as they stand in the ledger, the oldest first, and the signs' sessions."""
        await self._index.reach(self._record.ledger.size, _SECONDS)
        rows = await self._database.rows(
            "SELECT at, ref, note FROM vault.ledger_entry WHERE kind = 'connections' ORDER BY entry"
        )
        return [{"at": at, "ref": ref, "note": note} for at, ref, note in rows]

    async def state(self) -> dict[str, Any]:
        """Give when each cluster was last looked at (milliseconds), and how many signs nobody explained."""
        await self._index.reach(self._record.ledger.size, _SECONDS)
        rows = await self._database.rows(
            "SELECT split_part(ref, '/', 1), max(at) FROM vault.ledger_entry "
            "WHERE kind = 'connections' GROUP BY 1"
        )
        row = await self._database.row(
            "SELECT count(DISTINCT session) FROM vault.ledger_entry e WHERE kind = 'door' AND NOT EXISTS "
            "(SELECT FROM vault.ledger_entry x WHERE x.kind = 'door' AND x.session = e.session "
            "AND x.note = 'explained')"
        )
        return {"seen": dict(rows), "open": row[0] if row else 0}

    async def _signs(self) -> list[tuple[Any, ...]]:
        await self._index.reach(self._record.ledger.size, _SECONDS)
        return await self._database.rows(
            "SELECT entry, at, actor, credential, session, ref, note FROM vault.ledger_entry "
            "WHERE kind = 'door' ORDER BY entry"
        )

    async def _is_new(self, name: str, note: str | None = None) -> bool:
        row = await self._database.row(
            "SELECT FROM vault.door WHERE session = %s AND (%s::text IS NULL OR note = %s) LIMIT 1",
            [name, note, note],
        )
        return row is None

    async def _keep(self, name: str, note: str, told: Mapping[str, str]) -> None:
        async with self._keys.steady.hold():
            sealed = self._keys.addresses.seal(json.dumps(dict(told)).encode(), f"door:{name}:{note}")
            await self._database.run(
                "INSERT INTO vault.door VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [name, note, sealed, self._now()],
            )

    def _open(self, name: str, note: str, sealed: bytes) -> dict[str, str]:
        """What does not open is left out; the ledger's words stand."""
        try:
            told: dict[str, str] = json.loads(self._keys.opens(sealed).open(sealed, f"door:{name}:{note}"))
        except RecordDamaged:
            return {}
        return told


def _empty(session: str, cluster: str, at: int) -> dict[str, Any]:
    """A sign of which nothing is told yet."""
    texts = dict.fromkeys(("login", "database", "host", "application"), "")
    nothing = dict.fromkeys(("ended", "explained"), None)
    lists: dict[str, list[Any]] = {"why": [], "entries": []}
    return {"session": session, "cluster": cluster, "at": at, "started": at} | texts | nothing | lists


def _id(text: str) -> str:
    """A login or a database is an id as a rule; something else that was typed is not the ledger's to hold."""
    return text if _ID.fullmatch(text) else ""
