"""What is cut out of words before anything else sees them: card numbers, passwords, keys. Pure.

Somebody who asks for help pastes what she has at hand. Of a card's number the last four digits stay; what
comes right behind it (its expiry, its code) and every password and key is destroyed wholly. What is written
in other digits or widths, in groups or over several lines is read as what it is. Too much is cut rather than
too little: of ten long numbers that are no cards one looks like one.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

LEAST_DIGITS: Final = 12
MOST_DIGITS: Final = 19
_DOTS: Final = "••••"
# So many signs may stand between two digits of one number.
_GAP: Final = 6
_SPACING: Final = ("Zs", "Zl", "Zp", "Pd", "Cf", "Cc")
_EXPIRY: Final = re.compile(r"(?:[^\w\n]{0,6}\d{1,4}(?!\d)){1,4}")
_MORE: Final = re.compile(r"[^\w\n]{0,6}\d")
# An expiry and a code have no more digits together.
_MOST_BEHIND: Final = 10
# A telephone number as it is written abroad, which a card's never is.
_MOST_PHONE: Final = 13
# By brand: how the number begins, and how many digits it has. These are known in the middle of other digits.
_BRANDS: Final = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"35(2[89]|[3-8])"), (16,)),
    (re.compile(r"(2131|1800)"), (15,)),
    (re.compile(r"30[0-5]|309|3[689]"), (14, 16)),
    (re.compile(r"6011|64[4-9]|65|62|81|220[0-4]"), (16, 19)),
    # Not every number that begins so is one of these; alone they are cut whatever they begin with.
    (re.compile(r"5018|5020|5038|5893|6304|6759|676[1-3]"), (16,)),
)
_WORD: Final = (
    r"(?:passwords?|passwd|passphrase|passcode|pwd|pin(?:\s?code)?|secret|token|api[ _-]?key"
    r"|access[ _-]?key|private[ _-]?key|client[ _-]?secret|パスワード|パスコード|暗証番号|合言葉|秘密鍵)"
)
# In marks, or (the rest stands where it is used) what is written together.
_VALUE: Final = r"(?P<cut>\"[^\"\n]*\"|'[^'\n]*'|「[^」\n]*」"
# What follows "password is" and is none.
_NONE_IS: Final = (
    r"(?!(?:not|no|wrong|lost|forgotten|incorrect|invalid|changed|expired|the|an?|my|your|reset|required"
    r"|needed|too|never|always|still|now|refused|rejected|correct|right|asked|being|unknown|weak|old|new"
    r"|this|that)\b)"
)


class Kind(StrEnum):
    """What was cut. Of all but a card somebody is to make a new one."""

    CARD = "card"
    CARD_CODE = "card-code"
    PASSWORD = "password"  # noqa: S105 - the word
    PRIVATE_KEY = "private-key"
    KEY = "key"
    ADDRESS = "database-address"


# In the order in which they are looked for; the group `cut` is destroyed, without one all of it.
_SECRETS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for kind, pattern in (
        (
            Kind.PRIVATE_KEY,
            (
                r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----"
                r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)"
            ),
        ),
        (Kind.PRIVATE_KEY, r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
        (Kind.ADDRESS, r"[a-z][a-z0-9+.-]{1,30}://[^\s:/@?#]{0,300}:\S{0,300}@\S{0,300}"),
        (Kind.KEY, r"\bnoren_[0-9]{1,16}_[0-9A-Za-z]{30,}_[0-9A-Za-z]{4,}"),
        # Links of ours that open an account, and the inquiry's own.
        (Kind.KEY, r"(?:/join#|/password/reset#|/inquiry/own/)(?P<cut>[A-Za-z0-9._~-]{16,})"),
        # A grant of ours, as it stands in a cookie.
        (Kind.KEY, r"(?<![0-9.])[0-9]{1,16}\.[0-9a-f]{16}\.[A-Za-z0-9_-]{40,}(?:\.[0-9a-f]{16})?"),
        (Kind.KEY, r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b"),
        (Kind.KEY, r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"),
        (Kind.KEY, r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"),
        (Kind.KEY, r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{16,}"),
        (Kind.KEY, r"\bsk-[A-Za-z0-9_-]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bAIza[A-Za-z0-9_-]{30,}"),
        (Kind.KEY, r"\b(?:bearer|basic)\s+(?P<cut>[A-Za-z0-9._~+/=-]{12,})"),
        (
            Kind.CARD_CODE,
            r"(?:\bcv[cv]2?|\bcid|security\s?code|セキュリティ[ー-]?コード)\D{0,6}(?P<cut>[0-9]{3,4})(?![0-9])",
        ),
        # `DB_PASSWORD=…`, "password: …", 「パスワード：…」: to the end of what is written together.
        (
            Kind.PASSWORD,
            rf"{_WORD}[A-Za-z0-9_]{{0,20}}[\"']?\s*(?:[:=]|->|=>|→)\s*{_VALUE}|[^\s、。]+)",
        ),
        (
            Kind.PASSWORD,
            rf"{_WORD}(?:\s+(?:is|was)\s+|\s*(?:は|が)\s*){_NONE_IS}{_VALUE}|[!-~]{{3,}})",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left, and what was cut out of it."""

    text: str
    found: tuple[Kind, ...] = ()

    @property
    def secrets(self) -> tuple[Kind, ...]:
        """Of these somebody makes a new one: a row each is opened."""
        return tuple(one for one in self.found if one not in (Kind.CARD, Kind.CARD_CODE))


@dataclass(frozen=True, slots=True)
class _Digit:
    """A digit and where it stands."""

    at: int
    value: str


def cut(text: str) -> Cut:
    """Cut a text."""
    text = text.replace("\x00", "")
    found: list[Kind] = []
    for kind, pattern in _SECRETS:
        text = _without(text, kind, pattern, found)
    for start, end, digits in reversed(list(_cards(text))):
        found.append(Kind.CARD)
        text = text[:start] + (f"{_DOTS} {digits}" if digits else _DOTS) + text[end:]
    return Cut(text, tuple(found))


def _without(text: str, kind: Kind, pattern: re.Pattern[str], found: list[Kind]) -> str:
    """Put a mark where each was; the text is read as if it were written in one width."""
    mark = _DOTS if kind is Kind.CARD_CODE else f"[{_DOTS} {kind}]"
    whole = "cut" not in pattern.groupindex
    for match in reversed(list(pattern.finditer(_folded(text)))):
        start, end = match.span(0 if whole else "cut")
        if text[start:end] == f"[{_DOTS}":
            # A mark stands there already.
            continue
        text = text[:start] + mark + text[end:]
        found.append(kind)
    return text


def _folded(text: str) -> str:
    """The same text, sign by sign, in the width and the digits of ASCII."""
    return "".join(map(_narrow, text))


def _narrow(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign.isdigit():
        return str(unicodedata.digit(sign))
    narrow = unicodedata.normalize("NFKC", sign)
    return narrow if len(narrow) == 1 else sign


# -- cards


def _cards(text: str) -> Iterator[tuple[int, int, str]]:
    """Each card's place and its last four digits, or none where it is not sure which they are."""
    for run in _runs(text):
        if len(run) < LEAST_DIGITS:
            continue
        merged = _merged(_numbers(text, run))
        for n, (first, last, sure) in enumerate(merged):
            shown = "".join(one.value for one in run[last - 3 : last + 1]) if sure else ""
            # What is written together with a card goes with it.
            least = merged[n - 1][1] + 1 if n else 0
            most = merged[n + 1][0] - 1 if n + 1 < len(merged) else len(run) - 1
            begin, end = _together(run, first, least, -1), _together(run, last, most, 1)
            yield run[begin].at, _behind(text, run, end), shown


def _together(run: list[_Digit], digit: int, most: int, step: int) -> int:
    """The farthest digit in one direction that is written together with this one."""
    while digit != most and run[digit + step].at == run[digit].at + step:
        digit += step
    return digit


def _runs(text: str) -> Iterator[list[_Digit]]:
    """Digits that may be one number: nothing but marks of spacing between any two."""
    run: list[_Digit] = []
    for at, sign in enumerate(text):
        if not sign.isdigit():
            continue
        if run and not _is_gap(text[run[-1].at + 1 : at]):
            yield run
            run = []
        run.append(_Digit(at, str(unicodedata.digit(sign))))
    if run:
        yield run


def _is_gap(between: str) -> bool:
    return len(between) <= _GAP and all(map(_spaces, between))


def _spaces(sign: str) -> bool:
    """Whether a sign stands between the groups of a number: space, dash, dot, a quoted line's mark."""
    return sign in ".,·・_*|>ー―~〜\\" or unicodedata.category(sign) in (
        "Zs",
        "Zl",
        "Zp",
        "Pd",
        "Cf",
        "Cc",
        "Sm",
    )


def _numbers(text: str, run: list[_Digit]) -> list[tuple[int, int]]:
    """Every stretch of the run that is a card's number: first and last digit."""
    values = "".join(one.value for one in run)
    starts = {0} | {n for n, (a, b) in enumerate(pairwise(run), 1) if b.at != a.at + 1}
    ends = {n - 1 for n in starts if n} | {len(run) - 1}
    found = {pair for pair in _alone(text, run, starts, ends) if _luhn(values[pair[0] : pair[1] + 1])}
    for first in range(len(run) - LEAST_DIGITS + 1):
        for length in _lengths(values, first):
            last = first + length - 1
            if last >= len(run) or (first, last) in found:
                continue
            # In the middle of other digits only where these stand together.
            together = run[last].at - run[first].at == length - 1
            if (first in starts or together) and _luhn(values[first : last + 1]):
                found.add((first, last))
    return sorted(found)


def _alone(text: str, run: list[_Digit], starts: set[int], ends: set[int]) -> Iterator[tuple[int, int]]:
    """What may be a number of any brand: all of a run, or a group that is written together."""
    pairs = list(zip(sorted(starts), sorted(ends), strict=True))
    for first, last in {*pairs, (0, len(run) - 1)}:
        length, begins = last - first + 1, run[first].value
        if not LEAST_DIGITS <= length <= MOST_DIGITS or begins == "0":
            continue
        # Days and times are written in groups, and begin with 1 or 2.
        fits = begins in "3456" or (first, last) in pairs
        if fits and not _is_phone(text, run[first].at, length):
            yield first, last


def _merged(numbers: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """Put those together that have a digit in common; and say whether all of it is one card's number.

    Otherwise nobody can say where the card's last four are.
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(numbers):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return [(first, last, (first, last) in numbers) for first, last in merged]


def _behind(text: str, run: list[_Digit], last: int) -> int:
    """Where the card ends, with the expiry and the code that follow it: few digits, and then no more."""
    end = run[last].at + 1
    match = _EXPIRY.match(text, end)
    if match is None or sum(sign.isdigit() for sign in match[0]) > _MOST_BEHIND:
        return end
    return end if _MORE.match(text, match.end()) else match.end()


def _is_phone(text: str, at: int, length: int) -> bool:
    return length <= _MOST_PHONE and text[max(0, at - 1) : at] in ("+", "＋")


def _lengths(values: str, first: int) -> set[int]:
    """How many digits a card has that begins here, by its brand."""
    return {one for begins, lengths in _BRANDS if begins.match(values, first) for one in lengths}


def _luhn(digits: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(digits)):
        doubled = int(sign) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
