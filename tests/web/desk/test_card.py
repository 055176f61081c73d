"""A customer's card: what stands on it, what is written on it, tags; and two records joined and parted."""

import re
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import actions, desk, reception, tags
from noren.booking.models import Booking, Merge
from noren.errors import BadField
from noren.people import card
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.booking.rush import at_once
from tests.web.conftest import booked

_numbers = count()


def free() -> datetime:
    """A time of its own."""
    number = next(_numbers)
    return NOON + timedelta(days=2 + number % 40, hours=number // 40)


def known(made: Salon, **changed: str) -> Booking:
    """A customer with a booking, kept as the worker does."""
    booking = booked(made, free(), **changed).booking
    assert booking.person_id is not None
    people.keep(made.id, booking.person_id)
    return booking


def at(person: UUID | None, more: str = "") -> str:
    return f"/console/customers/{person}{more}"


def text(client: Client, address: str, sent: dict[str, Any] | None = None, status: int = 200) -> str:
    answer = client.get(address) if sent is None else client.post(address, sent)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def test_a_note_has_who_and_when_and_keeps_its_wordings(made: Salon, staff: Client) -> None:
    me = known(made, mail="notes@example.jp").person_id
    page = text(staff, at(me))
    line = re.search(r'name="write" value="notes"><input type="hidden" name="line" value="(\w+)"', page)
    assert line is not None
    sent = {"write": "notes", "line": line[1], "text": "香りの強いものは避ける"}
    for _ in range(2):
        assert staff.post(at(me), sent)["Location"] == at(me, "#notes")
    assert "香りの強いもの" not in text(staff, at(me))
    staff.post(at(me), sent | {"text": "香りは弱いものなら可"})
    shown = text(staff, at(me), {"show": "notes"})
    assert shown.count("香りは弱いものなら可") == 2
    assert "以前の内容" in shown
    assert "· aoi" in shown
    staff.post(at(me), sent | {"deed": "erase"})
    assert "まだ何も書かれていません" in text(staff, at(me), {"show": "notes"})


def test_what_was_done_stands_with_its_visit(made: Salon, staff: Client) -> None:
    booking = known(made, mail="chart@example.jp")
    sent = {"write": "chart", "line": "0123456789abcdef", "booking": str(booking.id), "text": "7-8 オリーブ"}
    staff.post(at(booking.person_id), sent)
    page = text(staff, at(booking.person_id), {"show": "chart"})
    assert "7-8 オリーブ" in page
    assert f'href="/console/bookings/{booking.id}"' in page.partition('id="chart"')[2].partition("</ol>")[0]


def test_a_text_that_cannot_be_kept_stands_in_its_form_again(made: Salon, staff: Client) -> None:
    me = known(made, mail="long@example.jp").person_id
    sent = {"write": "notes", "line": "0123456789abcdef", "text": "長" * 4_001}
    page = text(staff, at(me), sent, 422)
    assert "長" * 4_001 in page
    assert "4,000文字" in page


def test_it_counts_visits_and_shows_what_was_paid(made: Salon, staff: Client) -> None:
    booking = known(made, mail="counts@example.jp")
    wish = actions.HoldRequest(made.cut, free(), None, 1, "again")
    again = desk.book_known(made.id, desk.Wish(wish, "ja"), booking.person_id, now=NOON, by="staff:aoi.salon")  # type: ignore[arg-type]
    for row in (booking, again):
        reception.check_in(made.id, row.id, now=row.start, by="staff:aoi.salon")
    reception.check_out(made.id, again.id, now=again.end, by="staff:aoi.salon")
    desk.settle(made.id, again.id, 7_300, "cash", now=again.end, by="staff:aoi.salon")
    page = text(staff, at(booking.person_id))
    assert "来店 2回" in page
    assert "7,300" in page


def test_tags_are_ticked_searched_and_shown_on_a_booking(made: Salon, staff: Client) -> None:
    booking = known(made, mail="tags@example.jp", name="札 つき")
    text(staff, "/console/tags", {"word": "常連"}, 302)
    text(staff, "/console/tags", {"word": "アレルギー"}, 302)
    assert "同じ言葉のタグ" in text(staff, "/console/tags", {"word": "常連"}, 422)
    numbers = {word: number for number, word in tags.words(made.id).items()}
    there = {"there": list(numbers.values())}
    staff.post(at(booking.person_id, "/tags"), there | {"tag": [numbers["常連"]]})
    assert '<ul class="tags" aria-label="タグ"><li>常連</li></ul>' in text(staff, at(booking.person_id))
    assert "<li>常連</li>" in text(staff, f"/console/bookings/{booking.id}")
    found = text(staff, "/console/customers", {"query": "", "tag": numbers["常連"]})
    assert at(booking.person_id) in found
    assert "見つかりません" in text(staff, "/console/customers", {"query": "", "tag": numbers["アレルギー"]})
    # Who ticks on an old page takes nothing away that it did not show.
    staff.post(
        at(booking.person_id, "/tags"), {"there": [numbers["アレルギー"]], "tag": [numbers["アレルギー"]]}
    )
    told = text(staff, at(booking.person_id))
    assert "<li>常連</li><li>アレルギー</li>" in told
    tags.drop(made.id, numbers["常連"])
    assert "<li>常連</li>" not in text(staff, at(booking.person_id))


def test_two_who_add_the_same_tag_at_once_have_one(made: Salon) -> None:
    """The second is told so, whoever is first; nor are there more than the most."""
    answers = at_once([partial(tags.put, made.id, "同時") for _ in range(6)])
    refused = [each for each in answers if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [BadField] * 5
    assert list(tags.words(made.id).values()).count("同時") == 1


def test_a_correction_leaves_what_a_colleague_has_corrected_since(made: Salon, staff: Client) -> None:
    """Her page still shows the phone as it was: she has changed the name, and only that is written."""
    booking = known(made, mail="both@example.jp", name="旧 名前", phone="0312345678")
    there = at(booking.person_id, "/edit")
    page = text(staff, there)
    fields = dict(re.findall(r'name="([a-z_-]+)" value="([^"]*)"', page)) | {"name": "新 名前"}
    fields.pop("csrfmiddlewaretoken", None)
    hers = fields | {"name": "旧 名前", "phone": "0399999999"}
    text(staff, there, hers, 302)
    text(staff, there, fields, 302)
    page = text(staff, there)
    assert 'value="新 名前"' in page
    assert "9999" in page


def test_a_correction_writes_what_was_changed(made: Salon, staff: Client) -> None:
    me = known(made, mail="wrong@example.jp").person_id
    page = text(staff, at(me, "/edit"))
    assert "wrong@example.jp" in page
    sent = {"name": "山田 花子", "kana": "ヤマダ ハナコ", "phone": "1", "mail": "right@example.jp"}
    assert 'value="right@example.jp"' in text(staff, at(me, "/edit"), sent, 422)
    assert staff.post(at(me, "/edit"), sent | {"phone": "090-1234-5678"}).status_code == 302
    assert "right@example.jp" in text(staff, at(me), {"show": "card"})


def _doubles(made: Salon) -> tuple[Booking, Booking]:
    """The same phone, two records."""
    phone = f"090-7000-{next(_numbers):04d}"
    first = known(made, mail=f"{phone}@example.jp", phone=phone, name="佐々木 結")
    return first, known(made, mail=f"b{phone}@example.jp", phone=phone, name="ササキ ユイ")


def test_a_guest_with_a_known_phone_is_hinted_at_without_a_name(made: Salon, staff: Client) -> None:
    first, second = _doubles(made)
    page = text(staff, f"/console/bookings/{second.id}")
    assert f'href="{at(second.person_id, f"/into/{first.person_id}")}"' in page
    assert "電話番号が同じ" in page
    assert "佐々木 結" not in page


def test_two_are_joined_and_parted(made: Salon, staff: Client) -> None:
    """Looked for, compared, joined: the bookings are hers; undone they are the other's again."""
    first, second = _doubles(made)
    assert "探す" in text(staff, at(first.person_id, "/doubles"))
    looked = text(staff, at(first.person_id, "/doubles"), {})
    address = at(second.person_id, f"/into/{first.person_id}")
    assert f'href="{address}"' in looked
    preview = text(staff, address)
    assert "佐々木 結" in preview
    assert first.person_id is not None
    assert "090-7000" not in preview
    assert "090-7000" in text(staff, address, {"step": "show"})
    sent = {"step": "join", "take_name": "goes", "take_mail": "stays"}
    assert staff.post(address, sent)["Location"] == at(first.person_id, "#joined")
    with shop(made.id):
        assert {Booking.objects.get(id=row.id).person_id for row in (first, second)} == {first.person_id}
    assert staff.get(at(second.person_id))["Location"] == at(first.person_id)
    assert staff.get(address)["Location"] == at(first.person_id)
    whole = text(staff, at(first.person_id))
    assert "<h1>ササキ ユイ</h1>" in whole
    assert f"/console/bookings/{second.id}" in whole
    assert staff.post(at(second.person_id, "/part"))["Location"] == at(first.person_id)
    with shop(made.id):
        assert Booking.objects.get(id=second.id).person_id == second.person_id
    assert "<h1>佐々木 結</h1>" in text(staff, at(first.person_id))
    assert staff.post(at(second.person_id, "/part"))["Location"] == at(second.person_id)


def test_a_lost_race_is_said_in_words(made: Salon, staff: Client) -> None:
    first, second = _doubles(made)
    third = known(made, mail="third@example.jp")
    staff.post(at(first.person_id, f"/into/{third.person_id}"), {"step": "join"})
    answer = text(staff, at(second.person_id, f"/into/{first.person_id}"), {"step": "join"}, 409)
    assert "ほかのお客様とまとめられました" in answer
    with shop(made.id):
        assert second.person_id is not None
        assert not Merge.objects.filter(double=second.person_id).exclude(state="dropped").exists()


def test_it_asks_as_often_for_a_long_history(made: Salon, staff: Client) -> None:
    """Whatever a card shows, it is asked for in the same number of questions."""
    booking = known(made, mail="often@example.jp")
    assert booking.person_id is not None

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            text(staff, at(booking.person_id))
        return len(caught)

    asked()
    one = asked()
    for number in range(4):
        wish = actions.HoldRequest(made.cut, free(), None, 1, f"often-{number}")
        desk.book_known(made.id, desk.Wish(wish, "ja"), booking.person_id, now=NOON, by="staff:aoi.salon")
    assert asked() == one


@pytest.mark.parametrize("more", ["", "/edit", "/doubles"])
def test_another_shops_customer_is_none(made: Salon, staff: Client, more: str) -> None:
    assert made
    nobody = "00000000-0000-4000-8000-000000000000"
    answer = staff.post(at(UUID(nobody), more)) if more == "/doubles" else staff.get(at(UUID(nobody), more))
    assert answer.status_code == 404
    assert card.merge_state(made.id, UUID(nobody)).state == "none"


def test_the_owner_reads_who_looked_at_a_customer(made: Salon, staff: Client) -> None:
    """By handle, what, and when; of both records where two were joined."""
    first, second = _doubles(made)
    text(staff, at(second.person_id), {"show": "card"})
    staff.post(at(second.person_id, f"/into/{first.person_id}"), {"step": "join"})
    page = text(staff, at(first.person_id, "/looks"))
    assert re.search(r"<b>aoi</b> · 閲覧：[^<]*メールアドレス[^<]*電話番号", page)
    assert "（お客様のページで）" in page
    assert "別の記録とまとめたか" in page
    assert page.count("<li>") >= 5
    assert staff.get(at(UUID("00000000-0000-4000-8000-000000000000"), "/looks")).status_code == 404
