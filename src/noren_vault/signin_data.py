"""Stores taken whole: what accounts sign in with, what came of their sign-ins, and words that lie sealed.

Whose (handle, and person where there is one), which kind of thing, what it was worth with the keys that were
in the same hand, from when to when. Who had what at a time is read from the ledger: each thing is on record
before it is stored, so an answer names at most too much (what broke off between the two). What only the
tables know, as after a restore with an older ledger, is added from today's, with no entry to show for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from noren_vault.database import Database, Row
from noren_vault.exposure import State
from noren_vault.providers import Kind
from noren_vault.question import Question
from noren_vault.told import Told

# A deed follows its entry a little later.
LATER_MS: Final = 60_000
CLEAR, HASHED, READABLE, GUESSABLE, CIPHER = "clear", "hashed", "readable", "guessable", "cipher"


class Sort(NamedTuple):
    """What a kind of thing is worth in whose hand its key is, and which key that is."""

    worth: str
    key: str = ""


# A public key is no secret and names an account. Hashes of chance cannot be guessed, with or without keys; a
# password's can. Grants' secrets are such hashes, too, and name nobody that an address does not.
SORTS: Final[Mapping[str, Sort]] = {
    "passkey": Sort(CLEAR),
    "password": Sort(GUESSABLE, Kind.PEPPER),
    "totp": Sort(READABLE, Kind.PEPPER),
    "recovery": Sort(HASHED, Kind.PEPPER),
    "mail_index": Sort(READABLE, Kind.PEPPER),
    "subject": Sort(READABLE, Kind.PEPPER),
    "address": Sort(READABLE, Kind.EPOCH),
    "reason": Sort(READABLE, Kind.EPOCH),
    "door": Sort(READABLE, Kind.EPOCH),
    "invitation": Sort(HASHED),
    "api_key": Sort(HASHED),
    "other": Sort(READABLE, Kind.PEPPER),
}
# What a `register` sets, by its note; a note that is not known here sets something, too: `other`.
SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("passkey", "mail_index"),
    "passkey_added": ("passkey", "other"),
    "password": ("password", "mail_index"),
    "password_reset": ("password",),
    "totp_begun": ("totp",),
    "totp": ("totp",),
    "recovery_codes": ("recovery",),
    "api_key": ("api_key", "reason"),
    "sso": ("subject",),
}
ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "passkey_removed": ("passkey",),
    "totp_ended": ("totp", "recovery"),
    # Its hash and its label lie there on.
    "api_key_ended": (),
    # All of it: as an erasure does.
    "account_ended": (),
}
# These have a name of their own; a new password takes the place of every other.
NAMED: Final = ("passkey", "password", "api_key")
# Here the name is in `ref`: the way by which it was done is another passkey.
BY_REF: Final = ("passkey_added", "passkey_removed")
# An erasure destroys these. What stays names nobody any more but by the ids of the record.
FORGOTTEN: Final = ("passkey", "password", "totp", "recovery", "mail_index", "subject", "other")

_ENTRIES: Final = """
SELECT e.entry, e.at, e.kind, e.actor, e.credential, e.shop_id, e.ref, e.note FROM vault.ledger_entry e
WHERE (e.kind IN ('register', 'invite') OR (e.kind = 'budget' AND e.note = 'asked')
    OR (e.kind IN ('export', 'import') AND starts_with(e.note, 'asked:'))
    OR (e.kind = 'door' AND e.note <> 'ended'))
  AND e.at - e.skew <= %(until)s AND e.entry < %(size)s
UNION ALL
(SELECT DISTINCT ON (e.actor) e.entry, e.at, e.kind, e.actor, '', e.shop_id, '', ''
FROM vault.ledger_entry e
WHERE e.kind = 'signin' AND e.session <> '' AND e.at - e.skew <= %(until)s AND e.entry < %(size)s
ORDER BY e.actor, e.entry)
ORDER BY 1
"""
_PERSONS: Final = """
SELECT DISTINCT ON (e.ref) e.ref, p.person::text, e.entry
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.kind IN ('member', 'invite') AND e.at - e.skew <= %(until)s AND e.entry < %(size)s
ORDER BY e.ref, e.entry
"""
_ERASED: Final = """
SELECT p.person::text, max(e.at), array_agg(e.entry)
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.kind = 'erase' AND {outcome} = 'done' AND e.at - e.skew <= %(until)s AND e.entry < %(size)s
  AND p.person = ANY(%(persons)s::uuid[]) GROUP BY 1
"""
_TODAY: Final = """
SELECT a.shop_id, a.handle, a.person::text, t.kind, t.credential, t.at FROM vault.actor a JOIN (
    SELECT actor, 'passkey' AS kind, name AS credential, added_at AS at FROM vault.passkey
    UNION ALL SELECT actor, 'password', credential, set_at FROM vault.password
    UNION ALL SELECT actor, 'totp', '', min(made_at) FROM vault.totp GROUP BY actor
    UNION ALL SELECT actor, 'recovery', '', made_at FROM vault.recovery
    UNION ALL SELECT m.actor, 'mail_index', '', o.made_at
        FROM keystore.signin_mail m JOIN vault.actor o USING (actor)
        WHERE NOT EXISTS (SELECT FROM vault.ledger_entry e WHERE e.kind = 'register' AND e.actor = o.handle)
    UNION ALL SELECT actor, 'subject', '', bound_at FROM keystore.sso_subject
    UNION ALL SELECT actor, 'invitation', '', min(made_at) FROM vault.invite GROUP BY actor
    UNION ALL SELECT actor, 'address', '', min(issued_at)
        FROM vault.access_grant WHERE session <> '' GROUP BY actor
    UNION ALL SELECT made_by, 'api_key', name, made_at FROM vault.api_key
    UNION ALL SELECT actor, 'reason', '', min(asked_at) FROM vault.allowance GROUP BY actor
    UNION ALL SELECT actor, 'reason', '', min(asked_at) FROM vault.transfer GROUP BY actor
) t USING (actor) WHERE t.at <= %(until)s
"""


@dataclass(slots=True)
class Lain:
    """One thing of one account: since when it lay there, and until when (None: it still did)."""

    shop: int
    at: int
    ended: int | None = None
    entries: set[int] = field(default_factory=set)


class Thing(NamedTuple):
    """Whose it is and what. A handle is one account's, whichever shop it was signed in to."""

    actor: str
    kind: str
    credential: str


class Lives(dict[Thing, list[Lain]]):
    """What lay where, put together from entries in their order."""

    def put(self, row: Row) -> None:
        """Take in what one entry says."""
        entry, at, kind, actor, credential, shop, ref, note = row
        new = Lain(shop, at, entries={entry})
        if kind == "register":
            own = ref if note in BY_REF else credential
            if note == "account_ended":
                for thing in [one for one in self if one.actor == actor and one.kind in FORGOTTEN]:
                    self._end(thing, new)
            for name in ENDS.get(note, ()):
                self._end(Thing(actor, name, own if name == "passkey" else ""), new)
            for name in () if note in ENDS else SETS.get(note, ("other",)):
                self._register(Thing(actor, name, own if name in NAMED else ""), new)
        elif kind == "invite":
            self._set(Thing(ref, "invitation", ""), new)
        else:
            self._set(Thing(actor, {"signin": "address", "door": "door"}.get(kind, "reason"), ""), new)

    def _register(self, thing: Thing, new: Lain) -> None:
        if thing.kind == "password":
            for other in [one for one in self if one[:2] == thing[:2]]:
                self._end(other, new)
        self._set(thing, new)

    def _set(self, thing: Thing, new: Lain) -> None:
        lives = self.setdefault(thing, [])
        if not lives or lives[-1].ended is not None:
            lives.append(Lain(new.shop, new.at, entries=set(new.entries)))

    def _end(self, thing: Thing, by: Lain) -> None:
        for one in self.get(thing, ()):
            if one.ended is None:
                one.ended = by.at
                one.entries |= by.entries

    def erase(self, actor: str, at: int, entries: Iterable[int]) -> None:
        """Let an erasure end what it destroys."""
        for thing, lives in self.items():
            if thing.actor == actor:
                for one in lives:
                    one.entries.update(entries)
                    if thing.kind in FORGOTTEN:
                        one.ended = at if one.ended is None else min(at, one.ended)


@dataclass(frozen=True, slots=True)
class Hand:
    """One store in a hand: its name and time, which keys fit it, whether nothing is against its keys."""

    name: str
    since: int
    until: int
    keys: frozenset[str]
    intact: bool

    def form(self, sort: Sort) -> str:
        """What a kind of thing is in this hand."""
        if sort.worth in (CLEAR, HASHED):
            return sort.worth
        return sort.worth if sort.key in self.keys else CIPHER

    def state(self, form: str) -> State:
        """What that means. At a door somebody stood, and nobody knows what was read."""
        if form == HASHED:
            return State.NOT
        if form == CIPHER:
            return State.NOT if self.intact else State.POSSIBLY
        door = self.name.startswith("door:") and form == CLEAR
        return State.POSSIBLY if door else State.EXPOSED


async def read(database: Database, question: Question, told: Told, hand: Hand) -> list[dict[str, Any]]:
    """Give all things of accounts that lay in a store, as they go on the wire."""
    within = {"until": hand.until} | told.params
    lives = Lives()
    for row in await database.rows(_ENTRIES, within):
        lives.put(row)
    named = {ref: (person, entry) for ref, person, entry in await database.rows(_PERSONS, within)}
    persons = {one.actor: _person(one.actor, named) for one in lives}
    asked = within | {"persons": [one for one in persons.values() if one is not None]}
    ends = await database.rows(_ERASED.format(outcome=told.outcome), asked)
    erased = {row[0]: (row[1], row[2]) for row in ends}
    for actor, person in persons.items():
        if person in erased:
            lives.erase(actor, *erased[person])
    lay = []
    for thing, lain in sorted(lives.items()):
        there = [one for one in lain if one.ended is None or one.ended + LATER_MS >= hand.since]
        entries = {entry for one in there for entry in one.entries}
        if thing.actor in named:
            entries.add(named[thing.actor][1])
        if there:
            lay.append(_wire(thing, persons[thing.actor], there, entries, hand))
    there_already = {_thing(one) for one in lay}
    lay += [one for one in await _today(database, hand) if _thing(one) not in there_already]
    return [one for one in lay if _asked_for(one, question)]


async def _today(database: Database, hand: Hand) -> list[dict[str, Any]]:
    """What stands in the tables of today and was made before: named where the ledger does not."""
    rows = await database.rows(_TODAY, {"until": hand.until})
    return [
        _wire(Thing(actor, kind, credential), person, [Lain(shop, at)], (), hand)
        for shop, actor, person, kind, credential, at in rows
    ]


def _wire(
    thing: Thing, person: str | None, lives: list[Lain], entries: Iterable[int], hand: Hand
) -> dict[str, Any]:
    sort = SORTS[thing.kind]
    form = hand.form(sort)
    ended = [None if one.ended is None else max(one.ended, hand.since) for one in lives]
    last = hand.until if None in ended else min(hand.until, max(one for one in ended if one is not None))
    return {
        "store": hand.name,
        "shop": lives[0].shop,
        "actor": thing.actor,
        "person": person,
        "kind": thing.kind,
        "credential": thing.credential,
        "form": form,
        "key": str(sort.key),
        "first": max(min(one.at for one in lives), hand.since) / 1000,
        "last": last / 1000,
        "state": hand.state(form).word,
        "entries": sorted(entries),
    }


def _thing(one: Mapping[str, Any]) -> Thing:
    return Thing(one["actor"], one["kind"], one["credential"])


def _person(actor: str, named: Mapping[str, tuple[str, int]]) -> str | None:
    """A customer's handle is her person; a member's was put on record with the handle."""
    if actor.startswith("person:"):
        return actor.removeprefix("person:")
    return named[actor][0] if actor in named else None


def _asked_for(one: Mapping[str, Any], question: Question) -> bool:
    return question.shop in (None, one["shop"]) and (
        not question.persons or one["person"] in question.persons
    )
