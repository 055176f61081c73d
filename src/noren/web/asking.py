"""The part of the customer's form that the shop has made: its questions, consent, names of those who come.

Fields are named as the refusals of `booking.said` name them, so that each fault finds its field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jaconv
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from noren.booking.said import HEALTH_AGREED, Guest, Said, places
from noren.shops.questions import LENGTHS, Asking, Guests, Kind, Question
from noren.web import times, wording

ME, OTHER = "me", "other"
CONSENT = "health_consent"
REASONS: dict[str, str | Promise] = {
    "consent": _("Please tick this, or leave the questions about your health empty."),
    "call": _("Without your consent this cannot be booked here. Please call the shop."),
    "changed": _("The shop has changed these words. Please read them once more."),
    "tick": _("Please tick this to go on."),
}


class Tick(forms.CheckboxInput):
    """A tick under words: what it sends is the version of the words that were read."""

    def __init__(self, version: int) -> None:
        self.version = str(version)
        super().__init__(check_test=lambda value: str(value) == self.version)

    def format_value(self, _value: Any) -> str:
        return self.version

    def value_from_datadict(self, data: Mapping[str, Any], _files: Any, name: str) -> str:  # type: ignore[override]
        return str(data.get(name, ""))


@dataclass(frozen=True, slots=True)
class Row:
    """The names of one of those who come. `first`: of whom nobody asks when she comes herself."""

    number: int
    name: forms.BoundField
    kana: forms.BoundField

    @property
    def first(self) -> bool:
        return self.number == 1


def fields(asks: Asking, party: int) -> Iterator[tuple[str, forms.Field]]:
    """Give the fields by their names."""
    if asks.health:
        consent = _tick(HEALTH_AGREED, asks.version)
        consent.widget.is_required = asks.insists_on_health
        yield CONSENT, consent
    for question in asks.questions:
        yield f"answers.{question.key}", _field(question, asks.version)
    if asks.guests is not Guests.HIDDEN:
        yield (
            "whom",
            forms.ChoiceField(
                label=_("Who is it for?"),
                choices=[(ME, _("For me")), (OTHER, _("For somebody else (a child, a parent)"))],
                required=False,
                initial=ME,
                widget=forms.RadioSelect,
            ),
        )
    for number in range(places(asks, party, for_other=True)):
        needed = asks.guests is Guests.REQUIRED
        yield f"guests.{number}.name", _name(_("Name"), needed=needed)
        yield f"guests.{number}.kana", _name(_("Name in katakana"), lang="ja")


def said(form: forms.Form, asks: Asking, party: int) -> Said:
    """Read what was said; a field that is wrong by itself is as if it were empty."""
    told = form.cleaned_data
    for_other = told.get("whom") == OTHER
    first, most = offset(told), places(asks, party, for_other=for_other)
    rows = range(first, first + most)
    return Said(
        answers={
            each.key: _answer(each, value)
            for each in asks.questions
            if (value := told.get(f"answers.{each.key}"))
        },
        health_consent=_version(told[CONSENT]) if told.get(CONSENT) else None,
        guests=tuple(
            Guest(told.get(f"guests.{row}.name", ""), _kana(told.get(f"guests.{row}.kana", "")))
            for row in rows
        ),
        for_other=for_other,
    )


def offset(told: Mapping[str, Any]) -> int:
    """Return which row of names is the first that counts: who comes herself has said her name."""
    return 0 if told.get("whom") == OTHER else 1


def place(name: str, told: Mapping[str, Any]) -> str:
    """Return the form's name of a field that a refusal names."""
    if not name.startswith("guests."):
        return name
    _guests, number, part = name.split(".")
    return f"guests.{int(number) + offset(told)}.{part}"


def _answer(question: Question, value: Any) -> Any:
    return _version(value) if question.kind is Kind.CONSENT else value


def _version(value: str) -> int:
    """Read the version of a tick; what is none is one that never was."""
    return times.number(value) or 0


def _kana(text: str) -> str:
    return str(jaconv.hira2kata(text))


def _field(question: Question, version: int) -> forms.Field:
    words: dict[str, Any] = {
        "label": wording.of(question.question),
        "help_text": wording.of(question.help),
        "required": question.required,
    }
    if question.kind is Kind.CONSENT:
        return _tick(words["label"], version, needed=question.required, help_text=words["help_text"])
    if question.kind in LENGTHS:
        attrs = {"autocomplete": "off"}
        lines = forms.Textarea({"rows": 3, **attrs}) if question.kind is Kind.LONG else forms.TextInput(attrs)
        return forms.CharField(max_length=LENGTHS[question.kind], widget=lines, **words)
    choices: list[tuple[str, str | Promise]] = [
        (key, wording.of(each)) for key, each in question.choices.items()
    ]
    if question.kind is Kind.SEVERAL:
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **words)
    if not question.required:
        choices.insert(0, ("", _("No answer")))
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **words)


def _tick(label: Any, version: int, *, needed: bool = False, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=needed, max_length=12, widget=Tick(version)
    )


def _name(label: Any, *, needed: bool = False, **attrs: str) -> forms.CharField:
    """A name that is needed is so in the rows that count, which the whole form knows."""
    field = forms.CharField(
        label=label,
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )
    field.widget.is_required = needed
    return field
