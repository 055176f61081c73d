"""Whether what was reported from outside is as it came: words, address, files, by the ledger's commitment."""

import hashlib
import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any, Final

from noren_vault import commitments
from noren_vault.database import Database
from noren_vault.errors import RecordDamaged
from noren_vault.evidence import Evidence
from noren_vault.keys import Keys
from noren_vault.record import Record

REPORTED: Final = "reported"
# The same once its address is erased: words without it, under another salt.
FORGOTTEN: Final = "forgotten"


def commitment(text: str, mail: str, salt: str, files: Sequence[str]) -> str:
    """Commit to a report; `files` are their hashes."""
    told = {"text": text, "mail": mail, "salt": salt, "files": list(files)}
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


class Reported:
    """Looks at all reports; changes nothing."""

    def __init__(self, database: Database, record: Record, keys: Keys, evidence: Evidence) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._evidence = evidence

    async def damaged(self) -> list[str]:
        """Name the reports that are gone or not as the ledger has them, and the files that are not whole."""
        rows = await self._database.rows("SELECT sign, sealed FROM vault.sign WHERE what = 'report'")
        there: dict[str, set[str]] = {}
        spoiled: list[str] = []
        for sign, sealed in rows:
            try:
                files = await self._evidence.of_sign(sign)
                there[f"sign:{sign}"] = self._may_stand(sign, bytes(sealed), [one["sha256"] for one in files])
            except (RecordDamaged, KeyError):
                there[f"sign:{sign}"] = set()
                continue
            spoiled += [f"file:{one['file']}" for one in files if not await self._evidence.is_whole(**one)]
        notes = (REPORTED, FORGOTTEN)
        broken = await commitments.broken(self._database, self._record, "sign", notes, there)
        return sorted({*broken, *spoiled})

    def _may_stand(self, sign: str, sealed: bytes, files: Sequence[str]) -> set[str]:
        """Give the commitments of this report: the order in which its few files came is not kept."""
        told: dict[str, Any] = json.loads(self._keys.opens(sealed).open(sealed, f"sign:{sign}"))
        words = (told["text"], told["mail"], told["facts"]["salt"])
        return {commitment(*words, some) for some in permutations(files)}
