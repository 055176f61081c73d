"""The door's functions about what is done for an incident: facts, snapshots, holds, freezes, blocks.

Each takes an operator's grant, or None in an administrator's process, and raises as `incidents`' do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import wire

# What a suspect may be: a path by which entries came; or a foreign session or a key, of which entries tell.
PATHS: Final = ("actor", "credential", "session", "process", "address", "device", "export", "door", "key")
MOST_DAYS: Final = 366
# What of it can be blocked.
BLOCKED: Final = ("address", "device")


@dataclass(frozen=True, slots=True)
class Fact:
    """Entries of one minute, deed and way: `entries` of `persons`; `failed` of them told nothing.

    Without `sure` it may have been somebody else's session. `first` and `last` are entries' numbers.
    """

    at: datetime
    kind: str
    purpose: str
    shop: int | None
    actor: str
    credential: str
    session: str
    entries: int
    persons: int
    failed: int
    first: int
    last: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Nobody in it is erased. `persons` 0 where it holds the `whole` shop; `waiting`: erasures held up."""

    hold: str
    shop: int
    whole: bool
    persons: int
    since: datetime
    look_at: datetime
    ended: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """No list leaves the shop (None: any shop). `by` froze it, and somebody else thaws it."""

    freeze: str
    shop: int | None
    by: str
    since: datetime
    thawed_by: str | None
    thawed: datetime | None


@dataclass(frozen=True, slots=True)
class Block:
    """Nobody signs in from there `until` then. `kind` is address or device; another than `by` opens it."""

    block: str
    kind: str
    name: str
    by: str
    since: datetime
    until: datetime
    opened_by: str | None
    opened: datetime | None


@dataclass(frozen=True, slots=True)
class Weight:
    """What a block would shut out: `living` sign-ins, `own` among them; of `unsure` it cannot be told."""

    name: str
    living: int
    own: bool
    unsure: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stood before a deed. `named`: the newest living sign-ins, as session, credential, actor, shop."""

    checkpoint: str
    grants: int
    named: tuple[tuple[str, str, str, int], ...]
    connections: Mapping[str, int]


def facts(
    grant: str | None,
    incident: str,
    *,
    since: datetime,
    until: datetime,
    named: Mapping[str, Sequence[str]],
    page: int = 0,
) -> tuple[list[Fact], bool]:
    """Give a page of what the ledger has of these paths, the newest first, and whether there is more."""
    paths = {kind: list(values) for kind, values in named.items()}
    times = {"since": since.timestamp(), "until": until.timestamp()}
    told = _call("incident_facts", grant, seconds=60, incident=incident, page=page, **times, **paths)
    lines = [Fact(**one | {"at": _instant(one["at"]), "shop": one["shop"] or None}) for one in told["lines"]]
    return lines, bool(told["more"])


def snapshot(grant: str | None, incident: str) -> Snapshot:
    """Take one."""
    told = _call("incident_snapshot", grant, incident=incident)
    named = tuple((one[0], one[1], one[2], int(one[3])) for one in told["named"])
    return Snapshot(told["checkpoint"], told["grants"], named, told["connections"])


def contained(grant: str | None, incident: str) -> tuple[list[Hold], list[Freeze]]:
    """What is held and frozen for an incident, and what was."""
    told = _call("incident_contained", grant, incident=incident)
    holds = [
        Hold(
            **one
            | {
                "since": _instant(one["since"]),
                "look_at": _instant(one["look_at"]),
                "ended": _maybe(one["ended"]),
            }
        )
        for one in told["holds"]
    ]
    freezes = [
        Freeze(
            **one
            | {
                "shop": one["shop"] or None,
                "since": _instant(one["since"]),
                "thawed": _maybe(one["thawed"]),
            }
        )
        for one in told["freezes"]
    ]
    return holds, freezes


def hold(
    grant: str | None, incident: str, shop_id: int, *, days: int, persons: Sequence[UUID] | None = None
) -> tuple[str, int]:
    """Hold these persons, or the whole shop where none are named; gives its id, and how many it has."""
    named = None if persons is None else [str(one) for one in persons]
    told = _call("hold", grant, incident=incident, shop=shop_id, days=days, persons=named)
    return str(told["hold"]), int(told["persons"])


def release_hold(grant: str | None, incident: str, hold_id: str) -> int:
    """End it, and give how many were erased whose erasure it had held up. Raises NoSuchHold."""
    told = _call("release_hold", grant, seconds=120, incident=incident, hold=hold_id)
    return int(told["erased"])


def freeze_exports(grant: str | None, incident: str, shop_id: int | None) -> str:
    """Let no list leave a shop, or any; gives the freeze's id."""
    return str(_call("freeze_exports", grant, incident=incident, shop=shop_id or 0)["freeze"])


def thaw_exports(grant: str | None, incident: str, freeze: str) -> None:
    """End a freeze; another operator's. Raises NoSuchFreeze, GrantRefused."""
    _call("thaw_exports", grant, incident=incident, freeze=freeze)


def blocks(grant: str | None, incident: str) -> list[Block]:
    """The paths that are blocked for an incident, and those that were."""
    return [
        Block(
            **one
            | {
                "since": _instant(one["since"]),
                "until": _instant(one["until"]),
                "opened": _maybe(one["opened"]),
            }
        )
        for one in _call("path_blocks", grant, incident=incident)["blocks"]
    ]


def weigh_block(
    grant: str | None, incident: str, kind: str, name: str, *, here: Mapping[str, str] | None = None
) -> Weight:
    """Say whom a block would shut out; `here`: `address` and `device` of whoever asks."""
    asked: dict[str, Any] = {"kind": kind, "name": name, **(here or {})}
    return Weight(**_call("weigh_block", grant, incident=incident, **asked))


def block_path(
    grant: str | None,
    incident: str,
    kind: str,
    name: str,
    *,
    hours: int,
    here: Mapping[str, str] | None = None,
    own: bool = False,
) -> int:
    """Let nobody sign in from there for so long; gives how many sign-ins ended, never the asker's own.

    Raises BlocksYourself where she is there and `own` does not say that she knows.
    """
    asked: dict[str, Any] = {"kind": kind, "name": name, "hours": hours, "own": own, **(here or {})}
    return int(_call("block_path", grant, incident=incident, **asked)["ended"])


def open_path(grant: str | None, incident: str, block: str) -> None:
    """Let people sign in from there again; another operator's. Raises NoSuchBlock, GrantRefused."""
    _call("open_path", grant, incident=incident, block=block)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _instant(seconds)


def _call(method: str, grant: str | None, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)
