"""What the vault does for backups: a key for the wrapped keys, a canary, and words for the ledger.

Each backup has an age identity (X25519) of its own for the part that holds wrapped data keys. It is made
here, sealed under the day's backup key and given away only so: once that key is destroyed, nobody reads the
part. Each backup also has a canary: a customer of no shop (0) with an address that stands nowhere else.
"""

import hashlib
import secrets
from typing import Any, Final

import pyrage

from noren_vault import fields
from noren_vault.backup_keys import BackupKeys
from noren_vault.database import Database
from noren_vault.errors import BadRequest, LedgerUnavailable, NoSuchPerson, RecordDamaged
from noren_vault.floors import Floors
from noren_vault.people import People
from noren_vault.providers import FileProvider, KeysError, Kind
from noren_vault.record import Outcome, Path, Record
from noren_vault.records import Records
from noren_vault.rights import PLATFORM
from noren_vault.sealing import plain_key
from noren_vault.signin_mails import SigninMails

# What may be told of a restore: `verified` and `failed` of a trial, the rest of one that is to serve.
TOLD: Final = ("verified", "failed", "restored", "older_ledger")
_BATCH: Final = 500
_ERASED: Final = """
SELECT p.shop_id, p.person::text FROM vault.person p
JOIN unnest(%s::bigint[], %s::uuid[]) AS e(shop_id, person) USING (shop_id, person)
WHERE p.state <> 'erased' ORDER BY 1, 2
"""


class Backups:
    """The acts of an administrator's process that makes, tries or restores backups."""

    def __init__(
        self, records: Records, people: People, record: Record, backup_keys: BackupKeys, host: str
    ) -> None:
        """Keep the parts. `host` is the origin's: canaries have addresses there."""
        self._records = records
        self._people = people
        self._record = record
        self._backup_keys = backup_keys
        self._host = host

    async def begin(self, backup: str, path: Path) -> dict[str, Any]:
        """Give what a backup needs, before its snapshot: recipient, sealed identity, canary.

        Raises LedgerUnavailable, KeysError.
        """
        key = await self._backup_keys.current()
        await self._record.write("backup", path, ref=f"backup:{backup}", note="begun")
        identity = pyrage.x25519.Identity.generate()
        sealed = key.seal(str(identity).encode(), place(backup))
        mail = f"{secrets.token_hex(16)}@{self._host if '.' in self._host else 'localhost.localdomain'}"
        values = fields.checked({"name": "-", "mail": mail}, required=("name",))
        person, _ = await self._records.put(PLATFORM, f"backup:{backup}", values, path)
        await self._records.keep(PLATFORM, person)
        return {
            "recipient": str(identity.to_public()),
            "key": key.id.hex(),
            "sealed": sealed.hex(),
            "canary": {"person": person, "sha256": hashlib.sha256(mail.encode()).hexdigest()},
        }

    async def end(self, backup: str, manifest: str, path: Path) -> int:
        """Put the SHA-256 (hex) of a finished backup's manifest on record; gives the entry's index."""
        if len(manifest) != 64:
            raise BadRequest("a manifest is named by its SHA-256 in hexadecimal")
        return await self._record.write(
            "backup", path, ref=f"backup:{backup}/manifest:{manifest}", note="made"
        )

    async def canary(self, person: str, path: Path) -> str:
        """Reveal a canary's address, on record as every reveal is. Raises NoSuchPerson, RecordDamaged."""
        found = await self._people.read(PLATFORM, [person], ("mail",))
        if not found:
            raise NoSuchPerson("no such canary")
        entry = await self._record.write("intent", path, purpose="canary", persons=[person], fields=("mail",))
        try:
            mail = self._people.open(PLATFORM, found[0], ("mail",)).get("mail")
        except RecordDamaged:
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise
        self._record.outcome_later(entry, Outcome.RELEASED, path)
        return "" if mail is None else mail.text

    async def restored(self, backup: str, told: str, size: int, path: Path) -> int:
        """Put a restore, or the trial of one, on record. `size` is the backup's own ledger's."""
        if told not in TOLD:
            raise BadRequest(f"of a restore is told one of {', '.join(TOLD)}")
        return await self._record.write("restore", path, ref=f"backup:{backup}/size:{size}", note=told)


def place(backup: str) -> str:
    """What a sealed identity is bound to."""
    return f"backup:{backup}/keystore"


def open_identity(provider: FileProvider, key_id: bytes, backup: str, sealed: bytes) -> str:
    """Give the identity (AGE-SECRET-KEY-1...) of a backup's wrapped keys, without a database.

    Raises KeysError where the backup key is not there (any more), RecordDamaged for another's text. Blocks.
    """
    for stored in provider.stored(Kind.BACKUP):
        if stored.id == key_id:
            return plain_key(stored.id, provider.read(stored), "backup").open(sealed, place(backup)).decode()
    raise KeysError(f"the backup key {key_id.hex()} is not in {provider.folder}: destroyed, or never there")


async def erase_again(database: Database, people: People, record: Record, least: Floors) -> int:
    """Erase who is erased by the ledger and not by the database: an older one was put back.

    At each start, before anything is served; gives the number of persons. Without a ledger that takes an
    entry nobody is erased now; the floors keep them closed all the same.
    """
    erased, found = sorted(least.erased()), []
    for start in range(0, len(erased), 10_000):
        part = erased[start : start + 10_000]
        found += await database.rows(_ERASED, [[shop for shop, _ in part], [person for _, person in part]])
    by_shop: dict[int, list[str]] = {}
    for shop, person in found:
        by_shop.setdefault(shop, []).append(person)
    for shop, persons in by_shop.items():
        for start in range(0, len(persons), _BATCH):
            some = persons[start : start + _BATCH]
            try:
                await record.write("restore", Path("vault"), shop=shop, persons=some, note="erased_again")
            except LedgerUnavailable:
                return 0
            async with database.transaction() as connection:
                await people.destroy(connection, shop, some)
                await SigninMails.forget(connection, shop, some)
    return len(found)
