"""What an incident's page shows of the ledger's facts, of what was done against it, and what can be done."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from noren.incidents import asked
from noren.incidents.book import Suspect, Thread, Workspace
from noren.people import containment
from noren.people.containment import Fact
from noren.people.powers import Powers
from noren.shops.models import ShopDirectory
from noren.web import lent, powers

# So many of the newest suspects are asked about at each look.
MOST: Final = 8
DAYS: Final = (30, 90, 180, 366)
HOURS: Final[Mapping[int, str | Promise]] = {
    1: gettext_lazy("1 hour"),
    24: gettext_lazy("1 day"),
    24 * 7: gettext_lazy("7 days"),
    24 * 30: gettext_lazy("30 days"),
}
PATH: Final[Mapping[str, str | Promise]] = {
    "actor": gettext_lazy("Somebody, by handle"),
    "credential": gettext_lazy("A passkey, password or API key"),
    "session": gettext_lazy("A session"),
    "process": gettext_lazy("A process of the app side"),
    "address": gettext_lazy("A network address, or a network"),
    "device": gettext_lazy("A device, by a part of what its browser says"),
    "export": gettext_lazy("A list that was taken out, or a backup"),
    "door": gettext_lazy("A foreign session at a database"),
    "key": gettext_lazy("A key of the vault, by its id"),
}
BLOCKED: Final = {kind: PATH[kind] for kind in containment.BLOCKED}
DEED: Final[Mapping[str, str | Promise]] = {
    "end_grants": gettext_lazy("End sign-ins"),
    "freeze": gettext_lazy("Freeze lists of customers"),
    "thaw": gettext_lazy("Thaw lists of customers"),
    "hold": gettext_lazy("Hold what would be deleted"),
    "release": gettext_lazy("Release what is held"),
    "block": gettext_lazy("Block a path"),
    "open": gettext_lazy("Open a path again"),
    "revoke": gettext_lazy("Revoke what somebody signs in with"),
    "reset": gettext_lazy("Have passwords set anew"),
}
REVOKED: Final[Mapping[str, str | Promise]] = {
    "credential": gettext_lazy("A passkey, password or API key"),
    "actor": gettext_lazy("All of somebody's, by handle"),
}
RESET: Final[Mapping[str, str | Promise]] = {
    "actor": gettext_lazy("Somebody, by handle"),
    "shop": gettext_lazy("A shop, by its address"),
    "everybody": gettext_lazy("Everybody but operators"),
}
BACK: Final[Mapping[str, str | Promise]] = {
    "passkey": gettext_lazy("by another passkey"),
    "password": gettext_lazy("by a new password, with a link from the sign-in page"),
    "sso": gettext_lazy("by their organisation: end it there, too"),
    "code": gettext_lazy("by a mailed code"),
    "invited": gettext_lazy("by an invitation that was mailed just now"),
    "operator": gettext_lazy("by another operator's invitation only"),
    "key": gettext_lazy("with another key that the shop makes"),
}
OUTCOME: Final[Mapping[str, str | Promise]] = {
    "done": pgettext_lazy("containment", "done"),
    "failed": pgettext_lazy("containment", "failed"),
    "open": pgettext_lazy("containment", "unknown: nothing says how it ended"),
}
_DID: Final[Mapping[str, str | Promise]] = {
    "intent": pgettext_lazy("ledger", "customers' data were opened"),
    "search": pgettext_lazy("ledger", "customers were searched for"),
    "export": pgettext_lazy("ledger", "a list of customers was asked for or taken"),
    "import": pgettext_lazy("ledger", "customers were brought in"),
    "put": pgettext_lazy("ledger", "a new customer was stored"),
    "update": pgettext_lazy("ledger", "a customer's data were changed"),
    "erase": pgettext_lazy("ledger", "customers were erased"),
    "send": pgettext_lazy("ledger", "mail was sent"),
    "signin": pgettext_lazy("ledger", "signed in"),
    "signout": pgettext_lazy("ledger", "sign-ins were ended"),
    "register": pgettext_lazy("ledger", "a passkey or key was made or ended"),
    "refused": pgettext_lazy("ledger", "something was refused"),
    "power": pgettext_lazy("ledger", "a power was asked for, lent or ended"),
    "scope": pgettext_lazy("ledger", "the ledger was asked"),
    "incident": pgettext_lazy("ledger", "an incident was read or written to"),
}


def of_suspects(
    grant: str, incident: str, suspects: Sequence[Suspect], now: datetime
) -> tuple[list[dict[str, Any]], list[int]]:
    """Give the ledger's lines of the newest suspects, for the timeline, and of which there are more."""
    shown: dict[tuple[int, int, str], dict[str, Any]] = {}
    more: list[int] = []
    for one in suspects[-MOST:]:
        found, rest = page(grant, incident, one, 0, now)
        shown |= {(fact.first, fact.last, fact.kind): line(fact) for fact in found}
        if rest:
            more.append(one.number)
    return list(shown.values()), more


def sessions(facts: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give the sessions among the ledger's lines, with whose they are."""
    found = (each["fact"] for each in facts)
    return sorted({(one.session, one.actor) for one in found if one.session})


def page(
    grant: str | None, incident: str, one: Suspect, number: int, now: datetime
) -> tuple[list[Fact], bool]:
    """Give one page of a suspect's lines, and whether there are more."""
    # The vault's clock may stand a little before ours.
    until = one.until or max(now, one.since) + timedelta(minutes=1)
    since, named = one.since, {one.path: [one.name]}
    return containment.facts(grant, incident, since=since, until=until, named=named, page=number)


def line(fact: Fact, slugs: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One line of the ledger's as a timeline shows it; `slugs` where there is no database to ask."""
    times = ngettext("%(n)d entry", "%(n)d entries", fact.entries) % {"n": fact.entries}
    people = ngettext("%(n)d person", "%(n)d people", fact.persons) % {"n": fact.persons}
    return {
        "fact": fact,
        "when": fact.at,
        "place": (fact.at, 0),
        "utc": powers.utc(fact.at),
        "did": _DID.get(fact.kind, fact.kind),
        "many": f"{times} · {people}" if fact.persons else times,
        "shop": _named(fact.shop, slugs) if fact.shop else "",
    }


def context(grant: str, incident: str, found: Workspace, told: Powers, now: datetime) -> dict[str, Any]:
    """What the page's part about containing shows."""
    holds, freezes = containment.contained(grant, incident)
    lasting = [one for one in containment.blocks(grant, incident) if one.opened is None and one.until > now]
    return {
        "deeds": [_deed(each) for each in reversed(found.deeds)],
        "suspects": [(one, PATH[one.path], powers.utc(one.since)) for one in found.suspects],
        "holds": [(one, _slug(one.shop), powers.utc(one.look_at)) for one in holds if one.ended is None],
        "freezes": [(one, _slug(one.shop) if one.shop else "") for one in freezes if one.thawed is None],
        "shops": ShopDirectory.objects.order_by("slug").values_list("slug", flat=True)[:1000],
        "paths": PATH.items(),
        "whose": lent.WHOSE.items(),
        "revoked": REVOKED.items(),
        "reset": RESET.items(),
        "scopes": [(line.record.number, read) for line in found.scopes if (read := asked.read(line.said))],
        "may_read": told.running("read_ledger_entries") is not None,
        "hold_days": DAYS,
        "blocks": [(one, PATH[one.kind], powers.utc(one.until)) for one in lasting],
        "blockable": BLOCKED.items(),
        "block_hours": HOURS.items(),
        "may_end": told.running("end_grants") is not None,
    }


def on(said: Mapping[str, Any]) -> str:
    """What a deed was done to."""
    return _("of every shop") if said.get("on") == "*" else str(said.get("on", ""))


def _deed(each: Thread) -> dict[str, Any]:
    said, after = each.line.said, each.since[-1].said if each.since else {}
    before = said.get("before")
    touched = after.get("touched")
    return {
        "number": each.line.record.number,
        "what": DEED.get(str(said.get("deed")), said.get("deed")),
        "on": on(said),
        "state": each.state,
        "outcome": OUTCOME.get(each.state, each.state),
        "touched": _("Touched: %(n)s.") % {"n": touched} if touched is not None else "",
        # Where it is followed; a reset of before its id was written down stands there, too.
        "reset": str(after.get("reset", "")),
        "followed": said.get("deed") == "reset" and each.state == "done",
        "back": [BACK[way] for way in after.get("back", []) if way in BACK],
        "grants": before.get("grants") if isinstance(before, dict) else None,
    }


def _named(shop_id: int, slugs: Mapping[str, str] | None) -> str:
    return _slug(shop_id) if slugs is None else slugs.get(str(shop_id), str(shop_id))


def _slug(shop_id: int) -> str:
    return str(ShopDirectory.objects.filter(id=shop_id).values_list("slug", flat=True).first() or shop_id)
