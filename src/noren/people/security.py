"""The door's functions on one's own account: how one comes in, where one is signed in, what happened.

Each is about the grant's own actor; what is another's is not there (NoSuchPasskey, NoSuchSession). They raise
what `client`'s raise, too. What one signs in with is changed within five minutes after one has shown who one
is (FreshSignInNeeded): by signing in, or by `confirm_*`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from noren.people import answers, wire


@dataclass(frozen=True, slots=True)
class Place:
    """From where: what the browser said it is, the network in words; `near`: the same as this session's."""

    device: str = field(repr=False)
    network: str = field(repr=False)
    near: bool


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """`label` is empty until one gave it a name. `synced`: other devices of the person have it, too.

    `flagged`: since when there may be a copy of its key. `this`: the session at hand was opened by it.
    """

    name: str
    label: str = field(repr=False)
    device: str = field(repr=False)
    attached: str
    added: datetime
    used: datetime | None
    synced: bool
    flagged: datetime | None
    this: bool


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A sign-in that holds. `credential` is what opened it, by its name in the record."""

    id: str
    this: bool
    credential: str
    since: datetime
    seen: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """A line of the ledger in which one is the actor oneself. `kind` and `note` are the ledger's."""

    entry: int
    at: datetime
    kind: str
    note: str
    credential: str
    this: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Events:
    """The newest first; `next` goes into the next question where there are older ones."""

    events: tuple[OwnEvent, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """How one's account stands. `least` is how many passkeys the role has to have.

    `password_set` and `totp` are since when; `password_reset`: it is to be set anew.
    """

    role: str
    fresh: bool
    fresh_passkey: bool
    least: int
    passkeys: tuple[OwnPasskey, ...]
    password_set: datetime | None
    password_reset: bool
    totp: datetime | None
    codes_left: int
    sessions: tuple[OwnSession, ...]
    events: Events


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was shown within five minutes, and by what one can show it again."""

    fresh: bool
    fresh_passkey: bool
    passkeys: bool
    password: bool


@dataclass(frozen=True, slots=True)
class Secured:
    """What "this wasn't me" has done beside ending every sign-in."""

    passkeys: int
    reset: bool
    second_factor: bool
    invited: bool


def _call(method: str, grant: str, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=20)


def account(grant: str) -> Account:
    """Give the account of whose grant it is. The look is on record."""
    told = _call("security", grant)
    password = told["password"]
    return Account(
        role=told["role"],
        fresh=told["fresh"],
        fresh_passkey=told["fresh_passkey"],
        least=told["least"],
        passkeys=tuple(_passkey(one) for one in told["passkeys"]),
        password_set=None if password is None else answers.instant(password["set"]),
        password_reset=password is not None and password["reset"],
        totp=_maybe(told["totp"]),
        codes_left=told["codes_left"],
        sessions=tuple(_session(one) for one in told["sessions"]),
        events=_events(told),
    )


def account_events(grant: str, before: int | None = None) -> Events:
    """Give the newest 50 events of 90 days, or those older than an entry. The look is on record."""
    return _events(_call("security_events", grant, before=before))


def confirm_state(grant: str) -> Confirmed:
    """Say whether one has to show who one is before a change, and by what one can."""
    return Confirmed(**_call("confirm_state", grant))


def confirm_begin(grant: str) -> dict[str, Any]:
    """Options for `navigator.credentials.get`: one of one's own passkeys."""
    return dict(_call("confirm_begin", grant)["options"])


def confirm_finish(grant: str, response: Mapping[str, Any]) -> None:
    """Show that it is oneself by that passkey. Raises PasskeyRefused."""
    _call("confirm_finish", grant, response=dict(response))


def confirm_password(grant: str, password: str) -> None:
    """Show it by one's password. Raises OwnPasswordRefused; the fifth wrong one ends the grant, Busy."""
    _call("confirm_password", grant, password=password)


def passkey_begin(grant: str) -> dict[str, Any]:
    """Options for `navigator.credentials.create`. Raises FreshSignInNeeded, TooManyPasskeys."""
    return dict(_call("passkey_begin", grant)["options"])


def passkey_finish(grant: str, response: Mapping[str, Any], *, label: str = "", device: str = "") -> str:
    """Add the passkey that answers; gives its name in the record. Raises PasskeyRefused."""
    return str(_call("passkey_finish", grant, response=dict(response), label=label, device=device)["name"])


def passkey_rename(grant: str, name: str, label: str) -> None:
    """Call it otherwise; an empty label is none. Raises NoSuchPasskey."""
    _call("passkey_rename", grant, name=name, label=label)


def passkey_remove(grant: str, name: str) -> None:
    """Remove it, and end what it opened. Raises NoSuchPasskey, LastWayIn, FreshSignInNeeded."""
    _call("passkey_remove", grant, name=name)


def session_end(grant: str, session_id: str) -> None:
    """Sign one session out. Raises NoSuchSession."""
    _call("sessions_end", grant, which="one", id=session_id)


def sessions_end(grant: str, *, own: bool) -> int:
    """Sign all others out, or with `own` this one as well; gives how many there were."""
    return int(_call("sessions_end", grant, which="all" if own else "others")["ended"])


def not_me(grant: str, *, session_id: str | None = None, entry: int | None = None) -> Secured:
    """Close the account to everybody and to what that session, or event, came in with; mail the ways back.

    Raises NoSuchSession, FreshSignInNeeded.
    """
    which = {"id": session_id} if entry is None else {"entry": entry}
    return Secured(**_call("not_me", grant, **which))


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else answers.instant(seconds)


def _place(told: Mapping[str, Any]) -> Place:
    return Place(told["device"], told["network"], told["near"])


def _passkey(told: Mapping[str, Any]) -> OwnPasskey:
    return OwnPasskey(
        name=told["name"],
        label=told["label"],
        device=told["device"],
        attached=told["attached"],
        added=answers.instant(told["added"]),
        used=_maybe(told["used"]),
        synced=told["synced"],
        flagged=_maybe(told["flagged"]),
        this=told["this"],
    )


def _session(told: Mapping[str, Any]) -> OwnSession:
    since, seen = answers.instant(told["since"]), answers.instant(told["seen"])
    return OwnSession(told["id"], told["this"], told["credential"], since, seen, _place(told))


def _events(told: Mapping[str, Any]) -> Events:
    events = tuple(
        OwnEvent(
            entry=one["entry"],
            at=answers.instant(one["at"]),
            kind=one["kind"],
            note=one["note"],
            credential=one["credential"],
            this=one["this"],
            place=_place(one),
        )
        for one in told["events"]
    )
    return Events(events, told["next"])
