"""The door's functions about powers, about who belongs to the platform, and what auditors ask.

They raise as `client`'s do. Beside what each names: GrantRefused, PowerNeeded, NoSuchPower, PowerOver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from noren.people import answers, wire
from noren.people.model import Finding

SHOP_POWERS: Final = ("support_shop", "read_incident")
RUNNING: Final = (*SHOP_POWERS, "read_ledger_entries", "rotate_keys", "end_grants")
ONCE: Final = ("invite_operator", "invite_auditor", "end_member")
MOST_MINUTES: Final = 60
MOST_OF_GLASS: Final = 15
MOST_DAYS: Final = 90
# Who has fewer passkeys is lent nothing.
PASSKEYS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for. `about`: a name to invite or a handle to end; `mail`, `days`: of invitations."""

    what: str
    words: str = field(repr=False)
    shop_id: int | None = None
    minutes: int = 0
    about: str = ""
    mail: str = field(default="", repr=False)
    days: int = 0

    def to_wire(self) -> dict[str, Any]:
        """The shape of the request, without what is left open."""
        given = {
            "what": self.what,
            "words": self.words,
            "shop": self.shop_id,
            "minutes": self.minutes,
            "about": self.about,
            "mail": self.mail,
            "days": self.days,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Power:
    """One as it stands. `words`, `mail` and `review` are empty for auditors.

    `state`: asked, lapsed, declined, withdrawn, running, over, ended, done. `own`: who looks asked for it.
    """

    power: str
    what: str
    shop: int | None
    handle: str
    words: str = field(repr=False)
    about: str
    mail: str = field(repr=False)
    minutes: int
    days: int
    glass: bool
    state: str
    asked: datetime
    expires: datetime
    decider: str | None
    decided: datetime | None
    until: datetime | None
    entered: datetime | None
    ender: str | None
    ended: datetime | None
    reviewer: str | None
    reviewed: datetime | None
    review: str = field(repr=False)
    own: bool


@dataclass(frozen=True, slots=True)
class Powers:
    """Those of 90 days, newest first, and how many passkeys who looks has."""

    all: tuple[Power, ...]
    passkeys: int

    def running(self, what: str = "") -> Power | None:
        """Her own that runs and was entered: of this kind, or any."""
        return next(
            (
                one
                for one in self.all
                if one.own and one.state == "running" and one.entered and what in ("", one.what)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the platform. `ends` is an auditor's last moment, `ended` when it was over."""

    handle: str
    role: str
    since: datetime
    ends: datetime | None
    ended: datetime | None
    passkeys: int
    seen: datetime | None


_INSTANTS: Final = ("asked", "expires", "decided", "until", "entered", "ended", "reviewed")


def _call(method: str, grant: str, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)


def under(grant: str, power: str) -> str:
    """The operator's grant as one of the power's shop: what `reveal` and others take under a power."""
    return f"{grant}.{power}"


def powers(grant: str) -> Powers:
    """All to operators and, without words, to auditors; those over her shop to an owner or manager."""
    told = _call("powers", grant)
    return Powers(tuple(map(_power, told["powers"])), told["passkeys"])


def ask_power(grant: str, ask: Ask) -> str:
    """Ask another operator. SecondPasskeyNeeded, OneShopAtATime, InviteRefused, NoSuchMember."""
    return str(_call("ask_power", grant, **ask.to_wire())["power"])


def glass_begin(grant: str, ask: Ask) -> dict[str, Any]:
    """Options for `navigator.credentials.get`, good for this ask without a second operator."""
    return dict(_call("glass_begin", grant, **ask.to_wire())["options"])


def break_glass(grant: str, ask: Ask, response: Mapping[str, Any]) -> str:
    """Take it without a second operator: everybody is told. Gives its id. Raises PasskeyRefused."""
    told = _call("break_glass", grant, seconds=60, **ask.to_wire(), response=dict(response))
    return str(told["power"])


def lend_begin(grant: str, power: str) -> dict[str, Any]:
    """Options for the second operator's passkey, good for this ask alone. GrantRefused: one's own."""
    return dict(_call("lend_begin", grant, power=power)["options"])


def lend_finish(grant: str, power: str, response: Mapping[str, Any]) -> None:
    """Agree with the passkey's answer. Raises PasskeyRefused, OneShopAtATime, LastOperator."""
    _call("lend_finish", grant, seconds=60, power=power, response=dict(response))


def decline_power(grant: str, power: str) -> None:
    """Say no to another operator's ask."""
    _call("decline_power", grant, power=power)


def enter_power(grant: str, power: str) -> Power:
    """Begin to use what was lent to her; on record the first time."""
    return _power(_call("enter_power", grant, power=power)["power"])


def end_power(grant: str, power: str) -> None:
    """Take an ask back, give a power back, end another's; a shop's owner ends one over her shop."""
    _call("end_power", grant, power=power)


def review_power(grant: str, power: str, words: str) -> None:
    """Say in words what one makes of another operator's broken glass."""
    _call("review_power", grant, power=power, words=words)


def platform_people(grant: str) -> tuple[Colleague, ...]:
    """Who belongs to the platform, and did; to operators and auditors."""
    return tuple(_colleague(one) for one in _call("platform_people", grant)["people"])


# -- what auditors ask, by standing; operators under the power `read_ledger_entries`


def entries_at(grant: str, at: datetime, count: int) -> tuple[int, list[bytes]]:
    """Entries from a time on, and the number of the first."""
    told = _call("entries", grant, seconds=40, at=int(at.timestamp() * 1000), count=count)
    return told["first"], [str(one).encode("ascii") for one in told["entries"]]


def entry_proof(grant: str, entry: int) -> str:
    """The `.tlog-proof` of any entry. Raises NoSuchEntry."""
    return str(_call("entry_proof", grant, entry=entry)["proof"])


def examine(grant: str) -> tuple[Finding, ...]:
    """What the vault's doctor finds."""
    told = _call("doctor", grant, seconds=600)
    return tuple(Finding(check=f["check"], ok=f["ok"], detail=f["detail"]) for f in told["findings"])


def _power(told: Mapping[str, Any]) -> Power:
    return Power(**{**told, **{name: _maybe(told[name]) for name in _INSTANTS}})


def _colleague(told: Mapping[str, Any]) -> Colleague:
    return Colleague(**{**told, **{name: _maybe(told[name]) for name in ("since", "ends", "ended", "seen")}})


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else answers.instant(seconds)
