"""Reports from outside: whoever has seen something tells it, and gets a number once it lies durable here.

A report is a sign, rung to every operator at once; a mailed receipt goes where an address was given, which is
a person's of no shop. Words, address and files are sealed before anything is stored. After a sign was
dismissed for a month the address is erased.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault import fields, spelling
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.defence import Defence
from noren_vault.errors import BadRequest, RecordDamaged, TooMuch, VaultUnavailable
from noren_vault.evidence import MOST_BYTES, File
from noren_vault.floors import Floors
from noren_vault.keys import Keys
from noren_vault.people import REPORTER, NewPerson, People
from noren_vault.record import Outcome, Path, Record
from noren_vault.reported import FORGOTTEN, REPORTED, commitment
from noren_vault.rights import PLATFORM
from noren_vault.sightings import Sighting
from noren_vault.signs import Signs
from noren_vault.visits import Visit

LONGEST: Final = 10_000
MOST_FILES: Final = 3
# So many ring at once within an hour; what comes beyond is listed at once and rung when the hour is over.
AT_ONCE: Final = 10
_HOUR_MS: Final = 3_600_000
_KEPT_MS: Final = 30 * 86_400_000
_NOBODY: Final = "report"


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody tells. `key` makes the same form, sent again, the same report."""

    key: str
    text: str = field(repr=False)
    mail: str = field(repr=False)
    files: Sequence[File] = ()


class Reports:
    """Takes them."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        keys: Keys,
        people: People,
        signs: Signs,
        defence: Defence,
        least: Floors,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._people = people
        self._signs = signs
        self._defence = defence
        self._least = least
        self._now = now
        self._one = asyncio.Lock()

    async def take(self, report: Report, visit: Visit, path: Path) -> str:
        """Take a report; gives its number once it is durable.

        Raises BadField (the mail), TooMuch, ChallengeNeeded, LedgerUnavailable.
        """
        if not report.text.strip() or len(report.text) > LONGEST:
            raise BadRequest(f"a report has 1 to {LONGEST} characters")
        if len(report.files) > MOST_FILES or sum(len(one.content) for one in report.files) > MOST_BYTES:
            raise TooMuch(megabytes=MOST_BYTES >> 20)
        values = fields.checked({"mail": report.mail}, required=("mail",)) if report.mail else {}
        async with self._one:
            same = f"report:{report.key}"
            row = await self._database.row("SELECT sign FROM vault.sign WHERE same = %s", [same])
            if row is not None:
                return str(row[0])
            await self._defence.asked(PLATFORM, report.mail or _NOBODY, visit)
            async with self._keys.steady.hold():
                person = await self._person(values, path) if values else None
                sign = await self._store(report, same, person, path)
        await self._signs.ring_due()
        self._signs.bells.soon()
        return sign

    async def _store(self, report: Report, same: str, person: str | None, path: Path) -> str:
        sign, salt, now = secrets.token_hex(8), secrets.token_hex(16), self._now()
        commit = commitment(report.text, report.mail, salt, [one.sha256 for one in report.files])
        entry = await self._record.write(
            "sign", path, shop=PLATFORM, ref=f"sign:{sign}", note=REPORTED, commit=commit
        )
        words = {"text": report.text, "mail": report.mail, "facts": {"salt": salt}}
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT count(*) FROM vault.sign WHERE what = 'report' AND first_at > %s", [now - _HOUR_MS]
            )
            ((lately,),) = await cursor.fetchall()
            seen = Sighting("outside", "report", same, now, entry)
            later = now if lately < AT_ONCE else now + _HOUR_MS
            await self._signs.put(connection, sign, seen, words, next_at=later, person=person)
            for one in report.files:
                await self._signs.evidence.store(connection, secrets.token_hex(8), one, "outside", sign=sign)
            if person is not None:
                cursor = await connection.execute(
                    b"UPDATE vault.person SET state = 'kept', content = NULL "
                    b"WHERE shop_id = 0 AND person = %s AND state <> 'erased'",
                    [person],
                )
                if not cursor.rowcount:
                    raise VaultUnavailable("erased in between")
                await self._signs.bells.hang_receipt(connection, sign, person)
        # Stored: taken out, it cannot be passed off as one that was cut off.
        await self._record.outcome(entry, Outcome.DONE, path)
        return sign

    async def _person(self, values: fields.Values, path: Path) -> str:
        """Find or store whom the address is of; kept with the report, else erased within the hour."""
        key = f"reporter:{spelling.mail(values['mail'].text)}"
        found = (await self._people.by_key(PLATFORM, [key])).get(key)
        new = NewPerson.of(key, values)
        person = found or new.person
        await self._record.write("put", path, shop=PLATFORM, persons=[person], fields=["mail"])
        if found is None:
            await self._people.insert(
                PLATFORM, [new], kind=REPORTER, state="provisional", searched=False, now=self._now()
            )
        return person

    async def tidy(self) -> None:
        """Erase who reported nothing but what was dismissed a month ago: the address, in person and words."""
        # Whoever reports anew waits, and is found or stored as she is then.
        async with self._one:
            rows = await self._database.rows(
                "SELECT s.person::text FROM vault.sign s JOIN vault.person p ON p.shop_id = 0 AND "
                "p.person = s.person WHERE p.state = 'kept' GROUP BY s.person "
                "HAVING bool_and(s.state = 'dismissed' AND s.since < %s)",
                [self._now() - _KEPT_MS],
            )
            for (person,) in rows:
                await self._erase(str(person))

    async def _erase(self, person: str) -> None:
        path = Path("vault")
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            entry = await self._record.write("erase", path, shop=PLATFORM, persons=[person], note=REPORTED)
            entries = [entry]
            cursor = await connection.execute(
                b"SELECT sign, sealed FROM vault.sign WHERE person = %s FOR UPDATE", [person]
            )
            for sign, sealed in await cursor.fetchall():
                try:
                    words = self._opened(str(sign), bytes(sealed)) | {"mail": ""}
                except RecordDamaged:  # nor does anybody else read it there
                    continue
                entries.append(await self._committed_anew(str(sign), words))
                plain = json.dumps(words, ensure_ascii=False).encode()
                await connection.execute(
                    b"UPDATE vault.sign SET sealed = %s WHERE sign = %s",
                    [self._keys.addresses.seal(plain, f"sign:{sign}"), sign],
                )
            await self._people.destroy(connection, PLATFORM, [person])
        self._least.erase(PLATFORM, person)
        for one in entries:
            await self._record.outcome(one, Outcome.DONE, path)

    async def _committed_anew(self, sign: str, words: dict[str, Any]) -> int:
        """Commit to what is left, under another salt: the old commitment proves no address any more."""
        words["facts"]["salt"] = secrets.token_hex(16)
        files = [one["sha256"] for one in await self._signs.evidence.of_sign(sign)]
        commit = commitment(words["text"], words["mail"], words["facts"]["salt"], files)
        return await self._record.write(
            "sign", Path("vault"), shop=PLATFORM, ref=f"sign:{sign}", note=FORGOTTEN, commit=commit
        )

    def _opened(self, sign: str, sealed: bytes) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._keys.opens(sealed).open(sealed, f"sign:{sign}"))
        return told
