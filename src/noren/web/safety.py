"""Data and safety: who looked at whom in numbers, who came in, what left, and whether the record is whole.

One page for who may change the shop; what can be done about it has pages of its own, and this leads there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, manager_required
from noren.errors import GrantRefused, LedgerUnavailable, VaultUnavailable
from noren.people import looks as door_looks
from noren.people import powers as door
from noren.web import budget, day_sheets_made, handed, lists, operations, powers, roles
from noren.web.desk import face_of
from noren.web.shopfront import Face

SHOWN = 8
"""Of each list; the rest is on its own page."""
MOST_SHEETS = 12
_FOR: dict[str, str | Promise] = {
    **roles.FOR,
    "support": gettext_lazy("To help the shop"),
    "incident": gettext_lazy("To look into an incident"),
    "members": gettext_lazy("In the list of members"),
    "message": gettext_lazy("In mails"),
}
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Looker:
    """One who looked, and what for."""

    actor: str
    rows: tuple[tuple[str, door_looks.Looked, datetime], ...]

    @property
    def looks(self) -> int:
        return sum(looked.looks for _words, looked, _at in self.rows)


@dataclass(frozen=True, slots=True)
class State:
    """How the record stands: its newest checkpoint, and how far others have signed it."""

    writes: bool
    size: int
    witnesses: operations.Gauge
    note: str


@manager_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    grant = request.signed_in.grant
    record, away = _asked(_state)
    looked, looked_away = _asked(lambda: door_looks.who_looked(grant))
    may_lists = request.signed_in.permissions.intersection(lists.LISTS)
    moved = _asked(lambda: people.transfers(grant))[0] if may_lists else None
    stands = _asked(lambda: people.standing(grant))[0]
    visits = _asked(lambda: door.powers(grant).all)[0] or ()
    handed_over = _asked(lambda: handed.context_of(request, face))[0] or ()
    context = {
        "shop": face,
        "way": "safety",
        "packs": handed_over,
        "away": away or looked_away,
        "record": record,
        "days": looked.days if looked else 0,
        "lookers": _lookers(face, looked.looks) if looked else (),
        "signins": _came(face, looked.signins) if looked else (),
        "moved": [(one, lists.state_of(one), one.asked.astimezone(face.zone)) for one in (moved or ())][
            :SHOWN
        ],
        "wishes": [(one, budget.state_of(one)) for one in (stands.wishes if stands else ())][:SHOWN],
        "budget": stands.budget if stands else None,
        "visits": [
            (line, (line.power.decided or line.power.asked).astimezone(face.zone))
            for line in powers.lines(list(visits))[:SHOWN]
        ],
        "issued": day_sheets_made.issued(face, now=now)[:MOST_SHEETS],
        "owns": Permission.MEMBERS_CHANGE in request.signed_in.permissions,
        "may_lists": bool(may_lists),
    }
    return render(request, "web/console/safety.html", context)


def _asked(ask: Callable[[], Told]) -> tuple[Told | None, str]:
    """Give what the vault tells, or why it does not: the rest of the page goes on."""
    try:
        return ask(), ""
    except (VaultUnavailable, LedgerUnavailable, GrantRefused) as refusal:
        return None, refusal.words()


def _state() -> State:
    health = people.health()
    return State(health.ledger, health.size, operations.witnesses(health.witnessed), people.checkpoint())


def _lookers(face: Face, looks: Sequence[door_looks.Looked]) -> list[Looker]:
    """By who looked, who looked most first."""
    found: dict[str, list[tuple[str, door_looks.Looked, datetime]]] = {}
    for one in looks:
        words = str(_FOR.get(one.purpose, _("For something else")))
        found.setdefault(one.actor, []).append((words, one, one.last.astimezone(face.zone)))
    made = [Looker(_called(actor), tuple(rows)) for actor, rows in found.items()]
    return sorted(made, key=lambda each: (-each.looks, each.actor))


def _called(actor: str) -> str:
    """A member by her handle, as on every page here; a program as one."""
    return _("API key %(name)s") % {"name": actor} if actor.startswith("key-") else actor


def _came(
    face: Face, signins: Sequence[door_looks.CameIn]
) -> list[tuple[door_looks.CameIn, datetime | None]]:
    return [(one, one.last and one.last.astimezone(face.zone)) for one in signins]
