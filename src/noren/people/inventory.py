"""The door's functions of the inventory of secrets: what the vault knows of each, and what people wrote.

Each takes an operator's grant, or None in an administrator's process. They raise as `client`'s do, and
GrantRefused, NoSuchSecret. No secret is in any of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from noren.people import wire
from noren.people.inquiries import Pasted

LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class OfShop:
    """How many of them one shop has, since when the oldest, last used."""

    shop_id: int
    count: int
    since: datetime | None
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known; None is "not known". `since`: when the oldest in use was made.

    `latest`: it was surely made before that. `kept`: how many old ones older backups still need.
    """

    count: int | None = None
    since: datetime | None = None
    latest: datetime | None = None
    used: datetime | None = None
    kept: int = 0
    shops: tuple[OfShop, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Fact":
        """Read it from the wire, or from `runtime.secret_facts`."""
        return cls(
            told.get("count"),
            _maybe(told.get("since")),
            _maybe(told.get("latest")),
            _maybe(told.get("used")),
            told.get("kept", 0),
            tuple(
                OfShop(one["shop"], one["count"], _maybe(one.get("since")), _maybe(one.get("used")))
                for one in told.get("shops", ())
            ),
        )


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote. `kind`: row, place, rotated; `by` and `gone_by` are handles, or admin."""

    note: str
    secret: str
    kind: str
    place: str
    reaches: tuple[str, ...]
    rotated_at: datetime | None
    words: Mapping[str, str] = field(repr=False)
    by: str
    at: datetime
    gone_by: str | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """Facts by the secret's name; notes and what was pasted, the newest first."""

    facts: Mapping[str, Fact]
    notes: tuple[Note, ...]
    pasted: tuple[Pasted, ...]


def read(grant: str | None) -> Told:
    """All that the vault has of it. On record."""
    told = _call("secrets", grant)
    notes = (
        Note(
            **{
                **one,
                "reaches": tuple(one["reaches"]),
                **{name: _maybe(one[name]) for name in ("rotated_at", "at", "gone_at")},
            }
        )
        for one in told["notes"]
    )
    facts = {name: Fact.of(one) for name, one in told["facts"].items()}
    return Told(facts, tuple(notes), tuple(map(Pasted.of, told["pasted"])))


def add_row(grant: str | None, words: Mapping[str, str], reaches: Sequence[str]) -> str:
    """Add a secret of another system; gives its name."""
    return str(_call("note_secret", grant, kind="row", reaches=list(reaches), words=dict(words))["secret"])


def add_place(grant: str | None, secret: str, place: str, text: str) -> None:
    """Say where it lies, too."""
    _call("note_secret", grant, kind="place", secret=secret, place=place, words={"text": text})


def rotated(grant: str | None, secret: str, at: datetime, why: str) -> None:
    """Say that it was made anew."""
    moment = int(at.timestamp() * 1000)
    _call("note_secret", grant, kind="rotated", secret=secret, rotated_at=moment, words={"text": why})


def end(grant: str | None, note: str) -> None:
    """Say that a row or a place is there no more."""
    _call("end_secret_note", grant, note=note)


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, grant: str | None, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=10.0)
