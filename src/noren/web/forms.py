"""The customer's form. What can be a name, a mail, a phone the vault says in the end; this says it early."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import jaconv
import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from noren.booking import said
from noren.booking.said import NOTHING, NOTHING_SAID
from noren.errors import BadField
from noren.shops.questions import Asking
from noren.web import asking, wording

REASONS: dict[str, Any] = {
    "empty": _("Please fill this in."),
    "too_long": _("This is too long."),
    "control": _("This holds characters that cannot be used."),
    "mail": _("This cannot be a mail address. Please look at it once more."),
    "phone": _("This cannot be a phone number. Please look at it once more."),
    "kana": _("Please write this in katakana."),
    **asking.REASONS,
}
NOTHING_ASKED = Asking()
OTHERWISE = _("This cannot be used. Please look at it once more.")


def _refuse(reason: str) -> ValidationError:
    return ValidationError(REASONS[reason], code=reason)


def _without_control(text: str) -> str:
    """A control character is refused, not repaired: nobody types one."""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        raise _refuse("control")
    return text


def _may_be_kana(text: str) -> bool:
    return all("ァ" <= letter <= "ヿ" or letter in " ・ー" for letter in text)


class CustomerForm(forms.Form):
    """Who books, and what the shop asks besides. Nothing of it is kept before the booking is made."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    kana = forms.CharField(
        label=_("Name in katakana"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"lang": "ja"}),
    )
    mail = forms.CharField(
        label=_("Mail"),
        max_length=254,
        help_text=_("Your confirmation is sent here."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        help_text=_("In case the shop must reach you on the day."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    note = forms.CharField(
        label=_("A word to the shop"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    use_required_attribute = False

    def __init__(self, *args: Any, asks: Asking | None = None, party: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks, self.party = asks or NOTHING_ASKED, party
        self._own = tuple(self.fields)
        self.said, self.checked = NOTHING_SAID, NOTHING
        if asks is not None:
            self.fields.update(asking.fields(asks, party))
        for field in self.fields.values():
            ticked = isinstance(field.widget, asking.Tick)
            field.error_messages["required"] = REASONS["tick" if ticked else "empty"]
            field.error_messages["invalid_choice"] = OTHERWISE
            field.error_messages["max_length"] = REASONS["too_long"]

    @property
    def first_wrong(self) -> str:
        """The id of the first field to correct, for the summary's link; of several boxes the first one's."""
        return next((bound.id_for_label or f"{bound.auto_id}_0" for bound in self if bound.errors), "")

    def clean_name(self) -> str:
        return _without_control(self.cleaned_data["name"])

    def clean_kana(self) -> str:
        kana = jaconv.hira2kata(unicodedata.normalize("NFKC", _without_control(self.cleaned_data["kana"])))
        if not _may_be_kana(kana):
            raise _refuse("kana")
        return str(kana)

    def clean_mail(self) -> str:
        mail = unicodedata.normalize("NFKC", _without_control(self.cleaned_data["mail"]))
        try:
            EmailValidator()(mail)
        except ValidationError:
            raise _refuse("mail") from None
        return mail

    def clean_phone(self) -> str:
        text = _without_control(self.cleaned_data["phone"])
        try:
            number = phonenumbers.parse(unicodedata.normalize("NFKC", text), "JP")
        except phonenumbers.NumberParseException:
            raise _refuse("phone") from None
        if not phonenumbers.is_possible_number(number):
            raise _refuse("phone")
        return text

    def clean_note(self) -> str:
        note = str(self.cleaned_data["note"]).replace("\r\n", "\n")
        if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in note):
            raise _refuse("control")
        return note.strip()

    def clean(self) -> None:
        """Hold what she says against what is asked, as the booking will (booking.said)."""
        super().clean()
        self.said = asking.said(self, self.asks, self.party)
        language = wording.spoken_language()
        try:
            self.checked = said.check(self.asks, self.said, party=self.party, language=language)
        except BadField as refusal:
            self.refused(refusal.facts["fields"])

    def refused(self, fields: Mapping[str, str]) -> None:
        """Mark what was refused, field by field; what is marked already stays as it is."""
        for place, reason in fields.items():
            name = asking.place(place, self.data)
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, REASONS.get(reason, OTHERWISE))

    # -- its parts, as the page shows them

    @property
    def contact(self) -> dict[str, str]:
        """Who she is, by the vault's names."""
        return {name: self.cleaned_data[name] for name in self._own}

    @property
    def own(self) -> list[forms.BoundField]:
        return [self[name] for name in self._own if name != "note"]

    @property
    def questions(self) -> list[forms.BoundField]:
        return [self[f"answers.{each.key}"] for each in self.asks.plain]

    @property
    def health(self) -> list[forms.BoundField]:
        """Her consent, then the questions about her health."""
        asked = [self[f"answers.{each.key}"] for each in self.asks.health]
        return [self[asking.CONSENT], *asked] if asked else []

    @property
    def whom(self) -> forms.BoundField | None:
        return self["whom"] if "whom" in self.fields else None

    @property
    def rows(self) -> Sequence[asking.Row]:
        """The names of those who come, a row each."""
        numbers = range(said.places(self.asks, self.party, for_other=True))
        return [
            asking.Row(number + 1, self[f"guests.{number}.name"], self[f"guests.{number}.kana"])
            for number in numbers
        ]


class OwnForm(CustomerForm):
    """Her own fields, as she changes them. None leaves an inherited field out (Django)."""

    note = None  # type: ignore[assignment]


class DeskForm(CustomerForm):
    """Whom reception writes down: by phone, or by mail, or both. A browser fills in nobody's own."""

    note = None  # type: ignore[assignment]
    mail = forms.CharField(
        label=_("Mail"),
        max_length=254,
        required=False,
        help_text=_("Without a mail address she gets no mail: please call her."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
    field_order = ("name", "kana", "phone", "mail")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(self.field_order)
        for name in ("name", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.fields["phone"].help_text = ""

    def clean_mail(self) -> str:
        return super().clean_mail() if self.cleaned_data["mail"] else ""


class WaitForm(CustomerForm):
    """Who waits: what she says to the shop comes when she books."""

    note = None  # type: ignore[assignment]


class WordForm(CustomerForm):
    """What a customer who is signed in adds to her booking: the rest is known."""

    name = kana = mail = phone = None  # type: ignore[assignment]
