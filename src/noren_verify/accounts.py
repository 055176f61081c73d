"""Sign-in data in a store that was taken, worked out from the ledger's entries alone.

The rules are those of docs/scope.md; nothing is shared with the server.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Entries = Mapping[int, Json]

LATER_MS = 60_000
# kind: what it is in whose hand its key is, and that key
SORTS = {
    "passkey": ("clear", ""),
    "password": ("guessable", "pepper"),
    "totp": ("readable", "pepper"),
    "recovery": ("hashed", "pepper"),
    "mail_index": ("readable", "pepper"),
    "subject": ("readable", "pepper"),
    "address": ("readable", "epoch"),
    "reason": ("readable", "epoch"),
    "door": ("readable", "epoch"),
    "invitation": ("hashed", ""),
    "api_key": ("hashed", ""),
    "other": ("readable", "pepper"),
}
# a `register`'s note: what it sets
SETS = {
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
ENDS = {
    "passkey_removed": ("passkey",),
    "totp_ended": ("totp", "recovery"),
    "api_key_ended": (),
    "account_ended": ("passkey", "password", "totp", "recovery", "mail_index", "subject", "other"),
}
NAMED = ("passkey", "password", "api_key")
BY_REF = ("passkey_added", "passkey_removed")
FORGOTTEN = ("passkey", "password", "totp", "recovery", "mail_index", "subject", "other")


class Life:
    """One thing of one account, from its setting to its end."""

    def __init__(self, index: int, entry: Json) -> None:
        self.shop, self.first = entry["shop"], entry["time"]
        self.last: int | None = None
        self.entries = {index}

    def end(self, index: int, entry: Json) -> None:
        """What ended it; the first end is the end."""
        self.entries.add(index)
        if self.last is None or entry["time"] < self.last:
            self.last = entry["time"]


def in_store(entries: Entries, outcomes: Mapping[int, str], store: Json, *, intact: bool) -> Iterator[Json]:
    """What lay in one store, in the shape of the answer."""
    if store["form"] not in ("cipher", "readable"):
        return
    until = store["until"]
    there = {index: one for index, one in sorted(entries.items()) if one["time"] - one["skew"] <= until}
    persons = _persons(there)
    lives = _lives(there)
    for actor, (person, _) in persons.items():
        _erase(there, outcomes, person, [item for item in lives.items() if item[0][0] == actor])
    for (actor, kind, credential), all_lives in sorted(lives.items()):
        left = [one for one in all_lives if one.last is None or one.last + LATER_MS >= store["since"]]
        if not left:
            continue
        by = persons[actor][1] if actor in persons else set()
        form = _form(kind, store)
        yield {
            "store": store["name"],
            "shop": left[0].shop,
            "actor": actor,
            "person": persons[actor][0] if actor in persons else None,
            "kind": kind,
            "credential": credential,
            "form": form,
            "key": SORTS[kind][1],
            "first": max(min(one.first for one in left), store["since"]),
            "last": max(_last(one, store) for one in left),
            "state": _state(form, store, intact=intact),
            "entries": sorted(by.union(*(one.entries for one in left))),
        }


def _last(life: Life, store: Json) -> int:
    until: int = store["until"]
    return until if life.last is None else min(until, max(life.last, store["since"]))


def _form(kind: str, store: Json) -> str:
    worth, key = SORTS[kind]
    return worth if worth in ("clear", "hashed") or key in store["keys"] else "cipher"


def _state(form: str, store: Json, *, intact: bool) -> str:
    door = store["name"].startswith("door:")
    if form == "hashed" or (form == "cipher" and intact and not door):
        return "not"
    return "possibly" if form == "cipher" or (form == "clear" and door) else "exposed"


def _persons(entries: Entries) -> dict[str, tuple[str, set[int]]]:
    """Whose an account is: by the first entry that names both, or by a customer's handle."""
    found: dict[str, tuple[str, set[int]]] = {}
    for index, entry in entries.items():
        if entry["kind"] in ("member", "invite") and entry["persons"]:
            found.setdefault(entry["ref"], (min(entry["persons"]), {index}))
        if entry["actor"].startswith("person:"):
            found.setdefault(entry["actor"], (entry["actor"].removeprefix("person:"), set()))
    return found


def _lives(entries: Entries) -> dict[tuple[str, str, str], list[Life]]:
    lives: dict[tuple[str, str, str], list[Life]] = {}
    for index, entry in entries.items():
        note = entry["note"]
        for actor, kind, credential in _ended(entry):
            for key, found in lives.items():
                if key[:2] == (actor, kind) and credential in (None, key[2]):
                    for one in found:
                        if one.last is None:
                            one.end(index, entry)
        for thing in _set(entry, note):
            found = lives.setdefault(thing, [])
            if not found or found[-1].last is not None:
                found.append(Life(index, entry))
    return lives


def _ended(entry: Json) -> Iterator[tuple[str, str, str | None]]:
    if entry["kind"] == "register":
        note = entry["note"]
        ended = ("password",) if "password" in SETS.get(note, ()) else ENDS.get(note, ())
        for kind in ended:
            # A new password takes the place of every other; an account that ends ends each thing.
            every = kind == "password" or note == "account_ended"
            yield entry["actor"], kind, None if every else entry["ref"] if kind == "passkey" else ""


def _set(entry: Json, note: str) -> Iterator[tuple[str, str, str]]:
    kind, actor = entry["kind"], entry["actor"]
    if kind == "register" and note not in ENDS:
        for one in SETS.get(note, ("other",)):
            own = entry["ref" if note in BY_REF else "credential"]
            yield actor, one, own if one in NAMED else ""
    elif kind == "invite":
        yield entry["ref"], "invitation", ""
    elif kind == "signin" and entry["session"]:
        yield actor, "address", ""
    elif kind == "door" and note != "ended":
        yield actor, "door", ""
    elif (kind == "budget" and note == "asked") or (
        kind in ("export", "import") and note.startswith("asked:")
    ):
        yield actor, "reason", ""


def _erase(
    entries: Entries,
    outcomes: Mapping[int, str],
    person: str,
    lives: list[tuple[tuple[str, str, str], list[Life]]],
) -> None:
    """An erasure ends what it destroys, at its last entry; all of them show it."""
    erased = {
        index: one
        for index, one in entries.items()
        if one["kind"] == "erase" and person in one["persons"] and outcomes.get(index) == "done"
    }
    if not erased:
        return
    newest = max(erased.values(), key=lambda one: one["time"])
    for (_, kind, _), found in lives:
        for one in found:
            one.entries |= set(erased)
            if kind in FORGOTTEN:
                one.end(max(erased), newest)
