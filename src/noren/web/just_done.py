"""What was just done on the day page, in words, and the way to take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from noren.accounts.access import Permission, StaffRequest
from noren.booking import away, put_back
from noren.booking.models import Block, Booking, Status
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, times, wording

_LAST = datetime.combine(times.LAST, datetime.min.time(), UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Done:
    """`deed` and `fields` are posted to `undo`, which takes it back."""

    words: str
    undo: str
    deed: str
    fields: Mapping[str, object]
    more: str = ""


def of(request: StaffRequest, face: shopfront.Face, now: datetime) -> Done | None:
    """Read off the address what was done; None where there is nothing to take back (any more)."""
    if Permission.BOOKINGS_CHANGE not in request.signed_in.permissions:
        return None
    if "moved" in request.GET:
        return _moved(request, face)
    if "blocked" in request.GET:
        return _blocked(face, times.number(request.GET["blocked"]) or 0)
    if "opened" in request.GET:
        return _opened(face, request.GET["opened"], now)
    return None


def _moved(request: StaffRequest, face: shopfront.Face) -> Done | None:
    booking = times.number(request.GET["moved"]) or 0
    change = times.number(request.GET.get("change")) or 0
    event = put_back.last_move(face.id, booking, change=change)
    if event is None:
        return None
    start, to = (datetime.fromisoformat(event.facts[each]).astimezone(face.zone) for each in ("from", "to"))
    told = "told" in request.GET
    with in_shop(face.id):
        waits = Booking.objects.filter(id=booking, status=Status.PENDING).exists()
    more = _("The customer is told, and will be told again if you undo it.") if told else ""
    if waits:
        more = _("The customer still waits for an answer, and is told of the time with it.")
    fields: dict[str, object] = {"change": change, "asked": times.number(request.GET.get("asked")) or ""}
    return Done(
        _("Moved from %(start)s to %(to)s.") % {"start": _when(start), "to": _when(to)},
        reverse("console_move", args=[booking]),
        "undo",
        {**fields, "asked_tell": 1, **({"tell": 1} if told else {})},
        more,
    )


def _blocked(face: shopfront.Face, block: int) -> Done | None:
    with in_shop(face.id):
        row = Block.objects.filter(id=block).first()
    if row is None:
        return None
    start, end = (each.astimezone(face.zone) for each in (row.start, row.end))
    return Done(
        _("Blocked for %(name)s: %(span)s.")
        % {"name": name_of(face, row.resource_id), "span": span(start, end)},
        reverse("console_block_one", args=[block]),
        "undo",
        {},
        _("What was moved or cancelled for it stays so."),
    )


def _opened(face: shopfront.Face, token: str, now: datetime) -> Done | None:
    found = read(token)
    if found is None or found[2] <= now:
        return None
    resource, start, end, _why = found
    here = span(start.astimezone(face.zone), end.astimezone(face.zone))
    name = name_of(face, resource)
    if not name:
        return None
    return Done(
        _("Open again for %(name)s: %(span)s.") % {"name": name, "span": here},
        reverse("console_block"),
        "again",
        {"what": token},
    )


def token(row: Block) -> str:
    """Name a block by what it closes, so that it can be put back when it is gone."""
    seconds = (int(each.timestamp()) for each in (row.start, row.end))
    return "-".join([str(row.resource_id), *map(str, seconds), *([row.why] if row.why else [])])


def read(text: str) -> tuple[int, datetime, datetime, str] | None:
    """Read such a name: whom it closes, from when to when, and why. None for what is none."""
    *first, why = text.split("-") if text.count("-") == 3 else [*text.split("-"), ""]
    numbers = [times.number(each) for each in first]
    if len(numbers) != 3 or None in numbers or why not in ("", away.WHY):
        return None
    resource, start, end = (each or 0 for each in numbers)
    if not start < end <= _LAST:
        return None
    return resource, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), why


def name_of(face: shopfront.Face, resource: int) -> str:
    known = shopfront.serving(face.id).get(resource)
    return known.name if known is not None else ""


def span(start: datetime, end: datetime) -> str:
    """Say from when to when, the second day only where it is another."""
    last = wording.clock(end) if end.date() == start.date() else _when(end)
    return f"{_when(start)}–{last}"


def _when(at: datetime) -> str:
    return f"{wording.day(at)} {wording.clock(at)}"
