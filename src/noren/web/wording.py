"""How dates, times, lengths and prices are written, in the active language.

The formats themselves are in the catalogue (context "format"), in the letters of Django's `date` filter.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Self

from django.utils.dateformat import format as written
from django.utils.dateformat import time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from noren.shops.edits import DayReason


def day(value: date) -> str:
    """11月28日（土） or Sat 28 November."""
    return written(value, pgettext("format", "D j F"))


def full_day(value: date) -> str:
    """2026年11月28日（土）."""
    return written(value, pgettext("format", "D j F Y"))


def weekday(value: date) -> str:
    return written(value, pgettext("format", "D"))


def month(value: date) -> str:
    return written(value, pgettext("format", "F Y"))


def clock(value: datetime) -> str:
    """14:30 or 2:30 PM, in the zone the value carries."""
    return _clock(get_language() or "ja", value.hour, value.minute)


@lru_cache(maxsize=4 * 1440)
def _clock(_language: str, hour: int, minute: int) -> str:
    """A list of a day says hundreds of them."""
    return time_format(time(hour, minute), pgettext("format", "g:i A"))


def clock_of_minute(minute: int) -> str:
    """A minute of the business day; past midnight it goes on counting in Japanese (25:00)."""
    if spoken_language() == "ja":
        return f"{minute // 60}:{minute % 60:02}"
    return clock(datetime(2000, 1, 1) + timedelta(minutes=minute % 1440))  # noqa: DTZ001 - a clock face, no instant


def utc_of(text: object) -> str:
    """11月28日（土） 09:30 UTC, of an instant as a book has it; what is none is shown as it is."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return str(text)
    return f"{day(at)} {at:%H:%M} UTC"


def length_words(minutes: int) -> str:
    """90 minutes are 1 hour 30 minutes."""
    hours, rest = divmod(minutes, 60)
    in_hours = ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    in_minutes = _("%(n)d min") % {"n": rest}
    if hours and rest:
        return _("%(hours)s %(minutes)s") % {"hours": in_hours, "minutes": in_minutes}
    return in_hours if hours else in_minutes


def yen(amount: int) -> str:
    return _("¥%(amount)s") % {"amount": f"{amount:,}"}


class Words(str):
    """A shop's own words; `lang` is their language where it is not the page's."""

    __slots__ = ("lang",)
    lang: str

    def __new__(cls, words: str, lang: str = "") -> Self:
        made = super().__new__(cls, words)
        made.lang = lang
        return made


def spoken_language() -> str:
    """The page's language in two letters: easy Japanese is Japanese."""
    return (get_language() or "ja")[:2]


def text(texts: Mapping[str, Any], key: str) -> Words:
    """A shop's own words in the active language, else in the first one it wrote."""
    return of(texts.get(key) or {})


def of(given: Mapping[str, str]) -> Words:
    """As `text`, of words by language."""
    own = given.get(get_language() or "ja") or given.get(spoken_language())
    others = (Words(words, lang) for lang, words in given.items() if words)
    return Words(own) if own else next(others, Words(""))


def spoken(words: str) -> SafeString:
    """Name the language of words for their element, where it is not the page's: ` lang="en"`."""
    lang = getattr(words, "lang", "")
    return format_html(' lang="{}"', lang) if lang else SafeString("")


def long_weekday(value: date) -> str:
    return written(value, "l")


def joined(parts: list[str]) -> str:
    return pgettext("between the members of a list", ", ").join(parts)


def visit(names: list[Words]) -> Words:
    """The services of one visit in one line."""
    languages = {each.lang for each in names}
    together = pgettext("between the services of one visit", " + ").join(names)
    return Words(together, languages.pop() if len(languages) == 1 else "")


def cancelling(until: datetime, now: datetime) -> str:
    """Until when a customer may cancel by herself, in her words; so near a start, that she may not."""
    if until < now:
        return _("So close to the time you cannot cancel on your booking's page. Please call the shop.")
    return _(
        "You can cancel on your booking's page until %(day)s %(clock)s. After that please call the shop."
    ) % {
        "day": day(until),
        "clock": clock(until),
    }


def changing(until: datetime, now: datetime) -> str:
    """Until when a customer may choose another time by herself; so near a start, that she may not."""
    if until < now:
        return _("So close to the time you cannot change it on your booking's page. Please call the shop.")
    return _(
        "You can change it on your booking's page until %(day)s %(clock)s. After that please call the shop."
    ) % {
        "day": day(until),
        "clock": clock(until),
    }


def day_reasons() -> dict[str, str]:
    """What the public page may say of a day."""
    return {
        DayReason.NONE: _("no reason"),
        DayReason.HOLIDAY: pgettext("why a day has other hours", "holidays"),
        DayReason.TRAINING: pgettext("why a day has other hours", "training"),
        DayReason.WORKS: pgettext("why a day has other hours", "works in the shop"),
        DayReason.WEATHER: pgettext("why a day has other hours", "weather"),
        DayReason.EVENT: pgettext("why a day has other hours", "private event"),
    }
