"""What is set rather than done each day, by whoever may: one page that leads to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from noren.accounts.access import Permission, SignedIn, StaffRequest, staff_required
from noren.web.desk import face_of


@dataclass(frozen=True, slots=True)
class Leads:
    """A page, what is set there, and who is led to it: who has one of these permissions; none: everybody."""

    page: str
    name: str | Promise
    says: str | Promise
    may: tuple[Permission, ...] = ()
    opened: bool = False
    """Whether the shop must be open."""


GROUPS: Final[Sequence[tuple[str | Promise, Sequence[Leads]]]] = (
    (
        gettext_lazy("What customers see"),
        (
            Leads(
                "console_words",
                gettext_lazy("Words"),
                gettext_lazy("name, address, how to find you, the law's page"),
                (Permission.HOURS_CHANGE,),
                opened=True,
            ),
            Leads(
                "console_photos",
                gettext_lazy("Photos"),
                gettext_lazy("of the shop, of services and of who serves"),
                (Permission.SHOP_CHANGE,),
            ),
            Leads(
                "console_embed",
                gettext_lazy("Your page"),
                gettext_lazy("its link, on your own site, as a poster"),
                (Permission.SHOP_CHANGE,),
            ),
        ),
    ),
    (
        gettext_lazy("When and with what"),
        (
            Leads(
                "console_hours",
                gettext_lazy("Hours"),
                gettext_lazy("the week, single days, closings and holidays"),
                (Permission.HOURS_CHANGE,),
            ),
            Leads(
                "console_resources",
                gettext_lazy("Rooms and things"),
                gettext_lazy("rooms, chairs, courts, equipment: how many, out of order"),
                (Permission.HOURS_CHANGE,),
                opened=True,
            ),
            Leads(
                "console_policies",
                gettext_lazy("Policies"),
                gettext_lazy("deadlines, fees, check-in, waiting list"),
                (Permission.HOURS_CHANGE,),
                opened=True,
            ),
        ),
    ),
    (
        gettext_lazy("Your team"),
        (
            Leads(
                "console_members",
                gettext_lazy("Members"),
                gettext_lazy("who signs in, and who may what"),
                (Permission.MEMBERS_CHANGE,),
            ),
            Leads(
                "console_sso",
                gettext_lazy("Sign-in"),
                gettext_lazy("your organisation's own sign-in"),
                (Permission.MEMBERS_CHANGE,),
            ),
        ),
    ),
    (
        gettext_lazy("Customers' data"),
        (
            Leads(
                "console_budget",
                gettext_lazy("Look-ups"),
                gettext_lazy("how many names you may still look at, and asking for more"),
            ),
            Leads(
                "console_lists",
                gettext_lazy("Lists"),
                gettext_lazy("bring customers and bookings in, take a list out"),
                (Permission.LISTS_EXPORT, Permission.LISTS_IMPORT),
            ),
        ),
    ),
)
_OWNERS = ("console_sso",)


@staff_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face, who = face_of(request), request.signed_in
    groups = [
        (
            title,
            [(reverse(each.page), each.name, each.says) for each in leads if _led(each, who, face.published)],
        )
        for title, leads in GROUPS
    ]
    context = {"shop": face, "way": "settings", "groups": [group for group in groups if group[1]]}
    return render(request, "web/console/settings.html", context)


def _led(each: Leads, who: SignedIn, published: bool) -> bool:
    if each.page in _OWNERS and who.role != "owner":
        return False
    allowed = not each.may or not who.permissions.isdisjoint(each.may)
    return allowed and (published or not each.opened)
