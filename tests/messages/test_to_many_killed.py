"""A message to many by the real worker: killed on the way nobody has it twice, and nothing waits for it."""

from collections import Counter
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from noren import clock
from noren.booking import book, jobs, work
from noren.booking.models import Booking, WorkState
from noren.messages import to_many
from noren.messages.notice import Kind
from noren.messages.to_many import Pick
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.killable import working
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for

PERSONS = 48
DUE = 8
BY = "staff:aoi.salon"
TOKYO = ZoneInfo("Asia/Tokyo")


def house_of(slug: str, persons: int, first: datetime) -> Salon:
    """A shop with as many customers, three an hour, on as many days as it takes."""
    house = salon(slug)
    for number in range(persons):
        slot = number // 3
        at = first + timedelta(days=slot // 8, hours=slot % 8)
        customer = book.Customer(name=f"客{number}", mail=f"c{number}@example.com")
        book.book(house.id, book.BookRequest(house.cut, at, None, 1, customer, "ja"), now=clock.now())
    return house


def begun(slug: str, persons: int) -> tuple[Salon, int]:
    """Such a shop that has begun to write to all of them; gives the message's number."""
    today = clock.now().astimezone(TOKYO).date()
    first = datetime.combine(today + timedelta(days=2), time(10), TOKYO)
    house = house_of(slug, persons, first)
    many = to_many.draft(house.id, Pick(first, first + timedelta(days=9)), now=clock.now(), by=BY)
    to_many.keep(house.id, many, {"ja": {"subject": "断水", "opening": "断水します。"}}, seen=0)
    assert to_many.send(house.id, many, seen=1, persons=persons, now=clock.now(), by=BY)
    return house, many


def test_a_killed_worker_leaves_nobody_out_and_mails_nobody_twice(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink, tmp_path: Path
) -> None:
    """Killed twice among the mails, once while the mail server has one and has not said so."""
    house, many = begun("many-killed", PERSONS)
    row = to_many.one(house.id, many)
    assert row.work_id is not None

    def mails() -> Counter[str]:
        return Counter(str(each["To"]) for each in list(module_mail.messages) if each["Subject"] == "断水")

    for held in (False, True):
        before = len(mails())
        with working(module_app_db, tmp_path, vault=module_vault) as process:
            wait_for(lambda: len(mails()) > before + 3)  # noqa: B023 - asked at once
            module_mail.hold = held
            if held:
                there = len(mails())
                wait_for(lambda: len(mails()) > there)  # noqa: B023 - asked at once
            process.kill()
            process.wait()
        module_mail.hold = False
    assert work.one(house.id, row.work_id).state == WorkState.RUNNING
    assert len(mails()) < PERSONS
    with working(module_app_db, tmp_path, vault=module_vault):
        wait_for(lambda: work.one(house.id, row.work_id or 0).state == WorkState.DONE)
    assert mails() == Counter(f"c{number}@example.com" for number in range(PERSONS))
    told = to_many.sent(house.id, row)
    assert (told.done, told.over) == (PERSONS, 0)
    assert sum(told.states.values()) == PERSONS


def test_what_becomes_due_meanwhile_goes_before_the_rest_of_them(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink, tmp_path: Path
) -> None:
    """Mails of eight bookings, asked for after it began, do not wait for all of it."""
    module_mail.messages.clear()
    house, many = begun("many-due", PERSONS)
    row = to_many.one(house.id, many)
    assert row.work_id is not None
    with shop(house.id):
        for booking in Booking.objects.order_by("id")[:DUE]:
            jobs.write_to(booking, Kind.LINK)
    with working(module_app_db, tmp_path, vault=module_vault):
        wait_for(lambda: work.one(house.id, row.work_id or 0).state == WorkState.DONE)
    subjects = [str(each["Subject"]) for each in module_mail.messages]
    due = [number for number, subject in enumerate(subjects) if "新しいリンク" in subject]
    assert len(due) == DUE
    assert subjects.count("断水") == PERSONS
    assert subjects[: due[-1]].count("断水") < PERSONS // 2
