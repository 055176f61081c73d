"""Easy Japanese (やさしい日本語): every text of a customer's way, from the shop's page to the mails."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import translation

from noren import errors
from noren.booking.models import Booking
from noren.messages import about, easy, words
from noren.messages.notice import Kind
from noren.shops.tenancy import shop
from noren.web import wording
from tests.api.salon import Salon
from tests.servers import VaultProcess
from tests.web.flow import CUSTOMER, Visitor

TOP = Path(__file__).resolve().parents[2]
LOCALE = TOP / "src" / "noren" / "web" / "locale"
PAGES = TOP / "src" / "noren" / "web" / "templates" / "web"
EASY = "ja-easy"
# What a customer may meet: where one of these has no easy wording it would be said in stiff Japanese.
WAY = [
    *(
        path
        for folder in ("account", "book", "own", "waiting")
        for path in sorted((PAGES / folder).glob("*"))
    ),
    *(PAGES / "embed" / f"{page}.html" for page in ("done", "frame", "front")),
    *(PAGES / f"{page}.html" for page in ("base", "error", "shop")),
    *(
        PAGES / "parts" / f"{part}.html"
        for part in ("chosen", "fees", "field", "services", "shopbase", "steps")
    ),
    *(PAGES / "parts" / f"{part}.html" for part in ("challenge", "passkey", "story", "when", "with_member")),
]
REFUSALS = (
    *(errors.SlotTaken, errors.InThePast, errors.OutsideHorizon, errors.TooLate, errors.NotOffered),
    errors.OnlineStopped,
    *(errors.LimitReached, errors.NightsNotOffered, errors.PartyTooLarge, errors.HoldExpired),
    *(errors.TooLateToCancel, errors.AlreadyCancelled, errors.TooLateToChange, errors.CourseOnly),
    *(
        errors.SeriesTooLong,
        errors.SeriesNotFree,
        errors.NotThatStatus,
        errors.LinkUnknown,
        errors.LinkRevoked,
    ),
    *(errors.CannotTakeNewCustomers, errors.VaultUnavailable, errors.CodeRefused, errors.PasswordRefused),
    *(errors.ShopUnknown, errors.ServiceUnknown, errors.NothingHere, errors.OurFault, errors.MailTaken),
    *(errors.NoWaitingList, errors.SlotFree, errors.AlreadyWaiting, errors.AlreadyBooked),
    *(errors.NothingOffered, errors.NotTogether, errors.NotForHer),
    *(errors.MailUnproved, errors.ChallengeNeeded, errors.PasskeyRefused, errors.GrantExpired),
)
KANJI = re.compile(r"[一-龥々]")
# A word and its reading; a number or what stands for one, and what is counted.
READ = re.compile(r"[一-龥々]+（[ぁ-ん]+）|(?:[0-9]|\)[sd]|\})[年月日時分円]+")


def catalogue(language: str) -> Any:
    return read_po(io.BytesIO((LOCALE / language / "LC_MESSAGES" / "django.po").read_bytes()), locale="ja")


def wordings() -> list[tuple[str, str]]:
    """Each easy wording of the pages and the mails, with what it is of."""
    found = [
        (str(entry.id), string)
        for entry in catalogue("ja_Easy")
        if entry.id and entry.context != "format"
        for string in ([entry.string] if isinstance(entry.string, str) else entry.string)
    ]
    mails = [*easy.SUBJECTS.values(), *easy.OPENINGS.values(), *easy.FACTS, *easy.WAITING_LINKS.values()]
    mails += [easy.LINKS, easy.LINKS_EACH, easy.AGAIN, easy.AGAIN_EACH, easy.POLICY, easy.NEUTRAL]
    return found + [("a mail", each) for each in mails]


@pytest.mark.parametrize("page", WAY, ids=lambda page: page.name)
def test_every_text_of_the_way_has_an_easy_wording(page: Path) -> None:
    """The texts are those of the Japanese catalogue that stand in the template."""
    there = {entry.id for entry in catalogue("ja_Easy")}
    text = page.read_text(encoding="utf-8")
    asked = set(re.findall(r'{% translate "([^"]+)"', text)) | set(
        re.findall(r"{% translate '([^']+)'", text)
    )
    assert [each for each in asked if each not in there] == []


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_of_the_way_has_an_easy_wording(kind: type[errors.NorenError]) -> None:
    with translation.override("ja"):
        plain = str(kind.message)
    with translation.override(EASY):
        assert str(kind.message) != plain


def test_every_hard_sign_has_its_reading() -> None:
    bare = [(of, words) for of, words in wordings() if KANJI.search(READ.sub("", words))]
    assert bare == []


def test_it_is_polite_and_plain() -> None:
    """No humble and no honorific forms."""
    stiff = re.compile(
        r"いただ|(?<!ありがとう)ございま|おります|いたしま|くださいませ|ご予約|お取り|承り|(?<!ごめん)なさ[るい]"
    )
    assert [words for _of, words in wordings() if stiff.search(words)] == []


def test_it_falls_back_to_japanese() -> None:
    with translation.override(EASY):
        assert translation.gettext("Customers") == "お客様"
        assert wording.text({"name": {"ja": "カット", "en": "Cut"}}, "name") == "カット"
        assert wording.clock_of_minute(25 * 60) == "25:00"
        assert wording.spoken(wording.text({"name": {"ja": "カット"}}, "name")) == ""


def test_she_chooses_it_on_the_page_and_books_in_it(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open("/salon/")
    assert (
        '<button type="submit" name="language" value="ja-easy" lang="ja">やさしい日本語</button>'
        in customer.text
    )
    customer.client.post("/language", {"language": EASY, "next": "/salon/"})
    customer.open("/salon/")
    assert '<html lang="ja">' in customer.text
    assert "メニューを えらぶ" in customer.text
    assert 'hreflang="ja-easy"' not in customer.text
    assert 'rel="canonical" href="http://localhost:8000/salon/?lang=ja"' in customer.text
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at")
    assert "名前（なまえ）" in customer.text
    customer.press("step", "final", **CUSTOMER)
    assert "曜日）" in customer.text
    customer.press("step", "book")
    assert "予約（よやく）が できました" in customer.text
    with shop(made.id):
        booking = Booking.objects.get()
        assert booking.locale == EASY
        notice = about.notice(booking, Kind.BOOKED)
    assert words.subject(notice).startswith("【{shop}】予約（よやく）が できました")
    text = words.text(notice)
    assert text.startswith("{name}さん\n\n")
    assert "予約（よやく）を ありがとうございます" in text
    assert "曜日" in words.values(notice)["when"]
    assert words.values(notice)["service"] == "カット"


def test_every_mail_can_be_written_in_it(made: Salon) -> None:
    assert made
    for table in (words.SUBJECTS, words.OPENINGS):
        assert set(table[EASY]) == set(table["ja"])
    assert {re.findall(r"{\w+}", line)[0] for line in words.FACTS[EASY]} == {
        re.findall(r"{\w+}", line)[0] for line in words.FACTS["ja"]
    }


def test_the_frame_speaks_it_by_its_address(made: Salon) -> None:
    text = Client(headers={"Accept-Language": "ja"}).get("/salon/embed/?lang=ja-easy").content.decode()
    assert "メニューを えらぶ" in text
    assert f"/salon/embed/book/{made.cut}/?lang=ja-easy" in text


def test_who_works_there_reads_plain_japanese(made: Salon) -> None:
    assert made
    client = Client()
    client.post("/language", {"language": EASY, "next": "/"})
    plain = Client(headers={"Accept-Language": "ja"}).get("/console/sign-in").content.decode()
    asked = client.get("/console/sign-in").content.decode()
    assert re.findall(r"<h1>[^<]+</h1>", asked) == re.findall(r"<h1>[^<]+</h1>", plain)
    assert "サインイン" in plain
