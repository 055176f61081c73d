"""How a shop treats bookings, from its file: each word good and bad, and into the rules (booking.md 41)."""

from datetime import date
from typing import Any

import pytest

from noren.booking import importing
from noren.engine.model import Deadline, FeePolicy, FeeTier, Limit, LimitOf, Period, Stay
from noren.engine.quiet import Quiet
from noren.shops import described, rules
from noren.shops.models import Service
from noren.shops.tenancy import shop
from noren.shops.terms import Approval, CheckIn, Minimum, WaitingRule
from tests.servers import AppDatabase
from tests.shops.test_importing import faults

BEFORE = """
slug = "dojo"
name = "道場"
hours = "09:00-18:00"
staff = [{ key = "ken", name = "健" }]
resources = [{ key = "hall", kind = "room", name = "広間" }]
members = [{ handle = "ken", role = "owner", name = "健", mail = "ken@dojo.example" }]
"""
SERVICE = """
[[services]]
key = "%s"
name = "稽古"
segments = [{ minutes = 60, roles = ["staff"] }]
needs = { staff = ["ken"] }
"""
GOOD_SHOP = """
[booking]
limits = [
    { of = "customer", period = "week", most = 3 },
    { of = "staff", period = "day", hours = 6, most = 5 },
]
quiet = { from = "22:00", to = "08:00" }
"""
GOOD_CLASS = """
capacity = 8
approval = "free"
course = true
minimum = { seats = 3, days = 1, at = "20:00" }
waiting = { hours = 6, stop_minutes = 30, pass_over = true }
check_in = { opens_minutes = 30, release_minutes = 15 }
fees = { free_minutes = 60, tiers = [
    { minutes = 10080, percent = 50 },
    { days = 1, at = "20:00", percent = 100 },
] }
limits = [{ of = "service", period = "day", most = 2 }, { of = "service", period = "month", most = 20 }]
timetable = [{ weekday = "wed", start = "10:00", capacity = 6, first = 2026-11-04, last = 2026-12-23 }]
"""
GOOD_STAY = """
grid = { kind = "clock", interval = 60 }
approval = "keeps"
stay = { out = "11:00", nights = 1, most = 14, least = { fri = 2, sat = 3 } }
limits = [{ of = "service", period = "month", most = 20 }]
"""


def file(more: str, *, house: str = "", key: str = "keiko") -> str:
    return BEFORE + house + SERVICE % key + more


def service(more: str, **house: str) -> dict[str, Any]:
    return dict(described.read(file(more, **house)).services[0].columns)


GOOD = BEFORE + GOOD_SHOP + SERVICE % "keiko" + GOOD_CLASS + SERVICE % "stay" + GOOD_STAY


def test_every_good_word_is_read() -> None:
    given = described.read(GOOD)
    keiko, stay = (each.columns for each in given.services)
    assert given.columns["quiet"] == {"from": 1320, "to": 480}
    assert given.columns["limits"] == [
        {"of": "customer", "period": "week", "most": 3},
        {"of": "staff", "period": "day", "most": 5, "minutes": 360},
    ]
    assert (keiko["approval"], keiko["course"]) == ("free", True)
    assert keiko["minimum"] == {"seats": 3, "deadline": {"days": 1, "at": 1200}}
    assert keiko["waiting"] == {"hours": 6, "stop_minutes": 30, "pass_over": True}
    assert keiko["check_in"] == {"opens_minutes": 30, "release_minutes": 15}
    assert keiko["fees"]["tiers"][1] == {"since": {"days": 1, "at": 1200}, "percent": 100}
    assert keiko["timetable"][0]["first"] == "2026-11-04"
    assert stay["stay"] == {"out": 660, "least": [1, 1, 1, 1, 2, 3, 1], "most": 14}


def test_what_is_not_said_is_off() -> None:
    plain = service("")
    off = {"limits": [], "approval": "", "fees": {}, "check_in": {}, "waiting": {}, "minimum": {}}
    assert {key: plain[key] for key in off} == off
    assert (plain["course"], plain["stay"]) == (False, None)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('limits = [{ of = "shop", period = "day", most = 2 }]', "limits[1].of: 'shop' cannot be"),
        ('limits = [{ of = "staff", period = "year", most = 2 }]', "limits[1].period: 'year' cannot be"),
        ('limits = [{ of = "staff", period = "day" }]', "limits[1].most: is missing; write most = 8"),
        ('limits = [{ of = "staff", period = "day", most = 0 }]', "limits[1].most: 0 is not between"),
        ('limits = [{ of = "staff", period = "day", hours = 0 }]', "limits[1].hours: 0 is not between"),
        ('limits = [{ of = "staff", period = "day", most = 2, per = 1 }]', "limits[1].per: is not known"),
        ('approval = "maybe"', "approval: 'maybe' cannot be; write one of"),
        ("fees = { tiers = [{ minutes = 60 }] }", "tiers[1].percent: is missing"),
        ("fees = { tiers = [{ minutes = 60, percent = 101 }] }", "tiers[1].percent: 101 is not between"),
        ("fees = { tiers = [{ days = 1, percent = 50 }] }", "tiers[1].at: is missing beside days"),
        ('fees = { tiers = [{ minutes = 9, at = "9:00", percent = 5 }] }', "minutes: stands beside at"),
        ("fees = { free = 60 }", "fees.free: is not known here"),
        ("check_in = { release_minutes = 0 }", "check_in.release_minutes: 0 is not between 1 and 1440"),
        ("check_in = { close_minutes = 5 }", "check_in.close_minutes: is not known here"),
        ("waiting = { hours = 0 }", "waiting.hours: 0 is not between 1 and 168"),
        ("waiting = { pass_over = 1 }", "waiting.pass_over"),
        ("minimum = { seats = 3, minutes = 60 }", "minimum: is for classes; write capacity"),
        ("course = true", "course: is for classes; write capacity"),
        ("capacity = 8\nminimum = { minutes = 60 }", "minimum.seats: is missing"),
        ("capacity = 8\nminimum = { seats = 0, minutes = 60 }", "minimum.seats: 0 is not between"),
        ("capacity = 8\nminimum = { seats = 3, days = 1 }", "minimum.at: is missing beside days"),
        ('stay = { out = "11:00" }', "stay: has one segment, and begins by the clock"),
        ('grid = { kind = "clock" }\nstay = { nights = 2 }', "stay.out: is missing"),
        (
            'grid = { kind = "clock" }\nstay = { out = "11:00", most = 2, least = { fri = 3 } }',
            "stay.most: is less than the fewest nights",
        ),
        ('grid = { kind = "clock" }\nstay = { out = "11:00", least = { frei = 3 } }', "least.frei"),
        (
            'capacity = 8\ngrid = { kind = "clock" }\nstay = { out = "11:00" }',
            "stay: stands beside capacity",
        ),
        (
            """grid = { kind = "clock" }
stay = { out = "11:00" }
            limits = [{ of = "service", period = "day", hours = 9 }]""",
            "limits: count hours; those of a stay count bookings",
        ),
        (
            """capacity = 8
            timetable = [{ weekday = "wed", start = "10:00", first = 2026-12-02, last = 2026-11-25 }]""",
            "timetable[1].last: is before first",
        ),
        (
            'capacity = 8\ntimetable = [{ weekday = "wed", start = "10:00", first = "2026-12-02" }]',
            "timetable[1].first: '2026-12-02' is not a date",
        ),
        (
            'capacity = 8\ntimetable = [{ weekday = "wed", start = "10:00", last = 2026-12-02T10:00:00 }]',
            "is not a date; write last = 2026-12-31",
        ),
    ],
)
def test_every_bad_word_is_said_with_how_to_mend_it(written: str, told: str) -> None:
    assert any(told in fault for fault in faults(file(written))), faults(file(written))


@pytest.mark.parametrize(
    "written",
    [
        'quiet = { from = "22:00", to = "22:00" }',
        'quiet = { from = "22:00", to = "26:00" }',
        'quiet = { from = "22:00" }',
        'quiet = { from = "22:00", to = "08:00", on = true }',
    ],
)
def test_quiet_hours_begin_and_end(written: str) -> None:
    assert any(
        fault.startswith("booking.quiet") for fault in faults(file("", house=f"[booking]\n{written}\n"))
    )


CONTRADICTIONS = [
    '{ of = "service", period = "day", most = 9 }, { of = "service", period = "month", most = 8 }',
    '{ of = "staff", period = "week", hours = 9 }, { of = "staff", period = "month", hours = 8 }',
    '{ of = "customer", period = "month", most = 2 }, { of = "customer", period = "day", most = 3 }',
]


@pytest.mark.parametrize("limits", CONTRADICTIONS)
def test_case_041_limits_that_contradict_each_other_are_refused(limits: str) -> None:
    for text in (file(f"limits = [{limits}]"), file("", house=f"[booking]\nlimits = [{limits}]\n")):
        assert any("allows more than a month" in fault for fault in faults(text))


def test_case_041_limits_that_do_not_are_taken() -> None:
    good = '{ of = "service", period = "day", most = 8 }, { of = "service", period = "month", most = 8 }'
    other = '{ of = "staff", period = "day", most = 9 }, { of = "customer", period = "month", most = 8 }'
    assert len(service(f"limits = [{good}, {other}]")["limits"]) == 4


def test_it_comes_into_the_rules_as_it_was_written_and_a_second_time_changes_nothing(
    app_db: AppDatabase,
) -> None:
    done = importing.write(described.read(GOOD))
    with shop(done.shop_id):
        house = rules.known()
        ids = {row.key: row.id for row in Service.objects.all()}
    again = importing.write(described.read(GOOD))
    assert (done.changed, again.changed, again.shop_id) == (True, False, done.shop_id)
    with shop(done.shop_id):
        assert rules.known() is house
    keiko, stay = (house.rules.services[ids[key]] for key in ("keiko", "stay"))
    terms = house.terms.services[ids["keiko"]]
    evening = Deadline(days=1, at=1200)
    assert house.rules.limits == (
        Limit(LimitOf.CUSTOMER, Period.WEEK, 3),
        Limit(LimitOf.STAFF, Period.DAY, 5, 360),
    )
    assert keiko.limits == (
        Limit(LimitOf.SERVICE, Period.DAY, 2),
        Limit(LimitOf.SERVICE, Period.MONTH, 20),
    )
    assert house.terms.quiet == Quiet(1320, 480)
    assert (terms.approval, terms.course) == (Approval.FREE, True)
    assert house.terms.services[ids["stay"]].approval is Approval.KEEPS
    assert terms.fees == FeePolicy((FeeTier(Deadline(10_080), 50), FeeTier(evening, 100)), 60)
    assert terms.check_in == CheckIn(30, 15)
    assert terms.minimum == Minimum(3, evening)
    assert terms.waiting == WaitingRule(6, 30, pass_over=True)
    assert stay.stay == Stay(660, (1, 1, 1, 1, 2, 3, 1), 14)
    [entry] = terms.timetable
    assert (entry["first"], entry["last"]) == (date(2026, 11, 4).isoformat(), "2026-12-23")


@pytest.mark.parametrize("old", ["fees", "check_in", "waiting", "minimum", "approval", "limits", "course"])
def test_a_word_that_is_taken_away_is_off_again(app_db: AppDatabase, old: str) -> None:
    importing.write(described.read(file(GOOD_CLASS)))
    lines = GOOD_CLASS.replace("[\n", "[").replace(",\n    {", ", {").replace(",\n]", "]").splitlines()
    without = "\n".join(line for line in lines if not line.startswith(f"{old} "))
    done = importing.write(described.read(file(without)))
    assert done.changed
    with shop(done.shop_id):
        row = Service.objects.get()
        assert getattr(row, old) in ({}, [], "", False)
