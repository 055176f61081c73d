"""The door's functions about signs, reports from outside, and files of an incident, which the vault keeps.

Each but `report` takes an operator's grant, or None in an administrator's process. They raise as `client`'s
do, and GrantRefused; beside what each names, NoSuchSign, NoSuchIncident, SignOver.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from noren.people import wire

MOST_BYTES: Final = 4 << 20
MOST_FILES: Final = 3
LONGEST_REPORT: Final = 10_000
# A file of the largest size, sealed and made durable, or opened.
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is listed. `skew`: by how many seconds the clock behind it is ahead of ours."""

    file: str
    name: str = field(repr=False)
    source: str
    skew: int
    sha256: str
    size: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring: how many mails have left by now, and when the alarm outside took it; `waits`: it will try."""

    number: int
    at: datetime
    mailed: int
    hooked: datetime | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign. `facts` are ids of the entry it was seen in; `text` and `mail` are whoever told it's."""

    sign: str
    source: str
    what: str
    first: datetime
    last: datetime
    times: int
    state: str
    by: str
    since: datetime
    incident: str | None
    rung: int
    next: datetime | None
    entry: int
    facts: Mapping[str, str]
    text: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)
    because: str = field(default="", repr=False)
    files: tuple[File, ...] = ()
    rings: tuple[Ring, ...] = ()


def all_of(grant: str | None) -> tuple[Sign, ...]:
    """The open ones and those of 90 days, the new first. On record."""
    return tuple(map(_sign, _call("signs", grant=grant)["signs"]))


def read(grant: str | None, sign: str) -> Sign:
    """One with its files and rings. On record; whose address is told is named there."""
    return _sign(_call("sign", grant=grant, sign=sign))


def open_file(grant: str | None, sign: str, file: str) -> tuple[File, bytes]:
    """A file that was reported with. On record. Raises NoSuchFile."""
    return _opened(_call("sign_file", seconds=_SECONDS, grant=grant, sign=sign, file=file))


def take(grant: str | None, sign: str) -> None:
    """Take it: it rings no more."""
    _call("take_sign", grant=grant, sign=sign)


def dismiss(grant: str | None, sign: str, because: str) -> None:
    """Dismiss it for a reason."""
    _call("dismiss_sign", grant=grant, sign=sign, because=because)


def join(grant: str | None, sign: str, words: str, *, incident: str = "", opened: str = "") -> str:
    """Make it a fact (`words`) of an incident, or of a new one that is opened with `opened`; give it."""
    told = _call("join_sign", grant=grant, sign=sign, incident=incident, opened=opened, words=words)
    return str(told["incident"])


def tell(grant: str | None, text: str) -> str:
    """Tell of something: it rings for every operator. Gives the sign."""
    return str(_call("tell_sign", grant=grant, text=text)["sign"])


def found(what: str, about: str, text: str) -> str:
    """An examination has found something (`doctor` or `notice`); found again it is counted."""
    return str(_call("found_sign", grant=None, what=what, about=about, text=text)["sign"])


def new_key() -> str:
    """What makes a form, sent again, the same report."""
    return secrets.token_hex(16)


def report(
    key: str,
    text: str,
    mail: str,
    files: Sequence[tuple[str, bytes]],
    *,
    proof: str = "",
    **visit: str,
) -> str:
    """Hand a report in; gives its number once it is durable. Raises BadField, TooMuch, ChallengeNeeded."""
    sent = [{"name": name, "content": base64.b64encode(content).decode()} for name, content in files]
    told: dict[str, Any] = {"key": key, "text": text, "mail": mail, "files": sent, "proof": proof, **visit}
    return str(_call("report", seconds=_SECONDS, **told)["sign"])


def take_file(
    grant: str | None,
    incident: str,
    content: bytes,
    *,
    name: str,
    words: str,
    source: str = "",
    skew: int = 0,
) -> str:
    """Take a file into an incident, with the record (`words`) that says so; gives the file. TooMuch."""
    file = {
        "name": name,
        "source": source,
        "skew": skew,
        "content": base64.b64encode(content).decode(),
    }
    told: dict[str, Any] = {"grant": grant, "incident": incident, "file": file, "words": words}
    return str(_call("evidence_take", seconds=_SECONDS, **told)["file"])


def files_of(grant: str | None, incident: str) -> tuple[File, ...]:
    """The files of an incident and of the signs in it. On record."""
    return tuple(map(_file, _call("evidence_list", grant=grant, incident=incident)["files"]))


def open_evidence(grant: str | None, incident: str, file: str) -> tuple[File, bytes]:
    """Open one. On record. Raises NoSuchFile."""
    return _opened(_call("evidence_open", seconds=_SECONDS, grant=grant, incident=incident, file=file))


def _call(method: str, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)


def _sign(told: Mapping[str, Any]) -> Sign:
    plain = {name: told[name] for name in ("sign", "source", "what", "times", "state", "by")}
    more = {name: told.get(name, "") for name in ("text", "mail", "because")}
    return Sign(
        **plain,
        **more,
        first=_instant(told["first"]),
        last=_instant(told["last"]),
        since=_instant(told["since"]),
        next=told["next"] and _instant(told["next"]),
        incident=told["incident"],
        rung=told["rung"],
        entry=told["entry"],
        facts=told["facts"],
        files=tuple(map(_file, told.get("files", ()))),
        rings=tuple(
            Ring(
                one["number"],
                _instant(one["at"]),
                one["mailed"],
                one["hooked"] and _instant(one["hooked"]),
                one["waits"],
            )
            for one in told.get("rings", ())
        ),
    )


def _file(told: Mapping[str, Any]) -> File:
    names = ("file", "name", "source", "skew", "sha256", "size", "by")
    return File(at=_instant(told["at"]), **{name: told[name] for name in names})


def _opened(told: Mapping[str, Any]) -> tuple[File, bytes]:
    return _file(told), base64.b64decode(told["content"])


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
