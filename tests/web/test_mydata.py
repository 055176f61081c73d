"""A customer's own page: who looked at her data. The way in, the sentences in both languages, the proof."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import translation

import noren_verify
from noren import people
from noren.booking.models import Booking
from noren.people import Purpose
from noren.shops.tenancy import shop
from noren.web import lookups
from noren_vault import exposure
from noren_vault import lookups as rules
from noren_vault.ledger.entry import KINDS
from noren_vault.rights import Role
from tests.api.salon import NOON, Salon
from tests.servers import Sink, VaultProcess, wait_for
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor

CODE = re.compile(r"コードです: (\d{6})")


@pytest.fixture
def person(made: Salon, vault: VaultProcess, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """Hanako, who booked. The vault's clock is the machine's; her sign-in lasts from the salon's noon."""
    assert vault
    finish = people.own_finish

    def finish_here(*args: Any, **named: Any) -> people.SignedIn:
        entered = finish(*args, **named)
        assert isinstance(entered, people.SignedIn)
        return replace(entered, who=replace(entered.who, expires=NOON + timedelta(hours=12)))

    monkeypatch.setattr(people, "own_finish", finish_here)
    booked(made, TOMORROW)
    with shop(made.id):
        one = Booking.objects.get().person_id
    assert one is not None
    people.keep(made.id, one)
    yield one
    assert mail


def _codes(mail: Sink) -> list[str]:
    found = []
    for message in mail.messages:
        body = message.get_body(("plain",))
        found += CODE.findall(body.get_content()) if body is not None else []
    return found


def _enter(mail: Sink, visitor: Visitor) -> None:
    before = len(_codes(mail))
    visitor.open("/salon/my-data")
    visitor.press("", mail=CUSTOMER["mail"])
    wait_for(lambda: len(_codes(mail)) > before)
    visitor.press("", code=_codes(mail)[-1])


def test_it_is_reached_from_the_shop_and_from_the_booking(made: Salon, person: UUID) -> None:
    assert person
    token = booked(made, TOMORROW + timedelta(hours=3)).token
    for address in ("/salon/", f"/b/{token}"):
        assert 'href="/salon/my-data"' in Client().get(address).content.decode()


def test_it_lets_her_in_by_a_mailed_code_and_tells_her_in_words(
    person: UUID, mail: Sink, staff: Client, tmp_path: Path, vault: VaultProcess
) -> None:
    """In: what was looked at, in both languages, with its proof. Out: the way in again."""
    staff.post(f"/console/customers/{person}", {"show": "card"})
    visitor = Visitor()
    _enter(mail, visitor)
    assert visitor.now_at == "/salon/my-data"
    assert (
        "のオーナーが、お客様のページでお名前、フリガナ、メールアドレス、電話番号と備考を見ました。"
        in visitor.text
    )
    assert "ご予約の際に、" in visitor.text
    assert "青木" not in visitor.text
    assert CUSTOMER["name"] not in visitor.text
    assert "no-store" in visitor.page.headers["Cache-Control"]
    english = visitor.client.get("/salon/my-data", headers={"Accept-Language": "en"}).content.decode()
    assert (
        "saw your name, name in katakana, mail address, phone number and note, on your customer page."
        in english
    )
    assert "You have opened this list 2 times." in english
    link = re.search(r'href="(/salon/my-data/\d+\.tlog-proof)"', english)
    assert link is not None
    proof = visitor.client.get(link[1])
    assert proof.headers["Content-Disposition"].startswith('attachment; filename="salon-')
    (tmp_path / "p").write_bytes(proof.content)
    key = (vault.ledger / "vkey").read_text().strip()
    assert noren_verify.main(["--key", key, "--proof", str(tmp_path / "p")]) == 0
    visitor.press("")
    assert "確認コードを送る" in visitor.text
    assert "noren_grant" not in {name for name, one in visitor.client.cookies.items() if one.value}
    assert visitor.client.get(link[1]).status_code == 302


def test_it_answers_the_same_whoever_asks(person: UUID, mail: Sink) -> None:
    """A known address, an unknown one and nonsense: the same page, but for the address typed."""
    assert person
    pages = set()
    for typed in (CUSTOMER["mail"], "nobody@example.jp", "no address"):
        answer = Client(headers={"Accept-Language": "ja"}).post("/salon/my-data/code", {"mail": typed})
        text = answer.content.decode().replace(typed, "")
        pages.add((answer.status_code, re.sub(r'csrfmiddlewaretoken" value="\w+"', "", text)))
    assert len(pages) == 1
    refused = set()
    for typed in (CUSTOMER["mail"], "nobody@example.jp", "no address"):
        answer = Client().post("/salon/my-data/enter", {"mail": typed, "code": "x"})
        refused.add((answer.status_code, len(answer.content) - len(typed)))
    assert len({status for status, _ in refused}) == 1
    assert {status for status, _ in refused} == {403}
    assert mail


def test_it_asks_for_what_is_missing(person: UUID) -> None:
    assert person
    for address in ("code", "enter"):
        answer = Client(headers={"Accept-Language": "ja"}).post(f"/salon/my-data/{address}", {"mail": " "})
        assert answer.status_code == 422
        assert "メールアドレスを入力してください" in answer.content.decode()
    assert Client().get("/salon/my-data/code").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/salon/my-data/leave").status_code == 403
    assert Client().get("/nowhere/my-data").status_code == 404


def test_it_shows_nobody_elses(made: Salon, person: UUID, mail: Sink, staff: Client) -> None:
    """Staff who are signed in stand at the way in; her session opens no console; a strange line is none."""
    assert "確認コードを送る" in staff.get("/salon/my-data").content.decode()
    visitor = Visitor()
    _enter(mail, visitor)
    assert visitor.client.get("/console/").status_code == 302
    assert visitor.client.get("/salon/my-data/999999.tlog-proof").status_code == 404
    assert visitor.client.get("/salon/my-data?before=x").status_code == 200
    assert "これより前の記録はありません" in visitor.client.get("/salon/my-data?before=0").content.decode()
    assert made
    assert person


def test_it_says_when_her_time_is_over(person: UUID, mail: Sink, vault: VaultProcess) -> None:
    """A grant that ended elsewhere leads back to the way in, with words."""
    assert person
    visitor = Visitor()
    _enter(mail, visitor)
    people.signout(visitor.client.cookies["noren_customer"].value)
    visitor.open("/salon/my-data")
    assert "閲覧の時間が終わりました" in visitor.text
    vault.stop()
    assert Client().post("/salon/my-data/code", {"mail": "a@example.jp"}).status_code == 503


def test_it_lets_the_owner_decide_who_is_named(made: Salon, person: UUID, mail: Sink, staff: Client) -> None:
    """By role; then by the name under which the shop itself shows her."""
    staff.post(f"/console/customers/{person}", {"show": "card"})
    visitor = Visitor()
    _enter(mail, visitor)
    assert "の葵が" not in visitor.text
    page = staff.get("/console/my-data").content.decode()
    assert "役割だけを示し" in page
    assert staff.post("/console/my-data", {"named": "yes"}).status_code == 302
    assert "スタッフの名前も示します" in staff.get("/console/my-data").content.decode()
    visitor.open("/salon/my-data")
    told = people.lookups(visitor.client.cookies["noren_customer"].value)
    assert told.named
    assert {one.staff for one in told.lines if one.role == "owner"} == {"aoi"}
    with translation.override("ja"):
        named = [
            one.words for one in lookups.lines(_face(made), told) if "葵" in one.words or "aoi" in one.words
        ]
    assert named
    assert named[0] in visitor.text


def _face(made: Salon) -> Any:
    from noren.web import shopfront  # noqa: PLC0415 - needs the settings of the test

    face = shopfront.face(made.id, "salon")
    assert face is not None
    return face


def _line(**given: Any) -> people.Lookup:
    plain = {"entry": 1, "at": NOON, "kind": "intent", "role": "staff", "staff": None, "purpose": "today"}
    return people.Lookup(**{**plain, "fields": ("name",), "state": "exposed", "late": False, **given})


@pytest.mark.parametrize(
    ("given", "english", "japanese"),
    [
        (
            {},
            "Staff of S saw your name, for today's list.",
            "Sのスタッフが、本日の一覧のためにお名前を見ました。",
        ),
        (
            {"state": "possibly", "fields": ("phone", "name")},
            (
                "Staff of S may have seen your name and phone number, for today's list. "
                "How it ended is not on record."
            ),
            "Sのスタッフが、本日の一覧のためにお名前と電話番号を見た可能性があります。結果は記録されていません。",
        ),
        (
            {"kind": "refused", "state": "not", "fields": ()},
            "Staff of S asked for your record, for today's list, and got nothing.",
            "Sのスタッフが、本日の一覧のために情報を見ようとしましたが、何も示されませんでした。",
        ),
        (
            {"kind": "send", "role": "noren", "purpose": "message"},
            "Noren sent you a mail for the shop, with your name.",
            "暖簾が、お名前を用いて、お店からのメールをお送りしました。",
        ),
        (
            {"kind": "export", "role": "manager", "purpose": "export"},
            "A manager of S took a copy of your name.",
            "Sの店長が、お名前の写しを取り出しました。",
        ),
        (
            {"kind": "update", "role": "customer", "purpose": ""},
            "Another customer changed your name.",
            "ほかのお客様が、お名前を変更しました。",
        ),
        (
            {"kind": "import", "role": "manager", "purpose": "", "fields": ()},
            "A manager of S asked whether you are among its customers, with a list that was to come in.",
            "Sの店長が、名簿を取り込む前に、あなたがすでにお客様かどうかを確認しました。",
        ),
    ],
)
def test_it_says_it_in_plain_words(given: dict[str, Any], english: str, japanese: str) -> None:
    for language, words in (("en", english), ("ja", japanese)):
        with translation.override(language):
            assert lookups.sentence(_line(**given), "S") == words


def test_it_has_a_sentence_for_every_kind_role_and_purpose() -> None:
    """Whatever the record may hold is said in words, without a hole and without a code, in both languages."""
    roles = [*Role, "self", "booking", "import", "noren", "administrator", "other"]
    for language in ("en", "ja"):
        with translation.override(language):
            for kind in sorted(KINDS):
                for role in roles:
                    for state in ("exposed", "possibly", "not", "none"):
                        said = lookups.sentence(_line(kind=kind, role=role, state=state), "S")
                        assert "%" not in said
                        assert said.endswith((".", "。"))
            reasons = {p: lookups.sentence(_line(purpose=p), "S") for p in Purpose if p != Purpose.MESSAGE}
            assert len(set(reasons.values())) == len(reasons)


def test_it_says_the_vaults_own_number_of_days() -> None:
    assert people.WITHHELD_DAYS * 86_400_000 == rules.LONGEST_MS
    assert not set(rules.UNTOLD) - set(exposure.SILENT), "what tells of somebody is told her"
