"""Lists of customers that leave or come in: asked for with a reason, agreed to by somebody else, taken."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import readings, work
from noren.errors import NorenError, NoSuchTransfer
from noren.people import exporting, lists, tellings
from noren.web import budget
from noren.web.customers import LABELS
from noren.web.desk import face_of

LONGEST = 300
# So many persons of a list are in memory at once, where it is written in Shift_JIS.
MOST_WHOLE = 50_000
# Who moves lists of one kind sees and agrees to those of that kind; the vault knows which.
LISTS = (Permission.LISTS_EXPORT, Permission.LISTS_IMPORT)
AHEAD = timedelta(days=30)
REASONS: dict[str, str | Promise] = {
    "moving": gettext_lazy("Moving to another system, or from one"),
    "letters": gettext_lazy("Letters or messages to customers"),
    "figures": gettext_lazy("Figures and books"),
    "authority": gettext_lazy("An authority or a court asks"),
    "other": gettext_lazy("Something else"),
}


@permission_required(*LISTS)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    return _page(request)


def page_with(request: StaffRequest, refused: str, status: int) -> HttpResponse:
    """The same with what cannot be done."""
    return _page(request, refused=refused, status=status)


def _page(request: StaffRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    face = face_of(request)
    today = clock.now().astimezone(face.zone).date()
    found, exports = people.transfers(request.signed_in.grant), request.signed_in.may["lists_export"]
    context = {
        "shop": face,
        "way": "lists",
        "lists": [(one, state_of(one), one.asked.astimezone(face.zone)) for one in found],
        "reasons": REASONS,
        "fields": [(name, LABELS[name]) for name in lists.EXPORTED],
        "alone": lists.ALONE,
        "longest": LONGEST,
        "first": today,
        "last": today + AHEAD,
        "refused": refused,
        "words": request.POST.get("words", "")[:LONGEST],
        "letters": tellings.letters(request.signed_in.grant) if exports else [],
    }
    return render(request, "web/console/lists.html", context, status=status)


def state_of(one: people.Transfer) -> str:
    """Say how a list stands."""
    if one.state == "ready" and one.runs:
        return _("being taken") if one.told < one.persons else _("taken")
    words = {
        "asked": _("waits for somebody else's yes"),
        "ready": _("may be taken"),
        "declined": _("not agreed to"),
        "cancelled": _("cancelled"),
        "over": _("taken") if one.runs and one.told >= one.persons else _("its time is over"),
    }
    return words[one.state]


@permission_required(Permission.LISTS_EXPORT)
@require_POST
def ask_export(request: StaffRequest) -> HttpResponse:
    """Ask for a list of all customers; the form comes back with what is missing."""
    reason, words = request.POST.get("reason", ""), request.POST.get("words", "").strip()
    fields = [name for name in lists.EXPORTED if name in request.POST.getlist("fields")]
    if reason not in REASONS or not words or len(words) > LONGEST or not fields:
        return _page(
            request, refused=_("Please say why, and choose what is to stand in the list."), status=422
        )
    try:
        telling = request.POST.get("telling", "")[:40]
        transfer = people.ask_export(
            request.signed_in.grant, reason=reason, words=words, fields=fields, telling=telling
        )
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))


@permission_required(*LISTS)
@require_safe
def one(request: StaffRequest, transfer: str) -> HttpResponse:
    return show(request, found(request, transfer))


def found(request: StaffRequest, transfer: str) -> people.Transfer:
    """Return a list of the shop's. Raises NoSuchTransfer."""
    for each in people.transfers(request.signed_in.grant):
        if each.transfer == transfer:
            return each
    raise NoSuchTransfer


def show(
    request: StaffRequest,
    asked: people.Transfer,
    *,
    refused: str = "",
    faults: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    face = face_of(request)
    reading = readings.of(face.id, asked.transfer)
    begin, finish = (
        reverse(f"console_list_agree_{step}", args=[asked.transfer]) for step in ("begin", "finish")
    )
    context = {
        "shop": face,
        "way": "lists",
        "list": asked,
        "reason": REASONS[asked.reason],
        "state": state_of(asked),
        "fields": [LABELS.get(name, name) for name in asked.fields],
        "asked": asked.asked.astimezone(face.zone),
        "until": asked.until.astimezone(face.zone),
        "bookings": reading.kind == "bookings",
        "undoes": asked.kind == "import" and asked.runs > 0 and request.signed_in.may["lists_import"],
        "works": [
            (each, each.made_at.astimezone(face.zone)) for each in work.of_transfer(face.id, asked.transfer)
        ],
        "agreeing": asked.state == "asked" and not asked.own,
        "taking": asked.state == "ready" and asked.own,
        "open": asked.state in ("asked", "ready"),
        "moving": asked.state == "ready" and asked.runs and asked.told < asked.persons,
        "refused": refused,
        "faults": faults or [],
        "passkey": "confirm",
        "begin": begin,
        "finish": finish,
        "label": _("Agree with your passkey"),
    }
    return render(request, "web/console/list.html", context, status=status)


@permission_required(*LISTS)
@require_POST
def agree_begin(request: StaffRequest, transfer: str) -> JsonResponse:
    return JsonResponse({"options": people.agree_begin(request.signed_in.grant, transfer)})


@permission_required(*LISTS)
@require_POST
def agree_finish(request: StaffRequest, transfer: str) -> JsonResponse:
    people.agree_finish(request.signed_in.grant, transfer, budget.answer_of(request))
    return JsonResponse({"next": reverse("console_list", args=[transfer])})


@permission_required(*LISTS)
@require_POST
def end(request: StaffRequest, transfer: str) -> HttpResponse:
    """Decline a colleague's list, or cancel one."""
    act = people.decline_transfer if request.POST.get("deed") == "decline" else people.cancel_transfer
    try:
        act(request.signed_in.grant, transfer)
    except NorenError as refusal:
        return show(request, found(request, transfer), refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))


@permission_required(Permission.LISTS_EXPORT)
@require_POST
def file(request: StaffRequest, transfer: str) -> HttpResponseBase:
    """The export as a file, told piece by piece and stored nowhere."""
    grant = request.signed_in.grant
    try:
        opened = people.open_export(grant, transfer)
        pieces = people.export_rows(grant, transfer, opened)
        first = next(pieces)  # what is refused at once is said on the page, and not in a file
        language = "ja" if (get_language() or "").startswith("ja") else "en"
        text = exporting.text(opened.fields, chain([first], pieces), language)
        day = clock.now().astimezone(face_of(request).zone).date()
        name = f"customers-{day}-{transfer[:6]}"
        if request.POST.get("charset") in ("cp932", "either"):
            return _whole(request, transfer, text, opened.persons, name)
    except NorenError as refusal:
        return show(request, found(request, transfer), refused=refusal.words(), status=refusal.status)
    return attached(StreamingHttpResponse(_bytes(text), content_type="text/csv; charset=utf-8"), name)


def _whole(
    request: StaffRequest, transfer: str, text: Iterator[str], persons: int, name: str
) -> HttpResponseBase:
    """The same in Shift_JIS: whether it has every character is known only once all of them are there. How
    many it has not is noted with the list, and stands in the file's name.
    """
    if persons > MOST_WHOLE:
        refused = _("So long a list is written in UTF-8 alone.")
        return show(request, found(request, transfer), refused=refused, status=422)
    written = exporting.written(text, request.POST["charset"])
    by, now = request.signed_in.by, clock.now()
    noted = work.note_taken(request.shop_id, "list_out", transfer, persons, now=now, by=by)
    work.note_done(request.shop_id, noted, persons, now=clock.now(), lost=written.lost)
    charset = "Shift_JIS" if written.charset == "cp932" else "utf-8"
    answer = HttpResponse(written.raw, content_type=f"text/csv; charset={charset}")
    return attached(answer, f"{name}-{written.lost}-lost" if written.lost else name)


def attached(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    """Make an answer a CSV file that is saved, and never shown as anything else."""
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _bytes(text: Iterator[str]) -> Iterator[bytes]:
    for part in text:
        yield part.encode()
