"""The shop's questions in its pages: asked, refused in place, shown once more, kept in the vault alone."""

import re
from http.cookies import Morsel
from typing import Any

import pytest
from django.test import Client

from noren import people
from noren.accounts.session import cookie_name
from noren.booking.models import Booking
from noren.shops.models import Service, Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.booking.asks import ALL, ALLERGY, LENGTH, PHOTOS, question
from tests.servers import Sink, VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

GOOD = {"answers.length": "long", "answers.words": "<b>短め</b>", "answers.photos": "1"}
HEALTH = {"answers.allergy": "ジアミン", "health_consent": "1"}
MARKED = "印のついた項目をご確認ください"


def ask(made: Salon, *questions: dict[str, Any], **columns: Any) -> None:
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(questions=list(questions), **columns)


def at(made: Salon, address: str = "", visitor: Visitor | None = None) -> Visitor:
    """A customer who has chosen a time."""
    customer = visitor or Visitor()
    customer.open(address or f"/salon/book/{made.cut}/")
    customer.press("at", str(int(TOMORROW.timestamp())))
    return customer


def last(made: Salon) -> Booking:
    with shop(made.id):
        return Booking.objects.order_by("id").last() or Booking()


def test_it_asks_shows_and_keeps_nothing_of_it_here(
    made: Salon, vault: VaultProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a page for others, nor in a cookie, an address or a log; tests/api reads every table."""
    assert vault
    ask(made, *ALL)
    customer = at(made)
    for words in ("lengthは？", "longの選択", "健康について", "どなたのご予約ですか", "同意します"):
        assert words in customer.text
    customer.press("step", "final", **CUSTOMER, **GOOD, **HEALTH)
    for words in ("longの選択", "&lt;b&gt;短め&lt;/b&gt;", "同意しました", "ジアミン"):
        assert words in customer.text
    customer.press("step", "who")
    assert re.search(r'value="long"[^>]* checked', customer.text)
    customer.press("step", "final", **GOOD)
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text
    assert "保管されている私のデータ" in customer.text
    here = customer.text + customer.now_at + str(customer.client.cookies) + caplog.text
    for words in ("短め", "ジアミン", "longの選択"):
        assert words not in here
    assert last(made).agreed["asked"]["fields"] == ["answers", "health"]


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"answers.length": ""}, "answers.length", "ご記入ください"),
        ({"answers.length": "bald"}, "answers.length", "この内容は使えません"),
        ({"answers.words": "あ" * 1001}, "answers.words", "長すぎます"),
        ({"answers.words": "あ" * 8000}, "answers.words", "長すぎます"),
        ({"answers.photos": "7"}, "answers.photos", "お店がこの文面を変更しました"),
        ({"answers.photos": "x"}, "answers.photos", "お店がこの文面を変更しました"),
        ({"health_consent": ""}, "health_consent", "同意のうえチェックを入れるか"),
        ({"answers.allergy": "a\u0007"}, "answers.allergy", "使えない文字"),
    ],
)
def test_it_marks_the_answer_and_keeps_the_form(
    made: Salon, given: dict[str, str], field: str, words: str
) -> None:
    ask(made, *ALL)
    customer = at(made)
    customer.press("step", "final", **{**CUSTOMER, **GOOD, **HEALTH, **given})
    assert customer.page.status_code == 422
    assert f'id="id_{field}_error">' in customer.text
    assert words in customer.text.split(f'id="id_{field}_error">')[1][:60]
    assert 'value="山田 花子"' in customer.text
    assert MARKED in customer.text
    assert last(made).status == "held"


def test_who_gives_no_consent_where_an_answer_is_needed_is_told_to_call(made: Salon) -> None:
    ask(made, {**ALLERGY, "required": True})
    customer = at(made)
    assert "お電話でご予約ください" in customer.text
    assert 'href="tel:03-1234-5678"' in customer.text
    customer.press("step", "final", **CUSTOMER)
    assert customer.page.status_code == 422
    assert "こちらではご予約を承れません" in customer.text


def test_a_question_that_was_taken_away_meanwhile_is_missed_by_nobody(
    made: Salon, vault: VaultProcess
) -> None:
    assert vault
    ask(made, LENGTH)
    customer = at(made)
    customer.press("step", "final", **CUSTOMER, **{"answers.length": "long"})
    ask(made)
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text
    assert "asked" not in last(made).agreed


def test_a_question_that_was_added_meanwhile_is_asked_with_the_form_kept(
    made: Salon, vault: VaultProcess
) -> None:
    assert vault
    customer = at(made)
    customer.press("step", "final", **CUSTOMER)
    ask(made, LENGTH)
    customer.press("step", "book")
    assert customer.page.status_code == 422
    assert 'value="山田 花子"' in customer.text
    customer.press("step", "final", **{"answers.length": "short"})
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text


def test_a_consent_holds_for_the_words_that_were_read(made: Salon, vault: VaultProcess) -> None:
    assert vault
    ask(made, PHOTOS)
    customer = at(made)
    customer.press("step", "final", **CUSTOMER, **{"answers.photos": "1"})
    with shop(made.id), change():
        Shop.objects.update(questions_version=2)
    customer.press("step", "book")
    assert customer.page.status_code == 422
    assert "お店がこの文面を変更しました" in customer.text
    [tick] = re.findall(r'<input[^>]*name="answers.photos"[^>]*>', customer.text)
    assert 'value="2"' in tick
    assert "checked" not in tick
    customer.press("step", "final", **{"answers.photos": "2"})
    customer.press("step", "book")
    assert last(made).agreed["asked"]["consents"] == [{"key": "photos", "version": 2}]


def test_for_a_child_the_name_is_asked_and_the_mail_stays_the_parents(
    made: Salon, staff: Client, mail: Sink
) -> None:
    """The day's list, the booking and the search know the child; who may see names sees hers."""
    customer = at(made)
    child = {"whom": "other", "guests.0.name": "山田 つぼみ", "guests.0.kana": "やまだ つぼみ"}
    customer.press("step", "final", **CUSTOMER, **child)
    assert "山田 つぼみ" in customer.text
    assert "ヤマダ ツボミ" in customer.text
    customer.press("step", "book")
    booking = last(made)
    assert booking.person_id
    people.keep(made.id, booking.person_id)
    day = staff.get(f"/console/day?date={TOMORROW:%Y-%m-%d}").content.decode()
    assert "山田 つぼみ（ご予約：山田 花子）" in day
    page = staff.get(f"/console/bookings/{booking.id}").content.decode()
    assert "山田 つぼみ" in page
    cookie = staff.cookies[cookie_name()]
    assert isinstance(cookie, Morsel)
    people.narrow(cookie.value, "owner", "day", ["name", "kana"])
    day = staff.get(f"/console/day?date={TOMORROW:%Y-%m-%d}").content.decode()
    assert "山田 花子" in day
    assert "つぼみ" not in day
    found = staff.post("/console/customers", {"query": "つぼみ"}).content.decode()
    assert "山田 花子" in found
    assert all("つぼみ" not in str(message) for message in mail.messages)


def test_names_are_asked_as_the_service_says(made: Salon) -> None:
    ask(made, guests="hidden")
    assert "どなたのご予約ですか" not in at(made).text
    ask(made, guests="required", party_max=3)
    customer = at(made, f"/salon/book/{made.cut}/?party=3")
    customer.press("step", "final", **CUSTOMER, **{"guests.1.name": "花"})
    assert customer.page.status_code == 422
    assert 'id="id_guests.2.name_error">' in customer.text
    assert 'id="id_guests.0.name_error">' not in customer.text
    customer.press("step", "final", **{"guests.2.name": "葉"})
    assert customer.page.status_code == 200
    customer.press("step", "who")
    customer.press("step", "final", whom="other")
    assert 'id="id_guests.0.name_error">' in customer.text


def test_a_tap_shows_answers_and_another_those_about_health(made: Salon, staff: Client) -> None:
    ask(made, *ALL)
    customer = at(made)
    customer.press("step", "final", **CUSTOMER, **GOOD, **HEALTH)
    customer.press("step", "book")
    booking = last(made)
    address = f"/console/bookings/{booking.id}"

    def shown(show: str = "", where: str = address) -> list[bool]:
        page = (staff.post(where, {"show": show}) if show else staff.get(where)).content.decode()
        assert "photosは？" in page or where != address
        return [words in page for words in ("&lt;b&gt;短め", "ジアミン", "hanako@example.jp")]

    assert shown() == [False, False, False]
    assert shown("answers") == [True, False, False]
    assert shown("health") == [False, True, False]
    assert shown("card") == [False, False, True]
    assert booking.person_id
    her = f"/console/customers/{booking.person_id}"
    assert [shown(show, her)[:2] for show in ("answers", "health")] == [[True, False], [False, True]]
    assert staff.post(her, {"erase": "health"}).status_code == 302
    assert shown("health", her)[:2] == [False, False]
    for page in ("/console/", f"/console/day?date={TOMORROW:%Y-%m-%d}"):
        assert "ジアミン" not in staff.get(page).content.decode()


def test_what_nobody_asked_her_is_for_the_desk(made: Salon, staff: Client) -> None:
    """She came before the question did, or from the waiting list."""
    customer = at(made)
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "book")
    ask(made, LENGTH)
    assert "店頭でおたずねください" in staff.get(f"/console/bookings/{last(made).id}").content.decode()


def test_the_use_of_data_tells_of_health_where_it_is_asked(made: Salon) -> None:
    def told() -> str:
        return Client(headers={"Accept-Language": "ja"}).get("/salon/privacy").content.decode()

    assert "お店からの質問への回答" in told()
    assert "健康についての質問もあります" not in told()
    ask(made, ALLERGY)
    assert "健康についての質問もあります" in told()
    assert "お一人分ずつ開きます" in told()


def test_it_asks_in_another_sites_frame_too(made: Salon, vault: VaultProcess) -> None:
    assert vault
    with shop(made.id), change():
        Shop.objects.update(embed_origins=["https://www.salon.example"])
    ask(made, *ALL)
    customer = at(made, f"/salon/embed/book/{made.cut}/")
    customer.press("step", "final", **CUSTOMER)
    assert customer.page.status_code == 422
    customer.press("step", "final", **GOOD)
    customer.press("step", "book")
    assert last(made).status == "confirmed"
    assert last(made).agreed["asked"]["fields"] == ["answers"]


def test_questions_of_everybody_come_first(made: Salon) -> None:
    with shop(made.id), change():
        Shop.objects.update(questions=[question("everybody")])
    ask(made, LENGTH)
    text = at(made).text
    assert 0 < text.index("everybodyは？") < text.index("lengthは？")
