"""Lists of customers that leave or come in: asked for with a reason, agreed to by somebody else, taken."""

import hashlib
from collections.abc import Iterator
from itertools import chain

from django.conf import settings
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
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import NorenError, NoSuchTransfer
from noren.people import exporting, lists
from noren.people.importing import FIELDS, CustomerList, NotAList, read
from noren.web import budget
from noren.web.customers import LABELS
from noren.web.desk import face_of

LONGEST = 300
# Who moves lists of one kind sees and agrees to those of that kind; the vault knows which.
LISTS = (Permission.LISTS_EXPORT, Permission.LISTS_IMPORT)
MOST_FAULTS = 100
REASONS: dict[str, str | Promise] = {
    "moving": gettext_lazy("Moving to another system, or from one"),
    "letters": gettext_lazy("Letters or messages to customers"),
    "figures": gettext_lazy("Figures and books"),
    "authority": gettext_lazy("An authority or a court asks"),
    "other": gettext_lazy("Something else"),
}
FAULTS: dict[str, str | Promise] = {
    "empty": gettext_lazy("is missing"),
    "too_long": gettext_lazy("is too long"),
    "control": gettext_lazy("holds characters that cannot be printed"),
    "mail": gettext_lazy("is no mail address"),
    "phone": gettext_lazy("is no phone number; a number of another country begins with +"),
    "columns": gettext_lazy("has more columns than the heading"),
    "double": gettext_lazy("is the same as an earlier one"),
}


@permission_required(*LISTS)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    return _page(request)


def _page(request: StaffRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    face = face_of(request)
    found = people.transfers(request.signed_in.grant)
    context = {
        "shop": face,
        "way": "lists",
        "lists": [(one, _state(one), one.asked.astimezone(face.zone)) for one in found],
        "reasons": REASONS,
        "fields": [(name, LABELS[name]) for name in lists.EXPORTED],
        "alone": lists.ALONE,
        "longest": LONGEST,
        "refused": refused,
        "words": request.POST.get("words", "")[:LONGEST],
    }
    return render(request, "web/console/lists.html", context, status=status)


def _state(one: people.Transfer) -> str:
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
        transfer = people.ask_export(request.signed_in.grant, reason=reason, words=words, fields=fields)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))


@permission_required(Permission.LISTS_IMPORT)
@require_POST
def ask_import(request: StaffRequest) -> HttpResponse:
    """Ask to bring a file in. It is looked at and let go: nothing of it is kept until it is agreed to."""
    reason, words = request.POST.get("reason", ""), request.POST.get("words", "").strip()
    try:
        given, about = _file(request)
    except NotAList:
        return _page(request, refused=_("This file is no list of customers that we can read."), status=422)
    if reason not in REASONS or not words or len(words) > LONGEST or not given.rows:
        return _page(request, refused=_("Please choose a file and say why."), status=422)
    fields = [name for name in FIELDS if any(name in row.fields for row in given.rows)]
    asked = {"reason": reason, "words": words}
    try:
        transfer = people.ask_import(
            request.signed_in.grant, fields=fields, rows=len(given.rows), about=about, **asked
        )
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))


def _file(request: StaffRequest) -> tuple[CustomerList, str]:
    """Read the file of the form, and give its hash. Larger ones than a request may hold are not there."""
    sent = request.FILES.get("file")
    raw = b"" if sent is None else sent.read()
    return read(raw, settings.IDEMPOTENCY_KEY), hashlib.sha256(raw).hexdigest()


@permission_required(*LISTS)
@require_safe
def one(request: StaffRequest, transfer: str) -> HttpResponse:
    return _one(request, _found(request, transfer))


def _found(request: StaffRequest, transfer: str) -> people.Transfer:
    for each in people.transfers(request.signed_in.grant):
        if each.transfer == transfer:
            return each
    raise NoSuchTransfer


def _one(
    request: StaffRequest,
    asked: people.Transfer,
    *,
    refused: str = "",
    faults: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    face = face_of(request)
    begin, finish = (
        reverse(f"console_list_agree_{step}", args=[asked.transfer]) for step in ("begin", "finish")
    )
    context = {
        "shop": face,
        "way": "lists",
        "list": asked,
        "reason": REASONS[asked.reason],
        "state": _state(asked),
        "fields": [LABELS.get(name, name) for name in asked.fields],
        "asked": asked.asked.astimezone(face.zone),
        "until": asked.until.astimezone(face.zone),
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
        return _one(request, _found(request, transfer), refused=refusal.words(), status=refusal.status)
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
    except NorenError as refusal:
        return _one(request, _found(request, transfer), refused=refusal.words(), status=refusal.status)
    language = "ja" if (get_language() or "").startswith("ja") else "en"
    text = exporting.text(opened.fields, chain([first], pieces), language)
    answer = StreamingHttpResponse(_bytes(text), content_type="text/csv; charset=utf-8")
    day = clock.now().astimezone(face_of(request).zone).date()
    answer["Content-Disposition"] = f'attachment; filename="customers-{day}-{transfer[:6]}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _bytes(text: Iterator[str]) -> Iterator[bytes]:
    for part in text:
        yield part.encode()


@sensitive_post_parameters()
@permission_required(Permission.LISTS_IMPORT)
@require_POST
def take(request: StaffRequest, transfer: str) -> HttpResponse:
    """Bring the very file in that was asked for: all rows are looked at first, and one bad one holds all."""
    asked = _found(request, transfer)
    try:
        given, about = _file(request)
    except NotAList:
        about = ""
    if about != asked.about:
        return _one(request, asked, refused=_("Please choose the very file that you asked for."), status=422)
    try:
        looked = people.take_import(request.signed_in.grant, transfer, given.rows, check=True)
        faults = given.faults_with(looked.bad)
        if not faults:
            people.take_import(request.signed_in.grant, transfer, given.rows)
    except NorenError as refusal:
        return _one(request, asked, refused=refusal.words(), status=refusal.status)
    if faults:
        told = [
            _("Line %(line)s: %(field)s %(reason)s")
            % {
                "line": each.line,
                "field": LABELS.get(each.field, _("the row")),
                "reason": FAULTS.get(each.reason, each.reason),
            }
            for each in faults[:MOST_FAULTS]
        ]
        return _one(
            request, asked, refused=_("Nothing was taken. Please mend these lines:"), faults=told, status=422
        )
    return HttpResponseRedirect(reverse("console_list", args=[transfer]))
