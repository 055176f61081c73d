"""What a person is told of one act on her data: by whom in which role, what for, which fields, how surely.

Pure. The rules are docs/my-data.md's: other people are told by their role only; what is withheld while an
investigation is open is marked afterwards; what no person is told line by line is named in UNTOLD.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.exposure import SILENT, state_of
from noren_vault.rights import Role

# Told in general words, with the last time, and not line by line: they open or copy everybody at once.
UNTOLD: Final = ("search_build", "backup", "restore", "key", "start", "repair", "outcome", "scope")
# A look for an incident is told when its investigation is closed, and at the latest so long after it.
LONGEST_MS: Final = 90 * 86_400_000
# By these notes her own reading of this list is known in the record; it is counted, and is no line.
READING, MORE, PROOF_TAKEN = "lookups", "lookups.more", "lookups.proof"
# So is her reading of which bookings are hers.
RECORDS_READ: Final = "records"
# And the owner's reading of a customer's, which is a line.
OWNERS_READING: Final = "looks"
READINGS: Final = (READING, MORE, PROOF_TAKEN, RECORDS_READ)
_NOREN: Final = ("vault", "mail", "app")


@dataclass(frozen=True, slots=True)
class Member:
    """Who works for the shop, or did: the role is the present one, or the last."""

    role: str
    staff: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of the ledger that names her, as the index has it."""

    entry: int
    at: int
    kind: str
    actor: str
    purpose: str
    fields: tuple[str, ...]
    outcome: str
    note: str
    late: bool

    def to_wire(self, mine: Sequence[str], members: dict[str, Member], *, named: bool) -> dict[str, Any]:
        """The shape of one line; `at` in POSIX seconds. Names of other persons are nowhere in it."""
        member = members.get(self.actor)
        return {
            "entry": self.entry,
            "at": self.at / 1000,
            "kind": self.kind,
            "role": role_of(self.kind, self.actor, mine, member),
            "staff": member.staff if member is not None and named else None,
            "purpose": self.purpose,
            "fields": list(self.fields),
            "state": self.state,
            "late": self.late,
        }

    @property
    def state(self) -> str:
        """Exposed, possibly, not; of what tells nothing of her: none."""
        if self.kind == "refused":
            return "not"
        return "none" if self.kind in SILENT else state_of(self.kind, self.outcome, sure=True).word


def role_of(kind: str, actor: str, mine: Sequence[str], member: Member | None) -> str:
    """Say who acted, as far as she may know it: nobody's id, nobody's handle."""
    if actor.startswith("person:"):
        return "self" if actor.removeprefix("person:") in mine else "customer"
    if member is not None:
        return member.role
    if actor.startswith("key-"):
        return Role.KEY
    if kind in ("put", "update") and actor == "app":
        return "booking"
    if kind == "import":
        return "import"
    if actor.endswith(".operator"):
        return Role.OPERATOR
    return "noren" if actor in _NOREN else "administrator" if actor == "admin" else "other"


def whole(actor: str, persons: Sequence[str], mine: Sequence[str], *, named: bool) -> bool:
    """Whether an entry may be given as it stands: it names nobody whom the list does not name.

    A handle is nearly a name, and another person's id tells who was on a list together.
    """
    if not set(persons) <= set(mine):
        return False
    if actor.startswith("person:"):
        return actor.removeprefix("person:") in mine
    if actor in (*_NOREN, "admin"):
        return True
    return named and not actor.endswith(".operator")
