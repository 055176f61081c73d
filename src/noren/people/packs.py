"""The door's functions about packs: what a shop is told of an incident, handed over into its own console.

They raise as `client`'s do, and GrantRefused; beside what each names, NoSuchIncident. Persons are opaque ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from noren.people import answers, wire
from noren.people.model import Exposure


@dataclass(frozen=True, slots=True)
class Pack:
    """The newest of an incident that was handed to the shop. `read`: when it said so first, by whom."""

    incident: str
    number: int
    handed: datetime
    words: str = field(repr=False)
    read: datetime | None
    reader: str


def hand(grant: str | None, incident: str, shop_id: int, words: str, question: Mapping[str, Any]) -> int:
    """Hand a shop its pack: words in JSON, and the question as `scope` asks it, as of a size, in seconds.

    Takes an operator's grant, or None in an administrator's process. Gives the record's number.
    """
    told = _call("hand_pack", grant, incident=incident, shop=shop_id, words=words, question=dict(question))
    return int(told["number"])


def all_of(grant: str) -> list[Pack]:
    """What was handed to the shop, the newest first. On record."""
    return [_pack(one) for one in _call("packs", grant)["packs"]]


def persons(grant: str, incident: str) -> list[Exposure]:
    """Whose data it was of the shop's customers, as of when it was asked. On record."""
    told = _call("pack_people", grant, seconds=120, incident=incident)
    return [answers.exposure(one) for one in told["persons"]]


def confirm(grant: str, incident: str, number: int) -> int:
    """Put on record that the shop has read it; NoSuchIncident where another came since."""
    return int(_call("confirm_pack", grant, incident=incident, number=number)["number"])


def _pack(one: Mapping[str, Any]) -> Pack:
    read = one["read"]
    return Pack(
        one["incident"],
        one["number"],
        _instant(one["at"]),
        one["words"],
        None if read is None else _instant(read["at"]),
        "" if read is None else read["by"],
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, grant: str | None, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)
