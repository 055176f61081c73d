"""The door's functions about notices of the public: agreeing by two, what the ledger says, readers by mail.

They raise as `client`'s do. Beside what each names: GrantRefused, NoSuchNotice, NoticeOver.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from noren.people import answers, wire


@dataclass(frozen=True, slots=True)
class Text:
    """One text by its place and its SHA-256."""

    notice: str
    number: int
    version: int
    hash: str

    def to_wire(self) -> dict[str, Any]:
        """The shape of the request."""
        return {"notice": self.notice, "number": self.number, "version": self.version, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Said:
    """What the ledger says was published: by two, or `alone`."""

    entry: int
    at: datetime
    notice: str
    number: int
    version: int
    hash: str
    alone: bool

    @property
    def text(self) -> Text:
        """Which text it was."""
        return Text(self.notice, self.number, self.version, self.hash)


@dataclass(frozen=True, slots=True)
class Asked:
    """One asking. `state`: asked, lapsed, declined, withdrawn, published. `own`: who looks asked."""

    ask: str
    notice: str
    number: int
    version: int
    hash: str
    handle: str
    alone: bool
    state: str
    asked: datetime
    expires: datetime
    decider: str | None
    decided: datetime | None
    entry: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Asks:
    """Those of 90 days, newest first, and how many passkeys who looks has."""

    all: tuple[Asked, ...]
    passkeys: int


@dataclass(frozen=True, slots=True)
class Reader:
    """How the reader of a mailed link stands. `notice`: the one that is followed, empty for all."""

    confirmed: bool
    notice: str
    locale: str


def _call(method: str, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)


def asks(grant: str) -> Asks:
    """What was asked for; to operators."""
    told = _call("notices", grant=grant)
    return Asks(tuple(map(_asked, told["asks"])), told["passkeys"])


def ask(grant: str, text: Text) -> str:
    """Ask another operator to agree to this text; gives the asking. SecondPasskeyNeeded."""
    return str(_call("ask_notice", grant=grant, **text.to_wire())["ask"])


def alone_begin(grant: str, text: Text) -> dict[str, Any]:
    """Options for the passkey that publishes this text without a second operator. SecondPasskeyNeeded."""
    return dict(_call("notice_alone_begin", grant=grant, **text.to_wire())["options"])


def alone(grant: str, text: Text, response: Mapping[str, Any]) -> Said:
    """Publish it so: everybody of the platform is told. Raises PasskeyRefused."""
    told = _call("notice_alone", seconds=60, grant=grant, **text.to_wire(), response=dict(response))
    return _said(told)


def agree_begin(grant: str, ask: str) -> dict[str, Any]:
    """Options for the second operator's passkey, good for this asking and its text alone."""
    return dict(_call("notice_agree_begin", grant=grant, ask=ask)["options"])


def agree(grant: str, ask: str, response: Mapping[str, Any]) -> Said:
    """Agree, and so publish. Raises PasskeyRefused, PowerOver."""
    return _said(_call("notice_agree", seconds=60, grant=grant, ask=ask, response=dict(response)))


def end(grant: str, ask: str) -> None:
    """Take one's own asking back, or say no to another's."""
    _call("end_notice", grant=grant, ask=ask)


def said(notice: str = "", *, seconds: float = 40.0) -> tuple[Said, ...]:
    """What the ledger says was published, of one notice or of all, in its order. Nobody's grant is needed."""
    return tuple(map(_said, _call("notices_said", seconds=seconds, notice=notice)["said"]))


def proof(entry: int) -> str:
    """The `.tlog-proof` of a publication, with its entry. Raises NoSuchEntry."""
    return str(_call("notice_proof", entry=entry)["proof"])


def late(notice: str, number: int) -> None:
    """Tell everybody of the platform, once, that the update promised there has not come."""
    _call("notice_late", notice=notice, number=number)


def tell_readers(text: Text, letters: Mapping[str, Mapping[str, str]], after: str = "") -> tuple[str, int]:
    """Mail a published version to the next readers; gives after whom to go on, and how many are to wait.

    `letters` has subject and text by language; `{leave}` is where the reader's own link goes.
    """
    told = _call(
        "tell_readers",
        seconds=600,
        letters={name: dict(one) for name, one in letters.items()},
        after=after,
        **text.to_wire(),
    )
    return str(told["next"]), int(told["waiting"])


def reader_ask(mail: str, locale: str, notice: str, *, proof: str = "", **visit: str) -> None:
    """Have a link mailed to who would read notices; `visit`: from where. Raises BadField, ChallengeNeeded."""
    asked: dict[str, Any] = {"mail": mail, "locale": locale, "notice": notice, "proof": proof, **visit}
    _call("reader_ask", **asked)


def reader(token: str) -> Reader:
    """How the reader of this link stands. Raises NoSuchReader."""
    return Reader(**_call("reader", token=token))


def reader_confirm(token: str) -> None:
    """Begin: the link was followed. Raises NoSuchReader."""
    _call("reader_confirm", token=token)


def reader_leave(token: str) -> None:
    """Leave, and be erased. Raises NoSuchReader."""
    _call("reader_leave", token=token)


def _said(told: Mapping[str, Any]) -> Said:
    return Said(**{**told, "at": answers.instant(told["at"])})


def _asked(told: Mapping[str, Any]) -> Asked:
    instants = ("asked", "expires", "decided")
    return Asked(**{**told, **{name: told[name] and answers.instant(told[name]) for name in instants}})
