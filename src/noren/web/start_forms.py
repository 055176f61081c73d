"""The forms of a shop's first hour: each step's answer, in the plain values of a shop's file (shops.setup).

A text stands in the shop's first language, and in the other one if somebody wants it (`other_...`).
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.engine.model import HolidayRule
from noren.shops import described_public, kinds
from noren.shops.reading import WEEKDAYS, Values
from noren.web import hours, legal, wording
from noren.web.desk import Unclear
from noren.web.forms import REASONS, CustomerForm

MONDAY: Final = date(2024, 1, 1)
MOST_STAFF: Final = 30
SPOKEN: Final = ("name", "address", "access", "policy", "privacy", "seller", "person")
_LINES: Final = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose form it is: the shop's first language, and what has been answered."""

    lang: str
    answers: Mapping[str, Any]

    @property
    def other(self) -> str:
        """The other language."""
        return "en" if self.lang == "ja" else "ja"

    @property
    def kind(self) -> str:
        """The kind that was chosen."""
        return str(self.answers["kind"])


class AboutForm(CustomerForm):
    """Who the shop is, and where."""

    kana = note = None  # type: ignore[assignment]
    name = forms.CharField(label=gettext_lazy("Name of the shop"), max_length=100)
    postcode = forms.CharField(
        label=gettext_lazy("Postcode"),
        max_length=10,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Leave it empty if you serve at home and tell it to who books."),
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    access = forms.CharField(
        label=gettext_lazy("How to get there"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Like: five minutes on foot from the station."),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("Shown on your page, for customers who call."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    mail = forms.CharField(
        label=gettext_lazy("Mail"),
        max_length=254,
        help_text=gettext_lazy("Shown on your page. A code is mailed there before you open."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    other_name = forms.CharField(label=gettext_lazy("Name of the shop"), max_length=100, required=False)
    other_address = forms.CharField(label=gettext_lazy("Address"), max_length=200, required=False)
    other_access = forms.CharField(label=gettext_lazy("How to get there"), max_length=200, required=False)
    field_order = ("name", "address", "phone", "mail", "postcode", "access")

    def __init__(self, *args: Any, asked: Asked, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        _speak(self, asked)

    @staticmethod
    def begun(given: Values, asked: Asked) -> Values:
        """Fill the form from an answer."""
        words = _both(given, ("name", "address", "access"), asked)
        return words | {key: given.get(key, "") for key in ("phone", "mail", "postcode")}

    def clean_phone(self) -> str:
        return super().clean_phone() if self.cleaned_data["phone"] else ""

    def clean_postcode(self) -> str:
        return unicodedata.normalize("NFKC", self.cleaned_data["postcode"])

    def answer(self) -> Values:
        """Return the plain values."""
        given = self.cleaned_data
        words = {key: _words(given, key, self.asked) for key in ("name", "address", "access")}
        return words | {key: given[key] for key in ("phone", "mail", "postcode")}


class HoursForm(forms.Form):
    """When the shop is open: each weekday, and what a public holiday does."""

    use_required_attribute = False
    rule = forms.ChoiceField(label=gettext_lazy("On public holidays"))

    def __init__(self, *args: Any, asked: Asked, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for number, day in enumerate(WEEKDAYS):
            label = wording.long_weekday(MONDAY + timedelta(days=number))
            self.fields[day] = forms.CharField(label=label, max_length=100, required=False)
        self.fields["rule"].choices = [  # type: ignore[attr-defined]
            (HolidayRule.OPEN, _("open, as on the weekday")),
            (HolidayRule.CLOSED, _("closed")),
            (HolidayRule.SHIFT, _("open, and closed on the next day if it falls on a closing day")),
        ]
        self.order_fields([*WEEKDAYS, "rule"])

    @staticmethod
    def begun(given: Values, asked: Asked) -> Values:  # noqa: ARG004 - as the others
        """Fill the form: an empty day is a closed one."""
        return {key: "" if key != "rule" and text == "closed" else text for key, text in given.items()}

    def clean(self) -> Values:
        given = super().clean() or {}
        for day in WEEKDAYS:
            text = given.get(day, "").strip()
            try:
                given[day] = " ".join(hours.plain(each) for each in hours.ranges_of(text)) if text else ""
            except Unclear as fault:
                self.add_error(day, str(fault))
        if not self.errors and not any(given[day] for day in WEEKDAYS):
            self.add_error("mon", _("The shop is never open. Please write the hours of at least one day."))
        return given

    def answer(self) -> Values:
        """Return the plain values."""
        days = {day: self.cleaned_data[day] or "closed" for day in WEEKDAYS}
        return days | {"rule": self.cleaned_data["rule"]}


class TeamForm(forms.Form):
    """Who serves, where the kind needs somebody; and how many chairs, rooms, beds."""

    use_required_attribute = False
    staff = forms.CharField(
        label=gettext_lazy("Names, one in each line"),
        max_length=_LINES,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    places = forms.IntegerField(min_value=1, max_value=kinds.MOST_PLACES)

    def __init__(self, *args: Any, asked: Asked, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        kind = kinds.of(asked.kind)["kind"]
        self.fields["places"].label = wording.text(kind, "count")
        names = "葵 / Aoi" if asked.lang == "ja" else "Aoi / 葵"
        told = _("As customers see them. In both languages if you like: %(names)s") % {"names": names}
        self.fields["staff"].help_text = told
        if not kind["staff"]:
            del self.fields["staff"]
        _require(self)

    @staticmethod
    def begun(given: Values, asked: Asked) -> Values:
        """Fill the form: a line for each."""
        lines = (
            " / ".join(each[key] for key in (asked.lang, asked.other) if each.get(key))
            for each in given["staff"]
        )
        return {"staff": "\n".join(lines), "places": given["places"]}

    def clean_staff(self) -> list[dict[str, str]]:
        lines = [line.strip() for line in str(self.cleaned_data["staff"]).splitlines() if line.strip()]
        if len(lines) > MOST_STAFF:
            raise ValidationError(_("These are too many; %(most)d at most.") % {"most": MOST_STAFF})
        return [self._named(line) for line in lines]

    def _named(self, line: str) -> dict[str, str]:
        first, _bar, second = (part.strip() for part in line.replace("／", "/").partition("/"))
        if not first or len(line) > 100 or any(unicodedata.category(each) == "Cc" for each in line):
            raise ValidationError(_("This cannot be a name: %(line)s") % {"line": line[:40]})
        return {self.asked.lang: first, **({self.asked.other: second} if second else {})}

    def answer(self) -> Values:
        """Return the plain values."""
        return {"staff": self.cleaned_data.get("staff", []), "places": self.cleaned_data["places"]}


class WordsForm(forms.Form):
    """What is agreed, what customers' data are used for, and what the law on trade asks for."""

    use_required_attribute = False
    policy = forms.CharField(
        label=gettext_lazy("Changing and cancelling"),
        help_text=gettext_lazy("Everybody who books agrees to it. It fits the deadlines of your services."),
        max_length=_LINES,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    privacy = forms.CharField(
        label=gettext_lazy("What customers' data are used for"),
        max_length=_LINES,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    seller = forms.CharField(
        label=gettext_lazy("Seller"),
        help_text=gettext_lazy("Your name, or that of your company, as the law on trade asks for it."),
        max_length=100,
        required=False,
    )
    person = forms.CharField(label=gettext_lazy("Responsible"), max_length=100, required=False)
    on_request = forms.BooleanField(
        label=gettext_lazy("I work at home: address and phone are told to whoever asks."), required=False
    )
    other_policy = forms.CharField(
        label=gettext_lazy("Changing and cancelling"),
        max_length=_LINES,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, asked: Asked, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for name in ("seller", "person"):
            self.fields[name].required = self._is_paid()
        _speak(self, asked)
        _require(self)

    def _is_paid(self) -> bool:
        """Whether the law on trade asks for anything."""
        return any(each["price"] for each in self.asked.answers.get("services", ()))

    @staticmethod
    def begun(given: Values, asked: Asked) -> Values:
        """Fill the form; what the shop has not said is what the house says."""
        said, about = given["legal"], asked.answers.get("about", {})
        name = about.get("name", {}).get(asked.lang, "")
        return {
            **_both(given, ("policy",), asked),
            "privacy": given["privacy"].get(asked.lang) or legal.house_privacy(asked.lang),
            "seller": said.get("seller", {}).get(asked.lang, name),
            "person": said.get("person", {}).get(asked.lang, ""),
            "on_request": bool(said.get("on_request")),
        }

    def clean(self) -> Values:
        given = super().clean() or {}
        if not self._is_paid():
            return given
        about = self.asked.answers.get("about", {})
        lacks = described_public.lacking({"address": about.get("address")}, self._legal(given), about)
        if {"address", "phone"} & set(lacks):
            words = _("The law asks for your address and phone. Please write them in step 2, or tick this.")
            self.add_error("on_request", words)
        return given

    def _legal(self, given: Values) -> Values:
        """Names are what they are in both languages."""
        said = {key: {self.asked.lang: given[key]} for key in ("seller", "person") if given.get(key)}
        return {**said, **({"on_request": ["address", "phone"]} if given.get("on_request") else {})}

    def answer(self) -> Values:
        """Return the plain values; the house's words are not kept as the shop's."""
        given = self.cleaned_data
        privacy = given["privacy"].strip()
        own = privacy if _lines(privacy) != _lines(legal.house_privacy(self.asked.lang)) else ""
        return {
            "policy": _words(given, "policy", self.asked),
            "privacy": {self.asked.lang: own} if own else {},
            "legal": self._legal(given),
        }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words(given: Mapping[str, Any], key: str, asked: Asked) -> dict[str, str]:
    """Return a text in the languages in which it was written."""
    texts = {asked.lang: given.get(key, ""), asked.other: given.get(f"other_{key}", "")}
    return {language: text.replace("\r\n", "\n").strip() for language, text in texts.items() if text}


def _both(given: Values, keys: tuple[str, ...], asked: Asked) -> Values:
    texts = {key: given.get(key) or {} for key in keys}
    first = {key: words.get(asked.lang, "") for key, words in texts.items()}
    return first | {f"other_{key}": words.get(asked.other, "") for key, words in texts.items()}


def _speak(form: forms.Form, asked: Asked) -> None:
    """Name the language in which a text is typed, for who listens to the page."""
    for name, field in form.fields.items():
        if name.startswith("other_"):
            field.widget.attrs["lang"] = asked.other
        elif name in SPOKEN:
            field.widget.attrs["lang"] = asked.lang


def _require(form: forms.Form) -> None:
    for field in form.fields.values():
        field.error_messages["required"] = REASONS["empty"]
