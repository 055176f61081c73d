"""The list of services in a shop's first hour: what its kind brings, ticked, changed, added to."""

from datetime import time, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.shops import kinds, setup
from noren.shops.reading import WEEKDAYS, Values
from noren.web import hours, wording
from noren.web.desk import Unclear
from noren.web.forms import REASONS
from noren.web.start_forms import MONDAY, Asked

MOST: Final = 40
_OWN: Final = "own-"


class ServiceForm(forms.Form):
    """One service. A line without a name is none; one without its tick is not offered."""

    use_required_attribute = False
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    on = forms.BooleanField(label=gettext_lazy("Offered"), required=False)
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), required=False, max_value=1440)
    price = forms.IntegerField(
        label=gettext_lazy("Price (yen, tax included)"), required=False, min_value=0, max_value=10_000_000
    )
    people = forms.IntegerField(required=False, min_value=1, max_value=1000)
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Weekdays"), required=False, widget=forms.CheckboxSelectMultiple
    )
    start = forms.TimeField(
        label=gettext_lazy("Begins at"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    other_name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)

    def __init__(self, *args: Any, asked: Asked, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        self.like = kinds.service(asked.kind, self._key())
        self.is_class, self.is_stay = "capacity" in self.like, "stay" in self.like
        for name in self._unasked():
            del self.fields[name]
        if "people" in self.fields:
            self.fields["people"].label = _("Seats") if self.is_class else _("Guests at most")
        if self.is_class:
            self.fields["days"].choices = [  # type: ignore[attr-defined]
                (day, wording.weekday(MONDAY + timedelta(days=number))) for number, day in enumerate(WEEKDAYS)
            ]
        self.fields["other_name"].widget.attrs["lang"] = asked.other

    def _key(self) -> str:
        """Which service it is: a new one is made like the first of its kind."""
        given = self.data.get(self.add_prefix("key")) if self.is_bound else self.initial.get("key")
        return str(given or "")

    def _unasked(self) -> list[str]:
        unasked = [] if self.is_class else ["days", "start"]
        unasked += [] if self.is_class or self.is_stay else ["people"]
        return unasked + (["minutes"] if self.is_stay else [])

    @property
    def is_offered(self) -> bool:
        """Whether it is a service at all."""
        return bool(self.cleaned_data.get("on") and self.cleaned_data.get("name"))

    def clean(self) -> Values:
        given = super().clean() or {}
        if not given.get("on"):
            return given
        if not given.get("name"):
            if given.get("key") or any(given.get(name) for name in ("minutes", "price")):
                self.add_error("name", REASONS["empty"])
            return given
        for name in ("minutes", "price", "people", "days", "start"):
            if name in self.fields and name not in self.errors and given.get(name) in (None, [], ""):
                self.add_error(name, REASONS["empty"])
        self._is_long_enough(given)
        if self.is_class and not self.errors:
            self._is_held_when_open(given)
        return given

    def _is_long_enough(self, given: Values) -> None:
        fewest = 5 if not given.get("key") else max(5, kinds.fewest(self.like))
        if given.get("minutes") is not None and given["minutes"] < fewest:
            words = _("At least %(minutes)d minutes, please: the parts before the last one take the rest.")
            self.add_error("minutes", words % {"minutes": fewest})

    def _is_held_when_open(self, given: Values) -> None:
        begins = given["start"].hour * 60 + given["start"].minute
        week = self.asked.answers.get("hours", {})
        for number, day in enumerate(WEEKDAYS):
            text = week.get(day, "closed")
            if day in given["days"] and not _holds(text, begins, begins + given["minutes"]):
                name = wording.long_weekday(MONDAY + timedelta(days=number))
                words = _("On %(day)s the shop is not open then. Please choose another time or day.")
                self.add_error("start", words % {"day": name})
                return

    def answer(self, key: str) -> Values:
        """Return the plain values."""
        given, asked = self.cleaned_data, self.asked
        begun = self.like.get("name", {}) if given["key"] else {}
        other = given["other_name"].strip()
        if given["name"] != begun.get(asked.lang, given["name"]) and other == begun.get(asked.other):
            # Another service by now: what it was called in the other language says something else.
            other = ""
        start: time | None = given.get("start")
        return {
            "key": key,
            "name": {asked.lang: given["name"], **({asked.other: other} if other else {})},
            "minutes": given.get("minutes") or kinds.minutes(self.like),
            "price": given["price"],
            "people": given.get("people"),
            "days": given.get("days", []),
            "start": f"{start:%H:%M}" if start else "",
        }


def _holds(text: str, begins: int, ends: int) -> bool:
    if text == "closed":
        return False
    try:
        return any(start <= begins and ends <= end for start, end in hours.ranges_of(text))
    except Unclear:
        return False


class _List(forms.BaseFormSet):  # type: ignore[type-arg]
    """All of them."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Let no line pass unseen: an added one is as real as the others."""
        return {**super().get_form_kwargs(index), "empty_permitted": False}

    def clean(self) -> None:
        if not any(self.errors) and not any(form.is_offered for form in self.forms):
            raise forms.ValidationError(_("Please tick at least one service."))

    def answer(self) -> list[Values]:
        """Return the plain values of those that are offered."""
        used = {form.cleaned_data["key"] for form in self.forms}
        free = (key for number in range(1, 2 * MOST) if (key := f"{_OWN}{number}") not in used)
        return [form.answer(form.cleaned_data["key"] or next(free)) for form in self.forms if form.is_offered]


ServiceList = forms.formset_factory(ServiceForm, formset=_List, extra=1, absolute_max=MOST, max_num=MOST)


def services(asked: Asked, given: list[Values], data: Any = None) -> Any:
    """Return the list, with a line more for another; what the kind brings and is not offered stands there."""
    offered = {each["key"]: each for each in given}
    initial = [_begun(each, asked, on=True) for each in given]
    if asked.answers.get("services") is not None:
        brought = setup.begun("services", asked.kind)
        initial += [_begun(each, asked, on=False) for each in brought if each["key"] not in offered]
    return ServiceList(data, initial=initial, prefix="s", form_kwargs={"asked": asked})


def _begun(each: Values, asked: Asked, *, on: bool) -> Values:
    start = each["start"]
    return {
        **each,
        "on": on,
        "name": each["name"].get(asked.lang) or next(iter(each["name"].values())),
        "other_name": each["name"].get(asked.other, ""),
        "start": time.fromisoformat(start) if start else None,
    }
