"""Files of an incident: taking one in, its lines on our clock, and the file as it came."""

import hashlib
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import BadField, TooMuch
from noren.incidents.evidence import MOST_SHOWN
from noren.incidents.evidence_commands import said
from noren.people import signs
from noren.web import evidence_lines, incidents, powers, times
from noren.web.downloads import as_download

_LONGEST: Final = 200
_MOST_SKEW: Final = 10 * 366 * 86_400


@operator_required
@require_POST
def take(request: OperatorRequest, incident: str) -> HttpResponse:
    """Take a file in: sealed, its hash in the book and on the ledger."""
    try:
        name, content = _sent(request)
        source, skew = request.POST.get("source", "").strip()[:_LONGEST], _skew(request.POST)
        text = request.POST.get("text", "").strip()[:1_000]
        words = said(name, hashlib.sha256(content).hexdigest(), source=source, skew=skew, text=text)
        grant = request.signed_in.grant
        made = signs.take_file(grant, incident, content, name=name, words=words, source=source, skew=skew)
    except (BadField, TooMuch) as refusal:
        return incidents.again(request, incident, refusal)
    return HttpResponseRedirect(reverse("evidence", args=[incident, made]))


@operator_required
@require_safe
def lines(request: OperatorRequest, incident: str, file: str) -> HttpResponse:
    """Its lines, corrected by what its clock was off; searched, and from when to when."""
    shown = evidence_lines.asked(request, incident, file)
    context: dict[str, Any] = {
        **powers.frame(request),
        "way": "incidents",
        "incident": incident,
        "file": shown.file,
        "taken": powers.utc(shown.file.at),
        "found": shown.found,
        "lines": [(line, evidence_lines.clock_words(line)) for line in shown.found.lines],
        "most": MOST_SHOWN,
        "given": request.GET,
        "query": request.GET.urlencode(),
        "refused": shown.refused,
    }
    return render(request, "web/operations/evidence.html", context)


@operator_required
@require_safe
def whole(request: OperatorRequest, incident: str, file: str) -> HttpResponse:
    return as_download(*signs.open_evidence(request.signed_in.grant, incident, file))


def _sent(request: OperatorRequest) -> tuple[str, bytes]:
    """The file's name and content. Raises TooMuch, BadField."""
    sent = request.FILES.get("file")
    # A form that is larger than may be held in memory has lost its file (settings).
    lost = int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    if lost or (sent is not None and (sent.size or 0) > signs.MOST_BYTES):
        raise TooMuch(megabytes=signs.MOST_BYTES >> 20)
    if sent is None or not sent.size:
        raise BadField(field="name", reason="empty")
    return (sent.name or "file")[:_LONGEST], sent.read()


def _skew(given: QueryDict) -> int:
    text = given.get("skew", "").strip() or "0"
    number = text.removeprefix("-").removeprefix("+")
    seconds = times.number(number)
    if seconds is None or seconds > _MOST_SKEW:
        raise BadField(field="skew", reason="number")
    return -seconds if text.startswith("-") else seconds
