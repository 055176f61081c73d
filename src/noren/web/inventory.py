"""The inventory of secrets as operators see it: the list, the query after a leak, one secret, what is added.

No power is needed, and no secret is shown. Each look is on record. What is written here is cut as at the
inquiry desk: a password in it is gone before it is stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, NoSuchSecret
from noren.incidents import cutting, inventory, secret_words
from noren.incidents.inventory import STATES, Inventory, Reached, Row
from noren.incidents.secret_list import ALSO, PLACES, SECRETS, STORES
from noren.people import inventory as door
from noren.people.inventory import LONGEST
from noren.web import powers
from noren.web.incidents import ZONES, instant_of

LONGEST_TITLE: Final = 120
# How a state is drawn.
_STATUS: Final = {"no": "cancelled", "unknown": "pending", "yes": "confirmed", "none": "over"}


@dataclass(frozen=True, slots=True)
class Line:
    """A secret in the list, with its words."""

    row: Row
    title: str
    address: str
    since: str
    used: str
    state: str
    status: str
    when: str
    through: str


@sensitive_post_parameters()
@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest) -> HttpResponse:
    """The list or what is reached; and the form by which a secret of another system comes in."""
    refused, status = "", 200
    if request.method == "POST":
        title, how = (_cut(request, name) for name in ("title", "how"))
        if title.text:
            words = {"title": title.text[:LONGEST_TITLE], "how": how.text}
            reaches = request.POST.getlist("reaches")[:40]
            known = set(inventory.read(request.signed_in.grant, settings.ENV).nodes())
            secret = door.add_row(request.signed_in.grant, words, [one for one in reaches if one in known])
            return _back(secret, cut=bool(title.found or how.found))
        refused, status = _("Please say what it is called."), 422
    held = inventory.read(request.signed_in.grant, settings.ENV)
    asked = _asked(request, held)
    found = held.reached(asked["starts"], asked["since"]) if asked["starts"] else None
    rows = held.rows(asked["since"]) if found is None else found.rows
    context = {
        **powers.frame(request),
        "way": "secrets",
        "lines": [_line(one, held) for one in rows],
        "found": found,
        "stores": _stores(found, held),
        "tallies": _tallies(Reached(rows, {})) if asked["since"] else (),
        "groups": _groups(held),
        "zones": ZONES,
        "asked": asked,
        "refused": refused,
        "given": request.POST,
        "longest": LONGEST,
        "longest_title": LONGEST_TITLE,
    }
    return render(request, "web/operations/secrets.html", context, status=status)


@operator_required
@require_safe
def one(request: OperatorRequest, secret: str) -> HttpResponse:
    return _one(request, secret)


@sensitive_post_parameters()
@operator_required
@require_POST
def deed(request: OperatorRequest, secret: str) -> HttpResponse:
    """Say where it lies, too, that it was made anew, or that a note is over."""
    act = _DEEDS.get(request.POST.get("deed", ""), _nothing)
    cut = _cut(request, "text")
    try:
        act(request, secret, cut.text)
    except BadField as refusal:
        why = next(iter(refusal.reasons.values()), "")
        refused = _WHY[why]() if why in _WHY else _("Please choose what to do.")
        return _one(request, secret, refused=refused, status=422)
    return _back(secret, cut=bool(cut.found))


def _nothing(_request: OperatorRequest, _secret: str, _text: str) -> None:
    raise BadField(field="deed", reason="unknown")


def _place(request: OperatorRequest, secret: str, text: str) -> None:
    place = request.POST.get("place", "")
    if place not in ALSO or not text:
        raise BadField(field="place", reason="place")
    if inventory.read(request.signed_in.grant, settings.ENV).row(secret) is None:
        raise NoSuchSecret
    door.add_place(request.signed_in.grant, secret, place, text)


def _rotated(request: OperatorRequest, secret: str, text: str) -> None:
    now = clock.now()
    found = inventory.read(request.signed_in.grant, settings.ENV).row(secret)
    if found is None:
        raise NoSuchSecret
    if found.seen:
        raise BadField(field="deed", reason="seen")
    given = instant_of(request.POST, "at")
    at = datetime.fromisoformat(given) if given else now
    if at > now:
        raise BadField(field="at", reason="future")
    if not text:
        raise BadField(field="text", reason="why")
    door.rotated(request.signed_in.grant, secret, at, text)


def _gone(request: OperatorRequest, _secret: str, _text: str) -> None:
    door.end(request.signed_in.grant, request.POST.get("note", "")[:40])


_DEEDS: Final[Mapping[str, Callable[[OperatorRequest, str, str], None]]] = {
    "place": _place,
    "rotated": _rotated,
    "gone": _gone,
}
_WHY: Final[Mapping[str, Callable[[], str]]] = {
    "place": lambda: _("Please say which place, and where exactly."),
    "seen": lambda: _("The system sees itself when it was made: nobody can say otherwise."),
    "future": lambda: _("That time is still to come."),
    "time": lambda: _("Please give a date and a time."),
    "why": lambda: _("Please say why."),
}


def _one(request: OperatorRequest, secret: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    held = inventory.read(request.signed_in.grant, settings.ENV)
    row = held.row(secret)
    if row is None:
        raise NoSuchSecret
    own = row.row
    context = {
        **powers.frame(request),
        "way": "secrets",
        "line": _line(row, held),
        "row": row,
        "lies": [secret_words.PLACE[place] for place in row.secret.lies],
        "also": [(note, secret_words.PLACE[note.place], _utc(note.at)) for note in row.places],
        "marks": [(note, _utc(note.rotated_at), _utc(note.at)) for note in row.marks],
        "latest": _utc(row.fact.latest),
        "how": own.words.get("how", "") if own else secret_words.HOW[row.secret.how],
        "own": own and (own, _utc(own.at)),
        "opens": [secret_words.node(name, held) for name in held.leads_to(secret)],
        "together": _together(held, secret),
        "shops": [(shop, _utc(shop.since), _utc(shop.used)) for shop in row.fact.shops],
        "places": [(place, secret_words.PLACE[place]) for place in ALSO],
        "zones": ZONES,
        "refused": refused,
        "given": request.POST,
        "was_cut": request.method == "GET" and request.GET.get("cut") == "1",
        "longest": LONGEST,
    }
    return render(request, "web/operations/secret.html", context, status=status)


def _line(row: Row, held: Inventory) -> Line:
    address = reverse("secret", args=[row.name])
    if row.pasted is not None:
        address = reverse("inquiry_one", args=[row.pasted.inquiry])
    return Line(
        row,
        secret_words.title(row),
        address,
        _utc(row.fact.since),
        _utc(row.fact.used),
        str(secret_words.STATE[row.verdict.state]),
        _STATUS[row.verdict.state],
        _utc(row.verdict.at),
        " + ".join(secret_words.node(name, held) for name in row.through),
    )


def _asked(request: OperatorRequest, held: Inventory) -> dict[str, Any]:
    """Read the question: nodes to begin from, a time, and the clock's fields as they were."""
    nodes = set(held.nodes())
    try:
        given = instant_of(request.GET, "since")
    except BadField:
        given = ""
    since = datetime.fromisoformat(given) if given else None
    zone = request.GET.get("zone", "")
    if zone not in ZONES:
        zone = "UTC"
    return {
        "starts": [name for name in request.GET.getlist("from")[:8] if name in nodes],
        "since": since,
        "at": "" if since is None else since.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M"),
        "shown": _utc(since),
        "zone": zone,
    }


def _groups(held: Inventory) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a question begins from, by kinds."""
    listed = {one.name for one in SECRETS}
    own = [row.name for row in held.rows(None) if row.name not in listed and row.pasted is None]
    kinds = ((_("Places"), PLACES), (_("Secrets"), (*sorted(listed), *own)), (_("What is reached"), STORES))
    return [(says, [(name, secret_words.node(name, held)) for name in names]) for says, names in kinds]


def _stores(found: Reached | None, held: Inventory) -> list[tuple[str, str]]:
    if found is None:
        return []
    return [
        (str(secret_words.STORE[name]), " + ".join(secret_words.node(one, held) for one in through))
        for name, through in found.stores.items()
    ]


def _tallies(found: Reached) -> list[tuple[str, str, int]]:
    counts = found.counts()
    return [(str(secret_words.STATE[state]), _STATUS[state], counts[state]) for state in STATES]


def _together(held: Inventory, secret: str) -> list[tuple[str, str]]:
    """With which others it opens what."""
    return [
        (
            " + ".join(secret_words.node(name, held) for name in needs if name != secret),
            secret_words.node(gives, held),
        )
        for needs, gives in held.with_others(secret)
    ]


def _utc(at: datetime | None) -> str:
    """An instant with its year: a key may be old."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _cut(request: OperatorRequest, name: str) -> cutting.Cut:
    """What was typed, without what must not be kept."""
    return cutting.cut(request.POST.get(name, "").strip()[:LONGEST])


def _back(secret: str, *, cut: bool) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("secret", args=[secret]) + ("?cut=1" if cut else ""))
