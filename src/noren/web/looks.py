"""Who looked at a customer's data, as the shop's owner reads it: by handle, what, which fields, when."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from noren import people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.people import mydata
from noren.web import times
from noren.web.desk import face_of
from noren.web.lookups import fields_of, purpose_of


@permission_required(Permission.MEMBERS_CHANGE)
@require_safe
def page(request: StaffRequest, person: UUID) -> HttpResponse:
    """Who looked at this customer's data, for the shop's owner; that she reads it is one more line."""
    face = face_of(request)
    before = times.number(request.GET.get("before"))
    told, following = mydata.looks(request.signed_in.grant, person, before)
    context = {
        "shop": face,
        "way": "customers",
        "person": person,
        "lines": [(one.at.astimezone(face.zone), who(one), about(one), one.entry) for one in told],
        "next": following,
    }
    return render(request, "web/console/looks.html", context)


def about(one: people.Lookup) -> str:
    """Say to the shop's owner what an act was on a customer's data; who it was stands beside it."""
    facts = {"fields": fields_of(one.fields)}
    words = {
        "put": _("came in with a booking: %(fields)s"),
        "import": _("came in with a list: %(fields)s"),
        "update": _("changed: %(fields)s"),
        "send": _("mail sent, with: %(fields)s"),
        "messages": _("asked which mails were sent, or whether any arrive"),
        "merge": _("joined with another record, or parted again"),
        "prove": _("came in by a mailed code"),
        "erase": _("erased"),
        "export": _("taken along in a list: %(fields)s"),
    }
    if one.kind in ("intent", "search", "refused"):
        told = _("asked for, and not given: %(fields)s") if one.state == "not" else _("seen: %(fields)s")
    else:
        told = words.get(one.kind, _("worked with the record"))
    said, reason = told % facts, purpose_of(one.purpose)
    both = pgettext("what, and why", "%(said)s%(reason)s") if reason else "%(said)s"
    return both % {"said": said, "reason": reason}


def who(one: people.Lookup) -> str:
    """Say whose act it was, to the shop's owner: a colleague by the handle, others by their part."""
    words = {
        "customer": _("Another customer"),
        "self": _("The customer"),
        "booking": _("Whoever booked"),
        "key": _("A program of the shop"),
        "operator": _("An operator of this installation"),
        "administrator": _("Whoever runs this machine"),
        "noren": _("Noren itself"),
    }
    return one.staff or words.get(one.role, one.role)
