"""Reads a table that somebody wrote by hand, and tells of each fault where it is and how to mend it."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LANGUAGES = ("ja", "en")
_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)")
_LAST = 48 * 60
_HOW_HOURS = 'write "10:00-13:00 14:00-19:00" or "closed"; two in the morning of the next day is 26:00'

Ranges = list[list[int]]
Values = dict[str, Any]


class Reader:
    """One table. What is wrong goes to `faults`, and a plain value is given instead, so that all is found
    at once.
    """

    def __init__(self, values: Mapping[str, Any], where: str, faults: list[str]) -> None:
        self.values, self.where, self.faults = values, where, faults
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.values

    def wrong(self, key: str, what: str) -> None:
        self.faults.append(f"{self.where}{key}: {what}")

    def done(self) -> None:
        """Tell of keys that nobody asked for."""
        for key in self.values:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, n=1)
                self.wrong(key, "is not known here" + (f"; did you mean {near[0]!r}?" if near else ""))

    def text(self, key: str, standard: str | None = None, *, longest: int = 200) -> str:
        value = self._get(key, standard)
        if not isinstance(value, str):
            self._missing(key, value, "a text in quotes")
            return ""
        if len(value) > longest or any(ord(char) < 32 for char in value):
            self.wrong(key, f"is not one line of at most {longest} characters")
        return value

    def key(self, key: str = "key") -> str:
        value = self.text(key)
        if value and not _KEY.fullmatch(value):
            self.wrong(key, f"{value!r} is not a key: begin with a-z, then a-z, 0-9 and hyphens, 40 at most")
        return value

    def number(self, key: str, standard: int | None = None, *, least: int = 0, most: int = 1_000_000) -> int:
        value = self._get(key, standard)
        if not isinstance(value, int) or isinstance(value, bool):
            self._missing(key, value, "a whole number")
            return least
        if not least <= value <= most:
            self.wrong(key, f"{value} is not between {least} and {most}")
        return value

    def flag(self, key: str, *, standard: bool) -> bool:
        value = self._get(key, standard)
        if not isinstance(value, bool):
            self._missing(key, value, "true or false")
            return standard
        return value

    def choice(self, key: str, allowed: Iterable[str], standard: str | None = None) -> str:
        value, choices = self._get(key, standard), tuple(allowed)
        if value not in choices:
            self._missing(key, value, "one of " + ", ".join(choices))
            return choices[0]
        return str(value)

    def words(self, key: str, *, needed: bool = False) -> dict[str, str]:
        """Words in the languages of the house: { ja = "...", en = "..." }, or one text for Japanese."""
        value = self._get(key, None if needed else {})
        if isinstance(value, str):
            value = {"ja": value}
        if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
            self._missing(key, value, '{ ja = "...", en = "..." }')
            return {}
        for language in value:
            if language not in LANGUAGES:
                self.wrong(f"{key}.{language}", "is not a language here; write ja or en")
        if needed and not any(value.values()):
            self.wrong(key, "is empty")
        return dict(value)

    def table(self, key: str) -> "Reader":
        value = self._get(key, {})
        if not isinstance(value, Mapping):
            self._missing(key, value, f"a table: [{self.where}{key}]")
            value = {}
        return Reader(value, f"{self.where}{key}.", self.faults)

    def tables(self, key: str) -> list["Reader"]:
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self._missing(key, value, f"a list of tables: [[{self.where}{key}]]")
            return []
        return [Reader(each, f"{self.where}{key}[{n}].", self.faults) for n, each in enumerate(value, 1)]

    def keys(self, key: str, known: Mapping[str, Any], *, what: str) -> list[str]:
        """A list of keys, each of which must be known."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._missing(key, value, '["a-key", "another"]')
            return []
        for each in value:
            if each not in known:
                near = get_close_matches(each, known, n=1)
                self.wrong(
                    key, f"there is no {what} {each!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )
        if len(set(value)) < len(value):
            self.wrong(key, "names one of them twice")
        return value

    def clock(self, key: str, standard: str | None = None) -> int:
        """A time of day as minutes."""
        text = self.text(key, standard)
        found = _TIME.fullmatch(text)
        if found is None:
            if text:
                self.wrong(key, f'{text!r} is not a time; write "09:30"')
            return 0
        return int(found[1]) * 60 + int(found[2])

    def day(self, key: str) -> date | None:
        value = self._get(key, "")
        if type(value) is date:  # an instant is a date, too, and none here
            return value
        if value != "":
            self.wrong(key, f"{value!r} is not a date; write {key} = 2026-12-31, without quotes")
        return None

    def ranges(self, key: str) -> Ranges:
        """Opening hours of one day as [[start, end], ...] in minutes; an end of 23:59 means midnight."""
        text = self.text(key)
        if text == "closed":
            return []
        found: Ranges = []
        for part in text.split():
            start, _, end = part.partition("-")
            times = [_TIME.fullmatch(each) for each in (start, end)]
            minutes = [int(each[1]) * 60 + int(each[2]) for each in times if each is not None]
            if len(minutes) < 2 or minutes[1] > _LAST:
                self.wrong(key, f"{part!r} are no hours; {_HOW_HOURS}")
            elif minutes[0] >= minutes[1]:
                self.wrong(key, f"{part!r} ends before it begins; {_HOW_HOURS}")
            else:
                found.append([minutes[0], 1440 if minutes[1] == 1439 else minutes[1]])
        if not text.strip() and isinstance(self.values.get(key), str):
            self.wrong(key, f"is empty; {_HOW_HOURS}")
        return found

    def _get(self, key: str, standard: Any) -> Any:
        self._asked.add(key)
        return self.values.get(key, standard)

    def _missing(self, key: str, value: object, how: str) -> None:
        self.wrong(key, f"is missing; write {how}" if value is None else f"{value!r} cannot be; write {how}")
