"""Which entries of the ledger are signs that something may be amiss. Pure but for what it counts.

What a part of the vault refuses, misses or finds broken, it writes down; so nothing has to tell of a sign
beside its entry. Who only errs at signing in is none: the defence of sign-in tells of what is more than that.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from noren_vault.ledger import Entry

REFUSALS: Final = 10
REFUSALS_MS: Final = 600_000
_MOST_TALLIES: Final = 10_000
# What a person's slip at signing in is refused with.
_SLIPS: Final = (
    "password", "second_factor", "second_factor_gone", "totp", "recovery", "membership", "passkey", "code",
    "mailed_code", "mailed", "must_reset", "breached", "passkey_required", "reset", "mail_taken", "sso",
    "sso_unknown", "sso_group",
)  # fmt: skip
_DOOR_TOLD: Final = ("ended", "explained")
# Where those `sign` entries come from that ring for operators: of the rest an account's owner was told.
_NOTED: Final[Mapping[str, str]] = {
    "attack": "vault",
    "not_me": "person",
    "damaged": "vault",
    "canary": "outside",
    "hold_over": "vault",
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One sign in one entry. What has the same `same` is the same again."""

    source: str
    what: str
    same: str
    at: int
    entry: int
    facts: Mapping[str, str] = field(default_factory=dict)


class Sightings:
    """Reads entries, one after another."""

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._refused: dict[str, deque[int]] = {}

    def of(self, index: int, entry: Entry) -> Sighting | None:
        """Give the sign that an entry is, if it is one."""
        found = self._of(entry)
        if found is None:
            return None
        source, what, same = found
        facts = {
            "actor": entry.actor,
            "session": entry.session,
            "shop": str(entry.shop or ""),
            "note": entry.note,
            "ref": entry.ref,
        }
        return Sighting(
            source,
            what,
            f"{what}:{same or index}",
            entry.time,
            index,
            {name: text for name, text in facts.items() if text},
        )

    def _of(self, entry: Entry) -> tuple[str, str, str] | None:
        """Source, what, and what makes it the same again; empty where each is one of its own."""
        match entry.kind:
            case "door" if entry.note not in _DOOR_TOLD:
                return "door", "door", entry.session
            case "sign" if entry.note in _NOTED:
                # A broken record is one thing with the others of its shop; an export that turned up is one.
                same = str(entry.shop) if entry.note == "damaged" else entry.ref or entry.note
                return _NOTED[entry.note], entry.note, same
            case "repair":
                return "ledger", "repaired", ""
            case "witness" if entry.note in ("forked", "behind"):
                return "ledger", entry.note, "ledger"
            case "refused" if entry.note.startswith("budget:"):
                return "vault", "budget", f"{entry.actor}/{entry.shop}"
            case "refused" if entry.note not in _SLIPS and self._many(entry):
                return "vault", "refused", _who(entry)
        return None

    def _many(self, entry: Entry) -> bool:
        """Whether the same one was refused so often in so long, this time included."""
        if len(self._refused) >= _MOST_TALLIES:
            self._refused.clear()
        times = self._refused.setdefault(_who(entry), deque(maxlen=REFUSALS))
        times.append(entry.time)
        return len(times) == REFUSALS and entry.time - times[0] <= REFUSALS_MS


def _who(entry: Entry) -> str:
    """Who was refused: a credential where there is one, else a session, else a process."""
    return entry.credential or entry.session or entry.process or entry.actor or "nobody"
