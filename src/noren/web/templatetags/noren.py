"""The page's words for dates, times, lengths and prices, as filters."""

from django.template import Library

from noren.web import wording

register = Library()

for _filter in (
    wording.day,
    wording.full_day,
    wording.weekday,
    wording.month,
    wording.clock,
    wording.clock_of_minute,
    wording.length_words,
    wording.yen,
):
    register.filter(_filter.__name__, _filter)
