"""The door's functions about lists: exports and imports of persons. They raise as `client`'s do.

NoSuchTransfer, TransferWaits (for a second person) and TransferOver come beside what each one names.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.errors import VaultUnavailable
from noren.people import wire
from noren.people.model import BadRow, Imported, Row

REASONS: Final = ("moving", "letters", "figures", "authority", "other")
EXPORTED: Final = ("name", "kana", "mail", "phone", "note")
# Beyond so many persons a second person must agree.
ALONE: Final = 100
ROWS_A_REQUEST: Final = 500
ROWS_A_LOOK: Final = 2500
# What one step brings in.
ROWS_A_STEP: Final = 100
# A vault that was killed is there again within seconds, and the list goes on where it was.
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """An export or import as it stands. `own`: who looks asked for it; `told`: so many persons so far.

    `state`: asked, ready, declined, cancelled, over. `runs`: how often it was begun; `until`: when it ends.
    """

    transfer: str
    kind: str
    handle: str
    reason: str
    words: str = field(repr=False)
    fields: tuple[str, ...]
    about: str
    persons: int
    told: int
    runs: int
    second: bool
    state: str
    asked: datetime
    until: datetime
    decider: str | None
    own: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An export that was begun: its fields and the number of its pieces."""

    fields: tuple[str, ...]
    pieces: int
    persons: int
    reason: str


def _call(method: str, grant: str, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)


def transfers(grant: str) -> tuple[Transfer, ...]:
    """The shop's exports and imports of 90 days, newest first; an owner or manager asks."""
    return tuple(_transfer(one) for one in _call("transfers", grant)["transfers"])


def ask_export(
    grant: str,
    *,
    reason: str,
    words: str,
    fields: Iterable[str],
    persons: Iterable[UUID] | None = None,
    telling: str = "",
) -> str:
    """Ask for a list of all of the shop's customers, or of some; gives its id. `telling`: of those whom its
    mails did not reach (NoSuchTelling).

    `reason` is one of REASONS, `words` say more. PurposeRefused; BudgetHeld: there is no second person.
    """
    some = None if persons is None else [str(one) for one in persons]
    asked: dict[str, Any] = {"reason": reason, "words": words, "fields": list(fields), "persons": some}
    if telling:
        asked["telling"] = telling
    return str(_call("ask_export", grant, seconds=120, **asked)["transfer"])


def ask_import(grant: str, *, reason: str, words: str, fields: Iterable[str], rows: int, about: str) -> str:
    """Ask to bring in a list of so many rows; `about` is the file's hash. Gives the import's id."""
    asked: dict[str, Any] = {"fields": list(fields), "rows": rows, "about": about}
    return str(_call("ask_import", grant, reason=reason, words=words, **asked)["transfer"])


def agree_begin(grant: str, transfer: str) -> dict[str, Any]:
    """Options for `navigator.credentials.get`, good for this transfer alone. GrantRefused: one's own."""
    return dict(_call("agree_begin", grant, transfer=transfer)["options"])


def agree_finish(grant: str, transfer: str, response: Mapping[str, Any]) -> None:
    """Agree to it with the passkey's answer. Raises PasskeyRefused."""
    _call("agree_finish", grant, transfer=transfer, response=dict(response))


def decline_transfer(grant: str, transfer: str) -> None:
    """Say no to a colleague's."""
    _call("decline_transfer", grant, transfer=transfer)


def cancel_transfer(grant: str, transfer: str) -> None:
    """End it, also in the middle."""
    _call("cancel_transfer", grant, transfer=transfer)


def open_export(grant: str, transfer: str) -> Opened:
    """Begin to take an export; `export_rows` gives what is in it."""
    told = _call("open_export", grant, transfer=transfer)
    return Opened(tuple(told["fields"]), told["pieces"], told["persons"], told["reason"])


def export_piece(grant: str, transfer: str, piece: int) -> list[list[str]]:
    """One piece's rows (at most 500), canaries among them. Plaintext: never stored on the app side."""
    return [list(row) for row in _call("export_piece", grant, transfer=transfer, piece=piece)["rows"]]


def export_rows(grant: str, transfer: str, opened: Opened) -> Iterator[list[list[str]]]:
    """All pieces in order. While the vault is away a piece is asked for again, for a minute."""
    for piece in range(opened.pieces):
        yield _patiently(grant, transfer, piece)


def _patiently(grant: str, transfer: str, piece: int) -> list[list[str]]:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return export_piece(grant, transfer, piece)
        except VaultUnavailable:
            if time.monotonic() >= end:
                raise
            time.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the vault says of rows before anybody asks to bring them in: faults, and keys of who is there."""

    bad: tuple[BadRow, ...]
    known: frozenset[str]


def look_import(grant: str, rows: Sequence[Row]) -> Looked:
    """Say what is wrong with which row, and who is there already, by key or by address. It is on record."""
    bad: list[BadRow] = []
    known: set[str] = set()
    for first in range(0, len(rows), ROWS_A_LOOK):
        told = _call("look_import", grant, seconds=60, rows=_wired(rows[first : first + ROWS_A_LOOK]))
        bad += [BadRow(**one) for one in told["bad"]]
        known |= {*told["known"]}
    return Looked(tuple(bad), frozenset(known))


def import_brought(grant: str, transfer: str) -> Iterator[tuple[UUID, bool]]:
    """Give who came in with an import and is there, and whether she is as she came."""
    after = str(UUID(int=0))
    while found := _call("import_brought", grant, transfer=transfer, after=after)["persons"]:
        yield from ((UUID(person), fresh) for person, fresh in found)
        after = found[-1][0]


def undo_import(grant: str, transfer: str, persons: Sequence[UUID]) -> int:
    """Erase those of them (at most 500) that came in with it and are as they came; gives their number."""
    told = [str(one) for one in persons]
    return int(_call("undo_import", grant, seconds=60, transfer=transfer, persons=told)["erased"])


def take_import(
    grant: str, transfer: str, rows: Sequence[Row], *, check: bool = False, join: bool = False
) -> Imported:
    """Take the rows of an import that may go on; the same rows again change nothing. `check`: only look.

    `join`: who has the address of somebody who is there stands for her, and is not stored.
    """
    persons: dict[str, UUID] = {}
    bad: list[BadRow] = []
    for first in range(0, len(rows), ROWS_A_REQUEST):
        sent = _wired(rows[first : first + ROWS_A_REQUEST])
        asked: dict[str, Any] = {
            "transfer": transfer,
            "first": first,
            "rows": sent,
            "check": check,
            "join": join,
        }
        told = _call("take_import", grant, seconds=60, **asked)
        persons |= {key: UUID(person) for key, person in told["persons"].items()}
        bad += [BadRow(**one) for one in told["bad"]]
    return Imported(persons=persons, bad=tuple(bad))


def leave_import(grant: str, transfer: str, rows: Sequence[Row], *, join: bool) -> tuple[BadRow, ...]:
    """Leave the rows in the vault, sealed, for `step_import` to bring in within a day; the same again takes
    their place. `join` as of `take_import`. Gives what is wrong, where a request had a bad row: then it is
    left out from there on.
    """
    for first in range(0, len(rows), ROWS_A_STEP):
        sent = _wired(rows[first : first + ROWS_A_STEP])
        asked: dict[str, Any] = {"transfer": transfer, "first": first, "rows": sent, "join": join}
        if bad := _call("leave_import", grant, seconds=60, **asked)["bad"]:
            return tuple(BadRow(**one) for one in bad)
    return ()


@dataclass(frozen=True, slots=True)
class Came:
    """Who came in with a step, by the row's key, and the place of the list up to which all are in."""

    persons: Mapping[str, UUID]
    place: int


def step_import(shop_id: int, transfer: str, first: int) -> Came | None:
    """Bring the next rows in that were left; None: nothing is left. For the worker alone.

    `first`: up to this place of the list what the vault told is written down here, and it lets go of those
    rows. Raises NoSuchTransfer, TransferOver: nothing comes in any more.
    """
    asked: dict[str, Any] = {"shop": shop_id, "transfer": transfer, "first": first}
    told = wire.call(str(settings.VAULT_SOCKET), "step_import", asked, seconds=60)["came"]
    if told is None:
        return None
    return Came({key: UUID(person) for key, person in told["persons"].items()}, int(told["place"]))


def _wired(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{"key": row.key, "fields": dict(row.fields)} for row in rows]


def trace(texts: Sequence[str], *, grant: str | None = None) -> dict[str, Any]:
    """Which exports' canaries are among a list's texts (at most 100,000 of 400 characters).

    Gives {exports, size, checkpoint} as the vault tells them. Needs what `scope` needs.
    """
    params: dict[str, Any] = {"texts": list(texts)} | ({} if grant is None else {"grant": grant})
    return wire.call(str(settings.VAULT_SOCKET), "trace", params, seconds=600)


def _transfer(told: Mapping[str, Any]) -> Transfer:
    instants = {name: datetime.fromtimestamp(told[name], UTC) for name in ("asked", "until")}
    return Transfer(**{**told, **instants, "fields": tuple(told["fields"])})
