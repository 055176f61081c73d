"""The way of an incident, from knowing of it to the last report: each step, and what the book has of it.

It leads, and decides nothing: a step that is not done may be none of this incident.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from noren.incidents import duties, notices, reports
from noren.incidents.book import Kind, Workspace
from noren.incidents.notice_text import Text

_OVER: Final = ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `told`: what there is of it by now; `next`: the first that is not done."""

    href: str
    what: str
    told: str
    done: bool
    next: bool = False


def of(work: Workspace, incident: str, now: datetime) -> list[Step]:
    """Return them in their order. None is a duty by itself: who works on it decides."""
    found = list(_steps(work, incident, now))
    first = next((one for one in found if not one.done), None)
    return [Step(one.href, one.what, one.told, one.done, one is first) for one in found]


def _steps(work: Workspace, incident: str, now: datetime) -> Iterator[Step]:
    def place(name: str) -> str:
        return reverse(name, args=[incident])

    yield _one("#terms", _("Say since when it is known"), int(work.known is not None))
    yield _one("#contain", _("Contain"), sum(each.state == "done" for each in work.deeds))
    yield _one(place("incident_scope"), _("Whose data"), len(work.scopes))
    yield _one(f"{reverse('notices')}?incident={incident}#new", _("Public notice"), _published(incident))
    mailed = sum(line.kind == Kind.TELLING for line in work.lines)
    yield _one(place("tellings"), _("Tell those in the scope"), mailed)
    shops = reports.shops_of(work)
    told = sum(reports.told_at(work, shop) is not None for shop in shops)
    yield _part(place("incident_shops"), _("The shops"), told, len(shops), known=bool(work.scopes))
    owed = [one for one in _reports(work, shops, now) if one.owed]
    filed = sum(one.done for one in owed)
    yield _part(place("incident_reports"), _("Reports"), filed, len(owed), known=work.known is not None)
    yield _one("#lead", _("Say that it is over"), int(work.state in _OVER))


def _one(href: str, what: str, times: int) -> Step:
    told = ngettext("%(n)d time", "%(n)d times", times) % {"n": times} if times > 1 else ""
    return Step(
        href, what, told or (pgettext("step", "done") if times else pgettext("step", "not yet")), bool(times)
    )


def _part(href: str, what: str, done: int, of: int, *, known: bool) -> Step:
    """A step of several; of none it is done, once it is known that there is none."""
    if not of:
        return Step(href, what, _("none is due") if known else pgettext("step", "not yet"), known)
    return Step(href, what, _("%(done)d of %(all)d") % {"done": done, "all": of}, done == of)


def _published(incident: str) -> int:
    """How many updates are public that name it."""
    found = (update for updates in notices.published().values() for update in updates)
    return sum(Text.read(one.newest.text).incident == incident for one in found)


def _reports(work: Workspace, shops: list[int], now: datetime) -> Iterator[reports.Report]:
    for shop in (reports.NO_SHOP, *shops):
        for law in duties.LAWS:
            report = reports.of(work, law, shop, now)
            if report is not None:
                yield report
