"""What anybody may see."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import clock
from noren.shops import directory
from tests.api.salon import salon
from tests.matrix.addresses import every
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("app_db")
JA = {"Accept-Language": "ja"}
EN = {"Accept-Language": "en"}


def test_it_lists_the_shops_of_this_installation() -> None:
    salon()
    page = Client().get("/", headers=JA).content.decode()
    assert "サロン青葉" in page
    assert 'href="/salon/"' in page


def test_it_says_so_when_there_is_no_shop() -> None:
    assert "No shop has opened here yet." in Client().get("/", headers=EN).content.decode()


@pytest.mark.parametrize(("headers", "words"), [(JA, "カット"), (EN, "Cut")])
def test_it_shows_a_shop_in_the_readers_language(headers: dict[str, str], words: str) -> None:
    made = salon()
    page = Client().get("/salon/", headers=headers).content.decode()
    assert words in page
    assert f'href="/salon/book/{made.cut}/"' in page
    assert "6,600" in page
    assert "10:00–19:00" in page or "10:00 AM–7:00 PM" in page


@pytest.mark.parametrize("path", ["/nobody/", "/console-x/", "/nobody/book/1/", "/salon/book/999/", "/x%00/"])
def test_it_says_plainly_when_there_is_no_such_page(path: str) -> None:
    salon()
    answer = Client().get(path, headers=EN)
    assert answer.status_code == 404
    assert "<h1" in answer.content.decode()


# Every first part of an address of ours, from the table itself, and that of the static files.
FIRST = {address.template.split("/")[0] for address in every()} | {settings.STATIC_URL.strip("/")}


@pytest.mark.parametrize("word", sorted(word for word in FIRST if "%" not in word))
def test_it_gives_no_shop_the_name_of_a_page(word: str) -> None:
    assert not directory.is_free_word(word)


def test_it_looks_at_every_page_for_that() -> None:
    known = {
        "",
        "console",
        "operations",
        "ledger",
        "settings",
        "password",
        "sso",
        "api",
        "language",
        "static",
    }
    assert known <= FIRST
    assert [word for word in FIRST if "%" in word] == ["%(slug)s"]


def test_it_asks_for_as_few_rows_whatever_the_number_of_staff(app_db: AppDatabase) -> None:
    assert app_db
    salon("few", ("aoi",))
    salon("many", tuple(f"s{number}" for number in range(12)))
    counts = {}
    for slug in ("few", "many"):
        with CaptureQueriesContext(connection) as caught:
            Client().get(f"/{slug}/")
        counts[slug] = len(caught)
    assert counts["few"] == counts["many"]


@pytest.mark.parametrize("path", ["/healthz", "/robots.txt", "/.well-known/security.txt"])
def test_it_answers_machines_in_plain_text(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_it_says_whom_to_tell_about_a_hole() -> None:
    lines = Client().get("/.well-known/security.txt").content.decode().splitlines()
    told = dict(line.split(": ", 1) for line in lines)
    assert told["Contact"].startswith("mailto:")
    assert clock.now() < datetime.fromisoformat(told["Expires"]) < clock.now() + timedelta(days=365)
    assert told["Canonical"].endswith("/.well-known/security.txt")


def test_it_sends_a_strict_policy_with_every_page() -> None:
    policy = Client().get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_it_keeps_the_language_that_was_chosen() -> None:
    client = Client(headers=JA)
    client.post("/language", {"language": "en", "next": "/"})
    assert 'lang="en"' in client.get("/").content.decode()


def test_it_leads_nowhere_else_after_a_change_of_language() -> None:
    answer = Client().post("/language", {"language": "en", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"
