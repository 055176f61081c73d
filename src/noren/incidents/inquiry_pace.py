"""By when an inquiry is answered, as honestly as it can be said beforehand.

Counted in minutes in which the desk is open, from the last twenty first answers. Nine of ten came within so
many; and whoever asks now comes after those that wait, for each of which goes what lay between two answers on
average. The longer of the two is said, an hour at least, and rounded up to a half hour. Of a desk that has
answered fewer than five times nothing is known yet: then it is one day of its own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Final

from django.conf import settings

from noren.engine.office import Office
from noren.shops.holidays import public_holidays

LEAST_KNOWN: Final = 5
_LEAST_MINUTES: Final = 60
_HALF_HOUR: Final = timedelta(minutes=30)
Took = Sequence[tuple[datetime, datetime]]


@lru_cache(maxsize=8)
def _read(text: str) -> Office:
    return Office.of(text)


def office() -> Office:
    """The desk's hours, as they are set."""
    return _read(settings.NOREN_DESK)


def is_open(now: datetime) -> bool:
    """Whether somebody is there now."""
    here = office()
    return here.is_open(now, public_holidays(here.country))


def expected(now: datetime, waiting: int, took: Took) -> datetime:
    """By when whoever asks now is answered; `took`: when the last were asked, and first answered."""
    here = office()
    days = public_holidays(here.country)
    until = here.after(now, minutes(here, waiting, took), days)
    return _rounded(until)


def minutes(here: Office, waiting: int, took: Took) -> int:
    """How many minutes of the desk's own."""
    day = (here.closes.hour - here.opens.hour) * 60 + here.closes.minute - here.opens.minute
    if len(took) < LEAST_KNOWN:
        return day
    days = public_holidays(here.country)
    waits = sorted(here.minutes(asked, answered, days) for asked, answered in took)
    slow = waits[ceil(len(waits) * 0.9) - 1]
    answers = sorted(answered for _, answered in took)
    pace = here.minutes(answers[0], answers[-1], days) / (len(answers) - 1)
    return max(_LEAST_MINUTES, slow, ceil((waiting + 1) * min(pace, day)))


def _rounded(at: datetime) -> datetime:
    over = timedelta(minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond)
    return at if not over else at - over + _HALF_HOUR
