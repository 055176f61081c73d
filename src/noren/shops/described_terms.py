"""What a file says of how a shop treats bookings: limits, fees, approval, check-in, waiting, stays."""

from collections.abc import Iterable

from noren.engine import limits
from noren.engine.model import Limit, LimitOf, Period
from noren.shops.reading import WEEKDAYS, Reader, Values
from noren.shops.terms import Approval, Visitors


def deadline(table: Reader) -> Values:
    """Give { minutes } before the start, or { days, at } before it."""
    found: Values = {"minutes": table.number("minutes", 0, most=1440 * 366)}
    if table.has("at"):
        found = {"days": table.number("days", 1, most=366), "at": table.clock("at")}
        if table.has("minutes"):
            table.wrong("minutes", "stands beside at; write either minutes, or days and at")
    elif table.has("days"):
        table.wrong("at", 'is missing beside days; write at = "20:00"')
    table.done()
    return found


def limits_of(parent: Reader) -> list[Values]:
    """Read `limits = [{ of = "staff", period = "day", most = 8 }]`; `hours` instead of most counts time."""
    found: list[Values] = []
    for table in parent.tables("limits"):
        limit: Values = {
            "of": table.choice("of", tuple(LimitOf)),
            "period": table.choice("period", tuple(Period)),
        }
        if table.has("most"):
            limit["most"] = table.number("most", least=1, most=100_000)
        if table.has("hours"):
            limit["minutes"] = 60 * table.number("hours", least=1, most=10_000)
        if "most" not in limit and "minutes" not in limit:
            table.wrong("most", "is missing; write most = 8 bookings, or hours = 20")
        table.done()
        found.append(limit)
    for short, long in limits.contradictions(_values(found)):
        parent.wrong(
            "limits", f"a {short.period} allows more than a {long.period}; lower the one or lift the other"
        )
    return found


def _values(plain: Iterable[Values]) -> list[Limit]:
    return [
        Limit(LimitOf(each["of"]), Period(each["period"]), each.get("most"), each.get("minutes"))
        for each in plain
    ]


def quiet(table: Reader) -> Values:
    """Read `quiet = { from = "22:00", to = "08:00" }`."""
    if not table.values:
        return {}
    found = {"from": table.clock("from"), "to": table.clock("to")}
    if found["from"] == found["to"] or max(found.values()) > 1440:
        table.wrong("to", 'is no end of quiet hours; write quiet = { from = "22:00", to = "08:00" }')
    table.done()
    return found


def service_terms(table: Reader, *, capacity: int | None) -> Values:
    """Read the columns of a service that say how it is treated."""
    columns: Values = {
        "own_policy": True,
        "limits": limits_of(table),
        "approval": table.choice("approval", tuple(Approval), Approval.NONE),
        "visitors": table.choice("visitors", tuple(Visitors), Visitors.ALL),
        "fees": _fees(table.table("fees")),
        "check_in": _check_in(table.table("check_in")),
        "waiting": _waiting(table.table("waiting")),
        "series": _series(table.table("series")),
        "minimum": _minimum(table.table("minimum")),
        "course": table.flag("course", standard=False),
        "stay": _stay(table.table("stay")) if table.has("stay") else None,
    }
    if capacity is None:
        for key in ("minimum", "course"):
            if columns[key]:
                table.wrong(key, "is for classes; write capacity, the number of seats, too")
    elif columns["stay"] is not None:
        table.wrong("stay", "stands beside capacity; a class has dates, a stay has nights")
    if columns["series"] and columns["course"]:
        table.wrong("series", "stands beside course; all dates of a course are booked together")
    if columns["stay"] is not None and any("minutes" in each for each in columns["limits"]):
        table.wrong("limits", "count hours; those of a stay count bookings: write most")
    return columns


def _fees(table: Reader) -> Values:
    """Read `fees = { free_minutes = 60, tiers = [{ days = 1, at = "20:00", percent = 50 }] }`."""
    tiers = []
    for each in table.tables("tiers"):
        percent = each.number("percent", least=0, most=100)
        tiers.append({"since": deadline(each), "percent": percent})
    free = table.number("free_minutes", 0, most=1440 * 31)
    table.done()
    return {"tiers": tiers, "free_minutes": free} if tiers else {}


def _check_in(table: Reader) -> Values:
    if not table.values:
        return {}
    found: Values = {"opens_minutes": table.number("opens_minutes", 60, most=1440)}
    if table.has("release_minutes"):
        found["release_minutes"] = table.number("release_minutes", least=1, most=1440)
    table.done()
    return found


def _waiting(table: Reader) -> Values:
    if not table.values:
        return {}
    found: Values = {
        "hours": table.number("hours", 4, least=1, most=168),
        "stop_minutes": table.number("stop_minutes", 20, least=0, most=10_080),
        "pass_over": table.flag("pass_over", standard=False),
    }
    table.done()
    return found


def _series(table: Reader) -> Values:
    """Read `series = { most = 10 }`."""
    if not table.values:
        return {}
    found: Values = {"most": table.number("most", 10, least=2, most=50)}
    table.done()
    return found


def _minimum(table: Reader) -> Values:
    if not table.values:
        return {}
    found: Values = {"seats": table.number("seats", least=1, most=10_000)}
    found["deadline"] = deadline(table)
    return found


def _stay(table: Reader) -> Values:
    """Read `stay = { out = "11:00", nights = 1, most = 14, least = { fri = 2, sat = 2 } }`."""
    nights = table.number("nights", 1, least=1, most=60)
    least = table.table("least")
    fewest = [least.number(day, nights, least=1, most=60) for day in WEEKDAYS]
    most = table.number("most", 30, least=1, most=60)
    found: Values = {"out": table.clock("out"), "least": fewest, "most": most}
    if max(fewest) > most:
        table.wrong("most", "is less than the fewest nights; lift it")
    least.done()
    table.done()
    return found
