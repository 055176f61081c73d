"""The desk's saved answers: words in both languages with few closed fields, cut as all its words are."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from noren.errors import BadField, NothingHere
from noren.incidents import cutting
from noren.incidents.models import SavedAnswer

LONGEST: Final = 4_000
LONGEST_TITLE: Final = 80
# What may stand in braces; the page that fills it knows what each is.
FIELDS: Final = ("hours", "news", "desk")
_HOLE: Final = re.compile(r"\{([^{}\n]*)\}")


def every() -> list[SavedAnswer]:
    """All, by their titles."""
    return list(SavedAnswer.objects.order_by("title"))


def keep(title: str, ja: str, en: str, now: datetime) -> None:
    """Keep an answer under its title, a new one or in other words. BadField: reasons `text`, `field`."""
    given = {"title": title.strip()[:LONGEST_TITLE], "ja": ja.strip()[:LONGEST], "en": en.strip()[:LONGEST]}
    told = {name: cutting.cut(text).text for name, text in given.items()}
    wrong = {name: "text" for name, text in told.items() if not text}
    wrong |= {name: "field" for name in ("ja", "en") if not set(_HOLE.findall(told[name])) <= set(FIELDS)}
    if wrong:
        raise BadField(fields=wrong)
    SavedAnswer.objects.update_or_create(
        title=told["title"], defaults={"ja": told["ja"], "en": told["en"], "changed_at": now}
    )


def forget(answer: int) -> None:
    """Take one away. Raises NothingHere."""
    if not SavedAnswer.objects.filter(id=answer).delete()[0]:
        raise NothingHere


def filled(answer: int, language: str, values: Mapping[str, str]) -> str:
    """An answer in a language (`ja` or `en`), its fields filled. Raises NothingHere."""
    found = SavedAnswer.objects.filter(id=answer).first()
    if found is None:
        raise NothingHere
    text = found.en if language == "en" else found.ja
    return _HOLE.sub(lambda match: values.get(match[1], match[0]), text)
