"""The page's words for dates, times, lengths and prices, as filters."""

from collections.abc import Mapping
from typing import Any

from django.template import Library

from noren import clock
from noren.incidents.scope import Question
from noren.web import news_foot, scope_words, wording

register = Library()


@register.filter
def of(found: Mapping[Any, Any], key: object) -> Any:
    """What a mapping has for a key, or nothing."""
    return found.get(key)


@register.filter
def ways(question: Question) -> str:
    """By what a scope was asked, in words: kind and name of each, or every way."""
    return scope_words.asked_by(question)


@register.simple_tag
def notice_is_open() -> bool:
    """Whether the foot leads to the notices."""
    return news_foot.is_open(clock.now())


for _filter in (
    wording.day,
    wording.full_day,
    wording.weekday,
    wording.month,
    wording.clock,
    wording.clock_of_minute,
    wording.utc_of,
    wording.length_words,
    wording.yen,
    wording.spoken,
):
    register.filter(_filter.__name__, _filter)
