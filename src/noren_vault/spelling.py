"""One spelling for what people write in many: what the blind index is computed over.

NFKC makes half-width katakana and full-width letters and digits the usual ones; then each field has its own.
"""

import unicodedata

import jaconv
import phonenumbers

JAPAN = "JP"
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


def _mobile_shaped(number: phonenumbers.PhoneNumber) -> bool:
    """Ten digits from 60, 70, 80 or 90: ranges of mobiles are opened faster than libraries learn."""
    digits = str(number.national_number)
    return number.country_code == 81 and len(digits) == 10 and digits[:2] in ("60", "70", "80", "90")
