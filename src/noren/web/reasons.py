"""The engine's reasons in plain words, for those who know the shop: what lacks, and what stands there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from noren.booking.asked import Asked
from noren.booking.why import Answer, Kind, Lack, Lacking, Obstacle, Reached
from noren.engine import hours, limits, policy, wall
from noren.engine.model import Grid, GridKind, Hours, LimitOf, Period, Range, Service, ShopRules, Why
from noren.web import shopfront, wording


@dataclass(frozen=True, slots=True)
class Thing:
    """What stands in the way, and where to see it."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One of those who could serve: why not, and what stands there."""

    name: str
    words: str
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says one answer."""

    face: shopfront.Face
    asked: Asked
    answer: Answer
    serving: Mapping[int, shopfront.Serving]

    @property
    def service(self) -> Service:
        return self.answer.rules.services[self.asked.service_id]

    def verdict(self) -> str:
        """The reason in one sentence."""
        if self.answer.reason is None:
            return _("This time is offered.")
        spoken = {
            Why.NOT_OFFERED: self._not_offered,
            Why.GRID: self._no_start,
            Why.STAFF: self._staff,
            Why.SEATS: self._seats,
            Why.PARTY: self._party,
            Why.NIGHTS: self._nights,
        }
        say = spoken.get(self.answer.reason.why)
        return say() if say else _plain(self.answer.reason.why)

    def more(self) -> str:
        """What helps to understand it, where there is more to say."""
        match self.answer.reason and self.answer.reason.why:
            case Why.NOTICE:
                return _("The earliest start that can be booked now is %(when)s.") % {
                    "when": self._when(self.answer.opens)
                }
            case Why.HORIZON:
                return self._horizon()
            case Why.HOURS | Why.HOLIDAY:
                return self._open()
            case Why.GRID if self.service.capacity is None:
                return _grid(self.service.grid)
            case Why.HOLD:
                return _("It is kept while a form is filled, for some minutes at most.")
        return ""

    def lines(self) -> list[Line]:
        """Each of those who could serve; and the limits that are reached, where it is none of theirs."""
        found = [self._line(lack) for lack in self.answer.lacks]
        told = {lack.resource_id for lack in self.answer.lacks}
        return found + [
            Line(self._name(reached.resource_id), self._limit(reached), ())
            for reached in self.answer.reached
            if reached.resource_id not in told
        ]

    def _line(self, lack: Lack) -> Line:
        words = {
            Lacking.CLOSED: _("is not there at this time"),
            Lacking.TAKEN: _("is taken"),
            Lacking.LIMIT: "",
        }[lack.why]
        if lack.why is Lacking.LIMIT:
            own = [each for each in self.answer.reached if each.resource_id == lack.resource_id]
            words = wording.joined([self._limit(each) for each in own]) or _plain(Why.LIMIT)
        things = tuple(self._thing(each) for each in lack.there)
        return Line(self._name(lack.resource_id), words, things)

    def _thing(self, there: Obstacle) -> Thing:
        start, end = (each.astimezone(self.face.zone) for each in (there.start, there.end))
        values = {"id": there.id, "span": self._span(start, end)}
        words = {
            Kind.BOOKING: _("booking no. %(id)d, %(span)s"),
            Kind.HOLD: _("being booked just now (no. %(id)d), %(span)s"),
            Kind.SESSION: _("class no. %(id)d, %(span)s"),
            Kind.BLOCK: _("blocked (no. %(id)d), %(span)s"),
            Kind.EXTERNAL: _("event of another calendar (no. %(id)d), %(span)s"),
        }[there.kind]
        if there.kind in (Kind.BOOKING, Kind.HOLD):
            return Thing(words % values, reverse("console_booking", args=[there.id]))
        day = f"{reverse('console_day')}?date={start:%Y-%m-%d}"
        owner = "session" if there.kind is Kind.SESSION else "block"
        return Thing(words % values, f"{day}#{owner}-{there.id}-{there.resource_id}")

    def _span(self, start: datetime, end: datetime) -> str:
        """Clock times on the day asked for; with their days where they lie on others."""
        asked = self.asked.start.astimezone(self.face.zone).date()
        if start.date() == end.date() == asked:
            return f"{wording.clock(start)}–{wording.clock(end)}"
        day_of_end = "" if start.date() == end.date() else f"{wording.day(end)} "
        return f"{wording.day(start)} {wording.clock(start)}–{day_of_end}{wording.clock(end)}"

    def _name(self, resource_id: int) -> str:
        known = self.serving.get(resource_id)
        return known.name if known else ""

    def _when(self, minute: int) -> str:
        at = datetime.fromtimestamp(minute * 60, UTC).astimezone(self.face.zone)
        return f"{wording.day(at)} {wording.clock(at)}"

    def _not_offered(self) -> str:
        if self.answer.course:
            return _("The dates of this course are booked together.")
        if self.asked.also:
            return _("These services are not offered in one visit.")
        name = self._name(self.asked.staff or 0)
        if name and self.service.bookable:
            return _("%(name)s does not serve this.") % {"name": name}
        return _("This service cannot be booked at present.")

    def _no_start(self) -> str:
        if self.service.capacity is None:
            return _("No start lies at this minute.")
        return _("No date of this class begins then.")

    def _staff(self) -> str:
        name = self._name(self.asked.staff or 0)
        if name:
            return _("%(name)s is not free.") % {"name": name}
        return _("Not enough of those who serve this are free.")

    def _seats(self) -> str:
        session = self.answer.session
        values = {"left": session.left, "seats": session.capacity} if session else {"left": 0, "seats": 0}
        return _("%(left)d of %(seats)d seats are left.") % values

    def _party(self) -> str:
        least, most = self.service.party_min, self.service.party_max
        if least == most:
            return ngettext("This is for %(n)d person.", "This is for %(n)d people.", most) % {"n": most}
        return _("This is for %(least)d to %(most)d people.") % {"least": least, "most": most}

    def _nights(self) -> str:
        stay = self.service.stay
        if stay is None:
            return _("This is not booked by nights.")
        least = stay.least[self.asked.start.astimezone(self.face.zone).weekday()]
        return _("A stay that begins on this day has %(least)d to %(most)d nights.") % {
            "least": least,
            "most": stay.most,
        }

    def _horizon(self) -> str:
        if self.answer.opens * 60 > self.asked.start.timestamp():
            return _("Now starts can be booked from %(when)s.") % {"when": self._when(self.answer.opens)}
        if self.answer.closes >= policy.FOREVER or self.answer.closes <= self.answer.opens:
            return ""
        return _("Now starts can be booked until %(when)s.") % {"when": self._when(self.answer.closes - 1)}

    def _open(self) -> str:
        """When the shop is open on that day, and when the service is given, where it has hours of its own."""
        rules = self.answer.rules
        day = wall.as_date(hours.business_day(rules, int(self.asked.start.timestamp()) // 60))
        words = _("Open on this day: %(hours)s.") % {"hours": _ranges(hours.of_shop(rules, day))}
        own: Hours | None = self.service.hours
        if own is None:
            return words
        theirs = _ranges(hours.of_other(rules, own, day))
        return f"{words} " + _("Hours of this service: %(hours)s.") % {"hours": theirs}

    def _limit(self, reached: Reached) -> str:
        limit = reached.limit
        periods = {Period.DAY: _("a day"), Period.WEEK: _("a week"), Period.MONTH: _("a month")}
        values: dict[str, object] = {"period": periods[limit.period]}
        if limit.most is not None:
            values |= {"most": limit.most, "used": reached.used.count}
            words = _("limit of %(most)d bookings %(period)s reached (%(used)d so far)")
        else:
            hours_used = f"{reached.used.minutes / 60:g}"
            values |= {"most": f"{(limit.minutes or 0) / 60:g}", "used": hours_used}
            words = _("limit of %(most)s hours %(period)s reached (%(used)s so far)")
        return words % values


def per_customer(rules: ShopRules, service_id: int) -> bool:
    """Say whether something is limited for each customer: that depends on who asks."""
    service = rules.services[service_id]
    return any(each.limit.of is LimitOf.CUSTOMER for each in limits.of_service(rules, service))


def _plain(why: Why) -> str:
    words = {
        Why.PAST: _("This time has passed."),
        Why.STOPPED: _("Online bookings are stopped for today; the desk may still book."),
        Why.NOTICE: _("It is too soon for the notice this service needs."),
        Why.HORIZON: _("This day is not open for booking."),
        Why.HOLIDAY: _("The shop is closed on this public holiday."),
        Why.HOURS: _("It does not fit into the opening hours."),
        Why.LIMIT: _("A limit is reached."),
        Why.ROOM: _("No room or place for it is free."),
        Why.STOCK: _("Not enough of what it needs is left."),
        Why.BUFFER: _("The time kept free before or after it meets something else."),
        Why.HOLD: _("Somebody is booking it just now."),
        Why.EXTERNAL: _("An event of another calendar stands there."),
    }
    return words[why]


def _grid(grid: Grid) -> str:
    every = {"every": wording.length_words(grid.interval)}
    if grid.kind is GridKind.PACKED:
        return _("Starts lie every %(every)s from the opening, and from the end of each booking.") % every
    if grid.kind is GridKind.OPENING:
        return _("Starts lie every %(every)s from the opening.") % every
    return _("Starts lie every %(every)s from midnight.") % every


def _ranges(ranges: Iterable[Range]) -> str:
    joined = hours.merged(tuple(ranges))
    told = [f"{wording.clock_of_minute(start)}–{wording.clock_of_minute(end)}" for start, end in joined]
    return wording.joined(told) or _("closed")
