"""Blackouts over bookings: shown first, then kept, cancelled or left out (case 99)."""

import threading
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, blocks
from noren.booking.blocks import Over
from noren.booking.models import Attention, Block, Booking, Status
from noren.engine.model import Why
from noren.errors import ChangeTouchesBookings, HoldExpired, SlotTaken
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, later, person, salon, when
from tests.booking.test_classes import studio
from tests.booking.test_impact import jobs, told, until_waiting

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"


def blackout(house: House, over: Over, *spans: tuple[str, str], who: str = "stylist0") -> Any:
    stretches = [(when(start), when(end)) for start, end in spans or [(f"{DAY} 09:00", f"{DAY} 13:00")]]
    return blocks.blackout(house.id, house.resources[who], stretches, now=NOW, by="staff:1", over=over)


def under(house: House, start: str, end: str, who: str = "stylist0") -> list[int]:
    those = blocks.under(house.id, house.resources[who], when(start), when(end), now=NOW)
    return [each.booking_id for each in those]


def block_count(house: House) -> int:
    with shop(house.id):
        return Block.objects.count()


def test_case_099_it_is_shown_first() -> None:
    house = salon()
    one, two = (house.book("cut", f"{DAY} {at}:00") for at in (10, 12))
    assert under(house, f"{DAY} 09:00", f"{DAY} 13:00") == [one.id, two.id]
    assert under(house, f"{DAY} 11:00", f"{DAY} 12:00") == [], "what touches does not overlap"
    assert under(house, f"{DAY} 10:59", f"{DAY} 11:00") == [one.id]


def test_case_099_refused_it_tells_them_and_blocks_nothing() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    with pytest.raises(ChangeTouchesBookings) as refusal:
        blackout(house, Over.REFUSE)
    (only,) = refusal.value.facts["touched"]
    assert (only.booking_id, only.why) == (booking.id, Why.STAFF)
    assert block_count(house) == 0
    assert house.starts("cut", DAY)[0] == "09:00"


def test_case_099_kept_they_wait_for_a_look_until_it_is_lifted() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    (done,) = blackout(house, Over.KEEP)
    assert [each.booking_id for each in done.touched] == [booking.id]
    kept = house.booking(booking.id)
    assert (kept.status, kept.attention) == (Status.CONFIRMED, Attention.BLOCKED)
    assert told(house, booking.id)[-1] == ("touched", "blocked")
    assert house.starts("cut", DAY)[0] == "13:00"
    (again,) = blackout(house, Over.KEEP, (f"{DAY} 10:30", f"{DAY} 11:30"))
    blocks.unblock(house.id, done.blocks[0])
    assert house.booking(booking.id).attention == Attention.BLOCKED, "another block lies over it"
    blocks.unblock(house.id, again.blocks[0])
    assert house.booking(booking.id).attention == ""
    assert house.findings() == []


def test_case_099_cancelled_they_are_told_in_the_same_transaction() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 10:00")
    blackout(house, Over.CANCEL)
    assert house.booking(booking.id).status == Status.CANCELLED
    assert told(house, booking.id)[-1] == ("cancelled", "blocked")
    assert {"booking_id": booking.id, "shop_id": house.id, "kind": "cancelled"} in jobs(
        house, "messages.tasks.send"
    )
    assert house.starts("cut", DAY)[0] == "13:00"
    assert house.findings() == []


def test_case_099_skipped_only_what_is_free_is_blocked() -> None:
    service = {"minutes": 60, "before": 10, "after": 20, "grid": {"kind": "clock", "interval": 10}}
    house = found({"stylist0": {}}, {"cut": {"needs": {"staff": ["stylist0"]}, **service}})
    booking = house.book("cut", f"{DAY} 10:10")
    (done,) = blackout(house, Over.SKIP)
    with shop(house.id):
        spans = [(row.start, row.end) for row in Block.objects.order_by("start")]
    assert spans == [
        (when(f"{DAY} 09:00"), when(f"{DAY} 10:00")),
        (when(f"{DAY} 11:30"), when(f"{DAY} 13:00")),
    ]
    assert len(done.blocks) == 2
    assert house.booking(booking.id).attention == ""
    actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert house.starts("cut", DAY)[0] == "10:10", "only its own time is free again"
    assert house.findings() == []


def test_case_099_skipping_leaves_a_form_its_time() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    blackout(house, Over.SKIP)
    actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    assert house.findings() == []


def test_a_form_that_is_being_filled_cannot_be_finished_under_a_block() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    (done,) = blackout(house, Over.REFUSE)
    assert done.touched == ()
    with pytest.raises(HoldExpired):
        actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)


def test_a_recurring_blackout_reports_each_date() -> None:
    house = salon()
    booking = house.book("cut", "2026-11-12 10:00")
    dates = [(f"2026-11-{day:02} 10:00", f"2026-11-{day:02} 12:00") for day in (5, 12, 19)]
    with pytest.raises(ChangeTouchesBookings):
        blackout(house, Over.REFUSE, *dates)
    assert block_count(house) == 0, "all or nothing"
    done = blackout(house, Over.KEEP, *dates)
    assert [each.start for each in done] == [when(start) for start, _ in dates]
    assert [[one.booking_id for one in each.touched] for each in done] == [[], [booking.id], []]
    assert block_count(house) == 3
    assert house.findings() == []


def test_the_bookings_of_a_class_are_under_a_block_of_its_teacher() -> None:
    house = studio()
    booking = house.book("yoga", "2026-11-04 10:00", party=2)
    assert under(house, "2026-11-04 10:00", "2026-11-04 10:30", who="yui") == [booking.id]
    blackout(house, Over.CANCEL, ("2026-11-04 10:00", "2026-11-04 10:30"), who="yui")
    assert house.booking(booking.id).status == Status.CANCELLED
    assert house.findings() == []


def test_a_whole_is_blocked_by_its_parts() -> None:
    house = found(
        {"a": {"kind": "court"}, "b": {"kind": "court"}, "hall": {"kind": "court", "parts": ["a", "b"]}},
        {"court": {"needs": {"court": ["b"]}}},
    )
    booking = house.book("court", f"{DAY} 10:00")
    assert under(house, f"{DAY} 09:00", f"{DAY} 12:00", who="hall") == [booking.id]
    (done,) = blackout(house, Over.KEEP, who="hall")
    assert [each.why for each in done.touched] == [Why.ROOM]


def test_what_is_over_is_not_under_a_block() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    who = house.resources["stylist0"]
    span = (when(f"{DAY} 09:00"), when(f"{DAY} 13:00"))
    assert blocks.under(house.id, who, *span, now=later(days=30)) == ()


def test_what_is_free_may_be_several_blocks() -> None:
    house = salon()
    who = house.resources["stylist0"]
    with pytest.raises(RuntimeError, match="blackout"):
        blocks.block(house.id, who, NOW, later(hours=1), now=NOW, by="staff:1", over=Over.SKIP)


def test_nobody_is_booked_between_the_look_and_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    look, booked = blocks._there, []
    other = threading.Thread(
        target=lambda: booked.extend(at_once([partial(house.book, "cut", f"{DAY} 10:00")]))
    )

    def meets(claims: Any) -> list[Booking]:
        found_ = look(claims)
        other.start()
        until_waiting(other)
        return found_

    monkeypatch.setattr(blocks, "_there", meets)
    blackout(house, Over.REFUSE)
    other.join()
    assert [type(each) for each in booked] == [SlotTaken]
    assert house.findings() == []


def test_at_one_moment_nobody_is_booked_under_a_block_unseen() -> None:
    house = salon()
    deeds: list[Any] = [
        partial(blackout, house, Over.KEEP),
        *(partial(house.book, "cut", f"{DAY} {at}:00") for at in ("09", "10", "11")),
    ]
    at_once(deeds)
    with shop(house.id):
        rows = [(each.status, each.attention) for each in Booking.objects.all()]
    assert set(rows) <= {("confirmed", "blocked"), ("released", "")}
    assert house.findings() == []
