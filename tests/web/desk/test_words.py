"""What a shop says of itself, changed in the console: in each language, as a new version where it must be."""

import re
from typing import Any

from django.test import Client

from noren.shops.models import Shop
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.servers import Sink, wait_for

HERE = "/console/words"
EN = {"Accept-Language": "en"}
MAIL = "hello@aoba.example"


def row(made: Salon) -> Shop:
    with shop(made.id):
        return Shop.objects.get()


def fields(staff: Client, lang: str = "ja") -> dict[str, Any]:
    form = staff.get(f"{HERE}?in={lang}", headers=EN).context["form"]
    return {bound.html_name: bound.value() for bound in form} | {"in": lang}


def kept(staff: Client, lang: str = "ja", **changed: Any) -> None:
    answer = staff.post(HERE, {**fields(staff, lang), **changed}, headers=EN, follow=True)
    assert "Kept." in answer.content.decode()


def test_it_changes_the_words_of_one_language_and_leaves_the_others(staff: Client, made: Salon) -> None:
    kept(staff, about="路地の小さな店です。", access="駅から5分")
    kept(staff, "en", about="A small shop in a lane.")
    texts = row(made).texts
    assert texts["about"] == {"ja": "路地の小さな店です。", "en": "A small shop in a lane."}
    assert texts["name"] == {"ja": "サロン青葉", "en": "Salon Aoba"}
    # What English lacks is said in Japanese.
    page = Client().get("/salon/?lang=en").content.decode()
    assert "A small shop in a lane." in page
    assert "駅から5分" in page


def test_another_policy_is_another_version(staff: Client, made: Salon) -> None:
    before = row(made).policy_version
    kept(staff, about="また書きました。")
    assert row(made).policy_version == before
    kept(staff, policy="2日前まで取り消せます。")
    assert row(made).policy_version == before + 1
    kept(staff, "en", policy="Free until two days before.")
    assert row(made).policy_version == before + 2


def test_the_houses_words_are_not_kept_as_the_shops(staff: Client, made: Salon) -> None:
    """So that they stay true where the house's become others."""
    kept(staff)
    assert "privacy" not in row(made).texts
    kept(staff, privacy="ご予約のためだけに使います。")
    assert row(made).texts["privacy"] == {"ja": "ご予約のためだけに使います。"}
    assert "ご予約のためだけに使います。" in Client().get("/salon/privacy?lang=ja").content.decode()
    kept(staff, privacy="")
    assert "privacy" not in row(made).texts


def test_it_writes_what_the_law_asks_for(staff: Client, made: Salon) -> None:
    assert "Seller, Responsible" in staff.get(HERE, headers=EN).content.decode()
    kept(staff, legal_seller="青葉", legal_person="青木", legal_payment="前払いです。", on_request=["phone"])
    assert row(made).legal == {
        "seller": {"ja": "青葉"},
        "person": {"ja": "青木"},
        "payment": {"ja": "前払いです。"},
        "on_request": ["phone"],
    }
    page = Client().get("/salon/legal?lang=ja").content.decode()
    assert "前払いです。" in page
    assert "03-1234-5678" not in re.sub(r"<footer.*", "", page, flags=re.DOTALL)
    assert "Seller" not in staff.get(HERE, headers=EN).context["lacking"]
    kept(staff, on_request=[])


def test_it_says_what_cannot_be_and_loses_nothing(staff: Client, made: Salon) -> None:
    before = row(made).texts
    given = {**fields(staff), "phone": "call me", "about": "書きかけの文"}
    answer = staff.post(HERE, given, headers=EN)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "This cannot be a phone number." in text
    assert "書きかけの文" in text
    assert row(made).texts == before


def test_a_shop_keeps_a_name_in_some_language(staff: Client, made: Salon) -> None:
    kept(staff, name="")
    assert row(made).texts["name"] == {"en": "Salon Aoba"}
    answer = staff.post(HERE, {**fields(staff, "en"), "name": ""}, headers=EN)
    assert answer.status_code == 422
    kept(staff, name="サロン青葉")


def test_its_mail_is_another_once_a_code_came_back(staff: Client, made: Salon, module_mail: Sink) -> None:
    answer = staff.post(f"{HERE}/mail", {"mail": "no address"}, headers=EN)
    assert (answer.status_code, "cannot be a mail address" in answer.content.decode()) == (422, True)
    answer = staff.post(f"{HERE}/mail", {"mail": MAIL}, headers=EN, follow=True)
    assert MAIL in answer.content.decode()
    assert row(made).contact.get("mail", "") == ""
    wait_for(lambda: any(one["To"] == MAIL for one in module_mail.messages))
    (letter,) = (one for one in module_mail.messages if one["To"] == MAIL)
    found = re.search(r"code is (\d{6})", letter.get_content())
    assert found is not None
    wrong = staff.post(f"{HERE}/mail", {"code": f"{int(found[1]) ^ 1:06d}"}, headers=EN)
    assert wrong.status_code == 422
    staff.post(f"{HERE}/mail", {"code": found[1]}, headers=EN)
    assert row(made).contact["mail"] == MAIL
    assert "A code is on its way" not in staff.get(HERE, headers=EN).content.decode()
