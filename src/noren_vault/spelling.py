"""One spelling for what people write in many: what is searched, and what the blind index is computed over.

NFKC makes half-width katakana and full-width letters and digits the usual ones; then each field has its own.
"""

import re
import unicodedata
from typing import Final

import jaconv
import phonenumbers

JAPAN = "JP"
# What stands in a phone number besides digits; the long vowel mark is how a hyphen comes out in kana input.
_MARK: Final = r"[+0-9().\-\u2010-\u2015\u2212\u30fc]*"
_PHONE: Final = re.compile(f"{_MARK}[0-9]{_MARK}", re.ASCII)
_NO_DIGIT: Final = re.compile(r"[^0-9]", re.ASCII)
CONTROLS: Final = dict.fromkeys(range(0x20))
_MARKS = str.maketrans("", "", " \t\n\u3000・･.,'’-‐‑–")


def name(text: str) -> str:
    """A name or its kana: case folded, katakana as hiragana, without blanks and dots."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return str(jaconv.kata2hira(folded)).translate(_MARKS)


def mail(text: str) -> str:
    """A mail address in lower case."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def phone(text: str) -> str | None:
    """A phone number as E.164, read as Japanese where it names no country; None if it cannot be one."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), JAPAN)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) and not _mobile_shaped(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def numbers(text: str, e164: str | None) -> tuple[str, str]:
    """A phone number in the two ways in which parts of it are asked for: E.164, and as at home."""
    if e164 and e164.startswith("+81"):
        return e164, f"0{e164[3:]}"
    return e164 or "", digits(text)


def needles(query: str) -> list[tuple[bytes, ...]]:
    """Give for each word of a query the spellings in which it may stand in a name, a mail or a phone."""
    words: list[str] = []
    for word in unicodedata.normalize("NFKC", query).split():
        if words and _PHONE.fullmatch(word) and _PHONE.fullmatch(words[-1]):
            words[-1] += word  # a phone that was written with blanks
        else:
            words.append(word)
    found = [_needles(word.translate(CONTROLS)) for word in words]
    return [one for one in found if one]


def digits(text: str) -> str:
    """A phone number, or a part of one, without anything but its digits and a leading plus."""
    wide = unicodedata.normalize("NFKC", text).replace("(0)", "")
    return ("+" if wide.startswith("+") else "") + _NO_DIGIT.sub("", wide)


def _needles(word: str) -> tuple[bytes, ...]:
    forms = {name(word), mail(word)}
    if _PHONE.fullmatch(word):
        forms.add(digits(word))
    return tuple(sorted(form.encode() for form in forms - {""}))


def _mobile_shaped(number: phonenumbers.PhoneNumber) -> bool:
    """Ten digits from 60, 70, 80 or 90: ranges of mobiles are opened faster than libraries learn."""
    digits = str(number.national_number)
    return number.country_code == 81 and len(digits) == 10 and digits[:2] in ("60", "70", "80", "90")
