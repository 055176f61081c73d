"""The door's functions of the inquiry desk: who asks has a form or a link, who answers an operator's grant.

They raise as `client`'s do. Beside what each names: NoSuchInquiry, GrantRefused. Words are cut before they
come here (`incidents.cutting`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from noren.people import wire

LONGEST: Final = 8_000
LONGEST_FILE: Final = 50_000
LONGEST_NAME: Final = 100
MOST_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class Form:
    """What a form needs: a challenge, how many wait, and when the last were asked and first answered."""

    challenge: Mapping[str, Any]
    waiting: int
    took: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said at once: words, files by name, and of which kinds the secrets were that were cut out.

    `promised`: by when an answer was said to come.
    """

    words: str = field(repr=False)
    promised: datetime
    files: Sequence[tuple[str, str]] = field(default=(), repr=False)
    pasted: Sequence[str] = ()

    def to_wire(self) -> dict[str, Any]:
        """The shape of the request."""
        return {
            "words": self.words,
            "files": [{"name": name, "text": text} for name, text in self.files],
            "pasted": list(self.pasted),
            "promised": int(self.promised.timestamp() * 1000),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """An inquiry without its words. `state`: waiting, answered, closed. `holder`: a handle."""

    inquiry: str
    about: str
    notice: str
    locale: str
    mailed: bool
    state: str
    holder: str | None
    incident: str | None
    lines: int
    asked_at: datetime
    promised_at: datetime
    changed_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `by`: a handle, or empty for who asked; `kind`: words, file, answer, note.

    `name` is a file's; `account` says who asked was signed in as: shop, handle, role.
    """

    number: int
    at: datetime
    by: str
    kind: str
    words: str = field(repr=False)
    name: str = ""
    account: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An inquiry with its lines."""

    standing: Standing
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Pasted:
    """A password or a key that was pasted and destroyed; `done_by` has made a new one."""

    secret: int
    inquiry: str
    kind: str
    at: datetime
    done_by: str | None
    done_at: datetime | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Pasted":
        """Read it from the wire."""
        done = told["done_at"] and _instant(told["done_at"])
        return cls(**{**told, "at": _instant(told["at"]), "done_at": done})


@dataclass(frozen=True, slots=True)
class Desk:
    """All that stand, those that wait first, and what was pasted, the open ones first."""

    inquiries: tuple[Standing, ...]
    pasted: tuple[Pasted, ...]


# -- who asks


def form() -> Form:
    """What a form needs. It tells nothing of anybody."""
    told = _call("inquiry_form")
    took = tuple((_instant(asked), _instant(answered)) for asked, answered in told["took"])
    return Form(told["challenge"], told["waiting"], took)


def ask(
    said: Said,
    *,
    about: str,
    notice: str,
    locale: str,
    mail: str,
    grant: str | None,
    proof: str,
    visit: Mapping[str, str],
) -> str:
    """Keep an inquiry; gives its link's token. Raises BadField, ChallengeNeeded, TooManyInquiries."""
    asked: dict[str, Any] = {
        "about": about,
        "notice": notice,
        "locale": locale,
        "mail": mail,
        "grant": grant,
        "proof": proof,
    }
    asked |= said.to_wire() | dict(visit)
    return str(_call("ask_inquiry", **asked)["token"])


def own(token: str) -> Told:
    """What who has the link may read. On record."""
    return _told(_call("own_inquiry", token=token))


def add(token: str, said: Said, visit: Mapping[str, str]) -> None:
    """Add to it. Raises InquiryFull, TooManyInquiries."""
    added: dict[str, Any] = said.to_wire() | dict(visit)
    _call("add_to_inquiry", token=token, **added)


def renew(token: str) -> str:
    """Make the link invalid; gives the next one's token."""
    return str(_call("renew_inquiry", token=token)["token"])


def erase(token: str) -> None:
    """Erase who asked, her words and the answers. On record."""
    _call("erase_inquiry", token=token)


# -- who answers


def desk(grant: str) -> Desk:
    """How all stand; no words."""
    told = _call("inquiries", grant=grant)
    return Desk(tuple(map(_standing, told["inquiries"])), tuple(map(Pasted.of, told["pasted"])))


def read(grant: str, inquiry: str) -> Told:
    """One with its lines and notes: a reveal, on record."""
    return _told(_call("inquiry", grant=grant, inquiry=inquiry))


def take(grant: str, inquiry: str, held_by: str) -> None:
    """Hold it, from nobody or from who held it. Raises InquiryHeld."""
    _call("take_inquiry", grant=grant, inquiry=inquiry, held_by=held_by)


def give_back(grant: str, inquiry: str) -> None:
    """Let others answer it. Raises InquiryHeld."""
    _call("give_back_inquiry", grant=grant, inquiry=inquiry)


def answer(grant: str, inquiry: str, words: str, seen: int) -> str:
    """Answer; gives how the mail went, empty where there is no address. Raises InquiryHeld, InquiryMoved."""
    return str(
        _call("answer_inquiry", seconds=60, grant=grant, inquiry=inquiry, words=words, seen=seen)["mail"]
    )


def note(grant: str, inquiry: str, words: str) -> None:
    """Write a note for the desk alone."""
    _call("note_inquiry", grant=grant, inquiry=inquiry, words=words)


def move(grant: str, inquiry: str, state: str) -> None:
    """Close it, or let it wait again. Raises InquiryHeld."""
    _call("move_inquiry", grant=grant, inquiry=inquiry, state=state)


def link(grant: str, inquiry: str, incident: str) -> None:
    """Say to which incident it belongs; empty: to none. Raises NoSuchIncident."""
    _call("link_inquiry", grant=grant, inquiry=inquiry, incident=incident)


def relink(grant: str, inquiry: str) -> str:
    """Make the link invalid and mail the next one; gives how that went, empty where there is no address."""
    return str(_call("relink_inquiry", seconds=60, grant=grant, inquiry=inquiry)["mail"])


def made_anew(grant: str, secret: int) -> None:
    """Say that what was pasted was made anew."""
    _call("pasted_made_anew", grant=grant, secret=secret)


def _told(told: Mapping[str, Any]) -> Told:
    lines = (Line(**{**one, "at": _instant(one["at"])}) for one in told["lines"])
    return Told(_standing(told["standing"]), tuple(lines))


def _standing(told: Mapping[str, Any]) -> Standing:
    instants = ("asked_at", "promised_at", "changed_at", "answered_at")
    return Standing(**{**told, **{name: told[name] and _instant(told[name]) for name in instants}})


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)
