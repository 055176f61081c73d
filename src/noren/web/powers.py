"""The operators' pages about powers: asking, agreeing, entering, giving back, broken glass, reviewing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, NorenError, NoSuchPower, NothingHere, PasskeyRefused, VaultUnavailable
from noren.people import powers
from noren.shops.models import ShopDirectory
from noren.web import wording

LONGEST: Final = 300
MINUTES: Final = (5, 15, 30, 60)
DAYS: Final = (7, 30, 90)
# Where each power is used. The ones over a shop take its number.
PLACES: Final = {
    "support_shop": "support_day",
    "read_incident": "support_incident",
    "read_ledger_entries": "audit",
    "rotate_keys": "lent_keys",
    "end_grants": "lent_sign_ins",
}
WHAT: Final[Mapping[str, str | Promise]] = {
    "support_shop": gettext_lazy("Support of a shop"),
    "read_incident": gettext_lazy("Reading an incident"),
    "read_ledger_entries": gettext_lazy("Reading the ledger's entries"),
    "rotate_keys": gettext_lazy("Rotating keys"),
    "end_grants": gettext_lazy("Ending sign-ins"),
    "invite_operator": gettext_lazy("Inviting an operator"),
    "invite_auditor": gettext_lazy("Inviting an auditor"),
    "end_member": gettext_lazy("Ending somebody's place here"),
}
GIVES: Final[Mapping[str, str | Promise]] = {
    "support_shop": gettext_lazy("the shop's days by numbers, and customers' names one tap away"),
    "read_incident": gettext_lazy("names and contacts of customers whose numbers you have"),
    "read_ledger_entries": gettext_lazy("entries, proofs and scope, by numbers"),
    "rotate_keys": gettext_lazy("the vault's keys by their numbers, and their rotation"),
    "end_grants": gettext_lazy(
        "shutting somebody, a shop or everybody out at once, revoking what they sign in with"
    ),
}
STATES: Final[Mapping[str, str | Promise]] = {
    "asked": gettext_lazy("waits for another operator"),
    "lapsed": gettext_lazy("not answered in time"),
    "declined": gettext_lazy("not agreed to"),
    "withdrawn": gettext_lazy("taken back"),
    "running": pgettext_lazy("power", "running"),
    "over": pgettext_lazy("power", "its time is over"),
    "ended": pgettext_lazy("power", "ended"),
    "done": pgettext_lazy("power", "done"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A power as a page shows it; `shop` is its address."""

    power: powers.Power
    what: str
    state: str
    shop: str

    @property
    def when(self) -> str:
        """When it was asked for."""
        return utc(self.power.asked)

    @property
    def waits(self) -> bool:
        """Whether it was taken without a second operator and nobody has said anything to it."""
        return self.power.glass and self.power.reviewed is None


def utc(at: datetime | None) -> str:
    """An instant: here there is no shop, and so no other clock."""
    return "" if at is None else f"{wording.day(at)} {at:%H:%M} UTC"


def lines(found: tuple[powers.Power, ...] | list[powers.Power]) -> list[Line]:
    """Give them their words."""
    slugs = dict(ShopDirectory.objects.values_list("id", "slug"))
    return [
        Line(one, str(WHAT[one.what]), str(STATES[one.state]), slugs.get(one.shop or 0, "")) for one in found
    ]


def frame(request: OperatorRequest, told: powers.Powers | None = None) -> dict[str, Any]:
    """What every page of operations shows: the power that runs, and where it leads."""
    if request.signed_in.role != "operator":
        return {"own_power": None, "auditing": True}
    try:
        told = told or powers.powers(request.signed_in.grant)
    except VaultUnavailable:
        return {"own_power": None}
    own = next((one for one in told.all if one.own and one.state == "running" and one.entered), None)
    shown = lines(list(told.all))
    return {
        "own_power": own and lines([own])[0],
        "own_place": own and _place(own),
        "waiting": [one for one in shown if one.power.state == "asked" and not one.power.own],
        "mine": [one for one in shown if one.power.own and one.power.state in ("asked", "running")],
        "running": [one for one in shown if one.power.state == "running" and not one.power.own],
        "unreviewed": [one for one in shown if one.waits],
        "shown": shown,
        "passkeys": told.passkeys,
        "few": told.passkeys < powers.PASSKEYS,
    }


def _place(one: powers.Power) -> str:
    return reverse(PLACES[one.what], args=[one.shop] if one.shop else [])


@operator_required
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    return _page(request)


def _page(request: OperatorRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    framed = frame(request)
    context = {
        **framed,
        "way": "powers",
        "past": [
            one
            for one in framed.get("shown", [])
            if one.power.state not in ("asked", "running") and not one.waits
        ],
        "kinds": [(code, WHAT[code], GIVES[code]) for code in powers.RUNNING],
        "shops": ShopDirectory.objects.order_by("slug").values_list("id", "slug")[:1000],
        "minutes": MINUTES,
        "glass_minutes": powers.MOST_OF_GLASS,
        "longest": LONGEST,
        "refused": refused,
        "words": request.POST.get("words", "")[:LONGEST],
        "chosen": request.POST.get("what", "support_shop"),
    }
    return render(request, "web/operations/powers.html", context, status=status)


def asked_of(given: Mapping[str, Any]) -> powers.Ask | None:
    """Read what a form asks for; None where something of it is missing."""
    what, words = str(given.get("what", "")), str(given.get("words", "")).strip()
    if what not in WHAT or not 0 < len(words) <= LONGEST:
        return None
    shop = _number(given.get("shop")) if what in powers.SHOP_POWERS else None
    minutes = min(_number(given.get("minutes")) or 0, powers.MOST_MINUTES) if what in powers.RUNNING else 0
    about, mail = str(given.get("about", "")).strip()[:50], str(given.get("mail", "")).strip()[:254]
    days = min(_number(given.get("days")) or 0, powers.MOST_DAYS) if what == "invite_auditor" else 0
    whole = {
        "support_shop": bool(shop and minutes),
        "read_incident": bool(shop and minutes),
        "invite_operator": _short(about) and bool(mail),
        "invite_auditor": _short(about) and bool(mail and days),
        "end_member": bool(about),
    }.get(what, bool(minutes))
    if not whole:
        return None
    inviting = what.startswith("invite_")
    return powers.Ask(
        what=what,
        words=words,
        shop_id=shop,
        minutes=minutes,
        about=about if what in powers.ONCE else "",
        mail=mail if inviting else "",
        days=days,
    )


def _short(name: str) -> bool:
    """Whether it can be a name in the record."""
    fits = all(each.isascii() and (each.isdigit() or each.islower() or each in "-_") for each in name)
    return 0 < len(name) <= 32 and fits and name[0].isalnum()


def _number(given: object) -> int | None:
    text = str(given or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 and int(text) else None


@sensitive_post_parameters("mail")
@operator_required
@require_POST
def ask(request: OperatorRequest) -> HttpResponse:
    """Ask another operator; the form comes back with what is missing."""
    wanted = asked_of(request.POST)
    if wanted is None:
        return _page(request, refused=_("Please say what, why, and for how long."), status=422)
    try:
        power = powers.ask_power(request.signed_in.grant, wanted)
    except BadField:
        return _page(request, refused=_("This mail address cannot be."), status=422)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("power", args=[power]))


# -- where there is no second operator


@sensitive_post_parameters("mail")
@operator_required
@require_POST
def glass(request: OperatorRequest) -> HttpResponse:
    """Show once more what is about to happen, and ask for the passkey. Nothing has happened yet."""
    wanted = asked_of(request.POST)
    if wanted is None:
        return _page(request, refused=_("Please say what, why, and for how long."), status=422)
    shorter = min(wanted.minutes, powers.MOST_OF_GLASS)
    also = {name: request.POST.get(name, "") for name in ("what", "words", "shop", "about", "mail", "days")}
    context = {
        **frame(request),
        "way": "powers",
        "ask": wanted,
        "what": WHAT[wanted.what],
        "shop": dict(ShopDirectory.objects.values_list("id", "slug")).get(wanted.shop_id or 0, ""),
        "minutes": shorter,
        "also": {**also, "minutes": str(shorter or "")},
        "passkey": "confirm",
        "begin": reverse("power_glass_begin"),
        "finish": reverse("power_glass_finish"),
        "label": _("Break the glass with your passkey"),
    }
    return render(request, "web/operations/glass.html", context)


@operator_required
@require_POST
def glass_begin(request: OperatorRequest) -> JsonResponse:
    wanted = _of_body(request)
    return JsonResponse({"options": powers.glass_begin(request.signed_in.grant, wanted)})


@operator_required
@require_POST
def glass_finish(request: OperatorRequest) -> JsonResponse:
    wanted = _of_body(request)
    power = powers.break_glass(request.signed_in.grant, wanted, _body(request)["answer"])
    return JsonResponse({"next": reverse("power", args=[power])})


def _of_body(request: OperatorRequest) -> powers.Ask:
    wanted = asked_of(_body(request))
    if wanted is None:
        raise PasskeyRefused
    return wanted


def _body(request: OperatorRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise PasskeyRefused from None
    if not isinstance(body, dict) or not isinstance(body.get("answer", {}), dict):
        raise PasskeyRefused
    return {"answer": {}, **body}


# -- one of them


@operator_required
@require_safe
def one(request: OperatorRequest, power: str) -> HttpResponse:
    return _one(request, power)


def _one(request: OperatorRequest, power: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    told = powers.powers(request.signed_in.grant)
    found = next((each for each in told.all if each.power == power), None)
    if found is None:
        raise NoSuchPower
    begin, finish = (reverse(f"power_agree_{step}", args=[power]) for step in ("begin", "finish"))
    [line] = lines([found])
    context = {
        **frame(request, told),
        "way": "powers",
        "one": found,
        "line": line,
        "gives": GIVES.get(found.what, ""),
        "asked": utc(found.asked),
        "expires": utc(found.expires),
        "until": utc(found.until),
        "entered": utc(found.entered),
        "ended": utc(found.ended),
        "reviewed": utc(found.reviewed),
        "agreeing": found.state == "asked" and not found.own,
        "entering": found.state == "running" and found.own,
        "reviewing": line.waits and not found.own,
        "refused": refused,
        "longest": LONGEST,
        "passkey": "confirm",
        "begin": begin,
        "finish": finish,
        "label": _("Agree with your passkey"),
    }
    return render(request, "web/operations/power.html", context, status=status)


@operator_required
@require_POST
def agree_begin(request: OperatorRequest, power: str) -> JsonResponse:
    return JsonResponse({"options": powers.lend_begin(request.signed_in.grant, power)})


@operator_required
@require_POST
def agree_finish(request: OperatorRequest, power: str) -> JsonResponse:
    powers.lend_finish(request.signed_in.grant, power, _body(request)["answer"])
    return JsonResponse({"next": reverse("power", args=[power])})


@operator_required
@require_POST
def deed(request: OperatorRequest, power: str) -> HttpResponse:
    """Enter it, decline it, end it, or say what one makes of it."""
    grant = request.signed_in.grant
    try:
        match request.POST.get("deed", ""):
            case "enter":
                return HttpResponseRedirect(_place(powers.enter_power(grant, power)))
            case "decline":
                powers.decline_power(grant, power)
            case "end":
                powers.end_power(grant, power)
            case "review":
                words = request.POST.get("words", "").strip()[:LONGEST]
                if not words:
                    return _one(request, power, refused=_("Please write what you make of it."), status=422)
                powers.review_power(grant, power, words)
            case _:
                raise NothingHere
    except NoSuchPower:
        raise
    except NorenError as refusal:
        return _one(request, power, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("power", args=[power]))
