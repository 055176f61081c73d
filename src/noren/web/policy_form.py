"""The form of how a shop treats bookings, in sentences with numbers: until when one books, changes and
cancels, what that costs, checking in, waiting, limits. The plain values are those of a service's columns.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.engine import limits
from noren.engine.model import HorizonKind, LimitOf, Period
from noren.shops.models import Service
from noren.shops.reading import Values
from noren.shops.rules import limits_from
from noren.web.forms import REASONS

COLUMNS: Final = ("lead", "change", "cancel", "horizon", "fees", "check_in", "waiting", "limits")
DEADLINES: Final = ("lead", "change", "cancel")
TIERS: Final = 4
LIMITS: Final = 4
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNITS: Final = {"minutes": 1, "hours": 60, "days": 1440}


@dataclass(frozen=True, slots=True)
class Until:
    """A moment before the start, as its three fields: "2 days", or "1 day, at 20:00"."""

    number: BoundField
    unit: BoundField
    at: BoundField

    @property
    def wrong(self) -> str:
        return next((str(each.errors[0]) for each in (self.number, self.unit, self.at) if each.errors), "")


def _number(label: Any, most: int, *, least: int = 0, required: bool = False) -> forms.IntegerField:
    field = forms.IntegerField(label=label, min_value=least, max_value=most, required=required)
    field.widget.attrs["inputmode"] = "numeric"
    return field


class PolicyForm(forms.Form):
    """Begun with a service's columns; answers with them."""

    use_required_attribute = False
    horizon_kind = forms.ChoiceField(label=gettext_lazy("How far ahead"))
    horizon_days = _number(gettext_lazy("Number of days"), 1100, least=1, required=True)
    horizon_at = forms.CharField(label=gettext_lazy("From when on that day"), required=False, max_length=5)
    horizon_first = forms.DateField(
        label=gettext_lazy("First day"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    horizon_last = forms.DateField(
        label=gettext_lazy("Last day"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    free_minutes = _number(gettext_lazy("Minutes after booking"), 1440 * 31)
    opens_minutes = _number(gettext_lazy("Minutes before the start"), 1440, required=True)
    release_minutes = _number(gettext_lazy("Minutes after the start"), 1440, least=1)
    waits = forms.BooleanField(label=gettext_lazy("Customers can wait for a full time"), required=False)
    waiting_hours = _number(gettext_lazy("Hours"), 168, least=1)
    waiting_stop = _number(gettext_lazy("Minutes before the start"), 10_080)
    pass_over = forms.BooleanField(
        label=gettext_lazy("Where the first party is too large for what is free, ask the next"),
        required=False,
    )

    def __init__(self, *args: Any, by_night: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.by_night = by_night
        self.fields["horizon_kind"].choices = [  # type: ignore[attr-defined]
            (HorizonKind.DAYS, _("so many days ahead, today included")),
            (HorizonKind.OPEN_DAYS, _("so many days on which the shop is open")),
            (HorizonKind.RELEASE, _("each day is opened so many days before, at a time of the day")),
            (HorizonKind.RANGE, _("from a first to a last day")),
        ]
        for name in (*DEADLINES, *(f"tier-{number}" for number in range(TIERS))):
            self.fields |= until_fields(name)
        for number in range(TIERS):
            self.fields[f"tier-{number}-percent"] = _number(_("Percent of the price"), 100)
        for number in range(LIMITS):
            self._limit(number)
        for field in self.fields.values():
            field.error_messages["required"] = REASONS["empty"]

    def _limit(self, number: int) -> None:
        whose = [
            ("", _("no limit")),
            (LimitOf.CUSTOMER, _("each customer")),
            (LimitOf.STAFF, _("each of the staff")),
            (LimitOf.SERVICE, _("this service")),
        ]
        often = [(Period.DAY, _("a day")), (Period.WEEK, _("a week")), (Period.MONTH, _("a month"))]
        self.fields[f"limit-{number}-of"] = forms.ChoiceField(
            label=_("Whose bookings"), required=False, choices=whose
        )
        self.fields[f"limit-{number}-period"] = forms.ChoiceField(
            label=_("In which time"), required=False, choices=often
        )
        self.fields[f"limit-{number}-most"] = _number(_("Bookings at most"), 100_000, least=1)
        self.fields[f"limit-{number}-hours"] = _number(_("Hours at most"), 10_000, least=1)

    # -- what the page shows

    @property
    def untils(self) -> dict[str, Until]:
        return {name: self.until(name) for name in DEADLINES}

    def until(self, name: str) -> Until:
        return Until(self[f"{name}-n"], self[f"{name}-unit"], self[f"{name}-at"])

    @property
    def tiers(self) -> list[tuple[Until, BoundField]]:
        return [(self.until(f"tier-{each}"), self[f"tier-{each}-percent"]) for each in range(TIERS)]

    @property
    def limits(self) -> list[list[BoundField]]:
        parts = ("of", "most", "hours", "period")
        return [[self[f"limit-{number}-{part}"] for part in parts] for number in range(LIMITS)]

    @staticmethod
    def begun(columns: Values) -> Values:
        """Return what columns say, by field."""
        horizon, fees, waiting = columns["horizon"], columns["fees"], columns["waiting"]
        found: Values = {
            "horizon_kind": horizon.get("kind", HorizonKind.DAYS),
            "horizon_days": horizon.get("days", 90),
            "horizon_at": _clock(horizon.get("at", 0)),
            "horizon_first": horizon.get("first"),
            "horizon_last": horizon.get("last"),
            "free_minutes": fees.get("free_minutes", 0),
            "opens_minutes": columns["check_in"].get("opens_minutes", 60),
            "release_minutes": columns["check_in"].get("release_minutes"),
            "waits": bool(waiting),
            "waiting_hours": waiting.get("hours", 4),
            "waiting_stop": waiting.get("stop_minutes", 20),
            "pass_over": waiting.get("pass_over", False),
        }
        for name in DEADLINES:
            found |= shown_deadline(name, columns[name])
        for number, tier in enumerate(fees.get("tiers", ())[:TIERS]):
            found |= shown_deadline(f"tier-{number}", tier["since"]) | {
                f"tier-{number}-percent": tier["percent"]
            }
        for number, limit in enumerate(columns["limits"][:LIMITS]):
            hours = None if limit.get("minutes") is None else limit["minutes"] // 60
            found |= {
                f"limit-{number}-of": limit["of"],
                f"limit-{number}-period": limit["period"],
                f"limit-{number}-most": limit.get("most"),
                f"limit-{number}-hours": hours,
            }
        return found

    # -- what is given

    def clean(self) -> Values:
        given = super().clean() or {}
        for name in (*DEADLINES, *(f"tier-{number}" for number in range(TIERS))):
            self._clean_until(name, given)
        if given.get("horizon_kind") == HorizonKind.RELEASE and self._minute("horizon_at") is None:
            self.add_error("horizon_at", _write_time())
        first, last = given.get("horizon_first"), given.get("horizon_last")
        if first and last and last < first:
            self.add_error("horizon_last", _("The last day is before the first."))
        for number in range(LIMITS):
            some = given.get(f"limit-{number}-most") or given.get(f"limit-{number}-hours")
            if given.get(f"limit-{number}-of") and not some:
                self.add_error(f"limit-{number}-most", _("Please write how many, or how many hours."))
        if not self.errors and next(iter(limits.contradictions(limits_from(self._limits()))), None):
            told = _("A day or a week allows more than a longer time does; lower the one or lift the other.")
            self.add_error("limit-0-most", told)
        if self.by_night and any(given.get(f"limit-{number}-hours") for number in range(LIMITS)):
            told = _("What counts nights can have no limit in hours. Please write how many bookings.")
            self.add_error("limit-0-most", told)
        return given

    def _clean_until(self, name: str, given: Values) -> None:
        at, unit = (given.get(f"{name}-at") or "").strip(), given.get(f"{name}-unit") or "minutes"
        if at and self._minute(f"{name}-at") is None:
            self.add_error(f"{name}-at", _write_time())
        elif at and (unit != "days" or not given.get(f"{name}-n")):
            self.add_error(
                f"{name}-at", _("With a time of the day please choose days: how many days before.")
            )
        tiered = name.startswith("tier-") and given.get(f"{name}-percent") is not None
        if tiered and given.get(f"{name}-n") is None:
            self.add_error(f"{name}-n", _("Please write from when on this is due."))

    def _minute(self, name: str) -> int | None:
        return minute_of(self.cleaned_data.get(name))

    def _deadline(self, name: str) -> Values:
        return deadline_of(self.cleaned_data, name)

    def columns(self) -> Values:
        """Return the columns as they are to be."""
        given = self.cleaned_data
        horizon: Values = {"kind": given["horizon_kind"], "days": given["horizon_days"]}
        horizon["at"] = self._minute("horizon_at") or 0
        for edge in ("first", "last"):
            if given[f"horizon_{edge}"] is not None:
                horizon[edge] = given[f"horizon_{edge}"].isoformat()
        tiers = [
            {"since": self._deadline(f"tier-{number}"), "percent": given[f"tier-{number}-percent"]}
            for number in range(TIERS)
            if given[f"tier-{number}-percent"] is not None
        ]
        check_in: Values = {"opens_minutes": given["opens_minutes"]}
        if given["release_minutes"] is not None:
            check_in["release_minutes"] = given["release_minutes"]
        waiting = {
            "hours": given["waiting_hours"] or 4,
            "stop_minutes": 20 if given["waiting_stop"] is None else given["waiting_stop"],
            "pass_over": given["pass_over"],
        }
        return {
            **{name: self._deadline(name) for name in DEADLINES},
            "horizon": horizon,
            "fees": {"tiers": tiers, "free_minutes": given["free_minutes"] or 0} if tiers else {},
            "check_in": check_in,
            "waiting": waiting if given["waits"] else {},
            "limits": self._limits(),
        }

    def _limits(self) -> list[Values]:
        found = []
        for number in range(LIMITS):
            whose, period, most, hours = (
                self.cleaned_data.get(f"limit-{number}-{part}") for part in ("of", "period", "most", "hours")
            )
            if whose:
                limit: Values = {"of": whose, "period": period or Period.DAY}
                limit |= {"most": most} if most else {}
                found.append({**limit, "minutes": hours * 60} if hours else limit)
        return found


def _write_time() -> str:
    return _("Please write a time like 20:00.")


def of_row(row: Service) -> Values:
    """Return what a service's row says."""
    return {name: getattr(row, name) for name in COLUMNS}


def until_fields(name: str) -> dict[str, forms.Field]:
    """Return the three fields of a moment before the start."""
    units = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))]
    at = forms.CharField(label=_("At what time of that day"), required=False, max_length=5)
    at.widget.attrs |= {"placeholder": "20:00", "size": "5"}
    return {
        f"{name}-n": _number(_("How long before the start"), 1440 * 366),
        f"{name}-unit": forms.ChoiceField(label=_("Minutes, hours or days"), required=False, choices=units),
        f"{name}-at": at,
    }


def minute_of(text: str | None) -> int | None:
    """Read a time of the day as it is typed, as minutes; None where it is none."""
    found = _TIME.fullmatch(unicodedata.normalize("NFKC", text or "").strip())
    return None if found is None else int(found[1]) * 60 + int(found[2])


def deadline_of(given: Values, name: str) -> Values:
    """Return what the three fields say."""
    number, at = given.get(f"{name}-n") or 0, minute_of(given.get(f"{name}-at"))
    if at is not None:
        return {"days": number, "at": at}
    return {"minutes": number * _UNITS[given.get(f"{name}-unit") or "minutes"]}


def shown_deadline(name: str, deadline: Values) -> Values:
    """Return the three fields that say it."""
    if deadline.get("at") is not None:
        return {f"{name}-n": deadline["days"], f"{name}-unit": "days", f"{name}-at": _clock(deadline["at"])}
    minutes = deadline.get("minutes", 0)
    fits = [unit for unit in ("days", "hours") if minutes and minutes % _UNITS[unit] == 0]
    unit = next(iter(fits), "minutes")
    return {f"{name}-n": minutes // _UNITS[unit], f"{name}-unit": unit, f"{name}-at": ""}


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"
