"""The form of a service: words, price, its time in segments, who serves it, what it needs, how to book it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.engine.model import GridKind
from noren.shops.models import Resource, Service, Staff
from noren.shops.reading import Values
from noren.shops.terms import Approval, Visitors
from noren.web import wording
from noren.web.forms import REASONS

MOST_MINUTES: Final = 1440
MOST_SEGMENTS: Final = 8
# So many empty lines invite to add to what is there.
EMPTY_SEGMENTS: Final = 2
TEXTS: Final = ("name", "about", "group")


@dataclass(frozen=True, slots=True)
class Things:
    """What a shop has that a service may need: its resources, in its order, with their names."""

    resources: Sequence[Resource]
    staff: Mapping[int, Staff]
    services: Sequence[Service]

    @classmethod
    def read(cls) -> "Things":
        """Inside the shop."""
        rows = Resource.objects.order_by("position", "id")
        return cls(list(rows), Staff.objects.in_bulk(), list(Service.objects.order_by("position", "id")))

    def name(self, resource: Resource) -> str:
        row = self.staff.get(resource.id, resource)
        return wording.text(row.texts, "name") or resource.key

    def of_kind(self, *, staff: bool) -> list[tuple[int, str]]:
        return [(each.id, self.name(each)) for each in self.resources if (each.kind == "staff") == staff]


@dataclass(frozen=True, slots=True)
class Need:
    """A role the service has or may get, with its fields."""

    role: str
    label: str
    kept: Mapping[str, Any]
    """The requirement as it is; nothing of one that it may get."""
    pool: BoundField
    count: BoundField


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of the service: its minutes, and who and what is busy in it."""

    number: int
    minutes: BoundField
    roles: BoundField


@dataclass(frozen=True, slots=True)
class Own:
    """What is different when one of the staff serves it."""

    staff: int
    name: str
    fee: int
    price: BoundField
    minutes: list[BoundField]


def role_words(role: str, kinds: Iterable[str] = ()) -> str:
    """Say what a role is called."""
    words = {
        "staff": _("Staff"),
        "chair": _("Seat"),
        "room": _("Room"),
        "court": _("Court"),
        "equipment": _("Equipment"),
        "table": _("Table"),
    }
    return words.get(role) or next((words[kind] for kind in kinds if kind in words), role)


def _whole(label: Any, most: int, *, least: int = 0, required: bool = True) -> forms.IntegerField:
    field = forms.IntegerField(label=label, min_value=least, max_value=most, required=required)
    field.widget.attrs["inputmode"] = "numeric"
    return field


class ServiceForm(forms.Form):
    """All that a shop sets of a service, but its dates and its policies."""

    use_required_attribute = False
    on = forms.BooleanField(label=gettext_lazy("Offered"), required=False)
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100)
    about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)
    group = forms.CharField(
        label=gettext_lazy("Heading"),
        max_length=60,
        required=False,
        help_text=gettext_lazy(
            "Services that follow each other and have the same heading stand under it on your page."
        ),
    )
    other_name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)
    other_about = forms.CharField(label=gettext_lazy("In a sentence"), max_length=200, required=False)
    other_group = forms.CharField(label=gettext_lazy("Heading"), max_length=60, required=False)
    price = _whole(gettext_lazy("Price (yen, tax included)"), 10_000_000)
    tax_rate = forms.TypedChoiceField(
        label=gettext_lazy("Tax in it"), coerce=int, choices=[(10, "10 %"), (8, "8 %"), (0, "0 %")]
    )
    before = _whole(gettext_lazy("Minutes kept free before it"), MOST_MINUTES)
    after = _whole(gettext_lazy("Minutes kept free after it"), MOST_MINUTES)
    grid = forms.ChoiceField(label=gettext_lazy("Where a start may lie"))
    interval = _whole(gettext_lazy("A start every … minutes"), 1440, least=1)
    party_min = _whole(gettext_lazy("Fewest people"), 1000, least=1)
    party_max = _whole(gettext_lazy("Most people"), 1000, least=1)
    approval = forms.ChoiceField(label=gettext_lazy("When somebody books it"), required=False)
    visitors = forms.ChoiceField(label=gettext_lazy("Who may book it"), required=False)
    alone = forms.BooleanField(label=gettext_lazy("It can be booked by itself"), required=False)
    together = forms.BooleanField(
        label=gettext_lazy("It can be booked together with other services"), required=False
    )
    additions = forms.TypedMultipleChoiceField(
        label=gettext_lazy("What customers may add to it"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, row: Service, things: Things, lang: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.row, self.things, self.lang, self.other = row, things, lang, "en" if lang == "ja" else "ja"
        self._choices()
        self._roles: list[tuple[str, str, Mapping[str, Any]]] = []
        self._needs()
        self._segments()
        self._own()
        for name, field in self.fields.items():
            field.error_messages["required"] = REASONS["empty"]
            if name.removeprefix("other_") in TEXTS:
                field.widget.attrs["lang"] = self.other if name.startswith("other_") else lang

    @property
    def is_timed(self) -> bool:
        """Whether its time is made of segments: a stay lasts as long as its nights."""
        return self.row.stay is None

    @property
    def is_class(self) -> bool:
        return self.row.capacity is not None

    def _choices(self) -> None:
        choices: dict[str, list[tuple[Any, Any]]] = {
            "grid": [
                (GridKind.OPENING, _("counted from when the shop or the staff opens")),
                (GridKind.CLOCK, _("by the clock")),
                (GridKind.PACKED, _("also right after another booking, without gaps")),
            ],
            "approval": [
                (Approval.NONE, _("it is booked at once")),
                (Approval.KEEPS, _("the shop says yes first; the time is kept until then")),
                (Approval.FREE, _("the shop says yes first; the time stays free until then")),
            ],
            "visitors": [
                (Visitors.ALL, _("everybody")),
                (Visitors.FIRST, _("only who comes for the first time")),
                (Visitors.AGAIN, _("only who has been here before")),
            ],
            "additions": [
                (each.id, wording.text(each.texts, "name") or each.key)
                for each in self.things.services
                if each.id != self.row.id and each.capacity is None and each.stay is None
            ],
        }
        for name, those in choices.items():
            self.fields[name].choices = those  # type: ignore[attr-defined]
        if self.row.tax_rate not in (0, 8, 10):
            rate = self.row.tax_rate
            self.fields["tax_rate"].choices += [(rate, f"{rate} %")]  # type: ignore[attr-defined]
        if self.row.stay is not None:
            self.fields["grid"].choices = [(GridKind.CLOCK, _("by the clock"))]  # type: ignore[attr-defined]
        if self.is_class or self.row.stay is not None:
            for name in ("alone", "together", "additions"):
                del self.fields[name]
        if self.is_class:
            for name in ("grid", "interval"):
                del self.fields[name]

    def _needs(self) -> None:
        kinds = {each.id: each.kind for each in self.things.resources}
        there: list[tuple[str, Mapping[str, Any]]] = [(each["role"], each) for each in self.row.requirements]
        used = {role for role, _need in there}
        if "staff" not in used and "staff" in kinds.values():
            there.append(("staff", {}))
        seen = {kinds.get(each) for _role, need in there for each in need.get("pool", ())} | used
        there += [(kind, {}) for kind in dict.fromkeys(kinds.values()) if kind not in seen | {"staff"}]
        for number, (role, need) in enumerate(there):
            is_staff = role == "staff" or any(kinds.get(each) == "staff" for each in need.get("pool", ()))
            own = [kinds[each] for each in need.get("pool", ()) if each in kinds]
            label = role_words(role, own)
            self._roles.append((role, label, need))
            self.fields[f"need-{number}-pool"] = forms.TypedMultipleChoiceField(
                label=_("Who serves it") if is_staff else label,
                coerce=int,
                required=False,
                choices=self.things.of_kind(staff=is_staff),
                widget=forms.CheckboxSelectMultiple,
            )
            self.fields[f"need-{number}-count"] = _whole(_("How many of them at once"), 50, least=1)

    def _segments(self) -> None:
        if not self.is_timed:
            return
        lines = min(MOST_SEGMENTS, len(self.row.segments) + EMPTY_SEGMENTS)
        roles = [(f"{number}", label) for number, (_role, label, _need) in enumerate(self._roles)]
        for number in range(max(lines, len(self.row.segments))):
            self.fields[f"seg-{number}-minutes"] = _whole(_("Minutes"), MOST_MINUTES, least=1, required=False)
            self.fields[f"seg-{number}-roles"] = forms.MultipleChoiceField(
                label=_("Busy meanwhile"),
                required=False,
                choices=roles,
                widget=forms.CheckboxSelectMultiple,
            )

    def _own(self) -> None:
        """Fields for each of the staff who may serve it as one of several."""
        if self.is_class or not self.is_timed:
            return
        for each, _name in self.things.of_kind(staff=True):
            self.fields[f"own-{each}-price"] = _whole(_("Price (yen)"), 10_000_000, required=False)
            for number in range(len(self.row.segments)):
                label = _("Minutes of part %(n)d") % {"n": number + 1}
                self.fields[f"own-{each}-{number}"] = _whole(label, MOST_MINUTES, least=1, required=False)

    # -- what the page shows

    @property
    def plain_choices(self) -> list[BoundField]:
        return [self[name] for name in ("visitors", "approval", "grid") if name in self.fields]

    @property
    def needs(self) -> list[Need]:
        return [
            Need(role, label, need, self[f"need-{number}-pool"], self[f"need-{number}-count"])
            for number, (role, label, need) in enumerate(self._roles)
        ]

    @property
    def lines(self) -> list[Line]:
        numbers = (number for number in range(MOST_SEGMENTS * 2) if f"seg-{number}-minutes" in self.fields)
        return [
            Line(number, self[f"seg-{number}-minutes"], self[f"seg-{number}-roles"]) for number in numbers
        ]

    @property
    def own(self) -> list[Own]:
        if self.is_class or not self.is_timed:
            return []
        pool = {each for need in self.row.requirements for each in need["pool"]}
        return [
            Own(
                each,
                name,
                self.things.staff[each].fee if each in self.things.staff else 0,
                self[f"own-{each}-price"],
                [self[f"own-{each}-{number}"] for number in range(len(self.row.segments))],
            )
            for each, name in self.things.of_kind(staff=True)
            if each in pool
        ]

    @property
    def has_own(self) -> bool:
        return bool(self.row.by_staff) or any(self[name].errors for name in self.fields if name[:4] == "own-")

    def begun(self) -> Values:
        """Return what the service's row says, by field."""
        row = self.row
        found: Values = {
            "on": row.bookable,
            **{name: getattr(row, name) for name in _PLAIN},
            "grid": row.grid.get("kind", GridKind.OPENING),
            "interval": row.grid.get("interval", 30),
        }
        for key in TEXTS:
            said = row.texts.get(key) or {}
            found |= {key: said.get(self.lang, ""), f"other_{key}": said.get(self.other, "")}
        places = {role: f"{number}" for number, (role, _label, _need) in enumerate(self._roles)}
        for number, (_role, _label, need) in enumerate(self._roles):
            found[f"need-{number}-pool"] = list(need.get("pool", ()))
            found[f"need-{number}-count"] = need.get("count", 1)
        for number, each in enumerate(row.segments):
            found[f"seg-{number}-minutes"] = each["minutes"]
            found[f"seg-{number}-roles"] = [places[role] for role in each["roles"] if role in places]
        for each in row.by_staff:
            found[f"own-{each['staff']}-price"] = each.get("price")
            for number, minutes in enumerate(each.get("minutes", ())):
                usual = row.segments[number]["minutes"] if number < len(row.segments) else None
                found[f"own-{each['staff']}-{number}"] = None if minutes == usual else minutes
        return found

    # -- what is given

    def clean(self) -> Values:
        given = super().clean() or {}
        if given.get("party_max", 1) < given.get("party_min", 1):
            self.add_error("party_max", _("This is less than the fewest."))
        some = False
        for number in range(len(self._roles)):
            pool, count = given.get(f"need-{number}-pool") or [], given.get(f"need-{number}-count", 1)
            some |= bool(pool)
            if pool and count > len(pool):
                self.add_error(f"need-{number}-count", _("That is more than are ticked above."))
        if not some and given.get("alone", True):
            self.add_error("need-0-pool", _("Please tick who can serve it, or what it takes."))
        if self.is_timed and not self.errors and not self._kept_lines() and given.get("alone", True):
            self.add_error("seg-0-minutes", _("Please write how many minutes it takes."))
        return given

    def _kept_lines(self) -> list[int]:
        """Return which of the lines are segments: those with minutes."""
        numbers = range(MOST_SEGMENTS * 2)
        return [number for number in numbers if self.cleaned_data.get(f"seg-{number}-minutes")]

    def values(self) -> Values:
        """Return the columns of the row as they are to be."""
        given = self.cleaned_data
        texts = dict(self.row.texts)
        for key in TEXTS:
            both = {self.lang: given[key].strip(), self.other: given[f"other_{key}"].strip()}
            texts[key] = {language: words for language, words in both.items() if words}
        needs = self._requirements()
        found: Values = {
            "texts": {key: words for key, words in texts.items() if words},
            "bookable": given["on"],
            **{name: given[name] for name in _PLAIN if name in self.fields},
            "requirements": list(needs.values()),
        }
        if "grid" in self.fields:
            found["grid"] = {**self.row.grid, "kind": given["grid"], "interval": given["interval"]}
        if self.is_timed:
            found["segments"] = self._timed(needs)
            if not self.is_class:
                found["by_staff"] = self._differing(found["segments"], needs)
        return found

    def _requirements(self) -> dict[str, Values]:
        """Return what it needs, by the number of the role."""
        found: dict[str, Values] = {}
        for number, (role, _label, need) in enumerate(self._roles):
            pool = self.cleaned_data[f"need-{number}-pool"]
            if pool:
                count = self.cleaned_data[f"need-{number}-count"]
                same = {**need, "role": role, "pool": _in_order(need.get("pool", ()), pool)}
                found[f"{number}"] = {**same, "count": count} if count > 1 or "count" in need else same
        return found

    def _timed(self, needs: Mapping[str, Values]) -> list[Values]:
        """Return the segments; what is needed and nowhere ticked is busy all the time."""
        kept = self._kept_lines()
        ticked = {number: set(self.cleaned_data[f"seg-{number}-roles"]) for number in kept}
        always = {role for role in needs if not any(role in those for those in ticked.values())}
        return [
            {
                "minutes": self.cleaned_data[f"seg-{number}-minutes"],
                "roles": [needs[each]["role"] for each in needs if each in ticked[number] | always],
            }
            for number in kept
        ]

    def _differing(self, segments: Sequence[Values], needs: Mapping[str, Values]) -> list[Values]:
        """Return for whom it takes another time, or costs another price."""
        kept, price = self._kept_lines(), self.cleaned_data["price"]
        usual = [each["minutes"] for each in segments]
        pools = {each for need in needs.values() if need.get("count", 1) == 1 for each in need["pool"]}
        found = []
        for each, _name in self.things.of_kind(staff=True):
            own = self.cleaned_data.get(f"own-{each}-price")
            minutes = [
                self.cleaned_data.get(f"own-{each}-{number}") or often
                for number, often in zip(kept, usual, strict=True)
            ]
            entry: Values = {"staff": each}
            if minutes != usual:
                entry["minutes"] = minutes
            if own is not None and own != price:
                entry["price"] = own
            if len(entry) > 1 and each in pools:
                found.append(entry)
        return found


_PLAIN: Final = (
    *("price", "tax_rate", "before", "after", "party_min", "party_max", "approval", "visitors"),
    *("alone", "together", "additions"),
)


def _in_order(before: Sequence[int], now: Sequence[int]) -> list[int]:
    """Return who is ticked; who was in the pool already keeps her place in it."""
    kept = [each for each in before if each in now]
    return [*kept, *(each for each in now if each not in kept)]
