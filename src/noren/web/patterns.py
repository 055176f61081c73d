"""The weeks of somebody who serves, or of a room: from a day on, one week or several in turn."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.errors import NothingHere
from noren.shops import serving, shifts
from noren.shops.models import OpeningHours, Resource, Staff
from noren.shops.reading import WEEKDAYS, Ranges, Values
from noren.shops.tenancy import shop as in_shop
from noren.web import ruled, times, wording
from noren.web.desk import Unclear, open_face_of
from noren.web.forms import REASONS
from noren.web.hours import Deed, plain, ranges_of
from noren.web.shifts import spoken

MONDAY = date(2024, 1, 1)
WEEKS = ("a", "b")


class PatternForm(forms.Form):
    """From which day on; as the shop, or a week of her own, or two in turn."""

    use_required_attribute = False
    first = forms.DateField(
        label=gettext_lazy("From which day on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            ("shop", gettext_lazy("Whenever the shop is open")),
            ("one", gettext_lazy("These hours each week")),
            ("two", gettext_lazy("Two weeks in turn")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["first"].error_messages["required"] = REASONS["empty"]
        self.fields["holiday"] = forms.CharField(
            label=_("Public holidays"),
            max_length=100,
            required=False,
            help_text=_("Empty: as on the weekday. Where the shop is closed then, she is off."),
        )
        for week in WEEKS:
            for number, day in enumerate(WEEKDAYS):
                label = wording.long_weekday(MONDAY + timedelta(days=number))
                field = forms.CharField(label=label, max_length=100, required=False)
                self.fields[f"{week}-{day}"] = field

    @staticmethod
    def begun(weeks: list[list[Ranges]], first: date, holiday: Ranges | None) -> Values:
        """Fill the form from the weeks that hold."""
        own = [week for week in weeks if week]
        kind = "shop" if not own else "two" if len(own) > 1 else "one"
        values: Values = {"first": first, "kind": kind}
        values["holiday"] = " ".join(plain(each) for each in holiday or ())
        for letter, week in zip(WEEKS, own, strict=False):
            for day, ranges in zip(WEEKDAYS, week, strict=True):
                values[f"{letter}-{day}"] = " ".join(plain(each) for each in ranges)
        return values

    def week(self, letter: str) -> list[forms.BoundField]:
        """The fields of one week."""
        return [self[f"{letter}-{day}"] for day in WEEKDAYS]

    @property
    def first_week(self) -> list[forms.BoundField]:
        """The week with which the turn begins."""
        return self.week("a")

    @property
    def second_week(self) -> list[forms.BoundField]:
        """The other one."""
        return self.week("b")

    def clean(self) -> Values:
        given = super().clean() or {}
        if given.get("first") and given["first"] < self.today:
            self.add_error("first", _("Please choose a day from today on."))
        self.weeks: list[list[Ranges]] = []
        letters = {"one": "a", "two": "ab"}.get(given.get("kind", ""), "")
        for letter in letters:
            self.weeks.append([self._ranges(f"{letter}-{day}", given) for day in WEEKDAYS])
        if letters and not self.errors and not any(any(week) for week in self.weeks):
            self.add_error("a-mon", _("There is no hour at all. Please write the hours of at least one day."))
        self.holiday = self._ranges("holiday", given) if letters else []
        return given

    def _ranges(self, name: str, given: Values) -> Ranges:
        text = (given.get(name) or "").strip()
        try:
            return ranges_of(text) if text else []
        except Unclear as fault:
            self.add_error(name, str(fault))
            return []


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest, resource_id: int) -> HttpResponse:
    """Show the weeks; POST lets others begin on a day, or takes away some that were to begin."""
    face = open_face_of(request)
    today = clock.now().astimezone(face.zone).date()
    with in_shop(face.id):
        resource = Resource.objects.filter(id=resource_id).first()
        if resource is None:
            raise NothingHere
        staff = Staff.objects.filter(id=resource_id).first()
        row = serving.hours_of(resource_id)
    name = wording.text((staff or resource).texts, "name") or resource.key
    dropped = times.day_of(request.POST.get("drop"))
    there = reverse("console_pattern", args=[resource_id])
    if dropped is not None:
        words = _("%(name)s: no other hours from %(day)s on")
        said = words % {"name": name, "day": wording.full_day(dropped)}
        write = partial(shifts.drop_pattern, resource_id, dropped)
        return ruled.changed(
            request, face, Deed(said, {"drop": f"{dropped}"}, write), there=there, way="staff"
        )
    begins = max(today, row.first) if row is not None and row.first is not None else today
    form = PatternForm(
        request.POST if request.method == "POST" else None,
        initial=PatternForm.begun(weeks_on(row, begins), begins, holiday_on(row, begins)),
        today=today,
    )
    if form.is_bound and form.is_valid():
        first = form.cleaned_data["first"]
        words = _("%(name)s: other weekly hours from %(day)s on")
        said = words % {"name": name, "day": wording.full_day(first)}
        write = partial(shifts.set_pattern, resource_id, first, form.weeks, form.holiday or None)
        deed = Deed(said, ruled.asked_again(request), write)
        return ruled.changed(request, face, deed, there=there, way="staff")
    context = {
        "shop": face,
        "way": "staff",
        "name": name,
        "is_staff": staff is not None,
        "there": there,
        "form": form,
        "plans": plans(row, today),
        "kept": "kept" in request.GET,
        "back": _back(resource_id, staff),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/console/pattern.html", context, status=status)


def _back(resource_id: int, staff: Staff | None) -> str:
    return reverse("console_resource" if staff is None else "console_staff_one", args=[resource_id])


def weeks_on(row: OpeningHours | None, on: date) -> list[list[Ranges]]:
    """Return the weeks that take turns on a day; none, or an empty one, is the shop's."""
    if row is None:
        return []
    held = [each for each in row.later if each["first"] <= on.isoformat()]
    if held:
        return [held[-1]["weekly"], *held[-1].get("alternate", ())]
    return [row.weekly, *row.alternate]


def holiday_on(row: OpeningHours | None, on: date) -> Ranges | None:
    """Return the hours of a public holiday, by what holds on a day; None: as on the weekday."""
    if row is None:
        return None
    held = [each for each in row.later if each["first"] <= on.isoformat()]
    found: Ranges | None = held[-1].get("holiday") if held else row.holiday
    return found


def plans(row: OpeningHours | None, today: date) -> list[dict[str, Any]]:
    """Say in words which weeks hold now, and which are to begin."""
    coming = [] if row is None else [each for each in row.later if each["first"] > today.isoformat()]
    found: list[dict[str, Any]] = [{"first": None, "weeks": _told(weeks_on(row, today))}]
    for each in coming:
        weeks = [each["weekly"], *each.get("alternate", ())]
        found.append({"first": date.fromisoformat(each["first"]), "weeks": _told(weeks)})
    return found


def _told(weeks: list[list[Ranges]]) -> list[list[tuple[str, str]]]:
    """Say each week day by day; nothing: as the shop."""
    return [
        [
            (wording.weekday(MONDAY + timedelta(days=number)), spoken((a, b) for a, b in ranges))
            for number, ranges in enumerate(week)
        ]
        for week in weeks
        if week
    ]
