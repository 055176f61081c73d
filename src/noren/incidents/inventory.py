"""The inventory of secrets put together, and the query: what is reached from here, what was made anew.

Pure but for `read` and `house`. A state: `yes` made anew since the time asked about, `no`, `unknown`, or
`none` where there is none of it. What the system sees itself goes before what somebody says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from noren.incidents.secret_list import ONE_HOST, ONE_USER, OPENS, PLACES, SECRETS, STORES, Secret
from noren.people import inventory
from noren.people.inquiries import Pasted
from noren.people.inventory import Fact, Note, Told
from noren.runtime import secret_facts
from noren.runtime.env import Env
from noren.runtime.paths import Paths

Rule = tuple[tuple[str, ...], str]
# As they are read: what is left to do comes first.
STATES: Final = ("no", "unknown", "yes", "none")
DESK: Final = "desk"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it was made anew: when, and by whose word (empty: the system sees it)."""

    state: str
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A secret. `row` is the note of one that people added, `pasted` what is known of one from the desk.

    `through`: with what it is reached, where that was asked.
    """

    name: str
    secret: Secret
    fact: Fact
    verdict: Verdict
    places: tuple[Note, ...] = ()
    marks: tuple[Note, ...] = ()
    row: Note | None = None
    pasted: Pasted | None = None
    through: tuple[str, ...] = ()

    @property
    def seen(self) -> bool:
        """Whether the system sees itself when it was made: then nobody has to say so."""
        return self.fact.since is not None or self.fact.count == 0 or self.pasted is not None


@dataclass(frozen=True, slots=True)
class Reached:
    """The answer: the secrets in reach, what is left to do first; the stores, each with by what."""

    rows: tuple[Row, ...]
    stores: Mapping[str, tuple[str, ...]]

    def counts(self) -> dict[str, int]:
        """How many in each state."""
        return {state: sum(one.verdict.state == state for one in self.rows) for state in STATES}


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is known, and how one thing leads to another."""

    told: Told
    rules: tuple[Rule, ...]

    def rows(self, since: datetime | None) -> tuple[Row, ...]:
        """Give every secret, in the list's order, then those that people added and those that were pasted."""
        own = [one for one in self.told.notes if one.kind == "row" and one.gone_at is None]
        found = [self._row(one, since) for one in SECRETS]
        found += [self._row(Secret(note.secret, (), (), "own"), since, note) for note in reversed(own)]
        for one in self.told.pasted:
            secret = Secret(f"pasted-{one.secret}", (DESK,), (), "pasted")
            found.append(Row(secret.name, secret, Fact(count=1), _of_pasted(one, since), pasted=one))
        return tuple(found)

    def row(self, name: str, since: datetime | None = None) -> Row | None:
        """Give one of them."""
        return next((one for one in self.rows(since) if one.name == name), None)

    def nodes(self) -> tuple[str, ...]:
        """Name everything that a question may begin from."""
        return (*PLACES, *(one.name for one in self.rows(None)), *STORES)

    def reached(self, starts: Iterable[str], since: datetime | None) -> Reached:
        """Give all that is reached by who has `starts`, step by step."""
        through = closure(tuple(starts), self._leading())
        rows = [replace(one, through=through[one.name]) for one in self.rows(since) if one.name in through]
        rows.sort(key=lambda one: STATES.index(one.verdict.state))
        return Reached(tuple(rows), {name: through[name] for name in STORES if name in through})

    def leads_to(self, name: str) -> tuple[str, ...]:
        """Name what is reached with this one alone, in one step or many."""
        return tuple(node for node in closure((name,), self._leading(but=name)) if node != name)

    def with_others(self, name: str) -> tuple[Rule, ...]:
        """Name what is reached with this one and others together, in one step."""
        return tuple(rule for rule in self.rules if name in rule[0] and len(rule[0]) > 1)

    def _leading(self, *, but: str = "") -> list[Rule]:
        """What there is none of leads nowhere, and what was ended neither: all rules without those."""
        none = {name for name, fact in self.told.facts.items() if fact.count == 0} - {but}
        return [rule for rule in self.rules if not none & set(rule[0])]

    def _row(self, secret: Secret, since: datetime | None, row: Note | None = None) -> Row:
        notes = [one for one in self.told.notes if one.secret == secret.name and one.gone_at is None]
        marks = tuple(one for one in notes if one.kind == "rotated")
        fact = self.told.facts.get(secret.name, Fact())
        return Row(
            secret.name,
            secret,
            fact,
            verdict(fact, marks, since),
            places=tuple(one for one in notes if one.kind == "place"),
            marks=marks,
            row=row,
        )


def read(grant: str | None, given: Env) -> Inventory:
    """Ask the vault, on record, and look at the files of this host that may be read here."""
    told = inventory.read(grant)
    here = {name: Fact.of(one) for name, one in secret_facts.seen(given).items()}
    # A host that has none of it does not speak for the other one.
    facts = {**told.facts, **{name: one for name, one in here.items() if one.count or name not in told.facts}}
    whole = Told(facts, told.notes, told.pasted)
    return Inventory(whole, rules(given, whole))


def rules(given: Env, told: Told) -> tuple[Rule, ...]:
    """Give how one thing leads to another: by the list, by the hosts and users here, by what people wrote."""
    return (*house(given), *_of_notes(told.notes), *_of_pasted_at(told))


def house(given: Env) -> tuple[Rule, ...]:
    """Give how one thing leads to another here: on one machine or two, as one user or as several."""
    paths = Paths.of(given)
    lies = tuple(((place,), one.name) for one in SECRETS for place in one.lies)
    one_host = ONE_HOST if given.app_here and given.vault_here else ()
    side = paths.app if given.app_here else paths.vault
    one_user = ONE_USER if side.exists() and side.stat().st_uid == paths.var.stat().st_uid else ()
    return (*lies, *OPENS, *one_host, *one_user)


def closure(starts: tuple[str, ...], rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """Give all that is had in the end, in the order of steps: node -> by what (nothing, for a start)."""
    had: dict[str, tuple[str, ...]] = dict.fromkeys(starts, ())
    while True:
        news = {
            gives: needs
            for needs, gives in reversed(rules)
            if gives not in had and all(one in had for one in needs)
        }
        if not news:
            return had
        had |= news


def verdict(fact: Fact, marks: Sequence[Note], since: datetime | None) -> Verdict:
    """Say whether it was made anew since then; without a time, only when it was."""
    if fact.count == 0:
        return Verdict("none")
    if fact.since is not None:
        return Verdict(_state(fact.since, since), fact.since)
    if since is not None and fact.latest is not None and fact.latest < since:
        return Verdict("no")
    said = max(marks, key=lambda one: one.rotated_at or one.at, default=None)
    if said is not None and said.rotated_at is not None:
        return Verdict(_state(said.rotated_at, since), said.rotated_at, said.by)
    return Verdict("unknown")


def _state(made: datetime, since: datetime | None) -> str:
    return "unknown" if since is None else "yes" if made >= since else "no"


def _of_pasted(one: Pasted, since: datetime | None) -> Verdict:
    """Until somebody has made a new one it was not, whatever is asked about."""
    if one.done_at is None:
        return Verdict("no")
    return Verdict(_state(one.done_at, since), one.done_at, one.done_by or "")


def _of_notes(notes: Iterable[Note]) -> Iterable[Rule]:
    for one in notes:
        if one.gone_at is None and one.kind == "place":
            yield (one.place,), one.secret
        if one.gone_at is None and one.kind == "row":
            yield from (((one.secret,), node) for node in one.reaches)


def _of_pasted_at(told: Told) -> Iterable[Rule]:
    return (((DESK,), f"pasted-{one.secret}") for one in told.pasted)
