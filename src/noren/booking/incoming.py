"""A list of bookings from another system: which line is which booking, for whom, and what is unclear in it.

Words of the file that are no service or nobody of the shop's are said by whoever looks: what is kept of that
is a keyed hash of the word. Persons wait in the vault as any list of customers does, and come in first; what
is left here are times, and a keyed hash of whom each line is for until her id is known.
"""

import hashlib
import hmac
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from noren.booking.models import LineState, WorkLine
from noren.engine import wall
from noren.people import mended
from noren.people.columns import Reading
from noren.people.importing import Fault, row_of, values_of
from noren.people.model import BadRow, Row
from noren.people.tables import Line, Table
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop

NEEDED: Final = ("service",)
# What a line says of a booking that is none (any more), our own codes among it.
_CANCELLED: Final = (
    *("キャンセル", "取消", "取り消し", "無断", "断り", "期限切れ"),
    *("cancel", "no show", "no-show", "no_show", "declined", "released", "expired"),
)
_ANYBODY: Final = ("", "指名なし", "指名無し", "フリー", "なし", "any", "anyone", "none", "-")
_DAY: Final = 1440
# What a line says that is not to become a booking, and why that is no fault.
LEFT_OUT: Final = ("cancelled", "in_the_past")


@dataclass(frozen=True, slots=True)
class Known:
    """What the shop has: services and staff by each of their names, and how long a service takes."""

    services: Mapping[str, int]
    staff: Mapping[str, int]
    minutes: Mapping[int, int]
    zone: ZoneInfo
    texts: Mapping[str, Mapping[int, Any]]
    """The words of `services` and `staff` as they are shown."""


@dataclass(frozen=True, slots=True)
class Given:
    """One line. `why`: it is not to be booked, as a code; its words of the file are never kept."""

    line: int
    key: str
    row: Row
    service: int | None
    staff: int | None
    start: datetime | None
    why: str = ""


@dataclass(slots=True)
class BookingList:
    lines: list[Given] = field(default_factory=list)
    services: Counter[str] = field(default_factory=Counter)
    """The file's words for services that are none of the shop's, and how often each stands there."""
    staff: Counter[str] = field(default_factory=Counter)
    mended: dict[str, int] = field(default_factory=dict)

    def persons(self) -> list[Row]:
        """Return whom the lines to be booked are for, each once: by a line that says more than her number."""
        return [each.row for each in self._firsts().values()]

    def faults_with(self, bad: Sequence[BadRow]) -> list[Fault]:
        """Return what the vault found wrong with `persons`, by the line that each was taken from."""
        firsts = self._firsts()
        found = [Fault(firsts[each.key].line, each.field, each.reason) for each in bad]
        return sorted(found, key=lambda fault: (fault.line, fault.field))

    def _firsts(self) -> dict[str, Given]:
        found: dict[str, Given] = {}
        for each in self.lines:
            if not each.why and (each.row.key not in found or not found[each.row.key].row.fields):
                found[each.row.key] = each
        return found


def known_of(shop_id: int, zone: ZoneInfo) -> Known:
    """Read what the shop has."""
    with shop(shop_id):
        # Nights and courses are more than a time: they are booked by hand.
        rows = Service.objects.filter(bookable=True, stay__isnull=True, course=False)
        services = list(rows.order_by("position", "id"))
        staff = list(Staff.objects.order_by("position", "id"))
    return Known(
        _by_name(services),
        _by_name(staff),
        {row.id: sum(int(each["minutes"]) for each in row.segments) for row in services},
        zone,
        {"services": {row.id: row.texts for row in services}, "staff": {row.id: row.texts for row in staff}},
    )


def _by_name(rows: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        for name in (*row.texts.get("name", {}).values(), row.key):
            found.setdefault(spelled(name), row.id)
    return found


def spelled(word: str) -> str:
    """One spelling of a service's or somebody's name."""
    return "".join(unicodedata.normalize("NFKC", word).lower().split())


def word_key(word: str, secret: bytes) -> str:
    """Return what is kept in the place of a word of the file."""
    return hmac.digest(secret, b"word\x1f" + spelled(word).encode(), hashlib.sha256)[:12].hex()


def read(
    table: Table, names: Sequence[str], reading: Reading, known: Known, *, now: datetime, secret: bytes
) -> BookingList:
    """Read all lines of a table."""
    found = BookingList()
    reader = _Reader(reading, known, now, secret, found)
    for line in table.lines:
        if len(line.cells) > len(names):
            found.lines.append(Given(line.number, "", Row("", {}), None, None, None, "columns"))
        else:
            found.lines.append(reader.given(line, names))
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    reading: Reading
    known: Known
    now: datetime
    secret: bytes
    found: BookingList

    def given(self, line: Line, names: Sequence[str]) -> Given:
        values = values_of(line, names)
        row = row_of(values, self.secret, self.found.mended)
        own_id = values.get("id", "").strip()
        service, lacks_service = self._meant("service", values)
        staff, lacks_staff = self._meant("staff", values)
        start = self._start(values)
        why = self._why(values, service, start) or lacks_service or lacks_staff
        if not why and not row.fields and not own_id:
            why = "person"
        return Given(line.number, self._key(values, row, service, start), row, service, staff, start, why)

    def _meant(self, what: str, values: Mapping[str, str]) -> tuple[int | None, str]:
        """Return which of the shop's is meant, and whether a word of the file is not known."""
        word = values.get(what, "").strip()
        if what == "staff" and spelled(word) in map(spelled, _ANYBODY):
            return None, ""
        names = self.known.services if what == "service" else self.known.staff
        said = (self.reading.services if what == "service" else self.reading.staff) or {}
        if word and spelled(word) in names:
            return names[spelled(word)], ""
        if word:
            counted = self.found.services if what == "service" else self.found.staff
            counted[word] += 1
        key = word_key(word, self.secret)
        if key in said:
            # 0: whoever is free, or nothing that is offered here.
            return said[key] or None, "" if said[key] or what == "staff" else what
        return None, what

    def _start(self, values: Mapping[str, str]) -> datetime | None:
        at = mended.moment(values.get("at", ""))
        if at is None:
            day, clock = mended.day(values.get("date", "")), mended.clock(values.get("time", ""))
            if day is None or clock is None:
                return None
            at = day, clock
        return _instant(*at, self.known.zone)

    def _why(self, values: Mapping[str, str], service: int | None, start: datetime | None) -> str:
        state = values.get("state", "").lower()
        if any(word in state for word in _CANCELLED):
            return "cancelled"
        if start is None:
            return "when"
        if start <= self.now:
            return "in_the_past"
        told = values.get("minutes", "").strip()
        minutes = mended.minutes(told)
        if told and minutes is None:
            return "minutes"
        if minutes is not None and service is not None and minutes != self.known.minutes.get(service):
            return "length"
        return ""

    def _key(self, values: Mapping[str, str], row: Row, service: int | None, start: datetime | None) -> str:
        own = values.get("booking", "").strip()
        which = own or f"{row.key}\x1f{service}\x1f{start and start.astimezone(UTC).isoformat()}"
        return hmac.digest(self.secret, f"booking\x1f{which}".encode(), hashlib.sha256).hex()


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall's time: of a doubled hour the first, of a skipped one the change."""
    number = wall.number(day)
    minute = wall.around(zone.key, number * _DAY).instant(number, clock.hour * 60 + clock.minute)
    return datetime.fromtimestamp(minute * 60, UTC)


def person_key(shop_id: int, key: str, secret: bytes) -> str:
    """Return what a line keeps of its customer's key until she is in: that may be her number in the file."""
    return hmac.digest(secret, f"person\x1f{shop_id}\x1f{key}".encode(), hashlib.sha256).hex()


def lines(given: BookingList, shop_id: int, secret: bytes) -> Iterator[WorkLine]:
    """Give what is to be done, without anything of a person.

    What was cancelled or is past is left out; what is unclear stands there with its reason from the start.
    """
    keys = {row.key: person_key(shop_id, row.key, secret) for row in given.persons()}
    for each in given.lines:
        if each.why in LEFT_OUT:
            continue
        yield WorkLine(
            shop_id=shop_id,
            line=each.line,
            key=each.key,
            service_id=each.service,
            asked_staff_id=each.staff,
            start=each.start,
            person_key=keys.get(each.row.key, ""),
            state=LineState.ODD if each.why else LineState.WAITING,
            why=each.why,
        )
