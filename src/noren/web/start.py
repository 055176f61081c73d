"""A shop's first hour: from an owner's first sign-in to an open shop, one thing a screen.

Each answer is kept in the shop's rows, so any step can be left and come back to, on another device too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import founding
from noren.errors import (
    BadField,
    CodeRefused,
    LedgerUnavailable,
    NothingHere,
    NotOpenYet,
    VaultUnavailable,
)
from noren.shops import curtain, described, kinds, own_mail, setup
from noren.shops.models import Setup, Shop
from noren.shops.tenancy import shop as in_shop
from noren.web import legal, listed, passwords, start_services, times, wording
from noren.web.desk import face_of
from noren.web.shopfront import Face
from noren.web.start_forms import AboutForm, Asked, HoursForm, TeamForm, WordsForm

owner_required = permission_required(Permission.MEMBERS_CHANGE)
NAMES: Final[Mapping[str, str | Promise]] = {
    "kind": gettext_lazy("Kind of shop"),
    "about": gettext_lazy("The shop"),
    "hours": gettext_lazy("Hours"),
    "team": gettext_lazy("Who serves"),
    "services": gettext_lazy("What you offer"),
    "words": gettext_lazy("Policy"),
    "look": gettext_lazy("Look and open"),
}
FORMS: Final[Mapping[str, Any]] = {
    "about": AboutForm,
    "hours": HoursForm,
    "team": TeamForm,
    "words": WordsForm,
}
# Where what is still needed is written.
WHERE: Final = {
    "policy": "words",
    "services": "services",
    "seller": "words",
    "person": "words",
    "address": "about",
    "phone": "about",
}


P = ParamSpec("P")
View = Callable[Concatenate[StaffRequest, P], HttpResponse]


def while_hidden(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let the owner in until the shop is open; then lead to the page that says so."""

    @wraps(view)
    def guarded(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if curtain.is_open(request.shop_id):
            return HttpResponseRedirect(reverse("console_start"))
        return view(request, *args, **kwargs)

    return owner_required(guarded)


@dataclass(frozen=True, slots=True)
class Line:
    """A step in the list of all."""

    key: str
    name: str | Promise
    here: bool
    done: bool
    href: str


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the shop is."""

    face: Face
    asked: Asked
    mail: str
    mail_asked: str
    proved: bool
    lacks: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every step has its answer."""
        return setup.is_whole(self.asked.answers)

    @property
    def first_open(self) -> str:
        """The first step without an answer; the look, once all have theirs."""
        return next((step for step in setup.STEPS if step not in self.asked.answers), "look")


def stand(request: StaffRequest) -> Stand:
    """Read how far the shop is."""
    face = face_of(request)
    with in_shop(face.id):
        row, kept = Shop.objects.get(), Setup.objects.first()
        answers = setup.answers()
        lacks = setup.lacking(row) if setup.is_whole(answers) else []
    mail = answers.get("about", {}).get("mail", "")
    return Stand(
        face=face,
        asked=Asked(row.locale, answers),
        mail=mail,
        mail_asked="" if kept is None else kept.mail_asked,
        proved=kept is not None and bool(mail) and kept.mail_proved == mail,
        lacks=tuple(lacks),
    )


@owner_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """Lead to where one was; of an open shop, say that it is, and what one may do next."""
    face = face_of(request)
    if not face.published:
        return HttpResponseRedirect(_at(stand(request).first_open))
    context = {"shop": face, "way": "start", "address": listed.address("shop", face.slug)}
    return render(request, "web/console/start/open.html", context)


@while_hidden
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: StaffRequest, step: str) -> HttpResponse:
    """Show a step; POST keeps its answer and leads on."""
    if step not in setup.STEPS:
        raise NothingHere
    now_at = stand(request)
    if step not in ("kind", "about") and "kind" not in now_at.asked.answers:
        return HttpResponseRedirect(_at("kind"))
    if step == "kind":
        return _kind(request, now_at)
    form = _form(step, now_at.asked, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _shown(request, now_at, step, form)
    if step == "services" and "add" in request.POST:
        return _shown(request, now_at, step, _longer(now_at.asked, request))
    if not form.is_valid():
        return _shown(request, now_at, step, form, status=422)
    return _kept(request, now_at, step, form)


def _kind(request: StaffRequest, now_at: Stand) -> HttpResponse:
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        if kind not in kinds.KINDS:
            return _shown(request, now_at, "kind", None, wrong=_("Please choose once more."), status=422)
        founding.answer(now_at.face.id, "kind", kind, now=clock.now(), by=request.signed_in.by)
        return HttpResponseRedirect(_at("about"))
    return _shown(request, now_at, "kind", None)


def _kept(request: StaffRequest, now_at: Stand, step: str, form: Any) -> HttpResponse:
    try:
        founding.answer(now_at.face.id, step, form.answer(), now=clock.now(), by=request.signed_in.by)
    except described.Faulty as faulty:
        return _shown(request, now_at, step, form, wrong="; ".join(faulty.faults), status=422)
    after = stand(request)
    if after.whole and not after.proved and after.mail_asked != after.mail:
        _ask(request, after)
    following = [*setup.STEPS, "look"][setup.STEPS.index(step) + 1]
    return HttpResponseRedirect(_at(after.first_open if following == "look" else following))


def _form(step: str, asked: Asked, data: Any) -> Any:
    given: Any = asked.answers.get(step) or (setup.begun(step, asked.kind) if step != "about" else {})
    if step == "services":
        return start_services.services(asked, given, data)
    form = FORMS[step]
    return form(data, initial=form.begun(given, asked), asked=asked)


def _longer(asked: Asked, request: StaffRequest) -> Any:
    """Return the list as it was typed, with a line more; nothing is kept."""
    typed = request.POST.copy()
    total = typed.get("s-TOTAL_FORMS", "0")
    lines = times.number(total) or 0
    typed["s-TOTAL_FORMS"] = str(min(lines + 1, start_services.MOST))
    typed[f"s-{lines}-on"] = "on"
    return _form("services", asked, typed)


def _shown(
    request: StaffRequest, now_at: Stand, step: str, form: Any, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "shop": now_at.face,
        "way": "start",
        "steps": steps(now_at, step),
        "number": [*NAMES].index(step) + 1,
        "step": step,
        "title": NAMES[step],
        "back": _back(step),
        "form": form,
        "asked": now_at.asked,
        "wrong": wrong,
        "kinds": [{"key": key, **_told(key)} for key in kinds.KINDS],
        "kind": now_at.asked.answers.get("kind", ""),
    }
    return render(request, f"web/console/start/{step}.html", context, status=status)


def _told(kind: str) -> dict[str, str]:
    about = kinds.of(kind)["kind"]
    return {"title": wording.text(about, "title"), "says": wording.text(about, "says")}


def steps(now_at: Stand, here: str) -> list[Line]:
    """All steps, as the page lists them."""
    return [
        Line(key, name, key == here, key in now_at.asked.answers, _at(key)) for key, name in NAMES.items()
    ]


def _at(step: str) -> str:
    return reverse("console_start_look") if step == "look" else reverse("console_start_step", args=[step])


def _back(step: str) -> str:
    place = [*NAMES].index(step)
    return _at([*NAMES][place - 1]) if place else ""


# -- the look, the code, the opening


@while_hidden
@require_safe
def look(request: StaffRequest) -> HttpResponse:
    """Lead to the page as a customer will see it, and to the opening."""
    now_at = stand(request)
    if not now_at.whole:
        return HttpResponseRedirect(_at(now_at.first_open))
    return _look(request, now_at, sent="sent" in request.GET)


@while_hidden
@require_POST
def code(request: StaffRequest) -> HttpResponse:
    """Have a code mailed to the shop's address once more."""
    now_at = stand(request)
    if not now_at.whole:
        return HttpResponseRedirect(_at(now_at.first_open))
    wrong = _ask(request, now_at)
    if wrong:
        return _look(request, now_at, wrong=wrong, status=422)
    return HttpResponseRedirect(f"{_at('look')}?sent")


@sensitive_post_parameters("code")
@while_hidden
@require_POST
def open_shop(request: StaffRequest) -> HttpResponse:
    """Open the shop; before that, take the code where the address is not proved."""
    now_at = stand(request)
    if not now_at.whole:
        return HttpResponseRedirect(_at(now_at.first_open))
    if not now_at.proved:
        if now_at.mail_asked != now_at.mail:
            return _look(request, now_at, wrong=_("Please have a code mailed first."), status=422)
        try:
            own_mail.prove(now_at.face.id, code_typed(request), session=request.signed_in.session)
        except CodeRefused as refusal:
            return _look(request, now_at, refused=refusal.words(), status=422)
    try:
        founding.hang_out(now_at.face.id, now=clock.now(), by=request.signed_in.by)
    except NotOpenYet:
        return _look(request, stand(request), wrong=_("Something is still needed."), status=422)
    return HttpResponseRedirect(reverse("console_start"))


def code_typed(request: StaffRequest) -> str:
    """Read a code as somebody types it."""
    return "".join(passwords.typed(request, "code", 20).split()) or "-"


def _ask(request: StaffRequest, now_at: Stand) -> str:
    """Have a code mailed; say what is wrong, or nothing."""
    try:
        own_mail.ask(now_at.face.id, now_at.mail, now=clock.now(), session=request.signed_in.session)
    except BadField:
        return _("This cannot be a mail address. Please correct it in step 2.")
    except (VaultUnavailable, LedgerUnavailable) as refusal:
        return refusal.words()
    return ""


def _look(
    request: StaffRequest,
    now_at: Stand,
    *,
    sent: bool = False,
    wrong: str = "",
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    names = {**legal.labels(), "policy": _("Changing and cancelling"), "services": _("A service")}
    context = {
        "shop": now_at.face,
        "way": "start",
        "steps": steps(now_at, "look"),
        "number": len(NAMES),
        "step": "look",
        "title": NAMES["look"],
        "back": _back("look"),
        "mail": now_at.mail,
        "proved": now_at.proved,
        "mailed": now_at.mail_asked == now_at.mail,
        "lacks": [(names[key], _at(WHERE[key])) for key in now_at.lacks if key in WHERE],
        "sent": sent,
        "wrong": wrong,
        "refused": refused,
    }
    return render(request, "web/console/start/look.html", context, status=status)
