"""Writing down: the one way from the vault to its ledger.

Who wants to tell or take something calls `write` first and goes on only when it returned: the entry is then
durable. `outcome` follows when it is known how it ended. An entry without an outcome counts as told.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from noren_vault import process
from noren_vault.errors import LedgerUnavailable
from noren_vault.ledger import Entry, Ledger
from noren_vault.ledger import LedgerUnavailable as Refused

# A batch of outcomes is a sync of the disk, for which a reveal may have to wait.
_TOGETHER_SECONDS: Final = 0.2
_log = structlog.get_logger("record")


class Outcome(StrEnum):
    """How an entry's act ended. Only FAILED says that nothing was told or taken.

    REFUSED: the other side was told, and did not take it.
    """

    RELEASED = "released"
    DONE = "done"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Path:
    """By which way somebody came: what every entry says about its "who"."""

    actor: str
    credential: str = ""
    session: str = ""


def session_name(session: str) -> str:
    """Give the name under which a session stands in the record: a session's own id opens doors."""
    if not session or session.startswith("s-"):
        return session
    return f"s-{hashlib.sha256(session.encode()).hexdigest()[:32]}"


class Record:
    """The ledger, as everything else in the vault sees it."""

    def __init__(self, ledger: Ledger) -> None:
        """Keep the open ledger. `refused` is why the last entry was not taken, or empty."""
        self.ledger = ledger
        self.refused = ""
        self._late: list[tuple[int, Outcome, Path]] = []
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    async def write(
        self,
        kind: str,
        path: Path,
        *,
        shop: int = 0,
        purpose: str = "",
        persons: Iterable[str] = (),
        fields: Iterable[str] = (),
        ref: str = "",
        note: str = "",
        commit: str = "",
    ) -> int:
        """Make an entry durable and give its index. Raises LedgerUnavailable; then nothing may be told."""
        entry = Entry(
            kind=kind,
            actor=path.actor,
            credential=path.credential,
            session=path.session,
            process="" if kind == "outcome" else process.current.get(),
            shop=shop,
            purpose=purpose,
            persons=tuple(persons),
            fields=tuple(fields),
            ref=ref,
            note=note,
            commit=commit,
        )
        try:
            receipt = await self.ledger.append(entry)
        except Refused as refused:
            self.refused = refused.reason
            _log.error("ledger_unavailable", reason=refused.reason, kind=kind)
            raise LedgerUnavailable(str(refused), reason=refused.reason) from refused
        self.refused = ""
        return receipt.index

    async def outcome(self, entry: int, outcome: Outcome, path: Path) -> None:
        """Say how it ended. Best effort: what is not said leaves the entry counted as told."""
        try:
            await self.write("outcome", path, ref=str(entry), note=outcome)
        except LedgerUnavailable:
            _log.warning("outcome_not_written", entry=entry, outcome=str(outcome))

    async def damaged(self, shop: int, persons: Iterable[str]) -> None:
        """Say that records do not open as they were written. Best effort: the asking is refused anyway."""
        with suppress(LedgerUnavailable):
            await self.write("sign", Path("vault"), shop=shop, persons=persons, note="damaged")

    def outcome_later(self, entry: int, outcome: Outcome, path: Path) -> None:
        """Say how it ended without making anybody wait; those of a moment become one batch of the ledger."""
        self._late.append((entry, outcome, path))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_late())

    async def settle(self) -> None:
        """Write the outcomes that wait, now."""
        if self._writing is not None:
            self._hurry.set()
            await self._writing

    async def _write_late(self) -> None:
        while self._late:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), _TOGETHER_SECONDS)
            self._hurry.clear()
            late, self._late = self._late, []
            await asyncio.gather(*(self.outcome(*one) for one in late))
