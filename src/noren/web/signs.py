"""Signs that something may be amiss: the list, one of them, and what an operator does about it."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import NorenError, NoSuchSign
from noren.incidents import book
from noren.incidents.book import Kind
from noren.people import incidents, signs
from noren.people.signs import Sign
from noren.web import powers
from noren.web.downloads import as_download

LONGEST: Final = 5_000
WHAT: Final[Mapping[str, str | Promise]] = {
    "damaged": gettext_lazy("A record could not be read as it was written"),
    "refused": gettext_lazy("Somebody is refused again and again"),
    "budget": gettext_lazy("Somebody met the budget of looks"),
    "door": gettext_lazy("A session at a database that is not Noren's own"),
    "attack": gettext_lazy("Sign-in is under attack"),
    "not_me": gettext_lazy("Somebody says a sign-in was not theirs"),
    "repaired": gettext_lazy("The ledger's end was repaired"),
    "forked": gettext_lazy("Another history of the ledger is witnessed"),
    "behind": gettext_lazy("The ledger is not being witnessed"),
    "hold_over": gettext_lazy("The day has come to look again at what is held"),
    "canary": gettext_lazy("A list that left was found outside"),
    "notice": gettext_lazy("A published notice is not as the ledger has it"),
    "doctor": gettext_lazy("An examination found something"),
    "told": gettext_lazy("An operator tells of something"),
    "report": gettext_lazy("A report from outside"),
}
SOURCE: Final[Mapping[str, str | Promise]] = {
    "vault": pgettext_lazy("sign", "the vault"),
    "ledger": pgettext_lazy("sign", "the ledger"),
    "door": pgettext_lazy("sign", "the databases"),
    "person": pgettext_lazy("sign", "a person here"),
    "outside": pgettext_lazy("sign", "outside"),
}
STATE: Final[Mapping[str, str | Promise]] = {
    "new": pgettext_lazy("sign", "nobody has taken it"),
    "taken": pgettext_lazy("sign", "taken"),
    "dismissed": pgettext_lazy("sign", "dismissed"),
    "incident": pgettext_lazy("sign", "part of an incident"),
}
FACT: Final[Mapping[str, str | Promise]] = {
    "actor": pgettext_lazy("sign", "Who"),
    "by": pgettext_lazy("sign", "Told by"),
    "session": pgettext_lazy("sign", "Session"),
    "shop": pgettext_lazy("sign", "Shop"),
    "note": pgettext_lazy("sign", "Note in the ledger"),
    "ref": pgettext_lazy("sign", "It speaks of"),
}
# How a state is drawn.
_STATUS: Final = {"new": "cancelled", "taken": "pending", "dismissed": "over", "incident": "confirmed"}


@sensitive_post_parameters("text")
@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: OperatorRequest) -> HttpResponse:
    """The list, and the form by which an operator tells of something."""
    grant, refused, status = request.signed_in.grant, "", 200
    if request.method == "POST":
        text = request.POST.get("text", "").strip()[:LONGEST]
        if text:
            return HttpResponseRedirect(reverse("sign", args=[signs.tell(grant, text)]))
        refused, status = _("Please write what you have seen."), 422
    found = [_shown(one) for one in signs.all_of(grant)]
    context = {
        **powers.frame(request),
        "way": "signs",
        "open": [one for one in found if one["sign"].state in ("new", "taken")],
        "over": [one for one in found if one["sign"].state not in ("new", "taken")],
        "refused": refused,
        "longest": LONGEST,
    }
    return render(request, "web/operations/signs.html", context, status=status)


@operator_required
@require_safe
def one(request: OperatorRequest, sign: str) -> HttpResponse:
    return _one(request, sign)


@operator_required
@require_POST
def deed(request: OperatorRequest, sign: str) -> HttpResponse:
    """Take it, dismiss it, or make it part of an incident."""
    grant, because = request.signed_in.grant, request.POST.get("because", "").strip()[:2_000]
    try:
        match request.POST.get("deed", ""):
            case "take":
                signs.take(grant, sign)
            case "dismiss" if because:
                signs.dismiss(grant, sign, because)
            case "dismiss":
                return _one(request, sign, refused=_("Please say why."), status=422)
            case "open":
                return _joined(request, sign, "")
            case "join" if incident := request.POST.get("incident", "")[:40]:
                return _joined(request, sign, incident)
            case _:
                return _one(request, sign, refused=_("Please choose what to do."), status=422)
    except NoSuchSign:
        raise
    except NorenError as refusal:
        return _one(request, sign, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("sign", args=[sign]))


@operator_required
@require_safe
def file(request: OperatorRequest, sign: str, file: str) -> HttpResponse:
    """A file that was reported with, to be kept and not to be looked at here."""
    return as_download(*signs.open_file(request.signed_in.grant, sign, file))


def _joined(request: OperatorRequest, sign: str, incident: str) -> HttpResponse:
    """A fact with the sign's own time goes into the book, of a new incident where none is named."""
    grant = request.signed_in.grant
    told = signs.read(grant, sign)
    what = str(WHAT[told.what])
    text = "\n\n".join(part for part in (what, told.text, _of_facts(told)) if part)
    words = book.say(Kind.FACT, text=text[:LONGEST], when=told.first.isoformat(), sign=sign)
    opened = "" if incident else book.say(Kind.OPENED, title=what[: book.LONGEST_TITLE])
    incident = signs.join(grant, sign, words, incident=incident, opened=opened)
    return HttpResponseRedirect(reverse("incident", args=[incident]))


def _of_facts(told: Sign) -> str:
    lines = [f"{FACT[name]}: {text}" for name, text in told.facts.items() if name in FACT]
    return "\n".join(lines)


def _one(request: OperatorRequest, sign: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    grant = request.signed_in.grant
    told = signs.read(grant, sign)
    context = {
        **powers.frame(request),
        "way": "signs",
        **_shown(told),
        "facts": [(FACT[name], text) for name, text in told.facts.items() if name in FACT],
        "rings": [(ring, powers.utc(ring.at), powers.utc(ring.hooked)) for ring in told.rings],
        "next": powers.utc(told.next) if told.state == "new" else "",
        "open": told.state in ("new", "taken"),
        "own": told.state == "taken" and told.by == request.signed_in.handle,
        "incidents": [(each.incident, book.title_of(each.words)) for each in incidents.all_of(grant)],
        "refused": refused,
        "given": request.POST,
    }
    return render(request, "web/operations/sign.html", context, status=status)


def _shown(told: Sign) -> dict[str, Any]:
    """A sign with its words."""
    return {
        "sign": told,
        "what": WHAT.get(told.what, told.what),
        "source": SOURCE[told.source],
        "state": STATE[told.state],
        "status": _STATUS[told.state],
        "first": powers.utc(told.first.astimezone(UTC)),
        "last": powers.utc(told.last.astimezone(UTC)),
        "since": powers.utc(told.since.astimezone(UTC)),
    }
