"""A shop's own page of an incident: handed over by an operator, read by the shop, and by no other."""

import csv
import re
from datetime import UTC, datetime

import pytest

from noren import people
from noren.errors import BadField
from noren.incidents import book, handed, handing, reports
from noren.people import incidents
from noren.shops import directory
from tests.servers import Sink, VaultProcess
from tests.vault.cast import sql
from tests.web.test_incident_reports import asked, customers, post, text, work_of
from tests.web.test_incidents import opened, write
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]

SAID = "夜中に、お店の名簿が見られました。"


def handed_over(house: House, **more: str) -> tuple[str, str]:
    """An incident that is known, asked about and handed over; gives its page and the shop's."""
    operator, place = house.operator, opened(house.operator, title="keiの端末を疑う")
    given = {"at": "2026-11-27T09:30", "zone": "Asia/Tokyo", "kinds": ["unlawful"]}
    write(operator, place, kind="known", **given, laws=["jp-appi"])
    write(operator, place, kind="hypothesis", text="仮説はお店に渡らない")
    house.lend("read_ledger_entries")
    asked(house, place, **more)
    post(operator, f"{place}/shops/{house.made.id}", deed="hand", text=SAID)
    return place, f"/console/safety/packs/{place.rpartition('/')[2]}"


def test_it_is_handed_over_read_and_confirmed(house: House, vault: VaultProcess) -> None:
    mine = customers(house, 2)
    other = people.put(directory.found("yoga"), "hold-other", {"name": "よその客"})
    actor = people.whoami(grant_of(house.operator)).actor.handle
    place, page = handed_over(house)
    told = text(house.staff, "/console/safety")
    assert page in told
    assert "未読" in told
    told = text(house.staff, page)
    assert SAID in told
    assert "個人情報保護" in told
    assert re.search(r"\d+月\d+日", told)
    # Whose data it was, by numbers; no other shop's, no suspicion, no word of the book.
    assert all(one.hex[:6] in told for one in mine)
    assert str(other) not in told
    for word in ("keiの端末", "仮説はお店に", actor, "客 0"):
        assert word not in told, word
    # By name on a tap, as any look: on record with the persons.
    named = post(house.staff, page)
    assert "客 0" in named
    assert "客 1" in named
    rows = list(csv.reader(house.staff.get(f"{page}/people.csv").content.decode().splitlines()))
    assert {str(one) for one in mine} <= {row[0] for row in rows[1:]}
    assert str(other) not in {row[0] for row in rows}
    # Said once; the operators see it in the book, and again on the shop's page.
    (line,) = work_of(house, place).told
    assert not work_of(house, place).read
    post(house.staff, f"{page}/read", number=str(line.record.number))
    post(house.staff, f"{page}/read", number=str(line.record.number))
    (read,) = work_of(house, place).read
    assert read.record.by == people.whoami(grant_of(house.staff)).actor.handle
    assert read.said == {"shop": house.made.id, "of": line.record.number}
    assert "既読" in text(house.operator, f"{place}/shops/{house.made.id}")
    assert "既読" in text(house.staff, "/console/safety")
    assert "お店が資料を読んだ" in text(house.operator, place)
    people.doctor()
    noted = sql(vault, "SELECT kind, note FROM vault.ledger_entry WHERE actor = %s", read.record.by)
    assert {("incident", "packs"), ("incident", "added:read"), ("scope", "shop")} <= set(noted)
    assert "intent" in {kind for kind, _ in noted}
    english = house.staff.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert "What the law asks of you" in english


def test_what_is_handed_again_is_read_again(house: House) -> None:
    """A newer pack stands for the one before; to say of an older one that it was read is refused."""
    customers(house, 1)
    place, page = handed_over(house)
    (first,) = work_of(house, place).told
    post(house.staff, f"{page}/read", number=str(first.record.number))
    post(house.operator, f"{place}/shops/{house.made.id}", deed="hand", text="やはり一人でした。")
    told = text(house.staff, page)
    assert "やはり一人でした。" in told
    assert SAID not in told
    assert "読みました" in told
    assert house.staff.post(f"{page}/read", {"number": str(first.record.number)}).status_code == 404
    pack = reports.handed_to(work_of(house, place), house.made.id)
    assert pack is not None
    assert pack[1] is None
    # The terms run from the first telling.
    assert reports.told_at(work_of(house, place), house.made.id) == first


def test_who_came_later_is_not_in_it(house: House) -> None:
    """The persons are had again as of the entries that were asked about."""
    first = customers(house, 1)
    _, page = handed_over(house)
    later = customers(house, 1, after="later")
    told = text(house.staff, page)
    assert first[0].hex[:6] in told
    assert later[0].hex[:6] not in told


def test_nothing_is_handed_over_that_was_not_asked_or_said(house: House) -> None:
    operator, place = house.operator, opened(house.operator)
    shop = f"{place}/shops/{house.made.id}"
    assert operator.post(shop, {"deed": "hand", "text": SAID}).status_code == 422
    house.lend("read_ledger_entries")
    asked(house, place)
    assert operator.post(shop, {"deed": "hand", "text": ""}).status_code == 422
    assert not work_of(house, place).told
    assert house.staff.get(f"/console/safety/packs/{place.rpartition('/')[2]}").status_code == 404
    nothing = book.workspace(incidents.read(grant_of(operator), place.rpartition("/")[2]).records)
    with pytest.raises(BadField):
        handed.words(nothing, house.made.id, {"ja": {}}, at=datetime.now(UTC), how="x")


def test_its_owners_are_written_to_once(house: House, mail: Sink) -> None:
    """The job is in the database with the pack, and the letter says that it is there, and nothing of it."""
    place, _ = handed_over(house)
    assert place
    key = "20261128-0123456789abcdef"
    before = len(mail.messages)
    assert handing.tell(house.made.id, key) == 0
    assert handing.tell(house.made.id, key) == 0
    letters = [one for one in mail.messages[before:] if "大切なお知らせ" in str(one["Subject"])]
    assert len(letters) == 1
    words = str(letters[0].get_content())
    assert "/console/safety" in words
    assert SAID not in words
