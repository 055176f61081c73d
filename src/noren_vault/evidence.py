"""Files that came from elsewhere: logs of other systems, what somebody reported with. Sealed in pieces.

A file is one of an incident, or of a sign and then of the incident that the sign became part of. Its name,
where it comes from, how far that clock is off and its hash lie sealed with it. Each opening is an entry.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, NoSuchFile, RecordDamaged, TooMuch
from noren_vault.incidents import EVIDENCE, Asker, Incidents
from noren_vault.keys import Keys
from noren_vault.protocol import Params
from noren_vault.record import Outcome, Record
from noren_vault.rights import PLATFORM

MOST_BYTES: Final = 4 << 20
MOST_FILES: Final = 200
_PIECE: Final = 128 << 10
_NAME: Final = 200
_MOST_SKEW: Final = 10 * 366 * 86_400
_FIND: Final = "SELECT e.file, e.at, e.by, e.size, e.sealed FROM vault.evidence e WHERE "


@dataclass(frozen=True, slots=True)
class File:
    """A file that comes in. `skew`: by how many seconds the clock behind it is ahead of ours."""

    name: str
    source: str
    skew: int
    content: bytes

    @classmethod
    def of(cls, raw: object) -> "File":
        """Read it from the wire. Raises BadRequest, TooMuch."""
        params = Params(raw if isinstance(raw, dict) else {})
        try:
            text = params.text("content", most=2 * MOST_BYTES)
            content = base64.b64decode(text.encode(), validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("a file's content is base64") from None
        if len(content) > MOST_BYTES:
            raise TooMuch(megabytes=MOST_BYTES >> 20)
        name, skew = params.text("name", most=_NAME), params.raw.get("skew", 0)
        if type(skew) is not int or abs(skew) > _MOST_SKEW or not name.isprintable() or not content:
            raise BadRequest("a file has a name, some content, and whole seconds by which its clock is off")
        return cls(name, params.text("source", "", most=_NAME), skew, content)

    @property
    def sha256(self) -> str:
        """Its hash in hex."""
        return hashlib.sha256(self.content).hexdigest()


class Evidence:
    """Takes files and opens them."""

    def __init__(
        self, *, database: Database, record: Record, keys: Keys, incidents: Incidents, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._incidents = incidents
        self._now = now

    async def take(self, asker: Asker, incident: str, file: File, said: Mapping[str, Any]) -> str:
        """Take a file into an incident, with the record that says so, and `said` beside it; give its id.

        Raises NoSuchIncident, TooMuch.
        """
        await self._incidents.check(asker, incident)
        row = await self._database.row("SELECT count(*) FROM vault.evidence WHERE incident = %s", [incident])
        if row is not None and row[0] >= MOST_FILES:
            raise TooMuch(megabytes=MOST_BYTES >> 20)
        made = secrets.token_hex(8)

        async def first(connection: Connection) -> None:
            await self._record.write(
                "incident",
                asker.path,
                shop=PLATFORM,
                ref=f"file:{made}/sha256:{file.sha256}",
                note="file",
            )
            await self.store(connection, made, file, asker.handle, incident=incident)

        told = {**said, "file": made, "sha256": file.sha256, "name": file.name}
        words = json.dumps(told, ensure_ascii=False)
        await self._incidents.written(asker, incident, EVIDENCE, words, first=first)
        return made

    async def store(
        self,
        connection: Connection,
        made: str,
        file: File,
        by: str,
        *,
        incident: str | None = None,
        sign: str | None = None,
    ) -> None:
        """Store a file, sealed, in the caller's transaction, who holds the keys steady."""
        about = {"name": file.name, "source": file.source, "skew": file.skew, "sha256": file.sha256}
        await connection.execute(
            b"INSERT INTO vault.evidence (file, incident, sign, at, by, size, sealed) "
            b"VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                made,
                incident,
                sign,
                self._now(),
                by,
                len(file.content),
                self._keys.addresses.seal(json.dumps(about, ensure_ascii=False).encode(), f"evidence:{made}"),
            ],
        )
        for number, start in enumerate(range(0, len(file.content), _PIECE)):
            piece = file.content[start : start + _PIECE]
            await connection.execute(
                b"INSERT INTO vault.evidence_piece (file, number, sealed) VALUES (%s, %s, %s)",
                [made, number, self._keys.addresses.seal(piece, f"evidence-piece:{made}:{number}")],
            )

    async def of_incident(self, asker: Asker, incident: str) -> list[dict[str, Any]]:
        """List an incident's files, and those of the signs in it. On record. Raises NoSuchIncident."""
        await self._incidents.check(asker, incident)
        await self._record.write(
            "incident", asker.path, shop=PLATFORM, ref=f"incident:{incident}", note="files"
        )
        return await self._list(
            "e.incident = %s OR e.sign IN (SELECT sign FROM vault.sign WHERE incident = %s)",
            [incident, incident],
        )

    async def of_sign(self, sign: str) -> list[dict[str, Any]]:
        """List a sign's files; the caller has written down who looks."""
        return await self._list("e.sign = %s", [sign])

    async def open(self, asker: Asker, file: str, *, incident: str = "", sign: str = "") -> dict[str, Any]:
        """Open a file of an incident or of a sign; the caller knows that the asker may. NoSuchFile."""
        rows = await self._list(
            "e.file = %s AND (e.sign = %s OR e.incident = %s "
            "OR e.sign IN (SELECT sign FROM vault.sign WHERE incident = %s))",
            [file, sign, incident, incident],
        )
        if not rows:
            raise NoSuchFile
        entry = await self._record.write(
            "incident", asker.path, shop=PLATFORM, ref=f"file:{file}", note="file_opened"
        )
        try:
            content = await self._content(file, rows[0]["sha256"])
        except RecordDamaged:
            await self._record.outcome(entry, Outcome.FAILED, asker.path)
            await self._record.damaged(PLATFORM, [])
            raise
        return {**rows[0], "content": base64.b64encode(content).decode()}

    async def open_of_incident(self, asker: Asker, incident: str, file: str) -> dict[str, Any]:
        """Open a file for a member of the incident. Raises NoSuchIncident, NoSuchFile."""
        await self._incidents.check(asker, incident)
        return await self.open(asker, file, incident=incident)

    async def damaged(self) -> list[str]:
        """Name the files that are gone, or not what their records say; of those the ledger tells."""
        rows = await self._database.rows(
            "SELECT incident, number, sealed FROM vault.incident_record WHERE kind = %s", [EVIDENCE]
        )
        wrong = []
        for incident, number, sealed in rows:
            with suppress(RecordDamaged, ValueError):  # a damaged record is found elsewhere
                told = json.loads(self._incidents.opened(incident, number, bytes(sealed))["words"])
                if isinstance(told, dict) and "file" in told and not await self.is_whole(**told):
                    wrong.append(f"file:{told['file']}")
        return sorted(wrong)

    async def is_whole(self, file: str, sha256: str, **_: Any) -> bool:
        """Whether a file is there, with this hash."""
        try:
            await self._content(file, sha256)
        except RecordDamaged:
            return False
        return True

    async def _content(self, file: str, sha256: str) -> bytes:
        """Put a file's pieces together. Raises RecordDamaged when it is not as it came."""
        pieces = await self._database.rows(
            "SELECT number, sealed FROM vault.evidence_piece WHERE file = %s ORDER BY number", [file]
        )
        content = b"".join(self._piece(file, number, bytes(sealed)) for number, sealed in pieces)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RecordDamaged("the file is not as it came")
        return content

    def _piece(self, file: str, number: int, sealed: bytes) -> bytes:
        return self._keys.opens(sealed).open(sealed, f"evidence-piece:{file}:{number}")

    async def _list(self, where: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        rows = await self._database.rows(
            _FIND + where + " ORDER BY e.at, e.file",
            list(params),
        )
        return [
            {"file": file, "at": at, "by": by, "size": size}
            | json.loads(self._keys.opens(bytes(sealed)).open(bytes(sealed), f"evidence:{file}"))
            for file, at, by, size, sealed in rows
        ]
