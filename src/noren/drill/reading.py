"""What came to the public, to those concerned, to shops and to authorities, read as persons and fields. Pure.

It reads as whoever gets it does: words of a mail, lines of a file. Which words mean which field stands here.
"""

import csv
import hashlib
import html
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from noren.drill.report import Triple

# By language: the line of a mail that says which data it is about.
_LINES: Final = {
    "ja": re.compile(r"対象となる情報: (.+)"),
    "ja-easy": re.compile(r"もれたかもしれない もの: (.+)"),
    "en": re.compile(r"Which data of yours: (.+)"),
}
_CODE: Final = re.compile(r"(?:コード|Code): (\S{19})")
# What each of the made-up fields is called, by whoever tells of it, in each language.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("お名前", "なまえ", "name", "Your name"),
    "kana": ("ふりがな", "reading of the name", "name in katakana", "The reading of your name"),
    "mail": ("メールアドレス", "mail address", "Your mail address"),
    "phone": ("電話番号", "でんわばんごう", "phone number", "Your phone number"),
    "note": (
        *("ご要望", "おみせへの おねがい", "your wishes for a booking", "note"),
        "What you asked the shop for",
    ),
    "presence": (
        *("ご利用の有無", "おみせを つかったこと", "presence"),
        *("that you are a customer", "That you are a customer"),
    ),
}
_NAMES: Final = {words: name for name, said in _WORDS.items() for words in said}
_NUMBER: Final = re.compile(r"(\d+)(?:名|人| persons?| people)")
_SATURDAY: Final = 5


def number_in(text: str) -> str:
    """The first number of persons that a text says; empty where it says none."""
    matched = _NUMBER.search(text)
    return matched[1] if matched else ""


def newest(page: str) -> str:
    """That of a page, without what a correction took away."""
    return number_in(re.sub(r"<del.*?</del>|<[^>]+>", "", page, flags=re.DOTALL))


def language_of(text: str) -> str:
    """In which language a mail tells, or in which of them."""
    return " ".join(name for name, line in _LINES.items() if line.search(text))


def fields_in(text: str) -> set[str]:
    """The fields that a mail names. A word that means none of them stands for itself: it is a difference."""
    found = [line.search(text) for line in _LINES.values()]
    return {name for one in found if one for name in _named(re.split("、|, ", one[1]))}


def code_in(text: str) -> str:
    """The code of a mail."""
    found = _CODE.search(text)
    return found[1] if found else ""


def fields_on(page: str) -> set[str]:
    """The fields that a person's own page lists."""
    listed = re.search(r"<h1>.*?<ul>(.*?)</ul>", page, re.DOTALL)
    return set(_named(re.findall(r"<li>(.*?)</li>", listed[1]))) if listed else set()


def facts_on(page: str) -> dict[str, str]:
    """What a page says in pairs of a word and a number."""
    found = re.findall(r"<dt>([^<]+)</dt><dd[^>]*>(\d+)</dd>", page)
    return {html.unescape(words): number for words, number in found}


def counts_in(text: str) -> dict[str, int]:
    """Of how many persons each field is, by a report's lines."""
    lines = re.findall(r"^(.+): (\d+) (?:person|people)$", text, re.MULTILINE)
    return {_NAMES.get(words, words): int(number) for words, number in lines}


def counted(held: Iterable[Triple]) -> dict[str, int]:
    """The same of a thief's list."""
    return dict(Counter(name for _, _, name in held))


def in_order(counts: Mapping[str, int]) -> str:
    """Counts as one text."""
    return " ".join(f"{name}:{number}" for name, number in sorted(counts.items()))


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The lines of a file with a heading."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def triples_of(rows: Iterable[Mapping[str, str]], shop: int | None = None) -> set[Triple]:
    """Persons and fields in such lines, of one shop where the lines do not say it."""
    return {
        (int(row["shop"]) if shop is None else shop, UUID(row["person"]), name)
        for row in rows
        for name in row["fields"].split()
    }


def files_in(content: bytes) -> dict[str, bytes]:
    """What lies in a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def item(report: Mapping[str, Any], key: str) -> str:
    """What a report says of one item."""
    return next((str(one["text"]) for one in report["items"] if one["key"] == key), "")


def step(report: Mapping[str, Any], key: str) -> dict[str, Any]:
    """One step of a report."""
    return next((dict(one) for one in report["steps"] if one["key"] == key), {})


def digest(report: Mapping[str, Any]) -> str:
    """SHA-256 of a report's items, as docs/reports.md has it."""
    items = {one["key"]: one["text"] for one in report["items"]}
    return hashlib.sha256(json.dumps(items, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def open_day(day: date, is_holiday: Callable[[date], bool]) -> date:
    """Go on to a day on which an office is open: no weekend, no holiday, not the turn of the year."""
    while day.weekday() >= _SATURDAY or is_holiday(day) or not "01-03" < f"{day:%m-%d}" < "12-29":
        day += timedelta(days=1)
    return day


def _named(words: Iterable[str]) -> list[str]:
    return [_NAMES.get(one.strip(), one.strip()) for one in words]
