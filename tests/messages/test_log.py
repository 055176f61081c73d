"""What was sent, as a list: what did not arrive stands until somebody has looked, and goes again once."""

from datetime import timedelta
from itertools import count

import pytest

from noren.booking import actions
from noren.errors import NothingHere
from noren.messages import calls, log
from noren.messages.deliver import deliver
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import booked, states
from tests.messages.test_doubt import killed_after_the_data
from tests.servers import AppDatabase, Sink, VaultProcess

AOI = "staff:aoi.salon"
LATER = NOON + timedelta(minutes=2)
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    assert module_app_db
    assert module_vault
    module_mail.refuse, module_mail.hold = None, False
    module_mail.messages.clear()
    return salon(f"log{next(_numbers)}")


def failed(house: Salon, mail: Sink) -> Message:
    booking = booked(house)
    mail.refuse = "550 5.7.1 no"
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.FAILED
    mail.refuse = None
    with shop(house.id):
        return Message.objects.get()


def again_jobs(database: AppDatabase, house: Salon) -> list[dict[str, object]]:
    with database.connect("owner") as conn:
        found = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE args ? 'again' AND args->>'shop_id' = %s ORDER BY id",
            [str(house.id)],
        ).fetchall()
    return [args for (args,) in found]


def test_what_failed_goes_again_by_the_same_key_and_once(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    row = failed(house, module_mail)
    assert log.troubles(house.id, now=NOON) == 1
    log.again(house.id, row.id, now=NOON + timedelta(seconds=30), by=AOI)  # the worker may be at it
    assert again_jobs(module_app_db, house) == []
    for _ in range(2):
        log.again(house.id, row.id, now=LATER, by=AOI)
    [job] = again_jobs(module_app_db, house)
    wanted: dict[str, object] = {
        "shop_id": house.id,
        "booking_id": row.booking_id,
        "kind": "booked",
        "others": [],
        "again": 0,
    }
    assert job == wanted
    assert row.booking_id is not None
    assert deliver(house.id, row.booking_id, Kind.BOOKED, now=LATER) is State.SENT
    assert len(module_mail.wait()) == 1
    assert log.troubles(house.id, now=LATER) == 0
    with pytest.raises(NothingHere):
        log.again(house.id, row.id, now=LATER, by=AOI)


def test_what_may_have_arrived_goes_again_only_when_she_is_sure(
    house: Salon, module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink
) -> None:
    booking = booked(house)
    killed_after_the_data(module_vault, module_mail, house, booking.id)
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.UNKNOWN
    with shop(house.id):
        row = Message.objects.get()
    with pytest.raises(NothingHere):
        log.again(house.id, row.id, now=LATER, by=AOI)
    for _ in range(2):
        log.again(house.id, row.id, now=LATER, by=AOI, sure=True)
    [job] = again_jobs(module_app_db, house)
    assert job["again"] == 1
    assert deliver(house.id, booking.id, Kind.BOOKED, now=LATER, again=1) is State.SENT
    assert deliver(house.id, booking.id, Kind.BOOKED, now=LATER, again=1) is State.SENT
    assert len(module_mail.messages) == 2
    assert states(house) == [("booked", "unknown", 2), ("booked", "sent", 2)]
    assert log.troubles(house.id, now=LATER) == 0


def test_it_is_set_aside_and_taken_back(house: Salon, module_mail: Sink) -> None:
    row = failed(house, module_mail)
    log.set_aside(house.id, row.id, now=LATER, by=AOI)
    assert log.troubles(house.id, now=LATER) == 0
    log.set_aside(house.id, row.id, now=LATER, by=AOI, over=False)
    assert log.troubles(house.id, now=LATER) == 1
    assert log.troubles(house.id, now=LATER + timedelta(days=40)) == 0
    with pytest.raises(NothingHere):
        log.set_aside(house.id, row.id + 1000, now=LATER, by=AOI)


def test_who_was_told_by_phone_need_not_be_looked_at(house: Salon, module_mail: Sink) -> None:
    row = failed(house, module_mail)
    calls.said(house.id, row.id, now=LATER, by=AOI)
    assert log.troubles(house.id, now=LATER) == 0
    calls.said(house.id, row.id, now=LATER, by=AOI, over=False)
    assert log.troubles(house.id, now=LATER) == 1


def test_it_says_nothing_that_is_true_no_more(house: Salon, module_mail: Sink) -> None:
    row = failed(house, module_mail)
    assert row.booking_id is not None
    actions.cancel(house.id, row.booking_id, now=LATER, by=AOI)
    log.again(house.id, row.id, now=LATER, by=AOI)
    assert deliver(house.id, row.booking_id, Kind.BOOKED, now=LATER) is None
    assert module_mail.messages == []


def test_the_list_is_filtered_and_cut(house: Salon, module_mail: Sink) -> None:
    row = failed(house, module_mail)
    assert row.booking_id is not None
    actions.cancel(house.id, row.booking_id, now=LATER, by=AOI)
    deliver(house.id, row.booking_id, Kind.CANCELLED, now=LATER)

    def kinds(**wanted: object) -> list[str]:
        return [one.kind for one in log.lines(house.id, log.Wanted(**wanted), most=50)]  # type: ignore[arg-type]

    assert kinds() == ["cancelled", "booked"]
    assert kinds(states=log.TROUBLE) == ["booked"]
    assert kinds(kind="cancelled") == ["cancelled"]
    assert kinds(booking=row.booking_id + 1) == []
    assert kinds(before=row.id + 1) == ["booked"]


def test_a_reminder_goes_again_as_the_one_it_was(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    """Of several, by the key of its own lead."""
    booking = booked(house)
    due = booking.start - timedelta(minutes=1440)
    module_mail.refuse = "550 5.7.1 no"
    assert deliver(house.id, booking.id, Kind.REMINDER, before=1440, now=due) is State.FAILED
    module_mail.refuse = None
    with shop(house.id):
        row = Message.objects.get()
    log.again(house.id, row.id, now=due + timedelta(minutes=2), by=AOI)
    [job] = again_jobs(module_app_db, house)
    assert (job["kind"], job["before"]) == ("reminder", 1440)
    assert row.key.endswith("-1440")
