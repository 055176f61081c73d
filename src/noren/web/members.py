"""Who works for the shop: the owner invites, changes roles, ends; what would end is said before it does."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren import clock, people
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import BadField, NorenError, NoSuchMember
from noren.shops.models import Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import names, roles, wording
from noren.web.desk import Unclear, face_of
from noren.web.shopfront import Face

ROLES: dict[str, str | Promise] = roles.NAMES
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_SENT: dict[str, str | Promise] = {
    "sent": gettext_lazy("The invitation is on its way. Its link can be used once, within a day."),
    "already": gettext_lazy("There is an invitation already. You can send it again below."),
    "joined": gettext_lazy("Works here again, with the passkey of before."),
}
_NOT_SENT = gettext_lazy("The mail could not be sent. Please check the address, or send it again later.")
_LONGEST_MAIL, _LONGEST_NAME = 254, 100


@dataclass(frozen=True, slots=True)
class Line:
    """One member, as a line of the list and as the head of a page."""

    member: people.Colleague
    name: str
    mail: str
    role: str
    staff: str
    since: datetime | None
    ended: datetime | None
    invited: datetime | None
    seen: datetime | None
    # joined, invited, or over: the invitation's time has passed.
    state: str
    own: bool


@permission_required(Permission.MEMBERS_CHANGE)
@sensitive_post_parameters("name", "mail")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List them; POST invites one more."""
    if request.method != "POST":
        return _page(request, said=str(_SENT.get(request.GET.get("mail", ""), "")))
    try:
        invited = people.add_member(request.signed_in.grant, _wanted(request))
    except Unclear as fault:
        return _page(request, refused=str(fault), status=422)
    except BadField as refusal:
        return _page(request, refused=_("Please write a name and a mail address."), status=refusal.status)
    except NorenError as refusal:
        return _page(request, refused=refusal.words(), status=refusal.status)
    if invited.mail not in _SENT:
        return _page(request, refused=str(_NOT_SENT), status=503)
    return HttpResponseRedirect(f"{reverse('console_members')}?mail={invited.mail}")


def _wanted(request: StaffRequest) -> people.Member:
    """Read the form. Raises Unclear."""
    given = {name: request.POST.get(name, "").strip() for name in ("name", "mail", "role", "staff", "handle")}
    with in_shop(request.shop_id):
        keys = set(Staff.objects.values_list("key", flat=True))
    handle = given["handle"] or given["staff"]
    if not given["name"] or not given["mail"]:
        raise Unclear(_("Please write a name and a mail address."))
    if not _KEY.fullmatch(handle):
        raise Unclear(_("A sign-in name is short: a to z, 0 to 9 and -, such as aoi."))
    if given["role"] not in ROLES or (given["staff"] and given["staff"] not in keys):
        raise Unclear(_("Please choose once more."))
    return people.Member(
        handle=handle,
        role=given["role"],
        staff=given["staff"] or None,
        name=given["name"][:_LONGEST_NAME],
        mail=given["mail"][:_LONGEST_MAIL],
    )


def _page(request: StaffRequest, *, said: str = "", refused: str = "", status: int = 200) -> HttpResponse:
    face, grant = face_of(request), request.signed_in.grant
    here, gone = people.members(grant), people.members(grant, ended=True)
    told = names.ask(grant, people.Purpose.MEMBERS, [one.person for one in here], ("name",))
    called = _called(face)
    form = {name: request.POST.get(name, "") for name in ("name", "mail", "role", "staff", "handle")}
    context = {
        "shop": face,
        "way": "members",
        "names": told,
        "members": [_line(one, told, called, request, face) for one in here],
        "gone": [_line(one, names.Names(), called, request, face) for one in gone],
        "roles": ROLES,
        "in_short": [{"name": ROLES[role], "words": words} for role, words in roles.IN_SHORT.items()],
        "staff": called,
        "form": form if request.method == "POST" else {"staff": request.GET.get("staff", "")},
        "unlinked": [name for key, name in called.items() if key not in {one.staff for one in here}],
        "said": said,
        "refused": refused,
    }
    return render(request, "web/console/members.html", context, status=status)


def _called(face: Face) -> dict[str, str]:
    with in_shop(face.id):
        rows = list(Staff.objects.order_by("position", "id"))
    return {row.key: wording.text(row.texts, "name") or row.key for row in rows}


def _line(
    one: people.Colleague, told: names.Names, called: dict[str, str], request: StaffRequest, face: Face
) -> Line:
    values = told.told.get(one.person, {}) if one.person is not None else {}
    now = clock.now()
    open_until = one.invited if one.invited is not None and one.invited > now else None

    def at(instant: datetime | None) -> datetime | None:
        return None if instant is None else instant.astimezone(face.zone)

    return Line(
        member=one,
        name=values.get("name") or one.handle,
        mail=values.get("mail", ""),
        role=str(ROLES.get(one.role or "", "")),
        staff=called.get(one.staff or "", one.staff or ""),
        since=at(one.since),
        ended=at(one.ended),
        invited=at(open_until),
        seen=at(one.seen),
        state="joined" if one.joined else "invited" if open_until else "over",
        own=one.handle == request.signed_in.handle,
    )


@permission_required(Permission.MEMBERS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, handle: str) -> HttpResponse:
    """One member; a deed is asked for once, and done when it is asked for with `sure`."""
    member = _found(request, handle)
    if request.method != "POST":
        return _one(request, member, said=str(_SENT.get(request.GET.get("mail", ""), "")))
    deed, grant = request.POST.get("deed", ""), request.signed_in.grant
    role = request.POST.get("role", "")
    if deed not in ("resend", "role", "end") or (deed == "role" and role not in ROLES):
        return _one(request, member, refused=_("Please choose once more."), status=422)
    if deed != "resend" and "sure" not in request.POST:
        return _sure(request, member, deed, role)
    try:
        if deed == "resend":
            sent = people.resend_invite(grant, handle)
            if sent.mail not in _SENT:
                return _one(request, member, refused=str(_NOT_SENT), status=503)
            return HttpResponseRedirect(f"{reverse('console_member', args=[handle])}?mail={sent.mail}")
        if deed == "role":
            people.change_member(grant, handle, role)
            return HttpResponseRedirect(reverse("console_member", args=[handle]))
        people.end_member(grant, handle)
    except NorenError as refusal:
        return _one(request, member, refused=refusal.words(), status=refusal.status)
    return HttpResponseRedirect(reverse("console_members"))


def _found(request: StaffRequest, handle: str) -> people.Colleague:
    for each in people.members(request.signed_in.grant):
        if each.handle == handle:
            return each
    raise NoSuchMember


def _one(
    request: StaffRequest, member: people.Colleague, *, said: str = "", refused: str = "", status: int = 200
) -> HttpResponse:
    face = face_of(request)
    told = names.ask(request.signed_in.grant, people.Purpose.MEMBERS, [member.person], ("name", "mail"))
    context = {
        "shop": face,
        "way": "members",
        "names": told,
        "line": _line(member, told, _called(face), request, face),
        "roles": ROLES,
        "said": said,
        "refused": refused,
    }
    return render(request, "web/console/member.html", context, status=status)


def _sure(request: StaffRequest, member: people.Colleague, deed: str, role: str) -> HttpResponse:
    """Say what ends and what begins, before anything does."""
    face = face_of(request)
    lost: list[str] = []
    gained: list[str] = []
    if deed == "role":
        lost, gained = roles.difference(request.signed_in.grant, member.role or "", role)
    told = names.ask(request.signed_in.grant, people.Purpose.MEMBERS, [member.person], ("name",))
    context = {
        "shop": face,
        "way": "members",
        "line": _line(member, told, _called(face), request, face),
        "deed": deed,
        "role": role,
        "role_name": ROLES.get(role, ""),
        "lost": lost,
        "gained": gained,
    }
    return render(request, "web/console/member_sure.html", context)
