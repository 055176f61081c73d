"""A shop's first hour, without JavaScript: from the printed link to a page that customers can book on."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from noren import clock, people
from noren.booking import classes, founding
from noren.shops import directory, kinds, setup
from noren.shops.models import Setup, Shop, ShopDirectory, Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.web.conftest import joined, last_from_noon

EN = {"Accept-Language": "en"}
SHOP_MAIL = "hello@aoba.example"
ABOUT = {
    "name": "サロン青葉",
    "address": "東京都台東区谷中0-0-0",
    "phone": "03-0000-0000",
    "mail": SHOP_MAIL,
    "other_name": "Salon Aoba",
}
MEMBER = people.Member("owner", "owner", None, "オーナー", "owner@aoba.example")


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    last_from_noon(monkeypatch)
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, SECRET_KEY="s" * 50):
        yield


def founded(slug: str, lang: str = "ja") -> tuple[int, Client]:
    """A shop that nobody sees, and its owner signed in."""
    shop_id = founding.found(slug, locale=lang, zone="Asia/Tokyo", now=NOON)
    (invited,) = people.found_shop(shop_id, slug, [MEMBER], tell=True)
    return shop_id, joined(invited.invite, "console")


@pytest.fixture
def begun(app_db: AppDatabase, vault: VaultProcess, mail: Sink) -> tuple[int, Client]:
    assert app_db
    assert vault
    assert mail
    return founded("aoba")


def post(client: Client, step: str, **given: Any) -> Any:
    return client.post(f"/console/start/{step}", given, headers=EN)


def fields(client: Client, step: str) -> dict[str, Any]:
    """What the step's form would send as it stands there."""
    form = client.get(f"/console/start/{step}", headers=EN).context["form"]
    rows = [form.management_form, *form.forms] if hasattr(form, "forms") else [form]
    found = {bound.html_name: bound.value() for row in rows for bound in row}
    return {name: value for name, value in found.items() if value not in (None, "", False) or name == "s-on"}


def answered(client: Client, kind: str) -> None:
    """Go through the steps as somebody does who takes all as it stands."""
    assert post(client, "kind", kind=kind).status_code == 302
    assert post(client, "about", **ABOUT).status_code == 302
    assert post(client, "hours", **fields(client, "hours")).status_code == 302
    staff = {"staff": "葵 / Aoi\n律"} if kinds.of(kind)["kind"]["staff"] else {}
    assert post(client, "team", **{**fields(client, "team"), **staff}).status_code == 302
    answer = post(client, "services", **fields(client, "services"))
    assert answer.status_code == 302, answer.content.decode()
    words = {**fields(client, "words"), "person": "青木"}
    assert post(client, "words", **words).headers["Location"] == "/console/start/look"


def code(mail: Sink, number: int = 1) -> str:
    def there() -> list[str]:
        texts = [one.get_content() for one in mail.messages if one["To"] == SHOP_MAIL]
        return [found[1] for text in texts if (found := re.search(r"code is (\d{6})", text))]

    wait_for(lambda: len(there()) >= number)
    return there()[number - 1]


def opened(client: Client, mail: Sink, number: int = 1) -> Any:
    return client.post("/console/start/open", {"code": code(mail, number)}, headers=EN, follow=True)


def test_each_kind_is_a_shop_that_can_be_booked_in_both_languages(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink
) -> None:
    assert module_app_db
    assert module_vault
    for number, kind in enumerate(kinds.KINDS, 1):
        shop_id, client = founded(f"shop-{kind}")
        answered(client, kind)
        assert Client().get(f"/shop-{kind}/").status_code == 404
        assert "You are open" in opened(client, module_mail, number).content.decode()
        classes.schedule(shop_id, now=NOON)
        for lang in ("ja", "en"):
            page = Client().get(f"/shop-{kind}/?lang={lang}").content.decode()
            offered = list(dict.fromkeys(re.findall(rf'href="(/shop-{kind}/book/\d+/)', page)))
            assert len(offered) == len(kinds.of(kind)["services"])
            for service, given in zip(offered, kinds.of(kind)["services"], strict=True):
                assert given["name"][lang] in page
                asked = Client().get(f"{service}?lang={lang}").content.decode()
                assert 'name="at"' in asked, (kind, given["key"])


def test_it_leads_to_where_one_was_and_keeps_what_was_said(begun: tuple[int, Client]) -> None:
    shop_id, client = begun
    assert client.get("/console/start").headers["Location"] == "/console/start/kind"
    # What hangs on the kind waits for it.
    assert client.get("/console/start/hours").headers["Location"] == "/console/start/kind"
    post(client, "kind", kind="salon")
    assert client.get("/console/start").headers["Location"] == "/console/start/about"
    post(client, "about", **ABOUT)
    assert client.get("/console/start/look").headers["Location"] == "/console/start/hours"
    assert ABOUT["address"] in client.get("/console/start/about").content.decode()
    with shop(shop_id):
        # Its rows come once all is answered, and at one stroke.
        assert Shop.objects.get().texts == {"name": {"ja": "aoba"}}
        assert set(setup.answers()) == {"kind", "about"}


@pytest.mark.parametrize(
    ("step", "given", "told"),
    [
        ("kind", {"kind": "castle"}, "Please choose once more."),
        ("about", {**ABOUT, "name": ""}, "Please fill this in."),
        ("about", {**ABOUT, "mail": "nobody"}, "This cannot be a mail address."),
        ("about", {**ABOUT, "phone": "call me"}, "This cannot be a phone number."),
        ("hours", {"mon": "nine to five", "rule": "open"}, "Please write the hours like"),
        ("hours", {"rule": "open"}, "The shop is never open."),
        ("team", {"staff": " \n", "places": "1"}, "Please fill this in."),
        ("team", {"staff": "葵", "places": "900"}, "less than or equal to 30"),
        ("words", {"policy": "", "seller": "青葉", "person": "青木"}, "Please fill this in."),
        ("words", {"policy": "無料です。", "seller": "青葉", "person": ""}, "Please fill this in."),
    ],
)
def test_it_says_of_each_field_how_to_mend_it_and_loses_nothing(
    began: tuple[int, Client], step: str, given: dict[str, str], told: str
) -> None:
    shop_id, client = began
    with shop(shop_id):
        before = setup.answers()
    answer = post(client, step, **given)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert told in text
    for value in given.values():
        assert value.strip() in text or step == "kind"
    with shop(shop_id):
        assert setup.answers() == before


@pytest.fixture(scope="module")
def began(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink
) -> Iterator[tuple[int, Client]]:
    """A shop for refusals: they leave it as it is."""
    assert module_app_db
    assert module_vault
    assert module_mail
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOON)
        last_from_noon(patch)
        with override_settings(SECRET_KEY="s" * 50):
            shop_id, client = founded("refused")
            post(client, "kind", kind="classes")
            post(client, "about", **ABOUT)
            for step in ("hours", "services"):
                post(client, step, **fields(client, step))
            yield shop_id, client


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"s-0-name": ""}, "Please fill this in."),
        ({"s-0-price": "-1"}, "greater than or equal to 0"),
        ({"s-0-minutes": "2"}, "At least 5 minutes"),
        ({"s-0-start": "22:00"}, "the shop is not open then"),
        ({"s-0-days": ["thu"]}, "On Thursday the shop is not open then"),
        ({"s-0-days": []}, "Please fill this in."),
        ({"s-3-on": "on", "s-3-name": "ヨガ入門"}, "Please fill this in."),
        ({f"s-{number}-on": "" for number in range(4)}, "Please tick at least one service."),
    ],
)
def test_it_refuses_a_service_that_cannot_be(
    began: tuple[int, Client], changed: dict[str, Any], told: str
) -> None:
    _shop_id, client = began
    given = {key: value for key, value in {**fields(client, "services"), **changed}.items() if value != ""}
    answer = post(client, "services", **given)
    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_it_gives_one_more_line_and_keeps_what_was_typed(began: tuple[int, Client]) -> None:
    _shop_id, client = began
    given = fields(client, "services") | {"s-3-name": "ヨガ入門", "add": "1"}
    answer = post(client, "services", **given)
    assert answer.status_code == 200
    assert "ヨガ入門" in answer.content.decode()
    assert answer.context["form"].total_form_count() == 5


def test_a_name_that_is_another_service_leaves_its_old_english_behind(begun: tuple[int, Client]) -> None:
    shop_id, client = begun
    post(client, "kind", kind="salon")
    given = fields(client, "services") | {"s-0-name": "着付け"}
    del given["s-1-on"]
    post(client, "services", **given)
    with shop(shop_id):
        rows = setup.answers()["services"]
    assert rows[0]["name"] == {"ja": "着付け"}
    assert "colour" not in [row["key"] for row in rows]
    # It is there to be ticked again.
    assert "カラー" in client.get("/console/start/services").content.decode()


def test_only_its_people_see_it_before_it_opens(begun: tuple[int, Client], mail: Sink) -> None:
    _shop_id, client = begun
    answered(client, "salon")
    page = client.get("/aoba/", headers=EN)
    assert page.status_code == 200
    assert "Only you see this." in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    service = re.findall(r"/aoba/book/\d+/", page.content.decode())[0]
    assert client.get(service).status_code == 200
    # To look is all that can be done.
    refused = client.post(service, {"at": "1"}, headers=EN)
    assert (refused.status_code, "not open yet" in refused.content.decode()) == (409, True)
    assert Client().get("/aoba/").status_code == 404
    assert "Only you" in client.get("/aoba/legal", headers=EN).content.decode()
    opened(client, mail)
    assert "Only you" not in client.get("/aoba/", headers=EN).content.decode()


def test_it_opens_with_the_code_that_was_mailed_and_with_no_other(
    begun: tuple[int, Client], mail: Sink
) -> None:
    shop_id, client = begun
    answered(client, "clinic")
    right = code(mail)
    wrong = client.post("/console/start/open", {"code": f"{int(right) ^ 1:06d}"}, headers=EN)
    assert wrong.status_code == 422
    assert Client().get("/aoba/").status_code == 404
    done = client.post("/console/start/open", {"code": f" {right[:3]} {right[3:]}"}, headers=EN, follow=True)
    assert "You are open" in done.content.decode()
    with shop(shop_id):
        kept = Setup.objects.get()
        assert (kept.opened_by, kept.mail_proved) == ("staff:owner.aoba", SHOP_MAIL)
        assert [row.texts["name"] for row in Staff.objects.order_by("position")] == [
            {"ja": "葵", "en": "Aoi"},
            {"ja": "律"},
        ]
    # One mail went there, and no other.
    assert len([one for one in mail.messages if one["To"] == SHOP_MAIL]) == 1
    # The steps are over; whoever goes back comes to what is next.
    assert client.get("/console/start/hours").headers["Location"] == "/console/start"
    assert client.get("/console/start").status_code == 200


def test_its_first_language_may_be_english(app_db: AppDatabase, vault: VaultProcess, mail: Sink) -> None:
    assert app_db
    assert vault
    shop_id, client = founded("aoba", "en")
    answered(client, "salon")
    opened(client, mail)
    with shop(shop_id):
        row, staff = Shop.objects.get(), Staff.objects.order_by("position").first()
    assert row.texts["name"] == {"en": ABOUT["name"], "ja": ABOUT["other_name"]}
    assert staff is not None
    assert staff.texts["name"] == {"en": "葵", "ja": "Aoi"}
    assert "Cut" in Client().get("/aoba/?lang=en").content.decode()


def test_another_address_is_proved_anew(begun: tuple[int, Client], mail: Sink) -> None:
    shop_id, client = begun
    answered(client, "rental")
    post(client, "about", **{**ABOUT, "mail": "other@aoba.example"})
    with shop(shop_id):
        assert Setup.objects.get().mail_asked == "other@aoba.example"
    # The code that went to the first one opens nothing.
    answer = client.post("/console/start/open", {"code": code(mail)}, headers=EN)
    assert answer.status_code == 422


def test_the_command_prints_the_link_until_its_owner_has_joined(
    app_db: AppDatabase, vault: VaultProcess, mail: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app_db
    assert vault
    asked = ["aoba", "--owner", "owner@aoba.example", "--lang", "en", "--zone", "Europe/London"]
    links = []
    for _ in range(2):
        assert founding.main(asked) == 0
        links += re.findall(r"/console/join#(\S+)", capsys.readouterr().out)
    assert len(set(links)) == 2
    assert links[-1] in mail.wait(2)[-1].get_content()
    client = joined(links[-1], "console")
    assert client.get("/console/start").headers["Location"] == "/console/start/kind"
    assert founding.main(asked) == 1
    assert "has joined" in capsys.readouterr().err
    # Another owner's mail is no way into a shop that has one.
    assert founding.main(["aoba", "--owner", "other@aoba.example"]) == 1
    with shop(directory.shop_id("aoba")):
        row = Shop.objects.get()
    assert (row.locale, row.zone, row.published) == ("en", "Europe/London", False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("console --owner a@b.example", "cannot be an address"),
        ("Aoba! --owner a@b.example", "cannot be an address"),
        ("aoba --owner nobody", "is no mail address"),
        ("aoba --owner a@b.example --zone Mars", "is no time zone"),
        ("open --owner a@b.example", "there is such a shop already"),
    ],
)
def test_the_command_refuses_and_makes_nothing(
    words: str, told: str, module_app_db: AppDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module_app_db
    with shop(directory.found("open")):
        if not Shop.objects.exists():
            Shop.objects.create(texts={"name": {"ja": "開店済み"}})
    assert founding.main(words.split()) == 1
    assert told in capsys.readouterr().err
    assert not ShopDirectory.objects.filter(slug="aoba").exists()
