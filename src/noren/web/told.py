"""What happened to bookings since one looked last, and of what one wishes to be told, and how."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.messages import tasks, team_mail, telling
from noren.messages.telling import About, Choice, Member, Way
from noren.shops.tenancy import shop as in_shop
from noren.web import times, visits, wording
from noren.web.desk import face_of
from noren.web.shopfront import Face

ABOUT: Final[dict[About, str | Promise]] = {
    About.NEW: pgettext_lazy("what the team is told of", "New bookings"),
    About.ASKED: pgettext_lazy("what the team is told of", "Requests that wait for a yes"),
    About.CHANGED: pgettext_lazy("what the team is told of", "Changes"),
    About.CANCELLED: pgettext_lazy("what the team is told of", "Cancellations"),
    About.MISSED: pgettext_lazy("what the team is told of", "Late, or did not come"),
    About.ANSWERED: pgettext_lazy("what the team is told of", "Answers to the days I ask for"),
}
HAPPENED: Final[dict[About, str | Promise]] = {
    About.NEW: pgettext_lazy("what happened", "New"),
    About.ASKED: pgettext_lazy("what happened", "Waits for a yes"),
    About.CHANGED: pgettext_lazy("what happened", "Changed"),
    About.CANCELLED: pgettext_lazy("what happened", "Cancelled"),
    About.MISSED: pgettext_lazy("what happened", "Late, or did not come"),
}
WAYS: Final[dict[Way, str | Promise]] = {
    Way.MAIL: gettext_lazy("a mail at once"),
    Way.DIGEST: gettext_lazy("in one mail a day"),
    Way.LIST: gettext_lazy("on this page"),
    Way.NONE: gettext_lazy("not at all"),
}
# What concerns nobody else: her own page has it in any case.
_OWN_WAYS: Final[dict[Way, str | Promise]] = {
    Way.MAIL: WAYS[Way.MAIL],
    Way.LIST: gettext_lazy("on my own page"),
}
_HOURS: Final = 24
OWN, ALL = "own", "all"


class ChoiceForm(forms.Form):
    """Of what one is told, and how."""

    use_required_attribute = False
    whose = forms.ChoiceField(
        label=gettext_lazy("Of which bookings"),
        choices=[(OWN, gettext_lazy("only those I serve")), (ALL, gettext_lazy("all of the shop"))],
    )
    hour = forms.TypedChoiceField(label=gettext_lazy("The mail of the day comes at"), coerce=int)

    def __init__(self, *args: Any, serves: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if not serves:
            del self.fields["whose"]
        for about, label in ABOUT.items():
            ways = _OWN_WAYS if about is About.ANSWERED else WAYS
            if serves or about is not About.ANSWERED:
                self.fields[str(about)] = forms.ChoiceField(label=str(label), choices=list(ways.items()))
        hours = [(hour, wording.clock_of_minute(hour * 60)) for hour in range(_HOURS)]
        self.fields["hour"].choices = hours  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.error_messages.update(invalid_choice=_("Please choose once more."))
            field.error_messages.update(required=_("Please choose once more."))

    @staticmethod
    def begun(wish: Choice) -> dict[str, Any]:
        """Fill the form with what is wished now."""
        whose = OWN if wish.own_only else ALL
        ways = {str(about): str(way) for about, way in wish.ways.items()}
        return {"whose": whose, "hour": wish.digest_hour, **ways}


def member_of(request: StaffRequest) -> Member:
    who = request.signed_in
    return Member(who.handle, who.staff_id, who.permissions)


def count(request: StaffRequest, face: Face) -> int:
    """Say how much happened since she looked last; telling.MOST is many."""
    member = member_of(request)
    return len(telling.news(face.id, member, telling.of(face.id, member), now=clock.now()))


@permission_required(Permission.BOOKINGS_SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List what happened; POST notes that it was looked at, or keeps what she wishes to be told of."""
    face, member = face_of(request), member_of(request)
    wish = telling.of(face.id, member)
    if request.method == "POST" and request.POST.get("deed") == "looked":
        upto = times.number(request.POST.get("upto"))
        if upto is not None:
            telling.looked(face.id, member, upto=upto)
        return HttpResponseRedirect(reverse("console_told"))
    given = request.POST if request.method == "POST" else None
    form = ChoiceForm(given, initial=ChoiceForm.begun(wish), serves=member.staff is not None)
    if form.is_bound and form.is_valid():
        _keep(face.id, member, wish, form.cleaned_data)
        return HttpResponseRedirect(f"{reverse('console_told')}?kept#choose")
    found = telling.news(face.id, member, wish, now=clock.now())
    with in_shop(face.id):
        seen = {each.id: each for each in visits.of([one.booking for one in found], face)}
    context = {
        "shop": face,
        "way": "messages",
        "tab": "told",
        "rows": [
            {
                "visit": seen[each.booking.id],
                "what": HAPPENED[each.about],
                "about": each.about,
                "at": each.event.at.astimezone(face.zone),
                "by": each.event.by.removeprefix("staff:") if each.event.by.startswith("staff:") else "",
            }
            for each in found
        ],
        "upto": found[0].event.id if found else 0,
        "many": len(found) >= telling.MOST,
        "form": form,
        "abouts": [form[str(about)] for about in ABOUT if str(about) in form.fields],
        "kept": "kept" in request.GET,
    }
    return render(request, "web/console/told.html", context, status=422 if form.is_bound else 200)


def _keep(shop_id: int, member: Member, wish: Choice, given: dict[str, Any]) -> None:
    ways = {about: Way(given.get(str(about), wish.ways[about])) for about in About}
    own_only = given["whose"] == OWN if "whose" in given else wish.own_only
    telling.keep(shop_id, member, own_only=own_only, ways=ways, digest_hour=given["hour"])
    if Way.DIGEST in ways.values():
        since = {}
        if Way.DIGEST in wish.ways.values() and given["hour"] != wish.digest_hour:
            # At another hour: what happened since the last one is in the next.
            last = team_mail.next_digest(shop_id, wish.digest_hour, now=clock.now()) - timedelta(days=1)
            since = {"since": last.isoformat()}
        with in_shop(shop_id):
            tasks.plan_digest.defer(shop_id=shop_id, hour=given["hour"], **since)
