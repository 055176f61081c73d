"""What each role may do and see in this shop: the owner takes some of it, and gives it back."""

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from noren import people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import NothingHere
from noren.web.customers import LABELS
from noren.web.desk import face_of

NAMES: dict[str, str | Promise] = {
    "owner": pgettext_lazy("role", "Owner"),
    "manager": pgettext_lazy("role", "Manager"),
    "staff": pgettext_lazy("role", "Staff"),
    "reception": pgettext_lazy("role", "Reception"),
    "accountant": pgettext_lazy("role", "Accountant"),
}
IN_SHORT: dict[str, str | Promise] = {
    "owner": _("everything, and the only one who invites members and changes roles"),
    "manager": _("hours, staff, services and bookings, but no members"),
    "staff": _("bookings and customers at the desk; her own shifts"),
    "reception": _("the same at the desk"),
    "accountant": _("the day and its bookings by number, without customers' names"),
}
"""What a role is for, in a line: what it may do in this shop stands on the page of roles."""
MAY: dict[str, str | Promise] = {
    Permission.DAY_SEE: _("see today's list and the calendar"),
    Permission.BOOKINGS_SEE: _("open bookings"),
    Permission.BOOKINGS_CHANGE: _("check in, move and cancel bookings"),
    Permission.BOOKINGS_SETTLE: _("decide on bookings that cannot stay as they are"),
    Permission.CUSTOMERS_SEE: _("search and open customers"),
    Permission.CUSTOMERS_CHANGE: _("correct customers' data"),
    Permission.HOURS_CHANGE: _("change hours, and who can be booked"),
    Permission.LISTS_EXPORT: _("take lists of customers out, or agree to it"),
    Permission.LISTS_IMPORT: _("bring lists of customers in, or agree to it"),
    Permission.BUDGET_APPROVE: _("agree when a colleague needs to see more customers"),
    Permission.SHOP_CHANGE: _("see how the shop is set up"),
    Permission.MEMBERS_CHANGE: _("invite members, change and end them"),
}
FOR: dict[str, str | Promise] = {
    "today": _("In today's list"),
    "day": _("In the calendar"),
    "day_sheet": _("On a printed day sheet"),
    "customer": _("On a customer's page"),
    "search": _("When searching"),
    "check_in": _("At check-in"),
    "export": _("In lists that leave"),
}
_FIELDS: dict[str, str | Promise] = LABELS | {
    "answers": _("Answers"),
    "health": _("Answers about health"),
    "guests": _("Names of those who come along"),
    "tags": _("Tags"),
    "notes": _("The shop's notes"),
    "chart": _("Record of visits"),
    "card_last4": _("Last digits of the card"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One box to tick."""

    name: str
    words: str
    on: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one purpose."""

    purpose: str
    words: str
    fields: tuple[Choice, ...]


def difference(grant: str, before: str, after: str) -> tuple[list[str], list[str]]:
    """Say in words what somebody may no longer do with another role, and what from then on."""
    left = {one.role: set(one.left) for one in people.permissions(grant)}
    old, new = left.get(before, set()), left.get(after, set())
    return (
        [str(words) for name, words in MAY.items() if name in old - new],
        [str(words) for name, words in MAY.items() if name in new - old],
    )


@permission_required(Permission.MEMBERS_CHANGE)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    found = people.permissions(request.signed_in.grant)
    context = {
        "shop": face_of(request),
        "way": "members",
        "roles": [
            {
                "role": one.role,
                "name": NAMES[one.role],
                "fixed": one.fixed,
                "may": [MAY[name] for name in one.left],
                "not": [MAY[name] for name in one.most if name not in one.left],
            }
            for one in found
        ],
    }
    return render(request, "web/console/roles.html", context)


@permission_required(Permission.MEMBERS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, role: str) -> HttpResponse:
    """One role: what it may do, and which fields it sees. Saved boxes bite at once."""
    grant = request.signed_in.grant
    permits = next((each for each in people.permissions(grant) if each.role == role), None)
    if permits is None or permits.fixed:
        raise NothingHere
    rights = [each for each in people.shop_rights(grant) if each.role == role]
    if request.method == "POST":
        _save(request, permits, rights)
        return HttpResponseRedirect(reverse("console_role", args=[role]) + "?saved")
    context = {
        "shop": face_of(request),
        "way": "members",
        "role": role,
        "name": NAMES[role],
        "permits": [Choice(name, str(MAY[name]), name in permits.left) for name in permits.most],
        "groups": [_group(each) for each in rights],
        "saved": "saved" in request.GET,
    }
    return render(request, "web/console/role.html", context)


def _group(right: people.Right) -> Group:
    fields = tuple(Choice(name, str(_FIELDS[name]), name in right.fields) for name in right.most)
    return Group(right.purpose, str(FOR[right.purpose]), fields)


def _save(request: StaffRequest, permits: people.Permits, rights: list[people.Right]) -> None:
    """Ask the vault for what differs, each change an entry of its own."""
    grant, wanted = request.signed_in.grant, set(request.POST.getlist("may"))
    for name in permits.most:
        if (name in wanted) != (name in permits.left):
            people.permit(grant, permits.role, name, given=name in wanted)
    for right in rights:
        chosen = request.POST.getlist(f"fields-{right.purpose}")
        fields = [name for name in right.most if name in chosen]
        if tuple(fields) != right.fields:
            people.narrow(grant, right.role, right.purpose, fields)
