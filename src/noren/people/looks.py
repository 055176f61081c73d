"""The door's function about who of a shop looked at whom, in counts. It raises as `client`'s do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from noren.people import answers, wire


@dataclass(frozen=True, slots=True)
class Looked:
    """How often somebody looked for a purpose, at how many customers. `actor`: a handle or a key."""

    actor: str
    purpose: str
    looks: int
    persons: int
    last: datetime


@dataclass(frozen=True, slots=True)
class CameIn:
    """How often a member came in and was refused, how many of her sessions are open, when she came last."""

    handle: str
    signins: int
    refused: int
    sessions: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class WhoLooked:
    """The last `days`, out of the first `size` entries of the ledger."""

    days: int
    size: int
    looks: tuple[Looked, ...]
    signins: tuple[CameIn, ...]


def who_looked(grant: str) -> WhoLooked:
    """Count who looked at how many of the grant's shop's customers, and who came in; on record.

    Who may change the shop asks. Raises GrantRefused.
    """
    told = wire.call(str(settings.VAULT_SOCKET), "who_looked", {"grant": grant}, seconds=30.0)
    return WhoLooked(
        days=told["days"],
        size=told["size"],
        looks=tuple(Looked(**{**one, "last": _at(one["last"])}) for one in told["looks"]),
        signins=tuple(CameIn(**{**one, "last": one["last"] and _at(one["last"])}) for one in told["signins"]),
    )


def _at(seconds: Any) -> datetime:
    return answers.instant(seconds)
