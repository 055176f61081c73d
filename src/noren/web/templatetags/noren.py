"""The page's words for dates, times, lengths and prices, as filters."""

from collections.abc import Mapping
from typing import Any

from django.template import Library

from noren.web import wording

register = Library()


@register.filter
def of(found: Mapping[Any, Any], key: object) -> Any:
    """What a mapping has for a key, or nothing."""
    return found.get(key)


for _filter in (
    wording.day,
    wording.full_day,
    wording.weekday,
    wording.month,
    wording.clock,
    wording.clock_of_minute,
    wording.length_words,
    wording.yen,
    wording.spoken,
):
    register.filter(_filter.__name__, _filter)
