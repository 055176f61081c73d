"""Forms with words in the shop's first language, and in the other one if somebody wants it (`other_...`)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from noren.shops.reading import Values
from noren.web.forms import REASONS


class SpokenForm(forms.Form):
    """`spoken` are the fields that are words; each has its twin in the other language."""

    use_required_attribute = False
    spoken: tuple[str, ...] = ()

    def __init__(self, *args: Any, lang: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lang, self.other = lang, "en" if lang == "ja" else "ja"
        for name in self.spoken:
            own = self.fields[name]
            own.widget.attrs["lang"] = lang
            twin = forms.CharField(
                label=own.label, max_length=getattr(own, "max_length", None), required=False
            )
            twin.widget.attrs["lang"] = self.other
            self.fields[f"other_{name}"] = twin
        for field in self.fields.values():
            field.error_messages["required"] = REASONS["empty"]
            field.error_messages["max_length"] = REASONS["too_long"]

    def words_of(self, texts: Values) -> Values:
        """Fill the fields of words from a row."""
        said = {name: texts.get(name) or {} for name in self.spoken}
        own = {name: words.get(self.lang, "") for name, words in said.items()}
        return own | {f"other_{name}": words.get(self.other, "") for name, words in said.items()}

    def texts(self) -> Values:
        """Return the words in the languages in which they were written."""
        given = self.cleaned_data
        found = {}
        for name in self.spoken:
            both = {self.lang: given[name].strip(), self.other: given[f"other_{name}"].strip()}
            found[name] = {language: words for language, words in both.items() if words}
        return {name: words for name, words in found.items() if words}

    @property
    def others(self) -> list[forms.BoundField]:
        """The fields of the other language."""
        return [self[f"other_{name}"] for name in self.spoken]

    @property
    def others_wrong(self) -> bool:
        """Whether one of them is to be mended."""
        return any(each.errors for each in self.others)


class ServingForm(SpokenForm):
    """Which services need her, or it: a box for each."""

    def __init__(self, *args: Any, services: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.services = services
        for service_id, name in services.items():
            self.fields[f"serves-{service_id}"] = forms.BooleanField(label=name, required=False)

    @property
    def serves(self) -> list[forms.BoundField]:
        """The boxes."""
        return [self[f"serves-{each}"] for each in self.services]

    def chosen(self) -> set[int]:
        """Return the services that are ticked."""
        return {each for each in self.services if self.cleaned_data[f"serves-{each}"]}


class StaffForm(ServingForm):
    """Somebody who serves: what the page says of her, what asking for her costs, what she does."""

    spoken = ("name", "title", "about")
    name = forms.CharField(label=gettext_lazy("Name customers see"), max_length=100)
    title = forms.CharField(
        label=gettext_lazy("What she is, such as stylist"), max_length=100, required=False
    )
    about = forms.CharField(
        label=gettext_lazy("In a few sentences"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    fee = forms.IntegerField(
        label=gettext_lazy("What asking for her costs (yen)"), min_value=0, max_value=1_000_000
    )


class NewStaffForm(StaffForm):
    """The same, with from when she serves, and by which name she may sign in."""

    key = forms.RegexField(
        r"[a-z][a-z0-9-]{0,31}",
        label=gettext_lazy("Short name"),
        required=False,
        help_text=gettext_lazy("a to z and 0 to 9, such as aoi: with it she signs in. Empty: a number."),
    )
    first = forms.DateField(
        label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class ResourceForm(ServingForm):
    """A room, a chair, equipment: what it is called, how many there are, what needs it."""

    spoken = ("name",)
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100)
    stock = forms.IntegerField(
        label=gettext_lazy("How many of it there are"), min_value=1, max_value=100, initial=1
    )
    seats = forms.IntegerField(
        label=gettext_lazy("For how many people each"), min_value=1, max_value=10_000, required=False
    )
    bookable = forms.BooleanField(label=gettext_lazy("Can be booked"), required=False, initial=True)


class NewResourceForm(ResourceForm):
    """The same, with what it is."""

    kind = forms.ChoiceField(label=gettext_lazy("What it is"))

    def __init__(self, *args: Any, kinds: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = list(kinds.items())  # type: ignore[attr-defined]
