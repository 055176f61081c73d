"""What a scope asks by and what it answers, in words for a person. Names stay as the record has them."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from noren.incidents.comparing import Changed
from noren.incidents.scope import Question
from noren.web import lookups, wording

# What a form offers.
WAYS: Final[Mapping[str, str | Promise]] = {
    "actor": gettext_lazy("Who signed in (handle)"),
    "credential": gettext_lazy("A passkey or password"),
    "session": gettext_lazy("A session"),
    "process": gettext_lazy("A process"),
    "address": gettext_lazy("A network address"),
    "device": gettext_lazy("A device"),
    "export": gettext_lazy("An export"),
    "store": gettext_lazy("A store that was taken: app, vault, keys, host"),
    "backup": gettext_lazy("A backup that was taken"),
    "key": gettext_lazy("A key that was taken"),
    "door": gettext_lazy("A foreign session at a database"),
    "all": gettext_lazy("Whatever passed in the time"),
}
# What stands before a name.
_WAY: Final[Mapping[str, str | Promise]] = {
    "actor": pgettext_lazy("scope", "handle"),
    "credential": pgettext_lazy("scope", "credential"),
    "session": pgettext_lazy("scope", "session"),
    "process": pgettext_lazy("scope", "process"),
    "address": pgettext_lazy("scope", "address"),
    "device": pgettext_lazy("scope", "device"),
    "export": pgettext_lazy("scope", "export"),
    "store": pgettext_lazy("scope", "store"),
    "backup": pgettext_lazy("scope", "backup"),
    "key": pgettext_lazy("scope", "key"),
    "door": pgettext_lazy("scope", "foreign session"),
}
STORE: Final[Mapping[str, str | Promise]] = {
    "app": pgettext_lazy("store", "the app's database"),
    "logs": pgettext_lazy("store", "the archive of logs"),
    "vault": pgettext_lazy("store", "the vault's database"),
    "keys": pgettext_lazy("store", "the keys' folder"),
    "host": pgettext_lazy("store", "the vault's machine"),
}
FORM: Final[Mapping[str, str | Promise]] = {
    "readable": pgettext_lazy("store", "readable: cipher and the keys to it were in one hand"),
    "cipher": pgettext_lazy("store", "cipher, without the keys that open it"),
    "keys": pgettext_lazy("store", "keys, without anything that they open"),
    "ids": pgettext_lazy("store", "opaque ids, no field of a person"),
}
STATE: Final[Mapping[str, str | Promise]] = {
    "exposed": pgettext_lazy("scope", "exposed"),
    "possibly": pgettext_lazy("scope", "possibly exposed"),
    "not": pgettext_lazy("scope", "not exposed"),
}
_KEYSIDE: Final[Mapping[str, str | Promise]] = {
    "start": pgettext_lazy("key side", "starts of the vault"),
    "key": pgettext_lazy("key side", "acts on keys"),
    "repair": pgettext_lazy("key side", "repairs of the ledger's end"),
    "door": pgettext_lazy("key side", "foreign sessions at its database"),
    "restore": pgettext_lazy("key side", "restores"),
}


def asked_by(question: Question) -> str:
    """By what was asked, or whatever way."""
    return wording.joined(named(question)) or _("whatever way")


def named(question: Question) -> list[str]:
    """Each way with its name."""
    return [
        f"{_WAY.get(kind, kind)}: {store(value) if kind == 'store' else value}"
        for kind, values in question.named.items()
        for value in values
    ]


def store(name: str) -> str:
    """A store in words, with the name by which it is asked for."""
    return f"{STORE[name]} ({name})" if name in STORE else name


def fields(names: Iterable[str]) -> str:
    """Fields in words."""
    words = lookups.field_words()
    return wording.joined([words.get(name, name) for name in names])


def keyside(counts: Mapping[str, int]) -> str:
    """How many of each kind of entry the ledger has of the keys' side."""
    return wording.joined([f"{_KEYSIDE.get(kind, kind)}: {count}" for kind, count in counts.items()])


def changed(one: Changed) -> str:
    """What is something else of one person."""
    words = lookups.field_words()
    told = [f"+ {fields(one.came)}"] if one.came else []
    told += [f"− {fields(one.went)}"] if one.went else []
    told += [
        f"{words.get(name, name)}: {STATE.get(then, then)} → {STATE.get(now, now)}"
        for name, then, now in one.turned
    ]
    return " · ".join(told)
