"""What is known of persons and their fields, put together from entries and from stores. Pure.

Three states, and never blank: EXPOSED, it was told or lay readable; POSSIBLY, it was about to be told and
nothing on record says that it was not; NOT, it stands in what was asked about and was surely not told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

# In: the values came from outside, so they were seen whatever became of them.
IN: Final = ("put", "update", "import", "member")
# These name persons and tell nothing of them. A kind that is not listed counts as telling: what a later way
# out writes is never left out because nobody remembered it here.
SILENT: Final = (
    "outcome", "erase", "refused", "signin", "signout", "register", "invite", "scope", "start", "repair",
    "key", "backup", "restore", "door", "connections", "bounce", "search_build", "right", "prove", "budget",
    "sign",
    "power", "incident", "merge", "notice",
)  # fmt: skip
# `refused`: the other side was told, and did not take it.
TOLD: Final = ("released", "done", "sent", "refused")
NOT_TOLD: Final = "failed"
# An entry that names persons and no field tells that they are there.
PRESENCE: Final = "presence"


class State(IntEnum):
    """The stronger of two is the larger."""

    NOT = 0
    POSSIBLY = 1
    EXPOSED = 2

    @property
    def word(self) -> str:
        """As on the wire."""
        return ("not", "possibly", "exposed")[self]


def state_of(kind: str, outcome: str, *, sure: bool) -> State:
    """What an entry of this kind and newest outcome says. Without `sure` it may have been somebody else."""
    if kind not in IN and outcome == NOT_TOLD:
        return State.NOT
    told = kind in IN or outcome in TOLD
    return State.EXPOSED if told and sure else State.POSSIBLY


@dataclass(slots=True)
class Seen:
    """One field of one person: between when, and how surely. Milliseconds."""

    first: int
    last: int
    state: State

    def add(self, first: int, last: int, state: State) -> None:
        """Widen it; what was surely not told widens nothing that was."""
        if (state > State.NOT) == (self.state > State.NOT):
            self.first, self.last = min(self.first, first), max(self.last, last)
        elif state > State.NOT:
            self.first, self.last = first, last
        self.state = max(self.state, state)


@dataclass(slots=True)
class Exposure:
    """One person of one shop."""

    shop: int
    person: str
    fields: dict[str, Seen] = field(default_factory=dict)
    purposes: set[str] = field(default_factory=set)
    entries: set[int] = field(default_factory=set)

    @property
    def state(self) -> State:
        """The strongest of the fields'."""
        return max((one.state for one in self.fields.values()), default=State.NOT)

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer; instants are POSIX seconds. Of who is exposed, the fields that are."""
        least = min(self.state, State.POSSIBLY)
        seen = {name: one for name, one in sorted(self.fields.items()) if one.state >= least}
        return {
            "person": self.person,
            "shop": self.shop,
            "fields": {
                name: [one.first / 1000, one.last / 1000, one.state.word] for name, one in seen.items()
            },
            "first": min((one.first for one in seen.values()), default=0) / 1000,
            "last": max((one.last for one in seen.values()), default=0) / 1000,
            "purposes": sorted(self.purposes),
            "state": self.state.word,
            "entries": sorted(self.entries),
        }


class Exposures:
    """All persons of an answer."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._found: dict[tuple[int, str], Exposure] = {}

    def add(
        self,
        shop: int,
        person: str,
        names: Iterable[str],
        *,
        first: int,
        last: int,
        state: State,
        purpose: str,
        entries: Iterable[int] = (),
    ) -> None:
        """Put in what one group of entries, or one store, says of a person."""
        one = self._found.setdefault((shop, person), Exposure(shop, person))
        one.purposes.add(purpose)
        one.entries.update(entries)
        for name in names or (PRESENCE,):
            seen = one.fields.get(name)
            if seen is None:
                one.fields[name] = Seen(first, last, state)
            else:
                seen.add(first, last, state)

    def ask_for(self, shop: int, persons: Iterable[str]) -> None:
        """Let who was asked for stand in the answer, exposed or not."""
        there = {person for _, person in self._found}
        for person in persons:
            if person not in there:
                self._found[shop, person] = Exposure(shop, person)

    def fields_of(self, shop: int, person: str) -> set[str]:
        """Which fields of a person are (possibly) exposed."""
        one = self._found.get((shop, person))
        return {name for name, seen in one.fields.items() if seen.state > State.NOT} if one else set()

    def split(self) -> tuple[list[Exposure], list[Exposure]]:
        """Who is (possibly) exposed, and who stands in it and is not; both by shop."""
        ordered = [self._found[key] for key in sorted(self._found)]
        return (
            [one for one in ordered if one.state > State.NOT],
            [one for one in ordered if one.state is State.NOT],
        )
