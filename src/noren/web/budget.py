"""How much has been looked at, and what gives more: a passkey, then a second person, then time."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import people
from noren.accounts.access import Permission, StaffRequest, permission_required, staff_required
from noren.errors import NorenError, PasskeyRefused
from noren.web.desk import face_of

AMOUNTS = (50, 100, 200, 500)
MINUTES = (15, 30, 60)
LONGEST_REASON = 300


@staff_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    return _page(request)


def _page(request: StaffRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    face = face_of(request)
    stands = people.standing(request.signed_in.grant)
    own = [wish for wish in stands.wishes if wish.own]
    waiting = [wish for wish in stands.wishes if not wish.own]
    context = {
        "shop": face,
        "way": "budget",
        "budget": stands.budget,
        "next": stands.next.value,
        "own": [(wish, state_of(wish), wish.until.astimezone(face.zone)) for wish in own],
        "waiting": [(wish, wish.until.astimezone(face.zone)) for wish in waiting],
        "amounts": AMOUNTS,
        "minutes": MINUTES,
        "longest": LONGEST_REASON,
        "refused": refused,
        "reason": request.POST.get("reason", "")[:LONGEST_REASON],
        "passkey": "confirm",
        "begin": reverse("console_budget_begin"),
        "finish": reverse("console_budget_finish"),
        "label": _("Confirm with your passkey"),
    }
    return render(request, "web/console/budget.html", context, status=status)


def state_of(wish: people.Wish) -> str:
    """Say how it stands."""
    words = {
        "asked": _("waits for an answer"),
        "approved": _("agreed to"),
        "declined": _("not agreed to"),
        "over": _("not answered in time"),
    }
    return words[wish.state]


@staff_required
@require_POST
def begin(request: StaffRequest) -> JsonResponse:
    return JsonResponse({"options": people.step_up_begin(request.signed_in.grant)})


@staff_required
@require_POST
def finish(request: StaffRequest) -> JsonResponse:
    people.step_up_finish(request.signed_in.grant, answer_of(request))
    return JsonResponse({"next": reverse("console_budget")})


def answer_of(request: HttpRequest) -> dict[str, Any]:
    """Read a passkey's answer as the page's script sends it. Raises PasskeyRefused."""
    try:
        answer = json.loads(request.body)["answer"]
    except (ValueError, KeyError, TypeError):
        raise PasskeyRefused from None
    if not isinstance(answer, dict):
        raise PasskeyRefused
    return answer


@staff_required
@require_POST
def ask(request: StaffRequest) -> HttpResponse:
    """Ask a second person; the form comes back with what is missing."""
    reason = request.POST.get("reason", "").strip()
    if not reason or len(reason) > LONGEST_REASON:
        return _page(request, refused=_("Please write in a few words why you need more."), status=422)
    amount, minutes = (
        _chosen(request.POST.get(name, ""), among)
        for name, among in (("amount", AMOUNTS), ("minutes", MINUTES))
    )
    try:
        people.ask_second(request.signed_in.grant, reason=reason, amount=amount, minutes=minutes)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_budget"))


def _chosen(given: str, among: tuple[int, ...]) -> int:
    """What was chosen; a value that the form does not have is the least."""
    return next((each for each in among if str(each) == given), among[0])


@permission_required(Permission.BUDGET_APPROVE)
@require_POST
def decide(request: StaffRequest) -> HttpResponse:
    """Agree to a colleague's request, or decline it."""
    wanted, approve = request.POST.get("request", "")[:40], request.POST.get("deed") == "approve"
    try:
        people.decide_second(request.signed_in.grant, wanted or "-", approve=approve)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_budget"))
