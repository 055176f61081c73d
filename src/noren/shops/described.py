"""A shop as its TOML file describes it, checked, in the plain forms in which the tables keep it.

Keys stand for rows here; ids come when the rows are written (importing.py).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from noren.engine.model import BufferPolicy, GridKind, HolidayRule, HorizonKind
from noren.people import Member
from noren.shops import described_public, described_questions, described_terms, described_visits, directory
from noren.shops.described_hours import ALWAYS, HoursGiven, hours
from noren.shops.described_staff import by_staff
from noren.shops.holidays import public_holidays
from noren.shops.reading import WEEKDAYS, Reader, Values

ROLES = ("owner", "manager", "staff", "reception", "accountant")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class Faulty(ValueError):
    """The file cannot be used; `faults` says what is wrong, one line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class PhotoGiven:
    """A file beside the shop's own, and what is seen on it."""

    file: str
    alt: Values


@dataclass(frozen=True, slots=True)
class ResourceGiven:
    """Columns of `Resource`; `staff` are those of `Staff`, where it is somebody; `parts` are keys."""

    key: str
    columns: Values
    hours: HoursGiven | None
    staff: Values | None = None
    parts: tuple[str, ...] = ()
    photo: PhotoGiven | None = None
    """Of staff alone."""


@dataclass(frozen=True, slots=True)
class ServiceGiven:
    """Columns of `Service`; in `requirements` and `timetable` keys stand for resources."""

    key: str
    columns: Values
    hours: HoursGiven | None
    photo: PhotoGiven | None = None
    additions: tuple[str, ...] = ()
    """Keys of services."""


@dataclass(frozen=True, slots=True)
class ShopGiven:
    slug: str
    columns: Values
    hours: HoursGiven
    resources: tuple[ResourceGiven, ...]
    services: tuple[ServiceGiven, ...]
    members: tuple[Member, ...]
    """`staff` is the staff's key."""
    photo: PhotoGiven | None = None


@dataclass(slots=True)
class _Known:
    """What later parts of the file may refer to, or may not take again: keys of resources and questions."""

    resources: dict[str, str] = field(default_factory=dict)
    """Kind by key."""
    services: dict[str, object] = field(default_factory=dict)
    """The keys, also of those further below."""
    questions: described_questions.Keys = field(default_factory=described_questions.Keys)


def is_mail(text: str) -> bool:
    """Whether it looks like a mail address; whether it is one only a mail tells."""
    return bool(_MAIL.fullmatch(text))


def read(text: str) -> ShopGiven:
    """Read a file's text. Raises Faulty with everything that is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Faulty([f"This is not TOML: {error}"]) from error
    return of(values)


def of(values: Values, *, whole: bool = True) -> ShopGiven:
    """Read what a file's text holds, or what was put together in its form (setup.compose).

    One that is not `whole` need not have members and services: the vault knows who works there already.
    Raises Faulty with everything that is wrong.
    """
    faults: list[str] = []
    given = _shop(Reader(values, "", faults), whole=whole)
    if faults:
        raise Faulty(faults)
    return given


def _shop(file: Reader, *, whole: bool) -> ShopGiven:
    slug = file.text("slug")
    if slug and not directory.is_free_word(slug):
        file.wrong("slug", f"{slug!r} cannot be an address: a-z, 0-9 and hyphens, no word of the house")
    columns = _shop_columns(file)
    week = hours(file, needed=True)
    known = _Known(questions=described_questions.of_shop(columns["questions"]))
    people = [_staff(each, number, known) for number, each in enumerate(file.tables("staff"))]
    things = [_resource(each, number, known) for number, each in enumerate(file.tables("resources"))]
    tables = file.tables("services")
    known.services = {str(each.values.get("key")): each for each in tables}
    services = [_service(each, number, known) for number, each in enumerate(tables)]
    _unlike(file, "services", (each.key for each in services))
    described_visits.check(file, {each.key: (each.columns, each.additions) for each in services})
    if whole and not services:
        file.wrong("services", "there are none; write at least one [[services]]")
    members = tuple(_member(each, slug, known) for each in file.tables("members"))
    _unlike(file, "members", (each.handle for each in members))
    if whole and not any(each.role == "owner" for each in members):
        file.wrong("members", 'there is no owner; write one [[members]] with role = "owner"')
    photo = _photo(file)
    file.done()
    return ShopGiven(slug, columns, week or ALWAYS, (*people, *things), tuple(services), members, photo)


def _shop_columns(file: Reader) -> Values:
    zone = file.text("zone", "Asia/Tokyo")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        file.wrong("zone", f'{zone!r} is no time zone; write one like "Asia/Tokyo"')
    contact = file.table("contact")
    columns: Values = {
        "texts": described_public.texts(file),
        "legal": described_public.legal(file.table("legal")),
        "contact": {key: contact.text(key, "") for key in ("phone", "mail", "postcode")},
        "zone": zone,
        "locale": file.choice("locale", ("ja", "en"), "ja"),
        "currency": file.choice("currency", ("JPY",), "JPY"),
        "daily_mail": file.flag("daily_mail", standard=True),
    }
    contact.done()
    columns |= described_public.embed(file)
    asked = described_questions.read(file, described_questions.Keys())
    columns |= {"questions": asked, "guests": described_questions.guests(file)}
    return columns | _holidays(file.table("holidays")) | _booking(file.table("booking"))


def _holidays(table: Reader) -> Values:
    region = table.text("region", "")
    try:
        public_holidays(region)
    except NotImplementedError:
        table.wrong("region", f'{region!r} has no published holidays; write one like "JP", or ""')
    own = table.values.get("own", []) if table.has("own") else []
    if not isinstance(own, list) or not all(type(each) is date for each in own):
        table.wrong("own", "is not a list of dates; write own = [2026-12-31]")
        own = []
    rule = table.choice("rule", tuple(HolidayRule), HolidayRule.OPEN)
    table.done()
    return {"holiday_region": region, "holiday_rule": rule, "own_holidays": own}


def _booking(table: Reader) -> Values:
    columns: Values = {
        "buffer_policy": table.choice("buffers", tuple(BufferPolicy), BufferPolicy.SHARED),
        "buffers_outside": table.flag("buffers_outside", standard=False),
        "align": table.number("align", 5, least=1, most=720),
        "week_start": WEEKDAYS.index(table.choice("week_start", WEEKDAYS, "mon")),
        "hold_minutes": table.number("hold_minutes", 10, least=1, most=120),
        "reminder_minutes": table.number("reminder_minutes", 1440, most=60 * 24 * 30),
        "limits": described_terms.limits_of(table),
        "quiet": described_terms.quiet(table.table("quiet")),
    }
    table.done()
    return columns


def _staff(table: Reader, position: int, known: _Known) -> ResourceGiven:
    key = _new_key(table, known, "staff")
    texts = {
        "name": table.words("name", needed=True),
        "title": table.words("title"),
        "about": table.words("about"),
    }
    columns = {"kind": "staff", "texts": {"name": texts["name"]}, "position": position, **_ranking(table)}
    staff = {
        "texts": {word: words for word, words in texts.items() if words},
        "fee": table.number("fee", 0),
        "position": position,
    }
    week, photo = hours(table), _photo(table)
    table.done()
    return ResourceGiven(key, columns, week, staff, photo=photo)


def _photo(table: Reader) -> PhotoGiven | None:
    """`photo = { file = "aoi.jpg", alt = { ja = "...", en = "..." } }`."""
    if not table.has("photo"):
        return None
    photo = table.table("photo")
    given = PhotoGiven(photo.text("file"), photo.words("alt", needed=True))
    photo.done()
    return given


def _resource(table: Reader, position: int, known: _Known) -> ResourceGiven:
    kind = table.text("kind", longest=16)
    if kind == "staff":
        table.wrong("kind", "is staff; write somebody as [[staff]]")
    parts = table.keys("parts", known.resources, what="resource above with the key")
    key = _new_key(table, known, kind)
    columns = {
        "kind": kind,
        "texts": {"name": table.words("name", needed=True)},
        "stock": table.number("stock", 1, least=1, most=100),
        "seats": table.number("seats", least=1, most=10_000) if table.has("seats") else None,
        "position": position,
        **_ranking(table),
    }
    week = hours(table)
    table.done()
    return ResourceGiven(key, columns, week, None, tuple(parts))


def _ranking(table: Reader) -> Values:
    return {
        "priority": table.number("priority", 0, least=-100, most=100),
        "weight": table.number("weight", 100, least=1, most=10_000),
        "bookable": table.flag("bookable", standard=True),
        "visible": table.flag("visible", standard=True),
    }


def _new_key(table: Reader, known: _Known, kind: str) -> str:
    key = table.key()
    if key in known.resources:
        table.wrong("key", f"{key!r} is there already; every staff and resource needs its own")
    known.resources[key] = kind
    return key


def _service(table: Reader, position: int, known: _Known) -> ServiceGiven:
    party = table.table("party")
    least = party.number("min", 1, least=1, most=1000)
    texts = {"name": table.words("name", needed=True), "about": table.words("about")}
    visit = described_visits.columns(table)
    alone = bool(visit["alone"])
    requirements = _needs(table, known, needed=alone)
    capacity = table.number("capacity", least=1, most=10_000) if table.has("capacity") else None
    columns: Values = {
        "texts": {word: words for word, words in texts.items() if words},
        "segments": _segments(table, [each["role"] for each in requirements], needed=alone),
        "requirements": requirements,
        "before": table.number("before", 0, most=1440),
        "after": table.number("after", 0, most=1440),
        "grid": _grid(table.table("grid")),
        **{name: described_terms.deadline(table.table(name)) for name in ("lead", "change", "cancel")},
        "horizon": _horizon(table.table("horizon")),
        "capacity": capacity,
        "timetable": [_entry(each, known) for each in table.tables("timetable")],
        "party_min": least,
        "party_max": party.number("max", least, least=least, most=1000),
        "price": table.number("price", 0, most=100_000_000),
        "tax_rate": table.number("tax_rate", 10, most=100),
        "bookable": table.flag("bookable", standard=True),
        "position": position,
        **visit,
        "questions": described_questions.read(table, known.questions),
        "guests": described_questions.guests(table),
        **described_terms.service_terms(table, capacity=capacity),
    }
    columns["by_staff"] = by_staff(table, known.resources, columns)
    if columns["stay"] is not None and (columns["grid"]["kind"] != "clock" or len(columns["segments"]) != 1):
        table.wrong("stay", 'has one segment, and begins by the clock: write grid = { kind = "clock" }')
    if columns["timetable"] and capacity is None:
        table.wrong("capacity", "is missing; a class needs the number of its seats")
    added = tuple(table.keys("additions", known.services, what="service with the key"))
    given = ServiceGiven(table.key(), columns, hours(table), _photo(table), added)
    party.done()
    table.done()
    return given


def _needs(table: Reader, known: _Known, *, needed: bool) -> list[Values]:
    """`needs = { staff = ["aoi", "ritsu"] }`; a table with `any`, `count`, `units`, `per_guest` says more."""
    needs = table.table("needs")
    found: list[Values] = []
    for role, wanted in needs.values.items():
        more = needs.table(role) if isinstance(wanted, Mapping) else None
        source, key = (needs, role) if more is None else (more, "any")
        pool = source.keys(key, known.resources, what="staff or resource with the key")
        need: Values = {"role": role, "pool": pool}
        if more is not None:
            need["count"] = more.number("count", 1, least=1, most=max(1, len(pool)))
            need["units"] = more.number("units", 1, least=1, most=100)
            need["per_guest"] = more.flag("per_guest", standard=False)
            more.done()
        if not pool:
            needs.wrong(role, 'is empty; write the keys of those who can: ["aoi", "ritsu"]')
        found.append(need)
    if needed and not found:
        table.wrong("needs", 'is missing; write needs = { staff = ["aoi"] }')
    return found


def _segments(table: Reader, roles: list[str], *, needed: bool) -> list[Values]:
    """`segments = [{ minutes = 60, roles = ["staff"] }]`; for an addition `minutes = 10` will do, or none:
    it takes the time of who serves what it is added to.
    """
    if not needed and not roles:
        minutes = table.number("minutes", 0, most=1440)
        return [{"minutes": minutes, "roles": []}] if minutes else []
    found: list[Values] = []
    for segment in table.tables("segments"):
        occupied = segment.keys("roles", dict.fromkeys(roles), what="role in needs named")
        found.append({"minutes": segment.number("minutes", least=1, most=20_000), "roles": occupied})
        segment.done()
    if not found:
        table.wrong("segments", 'is missing; write segments = [{ minutes = 60, roles = ["staff"] }]')
    for role in roles:
        if found and not any(role in each["roles"] for each in found):
            table.wrong("segments", f"no segment occupies the role {role!r} of needs")
    return found


def _grid(table: Reader) -> Values:
    grid = {
        "kind": table.choice("kind", tuple(GridKind), GridKind.OPENING),
        "interval": table.number("interval", 30, least=1, most=1440),
        "offset": table.number("offset", 0, most=1439),
    }
    table.done()
    return grid


def _horizon(table: Reader) -> Values:
    horizon: Values = {
        "kind": table.choice("kind", tuple(HorizonKind), HorizonKind.DAYS),
        "days": table.number("days", 90, least=1, most=1100),
        "at": table.clock("at", "00:00"),
    }
    horizon |= {key: day.isoformat() for key in ("first", "last") if (day := table.day(key)) is not None}
    table.done()
    return horizon


def _entry(table: Reader, known: _Known) -> Values:
    staff = {key: kind for key, kind in known.resources.items() if kind == "staff"}
    entry: Values = {
        "weekday": WEEKDAYS.index(table.choice("weekday", WEEKDAYS)),
        "start": table.clock("start"),
        "staff": table.keys("staff", staff, what="staff with the key"),
    }
    if table.has("capacity"):
        entry["capacity"] = table.number("capacity", least=1, most=10_000)
    entry |= {key: day.isoformat() for key in ("first", "last") if (day := table.day(key)) is not None}
    if entry.get("first", "") > entry.get("last", "9999"):
        table.wrong("last", "is before first; write the last day on which the class is held")
    table.done()
    return entry


def _member(table: Reader, slug: str, known: _Known) -> Member:
    handle = table.text("handle")
    key, _, shop = handle.partition(".")
    if handle and shop not in ("", slug):
        table.wrong("handle", f"{handle!r} is of another shop; write {key}.{slug}")
    staff = key if known.resources.get(key) == "staff" else None
    mail = table.text("mail")
    if mail and not is_mail(mail):
        table.wrong("mail", f"{mail!r} is no mail address")
    member = Member(handle, table.choice("role", ROLES), staff, table.text("name"), mail)
    table.done()
    return member


def _unlike(file: Reader, what: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key and key in seen:
            file.wrong(what, f"{key!r} is there twice")
        seen.add(key)
