"""A shop as its visitors see it: words in their language, services, staff, hours. No vault."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from noren.booking import said
from noren.engine import stays, wall
from noren.engine.model import Service as EngineService
from noren.engine.model import Stay
from noren.shops import curtain, rules
from noren.shops.models import OpeningHours, Override, Resource, Service, Shop, ShopDirectory, Staff
from noren.shops.questions import Asking
from noren.shops.tenancy import shop as in_shop
from noren.shops.terms import Approval, Visitors
from noren.web import wording

# A first page, not a directory: an installation with more shops sends its visitors by the shops' own links.
SHOPS_SHOWN = 60
OVERRIDES_SHOWN = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Face:
    """What every page of a shop shows of it."""

    id: int
    slug: str
    name: str
    about: str
    address: str
    access: str
    policy: str
    policy_version: int
    phone: str
    mail: str
    postcode: str
    country: str
    """As an ISO 3166 code, where it is known."""
    currency: str
    zone: ZoneInfo
    privacy: str
    """What it uses its customers' data for."""
    legal: Mapping[str, Any]
    """What the law on trade asks for, as the shop says it (Shop.legal)."""
    embed_origins: tuple[str, ...]
    """The sites in whose pages its booking pages may be shown."""
    published: bool
    """Whether anybody but its own people sees it."""
    stopped_until: datetime | None
    """Before when customers book nothing online, where the shop has said so."""
    stopped: tuple[datetime, str] | None
    """When that was said last, and by whom."""

    def is_stopped(self, now: datetime) -> bool:
        """Say whether online bookings are stopped now."""
        return self.stopped_until is not None and now < self.stopped_until

    @property
    def health_words(self) -> tuple[str, ...]:
        """What is said before answers about health are asked for consent to keep them."""
        return str(said.HEALTH_WHY) % {"shop": self.name}, str(said.HEALTH_HOW_LONG)


@dataclass(frozen=True, slots=True)
class Offer:
    """A service on the list, or a visit of several with its `parts`. `staff` are the ids of those who may be
    asked for; minutes and yen.

    Of a stay the price is for a night.
    """

    id: int
    name: wording.Words
    about: str
    minutes: int
    price: int
    party_min: int
    party_max: int
    is_class: bool
    staff: tuple[int, ...]
    fees: Mapping[int, int]
    approval: Approval
    stay: Stay | None
    course: bool = False
    """Its dates are booked together."""
    series: int = 1
    """How many dates may be booked at once."""
    parts: tuple["Offer", ...] = ()
    group: str = ""
    """The heading under which it stands, if it has one."""
    lengths: Mapping[int, int] = field(default_factory=dict)
    """By staff, where she takes another time: minutes."""
    prices: Mapping[int, int] = field(default_factory=dict)
    """By staff, where she costs another price when she is asked for."""
    visitors: Visitors = Visitors.ALL
    """Whom it is for."""

    def minutes_with(self, staff: int | None) -> int:
        """How long it takes with her; None: with whoever takes as long as it says."""
        if self.parts:
            return sum(each.minutes_with(staff) for each in self.parts)
        return self.lengths.get(staff or 0, self.minutes)

    def price_with(self, staff: int | None) -> int:
        """What it costs each when she is asked for, without 指名料."""
        if self.parts:
            return sum(each.price_with(staff) for each in self.parts)
        return self.prices.get(staff or 0, self.price)

    @property
    def reach(self) -> tuple[int, int]:
        """From how many minutes to how many: some may take longer than others."""
        those = [self.minutes, *self.lengths.values()]
        return min(those), max(those)

    @property
    def cheapest(self) -> tuple[int, bool]:
        """The lowest price, and whether there are others: who is asked for may cost more."""
        those = [self.price, *self.prices.values()]
        return min(those), min(those) < max(those)

    @property
    def also(self) -> tuple[int, ...]:
        """Of a visit the services beside the one she came for."""
        return tuple(each.id for each in self.parts if each.id != self.id)

    def total(self, party: int, staff: int | None, nights: int = 0) -> int:
        """What a visit costs: the price for each and each night, and 指名料 where somebody was asked for."""
        return self.price_with(staff) * party * max(1, nights) + self.fee(staff)

    def fee(self, staff: int | None) -> int:
        """指名料: what asking for her costs."""
        return self.fees.get(staff or 0, 0)


@dataclass(frozen=True, slots=True)
class HoursRow:
    name: str
    ranges: tuple[tuple[int, int], ...]
    today: bool


def doors() -> list[Face]:
    """Every open shop of this installation, entered one at a time."""
    ids = ShopDirectory.objects.order_by("slug").values_list("id", "slug")[: 4 * SHOPS_SHOWN]
    there = [(shop_id, slug) for shop_id, slug in ids if curtain.is_open(shop_id)][:SHOPS_SHOWN]
    return [found for shop_id, slug in there if (found := _face(shop_id, slug)) is not None]


def face(shop_id: int, slug: str) -> Face | None:
    """The shop's face; None while it has an address and nothing else."""
    return _face(shop_id, slug)


def _face(shop_id: int, slug: str) -> Face | None:
    with in_shop(shop_id):
        row = Shop.objects.first()
    if row is None:
        return None
    return Face(
        id=shop_id,
        slug=slug,
        name=wording.text(row.texts, "name") or slug,
        about=wording.text(row.texts, "about"),
        address=wording.text(row.texts, "address"),
        access=wording.text(row.texts, "access"),
        policy=wording.text(row.texts, "policy"),
        policy_version=row.policy_version,
        phone=row.contact.get("phone", ""),
        mail=row.contact.get("mail", ""),
        postcode=row.contact.get("postcode", ""),
        country=row.holiday_region,
        currency=row.currency,
        zone=ZoneInfo(row.zone),
        privacy=wording.text(row.texts, "privacy"),
        legal=row.legal,
        embed_origins=tuple(row.embed_origins),
        published=row.published,
        stopped_until=row.stopped_until,
        stopped=None
        if row.stopped_at is None
        else (row.stopped_at.astimezone(ZoneInfo(row.zone)), row.stopped_by),
    )


def offers(shop_id: int) -> list[Offer]:
    """The services that can be booked by themselves, in the shop's order."""
    with in_shop(shop_id):
        rows = list(Service.objects.filter(bookable=True, alone=True).order_by("position", "id"))
        serving = _serving()
    return [_offer(row, serving) for row in rows]


def offer(shop_id: int, service_id: int, also: tuple[int, ...] = ()) -> Offer | None:
    """A service by its number, or the visit of it and others; None where it cannot be booked."""
    with in_shop(shop_id):
        house, rows = rules.known(), Service.objects.in_bulk([service_id, *also])
        if not house.rules.services.keys() >= {service_id, *also}:
            return None
        known = house.visit(service_id, also)
        service = known.rules.services[service_id]
        if not service.bookable:
            return None
        serving = _serving()
    parts = tuple(_offer(rows[part.service.id], serving) for part in service.stretches)
    return _visit(service, parts, known.terms.services[service_id].approval, serving) if also else parts[0]


def _visit(
    service: EngineService, parts: tuple[Offer, ...], approval: Approval, serving: Mapping[int, int]
) -> Offer:
    asked = _asked((need.role, need.pool) for need in service.requirements)
    return replace(
        parts[0],
        id=service.id,
        name=wording.visit([each.name for each in parts]),
        about="",
        group="",
        lengths={},
        prices={},
        minutes=service.minutes,
        price=sum(each.price for each in parts),
        party_min=service.party_min,
        party_max=service.party_max,
        approval=approval,
        visitors=next((each.visitors for each in parts if each.visitors), Visitors.ALL),
        series=1,
        parts=parts,
        staff=tuple(member for member in serving if member in asked),
        fees={member: fee for member, fee in serving.items() if member in asked},
    )


def _asked(needs: Iterable[tuple[str, Iterable[int]]]) -> set[int]:
    """Who may be asked for: those of the role staff, of which parts of a visit may have their own."""
    return {each for role, pool in needs if role.split(" ")[0] == "staff" for each in pool}


def asks(shop_id: int, service_id: int, also: tuple[int, ...] = ()) -> Asking:
    """What a service, or the visit of it and others, asks of who books it."""
    with in_shop(shop_id):
        return rules.known().visit(service_id, also).terms.services[service_id].asks


def asks_health(shop_id: int) -> bool:
    """Say whether anything that can be booked asks about health."""
    with in_shop(shop_id):
        found = rules.known()
    bookable = {service.id for service in found.rules.services.values() if service.bookable}
    return any(terms.asks.health for service, terms in found.terms.services.items() if service in bookable)


def _serving() -> dict[int, int]:
    """Those who may be asked for, in the shop's order, each with the fee for it."""
    fees = dict(Staff.objects.values_list("id", "fee"))
    return {member: fees.get(member, 0) for member in _seen()}


def _seen() -> list[int]:
    rows = Resource.objects.filter(kind="staff", bookable=True, visible=True).order_by("position", "id")
    return list(rows.values_list("id", flat=True))


def _offer(row: Service, serving: Mapping[int, int]) -> Offer:
    asked = _asked((need["role"], need["pool"]) for need in row.requirements)
    return Offer(
        id=row.id,
        name=wording.text(row.texts, "name"),
        about=wording.text(row.texts, "about"),
        minutes=sum(segment["minutes"] for segment in row.segments),
        price=row.price,
        party_min=row.party_min,
        party_max=row.party_max,
        is_class=row.capacity is not None,
        staff=tuple(member for member in serving if member in asked),
        fees={member: fee for member, fee in serving.items() if member in asked},
        approval=Approval(row.approval),
        stay=rules.stay_from(row.stay),
        course=row.course,
        series=row.series.get("most", 1),
        group=wording.text(row.texts, "group"),
        lengths={
            each["staff"]: sum(each["minutes"])
            for each in row.by_staff
            if each["staff"] in asked and sum(each.get("minutes", ()))
        },
        prices={
            each["staff"]: each["price"]
            for each in row.by_staff
            if each["staff"] in asked and "price" in each
        },
        visitors=Visitors(row.visitors),
    )


def staff(shop_id: int) -> dict[int, Staff]:
    with in_shop(shop_id):
        return {member.id: member for member in Staff.objects.order_by("position", "id")}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who serves, as the shop's page tells of her."""

    id: int
    name: str
    title: str
    about: str
    fee: int


def team(shop_id: int) -> list[Member]:
    """Those who may be asked for, in the shop's order."""
    with in_shop(shop_id):
        seen, members = _seen(), Staff.objects.in_bulk()
    return [
        Member(row.id, wording.text(row.texts, "name") or row.key, *_told(row), row.fee)
        for row in (members[member] for member in seen if member in members)
    ]


def _told(row: Staff) -> tuple[str, str]:
    return wording.text(row.texts, "title"), wording.text(row.texts, "about")


@dataclass(frozen=True, slots=True)
class Serving:
    """Who or what is used, by its name. A whole only claims its parts."""

    name: str
    is_staff: bool
    is_whole: bool
    fee: int = 0
    """What asking for her costs."""


def serving(shop_id: int) -> dict[int, Serving]:
    """Return all that can be used, staff first."""
    with in_shop(shop_id):
        members = Staff.objects.in_bulk()
        rows = list(Resource.objects.filter(bookable=True).order_by("position", "id"))
    found = {
        row.id: Serving(
            wording.text(members[row.id].texts if row.id in members else row.texts, "name") or row.key,
            row.id in members,
            bool(row.parts),
            members[row.id].fee if row.id in members else 0,
        )
        for row in rows
    }
    return dict(sorted(found.items(), key=lambda each: not each[1].is_staff))


def hours(shop_id: int, today: date) -> tuple[list[HoursRow], list[str]]:
    """The week's hours, 祝日 last, and the special days of the weeks to come in words."""
    with in_shop(shop_id):
        row = OpeningHours.objects.filter(resource_id=None, service_id=None).first()
        soon = Override.objects.filter(
            resource_id=None, service_id=None, date__gte=today, date__lte=today + OVERRIDES_SHOWN
        )
        special = [_special(each) for each in soon.order_by("date")]
    if row is None:
        return [], special
    monday = date(2024, 1, 1)
    rows = [
        HoursRow(
            name=wording.long_weekday(monday + timedelta(days=number)),
            ranges=_ranges(day),
            today=today.weekday() == number,
        )
        for number, day in enumerate(row.weekly)
    ]
    if row.holiday is not None:
        rows.append(HoursRow(name=_("Public holidays"), ranges=_ranges(row.holiday), today=False))
    return rows, [_closing(each) for each in row.closings if each.get("nth")] + special


def _ranges(day: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in day)


def _closing(closing: dict[str, object]) -> str:
    weekday = wording.long_weekday(date(2024, 1, 1) + timedelta(days=int(str(closing["weekday"]))))
    nth = closing["nth"]
    numbers = wording.joined([str(number) for number in nth]) if isinstance(nth, list) else ""
    return _("Closed: %(weekday)s no. %(numbers)s of the month") % {"weekday": weekday, "numbers": numbers}


def _special(override: Override) -> str:
    ranges = wording.joined(
        [f"{wording.clock_of_minute(start)}–{wording.clock_of_minute(end)}" for start, end in override.ranges]
    )
    why = wording.day_reasons().get(override.why, "")
    told = f"{wording.day(override.date)} {ranges or _('closed')}"
    return _("%(day)s (%(why)s)") % {"day": told, "why": why} if override.why and why else told


def check_out(stay: Stay, start: datetime, nights: int) -> datetime:
    """When a stay ends that begins at `start`, an instant of the shop's zone."""
    zone, minute = start.tzinfo, int(start.timestamp()) // 60
    if not isinstance(zone, ZoneInfo):
        raise TypeError("a start on the shop's wall")
    end = stays.end(stay, wall.around(zone.key, minute), minute, nights)
    return datetime.fromtimestamp(end * 60, zone)
