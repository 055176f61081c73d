"""Stop today's online bookings, in one tap: the desk goes on, and it ends by itself at midnight."""

from datetime import UTC, datetime
from functools import partial

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.engine import wall
from noren.shops import edits
from noren.web import wording
from noren.web.desk import face_of


@permission_required(Permission.BOOKINGS_CHANGE)
@require_POST
def stop(request: StaffRequest) -> HttpResponse:
    """Do what the button said; the same again changes nothing."""
    face, now, by = face_of(request), clock.now(), request.signed_in.by
    deed = request.POST.get("deed", "")
    if deed in ("stop", "open"):
        until = None if deed == "open" else _midnight(str(face.zone), now)
        changes.change(face.id, partial(edits.set_stopped, until, now=now, by=by), now=now, by=by)
    return HttpResponseRedirect(reverse("console"))


def _midnight(zone: str, now: datetime) -> datetime:
    """Return when the shop's day ends."""
    minute = int(now.timestamp()) // 60
    return datetime.fromtimestamp(wall.midnight(zone, wall.local_day(zone, minute) + 1) * 60, UTC)


def told(at: datetime, by: str) -> str:
    """Say who stopped it, and when."""
    words = {"clock": wording.clock(at), "who": by.removeprefix("staff:")}
    return _("Since %(clock)s, by %(who)s.") % words
