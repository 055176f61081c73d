"""What spreadsheets and old systems made of a cell, mended where it is sure: what is not sure stays as it is.

A date, a time and a length are read in the ways in which they are written in Japan, or not at all.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Final

import jaconv

_HALF_KANA: Final = re.compile("[\uff61-\uff9f]+")
_BARE: Final = re.compile(r"[1-9][0-9]{8,9}", re.ASCII)
# So many digits behind these are a mobile of Japan and nothing else, in use or not.
_MOBILE: Final = re.compile(r"([789]0)([0-9]{4})([0-9]{4})", re.ASCII)
# The first day of an era. An old system may still count on after the last one.
_ERAS: Final[Mapping[str, date]] = {
    "明治": date(1868, 1, 25),
    "大正": date(1912, 7, 30),
    "昭和": date(1926, 12, 25),
    "平成": date(1989, 1, 8),
    "令和": date(2019, 5, 1),
}
_SHORT: Final = dict(zip("MTSHR", _ERAS, strict=True))
_WEEKDAY: Final = re.compile(r"\s*[(（]?[月火水木金土日](?:曜日?)?[)）]?$")
_IN_ERA: Final = re.compile(
    rf"({'|'.join(_ERAS)}|[MTSHR])\s*\.?\s*(元|[0-9]{{1,2}})\s*[年./-]\s*([0-9]{{1,2}})\s*[月./-]\s*([0-9]{{1,2}})日?",
    re.ASCII | re.IGNORECASE,
)
_WESTERN: Final = re.compile(
    r"([0-9]{4})\s*[年./-]\s*([0-9]{1,2})\s*[月./-]\s*([0-9]{1,2})日?|([0-9]{4})([0-9]{2})([0-9]{2})",
    re.ASCII,
)
_TIME: Final = re.compile(
    r"(午前|午後|am|pm)?\s*([0-9]{1,2})\s*[:時]\s*([0-9]{2})?分?(?::[0-9]{2})?\s*(am|pm)?",
    re.ASCII | re.IGNORECASE,
)
_LENGTH: Final = re.compile(
    r"(?:([0-9]{1,2})(?:時間|h|:))?\s*(?:([0-9]{1,4})\s*(?:分間?|min(?:utes)?|m)?)?", re.ASCII
)
_LATER: Final = ("午後", "pm")


def full_kana(text: str) -> str:
    """Half-width katakana in full width, and nothing else: a rare character of a name stays what it is."""
    return _HALF_KANA.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def kana(text: str) -> str:
    """The reading of a name in full-width katakana."""
    return str(jaconv.hira2kata(full_kana(text)))


def phone(text: str) -> str:
    """A phone number in ordinary digits; a zero that a spreadsheet took from its front stands there again."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not _BARE.fullmatch(plain):
        return plain if plain.isascii() else text
    if mobile := _MOBILE.fullmatch(plain):
        return f"0{'-'.join(mobile.groups())}"
    import phonenumbers  # noqa: PLC0415  # half a second that a process without a list does without

    number = phonenumbers.parse(plain, "JP")
    if not phonenumbers.is_valid_number(number) or number.country_code != 81:
        return plain
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))


MENDS: Final[Mapping[str, Callable[[str], str]]] = {"name": full_kana, "kana": kana, "phone": phone}


def day(text: str) -> date | None:
    """2026-11-28, 2026/11/28, 20261128, 2026年11月28日, 令和8年11月28日, R8.11.28; None for anything else."""
    plain = _WEEKDAY.sub("", unicodedata.normalize("NFKC", text).strip())
    try:
        if found := _WESTERN.fullmatch(plain):
            year, month, of_month = (int(part) for part in found.groups() if part is not None)
            return date(year, month, of_month)
        if found := _IN_ERA.fullmatch(plain):
            first = _ERAS[_SHORT.get(found[1].upper(), found[1])]
            year = 1 if found[2] == "元" else int(found[2])
            given = date(first.year + year - 1, int(found[3]), int(found[4]))
            return given if year and given >= first else None
    except ValueError:
        return None
    return None


def clock(text: str) -> time | None:
    """10:00, 10:00:00, 10時30分, 午後2時, 2:30 pm; of "10:00～11:00" the first; None for anything else."""
    plain = re.split("[~〜-]", unicodedata.normalize("NFKC", text).strip())[0].strip()
    found = _TIME.fullmatch(plain)
    if found is None:
        return None
    hour, half = int(found[2]), (found[1] or found[4] or "").lower()
    if half:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if half in _LATER else 0)
    try:
        return time(hour, int(found[3] or 0))
    except ValueError:
        return None


def moment(text: str) -> tuple[date, time] | None:
    """A day and a time in one cell."""
    plain = unicodedata.normalize("NFKC", text).strip().replace("T", " ")
    # The blank nearest to the end that leaves a day in front of it: "2026年11月28日 (土) 午後 2時".
    for place in [place for place, letter in enumerate(plain) if letter in " 日)"]:
        on, at = day(plain[: place + 1]), clock(plain[place + 1 :])
        if on is not None and at is not None:
            return on, at
    return None


def minutes(text: str) -> int | None:
    """60, 60分, 1時間30分, 1:30; None for anything else."""
    found = _LENGTH.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())
    if found is None or not (found[1] or found[2]):
        return None
    told = int(found[1] or 0) * 60 + int(found[2] or 0)
    return told if 0 < told <= 7 * 1440 else None
