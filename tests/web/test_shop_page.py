"""A shop's own page and what the law asks of it, for people and for machines."""

import json
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client, override_settings

from noren import clock
from noren.booking import actions
from noren.shops import rules
from noren.shops.models import Override, Resource, Shop, Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase

JA = {"Accept-Language": "ja"}
EN = {"Accept-Language": "en"}
ORIGIN = "http://localhost:8000"


@pytest.fixture
def made(app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Salon]:
    assert app_db
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with override_settings(NOREN_ORIGIN=ORIGIN, SECRET_KEY="s" * 50):
        yield salon()


def page(path: str = "/salon/", headers: dict[str, str] = JA) -> str:
    answer = Client().get(path, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def write(made: Salon, **columns: Any) -> None:
    with shop(made.id), rules.change():
        Shop.objects.update(**columns)


def texts(made: Salon, **words: Any) -> None:
    with shop(made.id):
        known = Shop.objects.values_list("texts", flat=True).get()
    write(made, texts={**known, **words})


def linked(text: str) -> Any:
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    return json.loads(block)


# -- words


def test_it_tells_who_serves(made: Salon) -> None:
    with shop(made.id), rules.change():
        Staff.objects.filter(key="aoi").update(
            texts={"name": {"ja": "葵"}, "title": {"ja": "店長"}, "about": {"ja": "短い髪が得意です。"}},
            fee=1100,
        )
        Resource.objects.filter(key="ren").update(visible=False)
        Resource.objects.filter(key="mio").update(bookable=False)
    text = page()
    assert all(word in text for word in ("葵", "店長", "短い髪が得意です。", "1,100"))
    assert ">ren<" not in text
    assert ">mio<" not in text


def test_it_tells_how_to_cancel(made: Salon) -> None:
    assert "前日の20時まで取り消せます。" in page()
    texts(made, policy={})
    assert "until when, and what it costs" in page(headers=EN).lower()


def test_it_names_the_language_of_words_that_are_not_in_the_readers(made: Salon) -> None:
    assert '<dd lang="ja">東京都渋谷区1-2-3</dd>' in page(headers=EN)
    assert 'lang="ja">東京' not in page(headers=JA)
    assert ' lang="en">Salon' not in page(headers=EN)


def test_it_escapes_a_language_that_is_none(made: Salon) -> None:
    texts(made, access={'"><i>x': "駅前"})
    assert '"><i>x' not in page(headers=EN)


# -- the law on trade, and the use of data


@pytest.mark.parametrize("path", ["/salon/", "/salon/legal", "/salon/privacy", "/salon/account"])
def test_it_leads_to_both_from_every_page(made: Salon, path: str) -> None:
    text = page(path)
    assert 'href="/salon/legal"' in text
    assert 'href="/salon/privacy"' in text


def test_it_leads_to_both_from_the_forms(made: Salon) -> None:
    client = Client(headers=JA)
    address = f"/salon/book/{made.cut}/"
    at = re.findall(r'name="at" value="(\d+)"', client.get(address).content.decode())[0]
    form = client.post(address, {"at": at}, follow=True).content.decode()
    main = form[form.index("<main") : form.index("</main>")]
    assert 'href="/salon/privacy"' in main
    assert 'href="/salon/legal"' in form


def test_it_says_in_plain_words_what_the_shop_does_not(made: Salon) -> None:
    text = page("/salon/legal", EN)
    for words in ("Salon Aoba", "東京都渋谷区1-2-3", "03-1234-5678", "At the shop, after your visit."):
        assert words in text
    assert "whoever asks" in text
    assert "前日の20時まで取り消せます。" in text


def test_it_says_it_in_the_shops_words(made: Salon) -> None:
    words = {"seller": {"ja": "株式会社あさぎ"}, "person": {"ja": "青木"}, "refunds": {"ja": "返金します。"}}
    write(made, legal=words)
    text = page("/salon/legal")
    assert all(word in text for word in ("株式会社あさぎ", "青木", "返金します。"))
    assert '<dd lang="ja">株式会社あさぎ</dd>' in page("/salon/legal", EN)
    assert "前日の20時まで取り消せます。" not in text


def test_it_tells_address_and_phone_only_to_who_asks(made: Salon) -> None:
    write(made, legal={"on_request": ["address", "phone"], "address": {"ja": "自宅"}})
    text = page("/salon/legal", EN)
    main = text[text.index("<main") :]
    assert not [word for word in ("渋谷", "自宅", "03-1234-5678") if word in main]
    assert main.count("whoever asks") == 3


def test_it_says_what_data_are_used_for(made: Salon) -> None:
    assert "used for nothing else" in page("/salon/privacy", EN)
    texts(made, privacy={"ja": "ご予約のためだけに使います。"})
    text = page("/salon/privacy", EN)
    assert 'lang="ja"><p>ご予約のためだけに使います。' in text
    assert "used for nothing else" not in text


# -- machines


def test_it_is_a_business_that_machines_can_read(made: Salon) -> None:
    told = linked(page(headers=EN))
    assert (told["@type"], told["name"]) == ("LocalBusiness", "Salon Aoba")
    assert told["telephone"] == "03-1234-5678"
    assert told["address"]["streetAddress"] == "東京都渋谷区1-2-3"
    assert told["url"] == f"{ORIGIN}/salon/"
    first = told["makesOffer"][0]
    assert (first["price"], first["priceCurrency"]) == ("6600", "JPY")
    assert first["itemOffered"]["name"] == "Cut"
    assert first["url"] == f"{ORIGIN}/salon/book/{made.cut}/"
    week = told["openingHoursSpecification"]
    assert len(week) == 7
    assert (week[0]["dayOfWeek"], week[0]["opens"], week[0]["closes"]) == (
        "https://schema.org/Monday",
        "10:00",
        "19:00",
    )


def test_it_tells_machines_of_days_that_are_not_as_usual(made: Salon) -> None:
    with shop(made.id), rules.change():
        Override.objects.create(date=date(2026, 12, 1), ranges=[])
        Override.objects.create(date=date(2026, 12, 2), ranges=[[1080, 1560]])
    told = linked(page())["openingHoursSpecification"]
    days = {each["validFrom"]: (each["opens"], each["closes"]) for each in told if "validFrom" in each}
    assert days == {"2026-12-01": ("00:00", "00:00"), "2026-12-02": ("18:00", "02:00")}


def test_it_lets_no_word_of_a_shop_end_the_block(made: Salon) -> None:
    worst = "</script><script>alert(1)</script><!--<script>&"
    texts(made, name={"ja": worst, "en": worst})
    text = page()
    assert linked(text)["name"] == worst
    assert "alert(1)</script>" not in text
    assert len(re.findall("<script", text)) == 1


def test_it_changes_nothing_of_the_policy(made: Salon) -> None:
    policy = Client().get("/salon/").headers["Content-Security-Policy"].split("; ")
    assert {"script-src 'self'", "frame-ancestors 'none'"} <= set(policy)


@pytest.mark.parametrize("path", ["/salon/", "/salon/legal", "/salon/privacy"])
def test_it_has_an_address_for_each_language(made: Salon, path: str) -> None:
    text = page(path, EN)
    assert f'<link rel="canonical" href="{ORIGIN}{path}?lang=en">' in text
    for code, address in (("ja", f"{path}?lang=ja"), ("en", f"{path}?lang=en"), ("x-default", path)):
        assert f'hreflang="{code}" href="{ORIGIN}{address}"' in text
    assert 'property="og:title" content="' in text
    assert '<html lang="ja"' in page(f"{path}?lang=ja", EN)
    assert '<html lang="en"' in page(f"{path}?lang=xx", EN)


def test_it_remembers_no_language_that_only_the_address_named(made: Salon) -> None:
    client = Client(headers=JA)
    assert not client.get("/salon/?lang=en").cookies.get("noren_language")
    assert '<html lang="ja"' in client.get("/salon/").content.decode()


def test_it_goes_by_the_language_that_is_chosen_then(made: Salon) -> None:
    client = Client(headers=JA)
    answer = client.post("/language", {"language": "ja", "next": "/salon/?lang=en&x=1"})
    assert answer.headers["Location"] == "/salon/?x=1"


def test_it_describes_itself_in_a_line_or_two(made: Salon) -> None:
    texts(made, about={"en": "word " * 60})
    [described] = re.findall(r'<meta name="description" content="([^"]*)"', page(headers=EN))
    assert 100 < len(described) <= 150
    assert described.endswith("…")


# -- starting from who serves, and from what is free


def links(text: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]+)"', text)]


@pytest.mark.parametrize("base", ["/salon/", "/salon/embed/"])
def test_it_leads_from_who_serves_to_her_services_and_times(made: Salon, base: str) -> None:
    ren = made.staff[1]
    [hers] = {
        each.split("#")[0] for each in links(page(base)) if f"staff={ren}" in each and "/book/" not in each
    }
    text = page(hers)
    books = [each for each in links(text) if "/book/" in each]
    # The class is Aoi's; of the cut there is the service itself, and its first free time.
    assert {urlsplit(each).path.rsplit("/", 2)[1] for each in books} == {str(made.cut)}
    assert all(f"staff={ren}" in each for each in books)
    times = page(books[0])
    assert re.search(rf'id="staff-{ren}"[^>]*aria-current="true"', times)
    assert any(urlsplit(each).path == base and f"staff={ren}" in each for each in links(times))


@pytest.mark.parametrize("staff", ["0", "999999999", "x", "٣", "-1"])
def test_who_is_not_there_is_anybody(made: Salon, staff: str) -> None:
    books = [each for each in links(page(f"/salon/?staff={staff}")) if "/book/" in each]
    assert {urlsplit(each).path.rsplit("/", 2)[1] for each in books} == {str(made.cut), str(made.lesson)}
    assert not [each for each in books if "staff=" in each]


def test_it_tells_what_is_free_next_and_opens_that_day(made: Salon) -> None:
    assert "次の空き <span>11月24日（火） 13:00" in page()
    for member in made.staff:
        hold = actions.HoldRequest(made.cut, NOON.replace(hour=4), member, 1, f"key-{member}")
        actions.hold(made.id, hold, now=NOON)
    text = page()
    assert "次の空き <span>11月24日（火） 14:00" in text
    [day] = [each for each in links(text) if f"/book/{made.cut}/?" in each]
    assert 'class="day open"' in page(day)
    with shop(made.id), rules.change():
        Override.objects.create(date=date(2026, 11, 24), ranges=[])
    assert "次の空き <span>11月25日（水） 10:00" in page()
