"""What a shop offers and when it is open as a rule, changed in the console by its own people.

The rest of a service (who and what it needs, deadlines, fees) is as it was founded, or as its file says.
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
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.engine.model import HolidayRule
from noren.errors import ChangeTouchesBookings, ServiceUnknown
from noren.shops import edits
from noren.shops.models import OpeningHours, Service, Shop
from noren.shops.reading import WEEKDAYS, Values
from noren.shops.tenancy import shop as in_shop
from noren.web import hours, touched, wording
from noren.web.desk import open_face_of
from noren.web.forms import REASONS
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
    """A service's words, minutes and price; of a new one also what it is like."""

    use_required_attribute = False
    like = forms.TypedChoiceField(label=gettext_lazy("In all else it is like"), coerce=int)
    on = forms.BooleanField(label=gettext_lazy("Offered"), required=False)
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=5, max_value=MOST_MINUTES)
    price = forms.IntegerField(
        label=gettext_lazy("Price (yen, tax included)"), min_value=0, max_value=10_000_000
    )
    about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)
    other_name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)
    other_about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)

    def __init__(self, *args: Any, row: Service | None, likes: list[Service], lang: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.row, self.likes, self.lang, self.other = row, likes, lang, "en" if lang == "ja" else "ja"
        if row is None:
            choices = [(each.id, wording.text(each.texts, "name") or each.key) for each in likes]
            self.fields["like"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["like"]
        if row is not None and not is_plain(row):
            del self.fields["minutes"]
        for name, field in self.fields.items():
            field.error_messages["required"] = REASONS["empty"]
            if name.endswith(("name", "about")):
                field.widget.attrs["lang"] = self.other if name.startswith("other_") else lang

    @staticmethod
    def begun(row: Service, lang: str) -> Values:
        """Fill the form from a service's row."""
        other = "en" if lang == "ja" else "ja"
        words = {key: row.texts.get(key) or {} for key in ("name", "about")}
        return {
            "on": row.bookable,
            "minutes": total(row),
            "price": row.price,
            **{key: said.get(lang, "") for key, said in words.items()},
            **{f"other_{key}": said.get(other, "") for key, said in words.items()},
        }

    @property
    def made_like(self) -> Service:
        """The service whose columns it keeps."""
        return self.row or next(each for each in self.likes if each.id == self.cleaned_data["like"])

    def clean(self) -> Values:
        given = super().clean() or {}
        if "minutes" in given and "like" not in self.errors:
            *others, _last = self.made_like.segments
            fewest = 5 + sum(int(each["minutes"]) for each in others)
            if given["minutes"] < fewest:
                told = _("At least %(minutes)d minutes, please: the parts before the last one take the rest.")
                self.add_error("minutes", told % {"minutes": fewest})
        return given

    def values(self) -> Values:
        """Return the columns of the row as they are to be."""
        given = self.cleaned_data
        texts = {} if self.row is None else dict(self.row.texts)
        for key in ("name", "about"):
            both = {self.lang: given[key].strip(), self.other: given[f"other_{key}"].strip()}
            texts[key] = {language: words for language, words in both.items() if words}
        found: Values = {
            "texts": {key: words for key, words in texts.items() if words},
            "price": given["price"],
            "bookable": given["on"] or self.row is None,
        }
        if "minutes" in given:
            *others, last = self.made_like.segments
            rest = given["minutes"] - sum(int(each["minutes"]) for each in others)
            found["segments"] = [*others, {**last, "minutes": rest}]
        return found


@rules_changer
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    """List the services, those that are not offered too."""
    face = open_face_of(request)
    with in_shop(request.shop_id):
        rows = list(Service.objects.order_by("position", "id"))
    context = {
        "shop": face,
        "way": "offers",
        "rows": [
            {
                "id": row.id,
                "name": wording.text(row.texts, "name") or row.key,
                "minutes": None if row.stay else total(row),
                "price": row.price,
                "on": row.bookable,
            }
            for row in rows
        ],
        "kept": "kept" in request.GET,
        "can_add": any(is_plain(row) for row in rows),
    }
    return render(request, "web/console/offers.html", context)


@rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, service_id: int) -> HttpResponse:
    """Show a service; POST changes it, once it is said what becomes of bookings that this touches."""
    with in_shop(request.shop_id):
        row, lang = Service.objects.filter(id=service_id).first(), Shop.objects.get().locale
    if row is None:
        raise ServiceUnknown
    form = OfferForm(
        request.POST if request.method == "POST" else None,
        initial=OfferForm.begun(row, lang),
        row=row,
        likes=[],
        lang=lang,
    )
    there = reverse("console_offer", args=[service_id])
    if request.method == "POST" and form.is_valid():
        write = partial(edits.set_service, service_id, form.values())
        return _changed(request, str(form.cleaned_data["name"]), write, there)
    title = wording.text(row.texts, "name") or row.key
    return _shown(request, form, title, there)


@rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Add a service that is like another one."""
    with in_shop(request.shop_id):
        lang = Shop.objects.get().locale
        likes = [row for row in Service.objects.order_by("position", "id") if is_plain(row)]
    form = OfferForm(request.POST if request.method == "POST" else None, row=None, likes=likes, lang=lang)
    del form.fields["on"]
    there = reverse("console_offer_new")
    if request.method == "POST" and form.is_valid():
        form.cleaned_data["on"] = True
        write = partial(edits.add_service, form.made_like.id, form.values())
        return _changed(request, str(form.cleaned_data["name"]), write, there)
    return _shown(request, form, _("Another service"), there)


def _shown(request: StaffRequest, form: OfferForm, title: str, there: str) -> HttpResponse:
    context = {
        "shop": open_face_of(request),
        "way": "offers",
        "form": form,
        "title": title,
        "other": form.other,
        "there": there,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/console/offer.html", context, status=status)


def _changed(
    request: StaffRequest, words: str, write: Callable[[], bool], there: str, back: str = "console_offers"
) -> HttpResponse:
    face, now = open_face_of(request), clock.now()
    chosen, by = touched.choices(request.POST), request.signed_in.by
    try:
        changes.change(face.id, write, chosen, now=now, by=by)
    except ChangeTouchesBookings as refusal:
        fields = {name: str(value) for name, value in request.POST.items() if not _is_ours(name)}
        deed = hours.Deed(words, fields, write)
        return hours.preview(request, face, deed, refusal.facts["touched"], there=there, way="offers")
    return HttpResponseRedirect(f"{reverse(back)}?kept")


def _is_ours(name: str) -> bool:
    return name == "csrfmiddlewaretoken" or name.startswith("choice-")


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
    return _changed(request, _("Opening hours"), write, reverse("console_week"), "console_week")


def _week_page(request: StaffRequest, face: Face, form: HoursForm) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    context = {"shop": face, "way": "hours", "form": form, "kept": "kept" in request.GET}
    return render(request, "web/console/week.html", context, status=status)
