"""The words of notices: sections, states, what a draft lacks, and how an instant is written."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from noren.web import wording

# The platform has no shop's clock: its people and most of its readers are in Japan.
ZONE: Final = ZoneInfo("Asia/Tokyo")
SECTIONS: Final[Mapping[str, str | Promise]] = {
    "happened": pgettext_lazy("of a notice", "What happened"),
    "when": gettext_lazy("When it happened, was found and was stopped"),
    "whose": gettext_lazy("Whose data, and which"),
    "unaffected": gettext_lazy("What was not affected, and how we know"),
    "cause": gettext_lazy("The cause"),
    "done": gettext_lazy("What we have done"),
    "advice": gettext_lazy("What you should do"),
    "unknown": gettext_lazy("What we do not know yet"),
    "authorities": gettext_lazy("Reports to authorities"),
    "contact": gettext_lazy("Contact, also for the press"),
}
TITLE: Final = pgettext_lazy("of a notice", "Title")
HINTS: Final[Mapping[str, str | Promise]] = {
    "when": gettext_lazy("Clock times with their zone. Say where a time is approximate."),
    "whose": gettext_lazy("Fields and counts, each with how surely you know it."),
    "unaffected": gettext_lazy("Name the evidence for each: the ledger, a log, a test."),
    "unknown": gettext_lazy("What you are looking into, and what cannot be found out."),
    "contact": gettext_lazy("An address or number of the office, not of a person."),
}
STATES: Final[Mapping[str, str | Promise]] = {
    "investigating": pgettext_lazy("of a notice", "investigating"),
    "identified": pgettext_lazy("of a notice", "cause identified"),
    "contained": pgettext_lazy("of a notice", "contained"),
    "resolved": pgettext_lazy("of a notice", "resolved"),
}
CONFIDENCE: Final[Mapping[str, str | Promise]] = {
    "confirmed": pgettext_lazy("how surely a number is known", "confirmed"),
    "estimated": pgettext_lazy("how surely a number is known", "estimated"),
    "unknown": pgettext_lazy("how surely a number is known", "not known yet"),
}
ASKED: Final[Mapping[str, str | Promise]] = {
    "asked": gettext_lazy("waits for another operator"),
    "lapsed": gettext_lazy("not answered in time"),
    "declined": gettext_lazy("not agreed to"),
    "withdrawn": gettext_lazy("taken back"),
    "published": gettext_lazy("published"),
}


def local(at: datetime) -> str:
    """2026年11月28日（土） 18:00 日本時間."""
    there = at.astimezone(ZONE)
    return _("%(day)s, %(time)s Japan time") % {"day": wording.full_day(there), "time": f"{there:%H:%M}"}


def utc(at: datetime) -> str:
    """2026-11-28 09:00 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def both(at: datetime) -> str:
    """2026年11月28日（土） 18:00 日本時間 (2026-11-28 09:00 UTC)."""
    return f"{local(at)} ({utc(at)})"


def label(section: str) -> str:
    """A section's name."""
    return str(TITLE if section == "title" else SECTIONS[section])


def fault(language: str, section: str, why: str) -> str:
    """Why a draft cannot be published, and how to mend it."""
    if section == "next":
        if why == "past":
            return _("The promised time of the next update has passed. Please choose a later one.")
        return _("Please say when the next update comes, or set the state to resolved.")
    tongue = {"ja": _("Japanese"), "en": _("English")}[language]
    told = {
        "empty": _("%(language)s: “%(section)s” is empty. It is needed."),
        "other": _("%(language)s: “%(section)s” is empty, and is filled in the other language."),
        "long": _("%(language)s: “%(section)s” is too long."),
        "characters": _("%(language)s: “%(section)s” has a character that cannot be shown."),
    }
    return told[why] % {"language": tongue, "section": label(section)}
