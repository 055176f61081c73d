"""From a shop's rows to the engine's ShopRules: one query, kept per process until the revision moves on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast

from django.db import connection
from django.db.models import F
from procrastinate.contrib.django import app

from noren.engine import visits
from noren.engine.model import (
    BufferPolicy,
    Closing,
    Deadline,
    Grid,
    GridKind,
    HolidayRule,
    Horizon,
    HorizonKind,
    Hours,
    Later,
    Limit,
    LimitOf,
    Pace,
    Period,
    Range,
    Requirement,
    Resource,
    Segment,
    Service,
    ShopRules,
    Stay,
    Week,
)
from noren.errors import ServiceUnknown, ShopUnknown
from noren.shops.holidays import public_holidays
from noren.shops.models import Shop
from noren.shops.tenancy import current_shop
from noren.shops.terms import Plain, Terms, terms_from, visit_terms

_LOAD = """
SELECT json_build_object(
  'shop', to_json(s),
  'resources', (SELECT json_agg(r ORDER BY r.id) FROM shops_resource r WHERE r.shop_id = s.shop_id),
  'staff', (SELECT json_agg(t ORDER BY t.position, t.id) FROM shops_staff t WHERE t.shop_id = s.shop_id),
  'services', (SELECT json_agg(v ORDER BY v.position, v.id) FROM shops_service v WHERE v.shop_id = s.shop_id),
  'hours', (SELECT json_agg(h) FROM shops_openinghours h WHERE h.shop_id = s.shop_id),
  'overrides', (SELECT json_agg(o) FROM shops_override o WHERE o.shop_id = s.shop_id)
)::text FROM shops_shop s WHERE s.shop_id = %s
"""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a shop at one revision."""

    rules: ShopRules
    terms: Terms

    def visit(self, service_id: int, also: Sequence[int]) -> "Known":
        """Return the same with a visit in the place of the service (engine.visits): its rules and its terms.

        Raises ServiceUnknown.
        """
        if not self.rules.services.keys() >= {service_id, *also}:
            raise ServiceUnknown
        rules = visits.composed(self.rules, service_id, tuple(also))
        return Known(rules, visit_terms(self.terms, service_id, rules)) if also else Known(rules, self.terms)


# Written by `known` alone: the newest revision this process has seen of each (database, shop).
_cache: dict[tuple[str, int], Known] = {}
_CACHED = 512


def revision() -> int:
    """Return the revision of the rules of the shop we are in. Raises ShopUnknown."""
    # In plain SQL: every write asks, and building the query took longer than answering it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT rules_revision FROM shops_shop WHERE shop_id = %s", [current_shop()])
        row = cursor.fetchone()
    if row is None:
        raise ShopUnknown
    return int(row[0])


def remembered(shop_id: int) -> Known | None:
    """Return what this process knew of the shop last: to be used only with a look at the revision."""
    return _cache.get((connection.settings_dict["NAME"], shop_id))


def known(at_revision: int | None = None) -> Known:
    """Return what is known of the shop we are in, from memory when the revision is still the same."""
    shop_id = current_shop()
    kept = remembered(shop_id)
    if kept is not None and kept.rules.revision == (revision() if at_revision is None else at_revision):
        return kept
    fresh = _load(shop_id)
    if len(_cache) >= _CACHED:
        _cache.pop(next(iter(_cache)), None)
    _cache[connection.settings_dict["NAME"], shop_id] = fresh
    return fresh


def read() -> Known:
    """Return what this transaction's rows say, and remember nothing: they may yet be taken back."""
    return _load(current_shop())


@contextmanager
def change() -> Iterator[None]:
    """Wrap every change of a shop's rules; booking.changes does, and looks first at what it touches.

    It takes the shop's row first, so that no booking is decided on rules that are being changed, and makes a
    new revision. What follows from it (dates of classes, sheets of a changed stock) is a job of the same
    transaction.
    """
    Shop.objects.filter(shop_id=current_shop()).update(rules_revision=F("rules_revision") + 1)
    yield
    app.configure_task("noren.booking.tasks.follow_rules").defer(shop_id=current_shop())


def _load(shop_id: int) -> Known:
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [shop_id])
        row = cursor.fetchone()
    if row is None:
        raise ShopUnknown
    rows = {name: value or [] for name, value in json.loads(row[0]).items()}
    return Known(rules_from(rows), terms_from(rows))


def rules_from(rows: Mapping[str, Any]) -> ShopRules:
    """Build the rules from rows in their plain form, as `_LOAD` gives them."""
    shop = rows["shop"]
    overrides: dict[tuple[int | None, int | None], dict[date, tuple[Range, ...]]] = {}
    for row in rows["overrides"]:
        days = overrides.setdefault((row["resource_id"], row["service_id"]), {})
        days[date.fromisoformat(row["date"])] = _ranges(row["ranges"])
    hours = {(row["resource_id"], row["service_id"]): _hours(row) for row in rows["hours"]}
    for owner, days in overrides.items():
        usual = hours.get(owner, _ALWAYS if owner == (None, None) else _AS_SHOP)
        hours[owner] = replace(usual, overrides=days)
    resources = {row["id"]: _resource(row, hours.get((row["id"], None))) for row in rows["resources"]}
    services = {row["id"]: _service(row, hours.get((None, row["id"]))) for row in rows["services"]}
    return ShopRules(
        shop_id=shop["shop_id"],
        revision=shop["rules_revision"],
        zone=shop["zone"],
        hours=hours.get((None, None), _ALWAYS),
        resources=resources,
        services=services,
        holidays=public_holidays(shop["holiday_region"])
        | {date.fromisoformat(day) for day in shop["own_holidays"]},
        holiday_rule=HolidayRule(shop["holiday_rule"]),
        buffer_policy=BufferPolicy(shop["buffer_policy"]),
        buffers_outside=shop["buffers_outside"],
        align=shop["align"],
        week_start=shop["week_start"],
        limits=limits_from(shop["limits"]),
        stopped_until=_minute(shop.get("stopped_until")) or 0,
    )


_ALL_DAY = (Range(0, 1440),)
_ALWAYS = Hours(weekly=(_ALL_DAY,) * 7, holiday=_ALL_DAY)
_AS_SHOP = Hours(weekly=())


def _ranges(plain: Sequence[Sequence[int]]) -> tuple[Range, ...]:
    return tuple(Range(start, end) for start, end in plain)


def _week(plain: Sequence[Sequence[Sequence[int]]]) -> Week:
    return tuple(_ranges(day) for day in plain)


def _day(plain: str | None) -> date | None:
    return date.fromisoformat(plain) if plain else None


def _minute(plain: str | None) -> int | None:
    return int(datetime.fromisoformat(plain).timestamp()) // 60 if plain else None


def _hours(row: Plain) -> Hours:
    return Hours(
        weekly=_week(row["weekly"]),
        holiday=None if row["holiday"] is None else _ranges(row["holiday"]),
        alternate=tuple(_week(week) for week in row["alternate"]),
        since=_day(row["since"]),
        closings=tuple(
            Closing(
                each["weekday"], tuple(each.get("nth", ())), each.get("every", 0), _day(each.get("since"))
            )
            for each in row["closings"]
        ),
        zone=row["zone"],
        later=tuple(_later(each) for each in sorted(row["later"], key=lambda each: str(each["first"]))),
        first=_day(row["first"]),
        last=_day(row["last"]),
    )


def _later(plain: Plain) -> Later:
    first = date.fromisoformat(plain["first"])
    turns = tuple(_week(week) for week in plain.get("alternate", ()))
    holiday = plain.get("holiday")
    return Later(first, _week(plain["weekly"]), turns, None if holiday is None else _ranges(holiday))


def _resource(row: Plain, hours: Hours | None) -> Resource:
    return Resource(
        id=row["id"],
        kind=row["kind"],
        hours=hours,
        stock=row["stock"],
        priority=row["priority"],
        weight=row["weight"],
        parts=tuple(row["parts"]),
        seats=row["seats"],
        bookable=row["bookable"],
        visible=row["visible"],
        joined=_minute(row["joined_at"]),
    )


def _horizon(plain: Plain) -> Horizon:
    standard = Horizon()
    return Horizon(
        HorizonKind(plain.get("kind", standard.kind)),
        plain.get("days", standard.days),
        plain.get("at", standard.at),
        _day(plain.get("first")),
        _day(plain.get("last")),
    )


def _grid(plain: Plain) -> Grid:
    standard = Grid()
    return Grid(
        GridKind(plain.get("kind", standard.kind)),
        plain.get("interval", standard.interval),
        plain.get("offset", standard.offset),
    )


def limits_from(plain: Sequence[Plain]) -> tuple[Limit, ...]:
    """Read limits as a row has them."""
    return tuple(
        Limit(LimitOf(each["of"]), Period(each["period"]), each.get("most"), each.get("minutes"))
        for each in plain
    )


def stay_from(plain: Plain | None) -> Stay | None:
    """Read a stay as a service's row has it."""
    return None if plain is None else Stay(plain["out"], tuple(plain["least"]), plain["most"])


def _paces(row: Plain) -> tuple[Pace, ...]:
    """Say who takes another time, each in the first role that one of several has. Dates and nights are the
    same for all.
    """
    if row["capacity"] is not None or row["stay"] is not None:
        return ()
    usual = [each["minutes"] for each in row["segments"]]
    found = []
    for own in row["by_staff"]:
        needs = (need for need in row["requirements"] if need.get("count", 1) == 1)
        role = next((need["role"] for need in needs if own["staff"] in need["pool"]), None)
        pairs = enumerate(zip(own.get("minutes", ()), usual, strict=False))
        minutes = tuple((at, hers) for at, (hers, others) in pairs if hers != others)
        if role is not None and minutes:
            found.append(Pace(role, own["staff"], minutes))
    return tuple(found)


def _service(row: Plain, hours: Hours | None) -> Service:
    return Service(
        id=row["id"],
        segments=tuple(Segment(each["minutes"], tuple(each["roles"])) for each in row["segments"]),
        requirements=tuple(
            Requirement(**{**cast("dict[str, Any]", each), "pool": tuple(each["pool"])})
            for each in row["requirements"]
        ),
        before=row["before"],
        after=row["after"],
        grid=_grid(row["grid"]),
        hours=hours,
        lead=Deadline(**row["lead"]),
        change=Deadline(**row["change"]),
        cancel=Deadline(**row["cancel"]),
        horizon=_horizon(row["horizon"]),
        capacity=row["capacity"],
        party_min=row["party_min"],
        party_max=row["party_max"],
        limits=limits_from(row["limits"]),
        bookable=row["bookable"],
        stay=stay_from(row["stay"]),
        additions=tuple(row["additions"]),
        alone=row["alone"],
        together=row["together"],
        paces=_paces(row),
    )
