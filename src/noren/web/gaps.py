"""What of today is still free, by who serves: the gaps for whoever calls, or stands in the door."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import lanes, shopfront, wording
from noren.web.lanes import DAY, Span

SHORTEST = 15
"""Minutes: what is shorter is a moment to breathe, and is not named."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One of them, in words, and where a booking in it begins."""

    words: str
    href: str
    start: int


@dataclass(frozen=True, slots=True)
class Free:
    """Whose they are. Of a shop in which nobody serves, of what is used."""

    name: str
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """Everybody's gaps, and the next of all."""

    lanes: tuple[Free, ...]
    next_name: str
    next_words: str


def today(face: shopfront.Face, now: datetime) -> Today | None:
    """Return what is free from now on (in the shop's zone); None where nothing is."""
    on = now.date()
    with in_shop(face.id):
        opens = lanes.opens_by(rules.known().rules, on)
        taken = lanes.by_resource(lanes.takings(face, on, on)[on])
        serving = shopfront.serving(face.id)
    found: list[Free] = []
    for resource, known in _columns(serving):
        spans = [each.span for group in taken.get(resource, ()) for each in group]
        staff = resource if known.is_staff else None
        since = lanes.minute(now, on)
        gaps = [_gap(on.isoformat(), staff, each) for each in free(opens.get(resource, ()), spans, since)]
        if gaps:
            found.append(Free(known.name, tuple(gaps)))
    if not found:
        return None
    first = min(found, key=lambda each: each.gaps[0].start)
    return Today(tuple(found), first.name, first.gaps[0].words)


def _columns(serving: Mapping[int, shopfront.Serving]) -> list[tuple[int, shopfront.Serving]]:
    whose = [(number, each) for number, each in serving.items() if not each.is_whole]
    return [each for each in whose if each[1].is_staff] or whose


def free(opens: Sequence[Span], taken: Iterable[Span], since: int) -> Iterator[Span]:
    """Return what is open and not taken from a minute of the day on, as long as it is worth a name."""
    there = lanes.joined(taken)
    for span in lanes.joined(opens):
        edge = max(span.start, since)
        for one in [each for each in there if each.end > edge and each.start < span.end]:
            if one.start - edge >= SHORTEST:
                yield Span(edge, one.start)
            edge = max(edge, one.end)
        if span.end - edge >= SHORTEST:
            yield Span(edge, span.end)


def _gap(on: str, staff: int | None, span: Span) -> Gap:
    words = f"{wording.clock_of_minute(span.start)}–{wording.clock_of_minute(span.end)}"
    # What is past midnight is the next day's, which a booking of today does not begin on.
    minute = min(span.start, DAY - 1)
    asked = {"date": on, "time": f"{minute // 60:02}:{minute % 60:02}"} | ({"staff": staff} if staff else {})
    return Gap(words, f"{reverse('console_new')}?{urlencode(asked)}", span.start)
