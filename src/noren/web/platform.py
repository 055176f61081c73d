"""Who runs this installation and who audits it: by the names of the record. Asked for as powers are."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren.accounts.access import OperatorRequest, platform_required
from noren.people import powers as door
from noren.web import powers


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody, and how she stands."""

    handle: str
    role: str
    passkeys: int
    state: str
    until: str
    here: bool


@platform_required
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """List them; an operator may ask for another, or for somebody's end."""
    rows = [_row(one) for one in door.platform_people(request.signed_in.grant)]
    context = {
        **powers.frame(request),
        "way": "people",
        "rows": rows,
        "here": [row for row in rows if row.here],
        "days": powers.DAYS,
        "longest": powers.LONGEST,
        "asking": request.signed_in.role == "operator",
    }
    return render(request, "web/operations/people.html", context)


def _row(one: door.Colleague) -> Row:
    roles = {"operator": _("Operator"), "auditor": _("Auditor")}
    if one.ended is not None:
        state = _("ended")
    elif not one.passkeys:
        state = _("invited")
    else:
        state = _("one passkey only") if one.passkeys < door.PASSKEYS else _("can sign in")
    return Row(
        handle=one.handle,
        role=roles[one.role],
        passkeys=one.passkeys,
        state=state,
        until=powers.utc(one.ended or one.ends),
        here=one.ended is None,
    )
