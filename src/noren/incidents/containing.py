"""Containing: what stood before is written into the book, then the deed is done, then how it ended.

Whatever dies in between leaves the first record without a second: the deed is then unknown, and said to be.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import connection

from noren import people
from noren.errors import NorenError, PowerNeeded
from noren.incidents.book import Kind, say
from noren.people import containment, ending, forced, incidents
from noren.people.containment import Snapshot
from noren.runtime.paths import Paths

# What cannot be done without the power that is lent for it.
POWERS: Final[Mapping[str, str]] = dict.fromkeys(("end_grants", "revoke", "reset"), "end_grants")
NAMELESS: Final = ("operators", "everybody")
_MOST_LOGS: Final = 20
_LARGEST_LOG: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done. `whose` and `name`: of grants, and of a path that is blocked for `hours`; `shop_id`
    and `days`: of freezes and holds; `of`: the hold, freeze or block that is to end. `here` is where the
    operator is (address, device), and `own` that she knows that she blocks herself. `told` is how the book
    names what it is done to.
    """

    deed: str
    because: str
    told: str = ""
    whose: str = ""
    name: str = ""
    shop_id: int | None = None
    days: int = 0
    persons: tuple[Any, ...] | None = None
    of: str = ""
    hours: int = 0
    here: Mapping[str, str] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How many it touched; by which ways whose things were revoked comes in again; which reset it is."""

    touched: int
    back: tuple[str, ...] = ()
    reset: str = ""


def contain(grant: str | None, incident: str, wanted: Wanted, *, lent: str | None = None) -> int:
    """Do it, and give how many it touched; `lent` is the grant under the power that the deed needs.

    Raises PowerNeeded before anything is written, NoSuchIncident, and what the deed itself raises: that it
    failed is in the book.
    """
    if grant is not None and wanted.deed in POWERS and lent is None:
        raise PowerNeeded
    before = say(
        Kind.CONTAIN,
        deed=wanted.deed,
        on=wanted.told,
        text=wanted.because,
        before=_before(containment.snapshot(grant, incident)),
    )
    number = incidents.add(grant, incident, Kind.CONTAIN, before)
    try:
        done = _DO[wanted.deed](lent if wanted.deed in POWERS else grant, incident, wanted)
    except (NorenError, RuntimeError) as refusal:  # the second: a name that no record holds
        why = refusal.code if isinstance(refusal, NorenError) else "no_such_name"
        failed = say(Kind.CONTAINED, of=number, outcome="failed", why=why)
        incidents.add(grant, incident, Kind.CONTAINED, failed)
        raise
    ended = say(Kind.CONTAINED, of=number, outcome="done", **_said(done))
    incidents.add(grant, incident, Kind.CONTAINED, ended)
    return done.touched


def _before(taken: Snapshot) -> dict[str, Any]:
    return {
        "checkpoint": taken.checkpoint,
        "grants": taken.grants,
        "named": [list(one) for one in taken.named],
        "vault_connections": dict(taken.connections),
        "app_connections": _connections(),
        "logs": _logs(Paths.of(settings.ENV)),
    }


def _connections() -> dict[str, int]:
    """Who is connected to the app's database, by login."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(usename::text, ''), count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() GROUP BY 1 ORDER BY 1"
        )
        return dict(cursor.fetchall())


def _logs(paths: Paths) -> dict[str, dict[str, Any]]:
    """SHA-256 of the logs that may be read from here, by name, and of how many bytes.

    More is written into them afterwards; what is changed of those bytes can be told from it.
    """
    found: dict[str, dict[str, Any]] = {}
    for folder, shape in ((paths.log, "*.log"), (paths.app_pg_log, "*.json")):
        try:
            files = sorted(folder.glob(shape))[-_MOST_LOGS:]
        except OSError:
            continue
        for file in files:
            with suppress(OSError), file.open("rb") as opened:
                read = opened.read(_LARGEST_LOG)
                found[file.name] = {"sha256": hashlib.sha256(read).hexdigest(), "bytes": len(read)}
    return found


def _said(done: Done) -> dict[str, Any]:
    said = {"touched": done.touched, "reset": done.reset}
    return said | ({"back": list(done.back)} if done.back else {})


def _end_grants(grant: str | None, _incident: str, wanted: Wanted) -> Done:
    name: str | int | None = wanted.shop_id if wanted.whose == "shop" else wanted.name
    return Done(people.end_grants(wanted.whose, None if wanted.whose in NAMELESS else name, grant=grant))


def _revoke(grant: str | None, _incident: str, wanted: Wanted) -> Done:
    return Done(*ending.revoke(wanted.whose, wanted.name, grant=grant))


def _reset(grant: str | None, _incident: str, wanted: Wanted) -> Done:
    name: str | int = (wanted.shop_id or 0) if wanted.whose == "shop" else wanted.name
    begun = forced.begin(wanted.whose, name or None, persons=wanted.persons or (), grant=grant)
    return Done(begun.passwords, reset=begun.reset)


def _freeze(grant: str | None, incident: str, wanted: Wanted) -> Done:
    containment.freeze_exports(grant, incident, wanted.shop_id)
    return Done(1)


def _thaw(grant: str | None, incident: str, wanted: Wanted) -> Done:
    containment.thaw_exports(grant, incident, wanted.of)
    return Done(1)


def _hold(grant: str | None, incident: str, wanted: Wanted) -> Done:
    shop_id = wanted.shop_id or 0
    return Done(containment.hold(grant, incident, shop_id, days=wanted.days, persons=wanted.persons)[1])


def _release(grant: str | None, incident: str, wanted: Wanted) -> Done:
    return Done(containment.release_hold(grant, incident, wanted.of))


def _block(grant: str | None, incident: str, wanted: Wanted) -> Done:
    path, here = (wanted.whose, wanted.name), wanted.here
    return Done(containment.block_path(grant, incident, *path, hours=wanted.hours, here=here, own=wanted.own))


def _open(grant: str | None, incident: str, wanted: Wanted) -> Done:
    containment.open_path(grant, incident, wanted.of)
    return Done(1)


_DO: Final[Mapping[str, Callable[[str | None, str, Wanted], Done]]] = {
    "end_grants": _end_grants,
    "revoke": _revoke,
    "reset": _reset,
    "freeze": _freeze,
    "thaw": _thaw,
    "hold": _hold,
    "release": _release,
    "block": _block,
    "open": _open,
}
