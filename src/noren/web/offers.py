"""What a shop offers, in the order in which customers see it, and when it is open as a rule: changed in the
console by its own people. One service is offer.py's.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.engine.model import HolidayRule
from noren.errors import ChangeTouchesBookings, ServiceUnknown
from noren.shops import edits
from noren.shops.models import OpeningHours, Service, Shop
from noren.shops.reading import WEEKDAYS, Values
from noren.shops.tenancy import shop as in_shop
from noren.web import hours, times, touched, wording
from noren.web.desk import open_face_of
from noren.web.forms import REASONS
from noren.web.photos import album
from noren.web.shopfront import Face
from noren.web.start_forms import Asked, HoursForm

rules_changer = permission_required(Permission.HOURS_CHANGE)
MOST_MINUTES: Final = 1440


def total(row: Service) -> int:
    """How many minutes a service takes."""
    return sum(int(each["minutes"]) for each in row.segments)


def is_plain(row: Service) -> bool:
    """Whether it is no class and no stay: those have dates and nights."""
    return row.capacity is None and row.stay is None


class OfferForm(forms.Form):
    """A new service: its words, minutes and price, and what it is like."""

    use_required_attribute = False
    like = forms.TypedChoiceField(label=gettext_lazy("In all else it is like"), coerce=int)
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=5, max_value=MOST_MINUTES)
    price = forms.IntegerField(
        label=gettext_lazy("Price (yen, tax included)"), min_value=0, max_value=10_000_000
    )
    about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)
    other_name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)
    other_about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)

    def __init__(self, *args: Any, likes: list[Service], lang: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.likes, self.lang, self.other = likes, lang, "en" if lang == "ja" else "ja"
        choices = [(each.id, wording.text(each.texts, "name") or each.key) for each in likes]
        self.fields["like"].choices = choices  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.error_messages["required"] = REASONS["empty"]
            if name.endswith(("name", "about")):
                field.widget.attrs["lang"] = self.other if name.startswith("other_") else lang

    @property
    def made_like(self) -> Service:
        """The service whose columns it keeps."""
        return next(each for each in self.likes if each.id == self.cleaned_data["like"])

    def values(self) -> Values:
        """Return the columns of the row as they are to be: one stretch in which all it needs is busy."""
        given = self.cleaned_data
        texts = {}
        for key in ("name", "about"):
            both = {self.lang: given[key].strip(), self.other: given[f"other_{key}"].strip()}
            texts[key] = {language: words for language, words in both.items() if words}
        roles = [need["role"] for need in self.made_like.requirements]
        return {
            "texts": {key: words for key, words in texts.items() if words},
            "price": given["price"],
            "segments": [{"minutes": given["minutes"], "roles": roles}],
        }


@rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """List the services, those that are not offered too; POST lists them in another order."""
    face = open_face_of(request)
    if request.method == "POST":
        return _ordered(request)
    with in_shop(request.shop_id):
        rows = list(Service.objects.order_by("position", "id"))
    shown = album(face).services
    context = {
        "shop": face,
        "way": "offers",
        "rows": [
            {
                "id": row.id,
                "name": wording.text(row.texts, "name") or row.key,
                "group": wording.text(row.texts, "group"),
                "minutes": None if row.stay else total(row),
                "price": row.price,
                "on": row.bookable,
                "alone": row.alone,
                "class": row.capacity is not None,
                "photo": shown.get(row.id),
                "photo_href": reverse("console_photo", args=[f"service-{row.id}"]),
            }
            for row in rows
        ],
        "kept": "kept" in request.GET,
        "moved": (request.GET.get("moved", ""), request.GET.get("way", "")),
        "can_add": any(is_plain(row) for row in rows),
        "may_photo": request.signed_in.may["shop_change"],
    }
    return render(request, "web/console/offers.html", context)


def _ordered(request: StaffRequest) -> HttpResponse:
    """List them as asked: one a place up or down, or all as they were dragged."""
    with in_shop(request.shop_id):
        ids = list(Service.objects.order_by("position", "id").values_list("id", flat=True))
    named, way = request.POST.get("move", "").partition("-")[::2]
    given = request.POST.get("order", "").split(",")
    wanted = [one for each in given if (one := times.number(each)) is not None]
    number = times.number(named)
    if number is not None and number in ids:
        at = ids.index(number)
        to = max(0, at - 1) if way == "up" else min(len(ids) - 1, at + 1)
        ids.insert(to, ids.pop(at))
        wanted = ids
    elif named:
        raise ServiceUnknown
    if not set(wanted) <= set(ids):
        raise ServiceUnknown
    by = request.signed_in.by
    changes.change(request.shop_id, partial(edits.set_order, wanted), now=clock.now(), by=by)
    # A page that is opened at a fragment gives the focus to nothing else.
    moved = f"?moved={named}&way={way}" if named else ""
    return HttpResponseRedirect(reverse("console_offers") + moved)


@rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Add a service that is like another one."""
    with in_shop(request.shop_id):
        lang = Shop.objects.get().locale
        likes = [row for row in Service.objects.order_by("position", "id") if is_plain(row)]
    form = OfferForm(request.POST if request.method == "POST" else None, likes=likes, lang=lang)
    there = reverse("console_offer_new")
    if request.method == "POST" and form.is_valid():
        write = partial(edits.add_service, form.made_like.id, form.values())
        return changed(request, str(form.cleaned_data["name"]), write, there)
    context = {"shop": open_face_of(request), "way": "offers", "form": form, "there": there}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/console/offer_new.html", context, status=status)


def changed(
    request: StaffRequest, words: str, write: Callable[[], bool], there: str, *, again: str = ""
) -> HttpResponse:
    """Change the rules, and go back; or show first what this touches. `again`: the page to come back to."""
    face, now = open_face_of(request), clock.now()
    chosen, by = touched.choices(request.POST), request.signed_in.by
    try:
        done = changes.change(face.id, write, chosen, now=now, by=by)
    except ChangeTouchesBookings as refusal:
        many = tuple((name, str(each)) for name in request.POST for each in request.POST.getlist(name))
        deed = hours.Deed(words, {}, write, many=tuple(each for each in many if not touched.is_ours(each[0])))
        return hours.preview(request, face, deed, refusal.facts["touched"], there=there, way="offers")
    return touched.onward(request, done.work_id, f"{again or reverse('console_offers')}?kept")


# -- the hours of the week


@rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def week(request: StaffRequest) -> HttpResponse:
    """Show the hours of each weekday; POST changes them."""
    face = open_face_of(request)
    with in_shop(face.id):
        row, house = (
            OpeningHours.objects.filter(resource_id=None, service_id=None).first(),
            Shop.objects.get(),
        )
    weekly = [[[0, 1440]]] * 7 if row is None else row.weekly
    days = {
        day: " ".join(hours.plain(each) for each in ranges) or "closed"
        for day, ranges in zip(WEEKDAYS, weekly, strict=True)
    }
    asked = Asked(house.locale, {})
    given = HoursForm.begun({**days, "rule": house.holiday_rule}, asked)
    form = HoursForm(request.POST if request.method == "POST" else None, initial=given, asked=asked)
    if house.holiday_rule == HolidayRule.OWN:
        form.fields["rule"].choices.append(  # type: ignore[attr-defined]
            (HolidayRule.OWN, _("their own hours, as they are"))
        )
    if request.method != "POST" or not form.is_valid():
        return _week_page(request, face, form)
    answer = form.answer()
    ranges = [hours.ranges_of(answer[day]) if answer[day] != "closed" else [] for day in WEEKDAYS]
    write = partial(edits.set_week, ranges, answer["rule"])
    there = reverse("console_week")
    return changed(request, _("Opening hours"), write, there, again=there)


def _week_page(request: StaffRequest, face: Face, form: HoursForm) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    context = {"shop": face, "way": "hours", "form": form, "kept": "kept" in request.GET}
    return render(request, "web/console/week.html", context, status=status)
