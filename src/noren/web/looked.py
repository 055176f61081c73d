"""A file of customers or bookings, looked at: how it is read, its first rows, its faults.

Nothing of it is kept: it lives as long as the answer to the request that brought it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.booking import incoming
from noren.booking.incoming import BookingList, Known
from noren.people import importing, lists
from noren.people.columns import KINDS, Reading
from noren.people.importing import FIELDS, CustomerList, Fault
from noren.people.model import Row
from noren.people.tables import Table
from noren.web import times, wording
from noren.web.customers import LABELS

SHOWN: Final = 5
MOST_FAULTS: Final = 100
MOST_WORDS: Final = 60
CHARSETS: Final[Mapping[str, str | Promise]] = {
    "utf-8": "UTF-8",
    "cp932": gettext_lazy("Shift_JIS (Excel in Japan)"),
    "utf-16": "UTF-16",
    "euc_jp": "EUC-JP",
}
SEPARATORS: Final[Mapping[str, str | Promise]] = {
    ",": gettext_lazy("Comma"),
    "\t": gettext_lazy("Tab"),
    ";": gettext_lazy("Semicolon"),
}
COLUMNS: Final[Mapping[str, str | Promise]] = {
    **LABELS,
    "id": gettext_lazy("Customer number"),
    "last name": gettext_lazy("Family name"),
    "first name": gettext_lazy("Given name"),
    "last kana": gettext_lazy("Family name in katakana"),
    "first kana": gettext_lazy("Given name in katakana"),
    "booking": gettext_lazy("Booking number"),
    "at": gettext_lazy("Day and time"),
    "date": gettext_lazy("Day"),
    "time": gettext_lazy("Time of day"),
    "minutes": gettext_lazy("How long it takes"),
    "service": gettext_lazy("Service"),
    "staff": gettext_lazy("Who serves"),
    "state": gettext_lazy("State"),
}
FAULTS: Final[Mapping[str, str | Promise]] = {
    "empty": gettext_lazy("is missing"),
    "too_long": gettext_lazy("is too long"),
    "control": gettext_lazy("holds characters that cannot be printed"),
    "mail": gettext_lazy("is no mail address"),
    "phone": gettext_lazy("is no phone number; a number of another country begins with +"),
    "columns": gettext_lazy("has more columns than the heading"),
    "double": gettext_lazy("is the same as an earlier one"),
}
WHY: Final[Mapping[str, str | Promise]] = {
    "columns": gettext_lazy("More columns than the heading"),
    "when": gettext_lazy("Day and time cannot be read"),
    "minutes": gettext_lazy("How long it takes cannot be read"),
    "length": gettext_lazy("Takes another time than the service does here"),
    "service": gettext_lazy("The service is none of yours"),
    "staff": gettext_lazy("Who serves is nobody of yours"),
    "person": gettext_lazy("The customer is unclear"),
    "slot_taken": gettext_lazy("The time is taken"),
    "limit_reached": gettext_lazy("A limit leaves no room"),
    "not_offered": gettext_lazy("Not offered at this time"),
    "too_late": gettext_lazy("Too soon to be booked"),
    "outside_horizon": gettext_lazy("Too far ahead"),
    "in_the_past": gettext_lazy("In the past"),
    "moved": gettext_lazy("Came in earlier, at another time"),
    "touched": gettext_lazy("Changed since it came in"),
    "ended": gettext_lazy("Ended since it came in"),
}
Facts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Column:
    index: int
    heading: str
    is_what: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the file that is none of the shop's; `chosen`: which of the shop's is meant."""

    field: str
    word: str
    count: int
    chosen: int | None


@dataclass(slots=True)
class Looked:
    """What was seen. `mark` is of the file and how it is read: of another one no column is said yet."""

    kind: str
    mark: str
    about: str
    table: Table
    reading: Reading
    columns: list[Column]
    facts: Facts = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    more_faults: int = 0
    unclear: bool = False
    """The faults are lines that become no booking as they are: they hold nothing."""
    heads: list[str | Promise] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    services: list[Word] = field(default_factory=list)
    staff: list[Word] = field(default_factory=list)
    mended: int = 0
    persons: list[Row] = field(default_factory=list)
    """Whom the vault is to take."""
    lacks: str = ""
    """Why nothing can come in as it is."""

    @property
    def fields(self) -> list[str]:
        named = [name for name in FIELDS if any(name in row.fields for row in self.persons)]
        return named or ["name"]


def fault_words(faults: Iterable[Fault]) -> list[str]:
    """Say each with its line; never what stands there."""
    return [
        _("Line %(line)s: %(field)s %(reason)s")
        % {
            "line": each.line,
            "field": LABELS.get(each.field, _("the row")),
            "reason": FAULTS.get(each.reason, each.reason),
        }
        for each in faults
    ]


def about(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def said(form: QueryDict, raw: bytes) -> Reading:
    """Read what the form says of the file. Of another file, or one read otherwise, no column is said."""
    kind, charset, separator = (form.get(name, "") for name in ("kind", "charset", "separator"))
    kind = kind if kind in KINDS else KINDS[0]
    again = form.get("mark", "") == _mark(raw, kind, charset, separator)
    told = [form.get(f"column-{number}", "") for number in range(_count(form))] if again else []
    looked = "mark" in form
    return Reading.said(
        kind,
        charset,
        separator,
        told,
        services=_words(form, "service"),
        staff=_words(form, "staff"),
        join="join" in form or not looked,
        remind="remind" in form or not looked,
        anyway="anyway" in form or not looked,
    )


def _count(form: QueryDict) -> int:
    return min(times.number(form.get("columns")) or 0, 100)


def _words(form: QueryDict, what: str) -> dict[str, int]:
    given = (
        (name.removeprefix(f"{what}-"), times.number(form.get(name)))
        for name in form
        if name.startswith(f"{what}-")
    )
    return {key[:24]: number for key, number in given if number is not None}


def _mark(raw: bytes, kind: str, charset: str, separator: str) -> str:
    return hashlib.sha256(f"{about(raw)} {kind} {charset} {separator}".encode()).hexdigest()[:32]


def look(grant: str, raw: bytes, reading: Reading, known: Known, *, now: datetime) -> Looked:
    """Look at a file. Raises NotAList, and what the vault refuses."""
    table, names = importing.opened(raw, reading)
    found = Looked(
        reading.kind,
        _mark(raw, reading.kind, table.charset, table.separator),
        about(raw),
        table,
        reading,
        [
            Column(number, head, name)
            for number, (head, name) in enumerate(zip(table.heading, names, strict=True))
        ],
    )
    if reading.kind == "bookings":
        _bookings(found, grant, names, known, now)
    else:
        _customers(found, grant, names)
    return found


def _customers(found: Looked, grant: str, names: Sequence[str]) -> None:
    if "name" not in names and "last name" not in names:
        found.lacks = _("Please say which column is the name.")
        return
    given = importing.rows_of(found.table, names, settings.IDEMPOTENCY_KEY)
    found.persons, found.mended = given.each_once(), sum(given.mended.values())
    seen = lists.look_import(grant, found.persons)
    _faults(found, given, seen)
    bad = {each.key for each in seen.bad}
    new = [row for row in found.persons if row.key not in seen.known and row.key not in bad]
    found.facts = [
        (_("New customers"), len(new)),
        (_("There already"), len(seen.known)),
        (_("Twice in the file"), given.doubles),
        (_("Lines with faults"), len({each.line for each in given.faults_with(seen.bad)})),
    ]
    shown = [name for name in FIELDS if any(name in row.fields for row in found.persons)]
    found.heads = [LABELS[name] for name in shown]
    found.rows = [
        (given.lines[row.key][0], [row.fields.get(name, "") for name in shown])
        for row in found.persons[:SHOWN]
    ]
    if not found.persons:
        found.lacks = _("There is no line in this file.")
    elif found.faults:
        found.lacks = _holds()


def _holds() -> str:
    return _("One bad line holds all. Please mend these lines and choose the file again.")


def _faults(found: Looked, given: CustomerList | BookingList, seen: lists.Looked) -> None:
    faults = given.faults_with(seen.bad)
    found.faults = fault_words(faults[:MOST_FAULTS])
    found.more_faults = max(0, len(faults) - MOST_FAULTS)


def _bookings(found: Looked, grant: str, names: Sequence[str], known: Known, now: datetime) -> None:
    if "service" not in names or not ("at" in names or {"date", "time"} <= {*names}):
        found.lacks = _("Please say which columns are the service, the day and the time.")
        return
    given = incoming.read(found.table, names, found.reading, known, now=now, secret=settings.IDEMPOTENCY_KEY)
    found.persons, found.mended = given.persons(), sum(given.mended.values())
    seen = lists.look_import(grant, found.persons)
    bad = {each.key for each in seen.bad}
    counted = {
        code: sum(1 for each in given.lines if each.why == code) for code in ("cancelled", "in_the_past")
    }
    wanted = [each for each in given.lines if not each.why and each.row.key not in bad]
    unclear = [each for each in given.lines if each.why and each.why not in incoming.LEFT_OUT]
    found.facts = [
        (_("Bookings that come in"), len(wanted)),
        (_("Of new customers"), len({each.row.key for each in wanted} - seen.known)),
        (_("Cancelled, and left out"), counted["cancelled"]),
        (_("In the past, and left out"), counted["in_the_past"]),
        (_("Unclear, for the list of what does not fit"), len(unclear)),
    ]
    found.services = _asked("service", given.services, found.reading.services)
    found.staff = _asked("staff", given.staff, found.reading.staff)
    _first_bookings(found, given, known)
    if seen.bad:
        found.facts.append((_("Lines with faults"), len({each.line for each in given.faults_with(seen.bad)})))
        _faults(found, given, seen)
        found.lacks = _holds()
        return
    found.unclear = True
    found.faults = [
        _("Line %(line)s: %(why)s") % {"line": each.line, "why": WHY.get(each.why, each.why)}
        for each in unclear[:MOST_FAULTS]
    ]
    found.more_faults = max(0, len(unclear) - MOST_FAULTS)
    if not wanted:
        found.lacks = _("No line of this file becomes a booking as it is read now.")


def _first_bookings(found: Looked, given: BookingList, known: Known) -> None:
    services, staff = (
        {number: wording.text(texts, "name") for number, texts in known.texts[kind].items()}
        for kind in ("services", "staff")
    )
    found.heads = [_("Day and time"), _("Service"), _("Who serves"), LABELS["name"], LABELS["phone"]]
    for each in [one for one in given.lines if not one.why][:SHOWN]:
        start = each.start and each.start.astimezone(known.zone)
        cells = [
            f"{wording.day(start)} {wording.clock(start)}" if start else "",
            services.get(each.service or 0, ""),
            staff.get(each.staff or 0, _("Anybody")),
            each.row.fields.get("name", ""),
            each.row.fields.get("phone", ""),
        ]
        found.rows.append((each.line, cells))


def _asked(what: str, counted: Mapping[str, int], chosen: Mapping[str, int] | None) -> list[Word]:
    keys = ((word, incoming.word_key(word, settings.IDEMPOTENCY_KEY)) for word in counted)
    return [Word(f"{what}-{key}", word, counted[word], (chosen or {}).get(key)) for word, key in keys][
        :MOST_WORDS
    ]
