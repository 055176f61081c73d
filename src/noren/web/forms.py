"""The customer's form. What can be a name, a mail, a phone the vault says in the end; this says it early."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import jaconv
import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    "empty": _("Please fill this in."),
    "too_long": _("This is too long."),
    "control": _("This holds characters that cannot be used."),
    "mail": _("This cannot be a mail address. Please look at it once more."),
    "phone": _("This cannot be a phone number. Please look at it once more."),
    "kana": _("Please write this in katakana."),
}
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
    """Who books. Nothing of it is kept before the booking is made."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = REASONS["empty"]

    @property
    def first_wrong(self) -> str:
        """The id of the first field to correct, for the summary's link."""
        return next((bound.id_for_label for bound in self if bound.errors), "")

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

    def refused(self, fields: Mapping[str, str]) -> None:
        """Mark what the vault refused, field by field."""
        for name, reason in fields.items():
            self.add_error(name if name in self.fields else None, REASONS.get(reason, OTHERWISE))


class OwnForm(CustomerForm):
    """Her own fields, as she changes them. None leaves an inherited field out (Django)."""

    note = None  # type: ignore[assignment]


class WaitForm(CustomerForm):
    """Who waits: what she says to the shop comes when she books."""

    note = None  # type: ignore[assignment]


class WordForm(CustomerForm):
    """What a customer who is signed in adds to her booking: the rest is known."""

    name = kana = mail = phone = None  # type: ignore[assignment]
