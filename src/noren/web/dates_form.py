"""The form of a class's dates: on which weekdays and when, who leads, how many seats, how many must come."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.shops.models import Service
from noren.shops.reading import Values
from noren.web import wording
from noren.web.forms import REASONS
from noren.web.offer_form import Things
from noren.web.policy_form import Until, deadline_of, minute_of, shown_deadline, until_fields

EMPTY_LINES: Final = 2
MOST_LINES: Final = 40
_MONDAY: Final = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timetable."""

    weekday: BoundField
    start: BoundField
    staff: BoundField
    seats: BoundField
    first: BoundField
    last: BoundField

    @property
    def fields(self) -> tuple[BoundField, ...]:
        return (self.weekday, self.start, self.staff, self.seats, self.first, self.last)

    @property
    def wrong(self) -> list[str]:
        return [str(error) for each in self.fields for error in each.errors]


def _number(label: Any, most: int, *, required: bool = False) -> forms.IntegerField:
    field = forms.IntegerField(label=label, min_value=1, max_value=most, required=required)
    field.widget.attrs["inputmode"] = "numeric"
    return field


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))


class DatesForm(forms.Form):
    """Begun with a class's row; answers with its columns."""

    use_required_attribute = False
    capacity = _number(gettext_lazy("Seats"), 10_000, required=True)
    minimum = _number(gettext_lazy("How many must have booked"), 10_000)
    course = forms.BooleanField(
        label=gettext_lazy("It is a course: all its dates are booked together"), required=False
    )

    def __init__(self, *args: Any, row: Service, things: Things, **more: Any) -> None:
        super().__init__(*args, **more)
        self.row = row
        self.fields |= until_fields("minimum")
        self.count = min(MOST_LINES, len(row.timetable) + EMPTY_LINES)
        pool = {each for need in row.requirements for each in need["pool"]}
        leaders = [each for each in things.of_kind(staff=True) if each[0] in pool]
        days = [(n, wording.long_weekday(_MONDAY + timedelta(days=n))) for n in range(7)]
        for number in range(self.count):
            self.fields |= {
                f"line-{number}-weekday": forms.TypedChoiceField(
                    label=_("Weekday"),
                    required=False,
                    coerce=int,
                    empty_value=None,
                    choices=[("", "–"), *days],
                ),
                f"line-{number}-start": forms.CharField(label=_("Begins"), required=False, max_length=5),
                f"line-{number}-staff": forms.TypedChoiceField(
                    label=_("Led by"),
                    required=False,
                    coerce=int,
                    empty_value=None,
                    choices=[("", _("whoever is free")), *leaders],
                ),
                f"line-{number}-seats": _number(_("Other seats"), 10_000),
                f"line-{number}-first": _day(_("First date")),
                f"line-{number}-last": _day(_("Last date")),
            }
        for field in self.fields.values():
            field.error_messages["required"] = REASONS["empty"]

    @property
    def lines(self) -> list[Line]:
        parts = ("weekday", "start", "staff", "seats", "first", "last")
        return [Line(*(self[f"line-{number}-{part}"] for part in parts)) for number in range(self.count)]

    @property
    def until(self) -> Until:
        return Until(self["minimum-n"], self["minimum-unit"], self["minimum-at"])

    def begun(self) -> Values:
        """Return what the row says, by field."""
        row = self.row
        found: Values = {"capacity": row.capacity, "course": row.course}
        if row.minimum:
            found |= {"minimum": row.minimum["seats"]} | shown_deadline("minimum", row.minimum["deadline"])
        for number, entry in enumerate(row.timetable):
            staff = entry.get("staff") or [None]
            found |= {
                f"line-{number}-weekday": entry["weekday"],
                f"line-{number}-start": f"{entry['start'] // 60}:{entry['start'] % 60:02}",
                f"line-{number}-staff": staff[0],
                f"line-{number}-seats": entry.get("capacity"),
                f"line-{number}-first": entry.get("first"),
                f"line-{number}-last": entry.get("last"),
            }
        return found

    def clean(self) -> Values:
        given = super().clean() or {}
        for number in range(self.count):
            first, last = given.get(f"line-{number}-first"), given.get(f"line-{number}-last")
            begins = given.get(f"line-{number}-start")
            if given.get(f"line-{number}-weekday") is not None and minute_of(begins) is None:
                self.add_error(f"line-{number}-start", _("Please write a time like 20:00."))
            if begins and given.get(f"line-{number}-weekday") is None:
                self.add_error(f"line-{number}-weekday", _("Please choose a weekday."))
            if first and last and last < first:
                self.add_error(f"line-{number}-last", _("The last day is before the first."))
        if given.get("minimum") and given.get("capacity") and given["minimum"] > given["capacity"]:
            self.add_error("minimum", _("That is more than there are seats."))
        at, unit = given.get("minimum-at"), given.get("minimum-unit")
        if at and (minute_of(at) is None or unit != "days" or not given.get("minimum-n")):
            told = _("With a time of the day please choose days: how many days before.")
            self.add_error("minimum-at", told)
        return given

    def columns(self) -> Values:
        """Return the columns as they are to be."""
        given = self.cleaned_data
        some = given["minimum"]
        found: Values = {
            "capacity": given["capacity"],
            "course": given["course"],
            "minimum": {"seats": some, "deadline": deadline_of(given, "minimum")} if some else {},
            "timetable": [
                self._entry(number)
                for number in range(self.count)
                if given[f"line-{number}-weekday"] is not None
            ],
        }
        return found | ({"series": {}} if given["course"] else {})

    def _entry(self, number: int) -> Values:
        """Return a line; who leads it beside the one that is shown stays, where she is still the first."""
        given = {part: self.cleaned_data[f"line-{number}-{part}"] for part in _PARTS}
        before = self.row.timetable[number] if number < len(self.row.timetable) else {}
        staff = before.get("staff") or []
        if given["staff"] != next(iter(staff), None):
            staff = [given["staff"]] if given["staff"] else []
        entry: Values = {"weekday": given["weekday"], "start": minute_of(given["start"]), "staff": staff}
        entry |= {"capacity": given["seats"]} if given["seats"] else {}
        return entry | {edge: given[edge].isoformat() for edge in ("first", "last") if given[edge]}


_PARTS: Final = ("weekday", "start", "staff", "seats", "first", "last")
