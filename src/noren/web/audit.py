"""The auditors' pages: entries by number and time, proofs, scope by numbers, powers lent, what doctor finds.

Nobody's name is here, and everything asked is an entry itself. Operators read under a power.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from noren import clock, people
from noren.accounts.access import RecordRequest, record_required
from noren.errors import LedgerUnavailable, NorenError, NoSuchEntry, VaultUnavailable
from noren.people import powers as door
from noren.web import powers

SHOWN: Final = 25
MOST_PERSONS: Final = 500
PATHS: Final = ("actor", "credential", "session", "process", "export")


@record_required
@require_safe
def page(request: RecordRequest) -> HttpResponse:
    return _page(request)


def _page(
    request: RecordRequest, more: dict[str, Any] | None = None, *, refused: str = "", status: int = 200
) -> HttpResponse:
    now = clock.now()
    first, rows = _rows(request)
    context = {
        **powers.frame(request),
        "way": "audit",
        "health": _health(),
        "checkpoint": _checkpoint(),
        "first": first,
        "rows": rows,
        "older": max(0, first - SHOWN),
        "newer": first + SHOWN,
        "lent": powers.lines(list(door.powers(request.signed_in.grant).all[:50])),
        "paths": PATHS,
        "since": f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}",
        "until": f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}",
        "refused": refused,
        **(more or {}),
    }
    return render(request, "web/operations/audit.html", context, status=status)


def _rows(request: RecordRequest) -> tuple[int, list[dict[str, Any]]]:
    """The entries of the page: from a number or a time on, else the newest."""
    number, at = request.GET.get("from", ""), _instant(request.GET.get("at", ""))
    if at is not None:
        first, found = door.entries_at(request.asking, at, SHOWN)
    else:
        size = people.health().size
        given = number.isascii() and number.isdecimal() and len(number) <= 15
        first = int(number) if given else max(0, size - SHOWN)
        found = people.entries(request.asking, first, SHOWN)
    return first, [_row(first + place, json.loads(one)) for place, one in enumerate(found)]


def _row(number: int, entry: dict[str, Any]) -> dict[str, Any]:
    entry["number"], entry["at"] = number, f"{_of_milliseconds(entry['time']):%Y-%m-%d %H:%M:%S}"
    entry["who"] = " ".join(entry[name] for name in ("actor", "credential", "session") if entry[name])
    entry["what"] = " ".join(entry[name] for name in ("purpose", "note", "ref") if entry[name])
    return entry


def _of_milliseconds(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp / 1000, UTC)


def _instant(given: str) -> datetime | None:
    """Read a time of a form, which is UTC here."""
    try:
        return datetime.strptime(given, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _health() -> people.Health | None:
    try:
        return people.health()
    except (VaultUnavailable, LedgerUnavailable):
        return None


def _checkpoint() -> str:
    try:
        return people.checkpoint()
    except (VaultUnavailable, LedgerUnavailable):
        return ""


@record_required
@require_safe
def proof(request: RecordRequest, entry: int) -> HttpResponse:
    """The `.tlog-proof` of an entry, to keep."""
    try:
        text = door.entry_proof(request.asking, entry)
    except NorenError as refusal:
        raise NoSuchEntry from refusal
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{entry}.tlog-proof"'
    return response


@record_required
@require_POST
def scope(request: RecordRequest) -> HttpResponse:
    """Whose data passed by a path, by numbers: persons, fields, how surely."""
    since, until = _instant(request.POST.get("since", "")), _instant(request.POST.get("until", ""))
    path, name = request.POST.get("path", ""), request.POST.get("name", "").strip()[:160]
    if (
        since is None
        or until is None
        or since > until
        or (path and path not in PATHS)
        or bool(path) != bool(name)
    ):
        return _page(
            request, refused=_("Please give a time, and a path with its name or neither."), status=422
        )
    asked: dict[str, Any] = {path: name} if path else {}
    try:
        told = people.scope(since=since, until=until, grant=request.asking, **asked)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    found = {
        "asked_scope": True,
        "scope": told,
        "exposed": told.persons[:MOST_PERSONS],
        "left": max(0, len(told.persons) - MOST_PERSONS),
        "since": f"{since:%Y-%m-%dT%H:%M}",
        "until": f"{until:%Y-%m-%dT%H:%M}",
        "path": path,
        "name": name,
    }
    return _page(request, found)


@record_required
@require_POST
def doctor(request: RecordRequest) -> HttpResponse:
    """Let the vault examine itself, and show what it finds."""
    try:
        findings = door.examine(request.asking)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    return _page(request, {"findings": findings})
