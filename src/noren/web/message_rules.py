"""When customers are written to by the clock: reminders before a visit, thanks after it, quiet hours.

What is said here is of the shop as a whole. Bookings to come are planned anew by a job, a hundred at a time.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.shops import edits
from noren.shops.models import Shop
from noren.shops.tenancy import shop as in_shop
from noren.shops.terms import reminders_of
from noren.web import wording
from noren.web.desk import open_face_of

REMINDERS: Final = 3
"""How many may be chosen; a shop whose file says something else keeps its own in the list."""
_MINUTES: Final = (60, 120, 180, 360, 720, 1440, 2880, 4320, 10080)
_HOURS: Final = (1, 3, 6, 24, 48)
_DAY: Final = 1440
_HOUR: Final = 60


def before_words(minutes: int) -> str:
    """3 days before, 3 hours before."""
    days = minutes // _DAY
    if minutes % _DAY:
        return _("%(length)s before") % {"length": wording.length_words(minutes)}
    return ngettext("%(n)d day before", "%(n)d days before", days) % {"n": days}


def after_words(hours: int) -> str:
    return ngettext("%(n)d hour after", "%(n)d hours after", hours) % {"n": hours}


class RulesForm(forms.Form):
    """Up to three reminders, thanks, quiet hours."""

    use_required_attribute = False
    thanks = forms.TypedChoiceField(label=gettext_lazy("Thanks after a visit"), coerce=int)
    quiet_from = forms.TimeField(label=gettext_lazy("Quiet from"), required=False)
    quiet_to = forms.TimeField(label=gettext_lazy("Quiet until"), required=False)

    def __init__(self, *args: Any, row: Shop, **more: Any) -> None:
        super().__init__(*args, **more)
        there = reminders_of(row.reminder_minutes, *row.more_reminders)
        known = sorted({*_MINUTES, *there})
        choices = [(0, _("none")), *((each, before_words(each)) for each in known)]
        labels = (_("First reminder"), _("Second reminder"), _("Third reminder"))
        for number, label in enumerate(labels[: max(REMINDERS, len(there))], 1):
            self.fields[f"reminder_{number}"] = forms.TypedChoiceField(
                label=label, choices=choices, coerce=int, required=False, empty_value=None
            )
        hours = sorted({*_HOURS, row.thanks_hours} - {0})
        self.fields["thanks"].choices = [(0, _("none")), *((each, after_words(each)) for each in hours)]  # type: ignore[attr-defined]
        wrong = _("Please choose once more.")
        for field in self.fields.values():
            field.error_messages.update(invalid_choice=wrong, required=wrong, invalid=_("Such as 22:00."))
        for name in ("quiet_from", "quiet_to"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")

    @staticmethod
    def begun(row: Shop) -> dict[str, Any]:
        """Fill the form from the shop's row."""
        there = reminders_of(row.reminder_minutes, *row.more_reminders)
        quiet = {name: _clock(row.quiet[key]) for name, key in _QUIET.items()} if row.quiet else {}
        return {
            **{f"reminder_{number}": each for number, each in enumerate(there, 1)},
            "thanks": row.thanks_hours,
            **quiet,
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        begin, end = given.get("quiet_from"), given.get("quiet_to")
        if (begin is None) != (end is None) and not self.errors:
            lacking = "quiet_from" if begin is None else "quiet_to"
            self.add_error(lacking, _("Please give both times, or neither."))
        return given

    @property
    def reminders(self) -> list[int]:
        """What was chosen, as it was."""
        named = (name for name in self.fields if name.startswith("reminder_"))
        return [self.cleaned_data[name] or 0 for name in named]

    @property
    def quiet(self) -> Mapping[str, int]:
        """As the shop's row has it."""
        begin, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_to"]
        if begin is None or begin == end:
            return {}
        times = zip(("from", "to"), (begin, end), strict=True)
        return {key: each.hour * _HOUR + each.minute for key, each in times}


_QUIET: Final = {"quiet_from": "from", "quiet_to": "to"}


def _clock(minute: int) -> str:
    return f"{minute // _HOUR % 24:02}:{minute % _HOUR:02}"


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show the rules; POST changes them."""
    face = open_face_of(request)
    with in_shop(face.id):
        row = Shop.objects.get()
    form = RulesForm(
        request.POST if request.method == "POST" else None, initial=RulesForm.begun(row), row=row
    )
    if request.method == "POST" and form.is_valid():
        write = partial(edits.set_reminding, form.reminders, form.cleaned_data["thanks"], form.quiet)
        changes.change(face.id, write, now=clock.now(), by=request.signed_in.by)
        return HttpResponseRedirect(f"{reverse('console_message_rules')}?kept")
    context = {
        "shop": face,
        "way": "messages",
        "tab": "rules",
        "form": form,
        "reminders": [bound for bound in form if bound.name.startswith("reminder_")],
        "kept": "kept" in request.GET,
    }
    status = 422 if form.is_bound else 200
    return render(request, "web/console/message_rules.html", context, status=status)
