"""The way that must be walked: from a customer's phone to the outsider who checks the ledger."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, running, visit, watch, with_passkey
from tests.runtime.up import Up

AOI = "aoi@salon.example"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own: at its end its ledger is cut."""
    with running(at_any_hour(tmp_path_factory.mktemp("salon"))) as started:
        yield started


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Page:
    """The customer's phone, all through the walk."""
    return visit(browser).new_page()


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Page:
    """The salon's own screen, all through the walk."""
    page = visit(browser, wide=True).new_page()
    with_passkey(page)
    return page


def _book(page: Page, system: System, **customer: str) -> str:
    """Book the first free time of today; give the booking's own address."""
    walk.choose_service(page, system.origin, "カット")
    walk.choose_time(page)
    walk.fill(page, **customer)
    walk.confirm(page)
    return page.url


def test_it_walks_1_a_customer_books_on_her_phone(salon: System, phone: Page) -> None:
    complaints = watch(phone)
    own = _book(phone, salon)
    expect(phone.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
    assert own.startswith(f"{salon.origin}/b/")
    assert complaints == []


def test_it_walks_2_the_mail_comes_with_a_calendar_entry_and_her_link(salon: System, phone: Page) -> None:
    mail = salon.mail(walk.CUSTOMER["mail"])
    (entry,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert b"BEGIN:VEVENT" in (entry.get_payload(decode=True) or b"")
    assert walk.CUSTOMER["name"] in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    phone.goto(salon.link(walk.CUSTOMER["mail"], r"/b/\S+"))
    expect(phone.locator("dl.facts")).to_contain_text("カット")
    assert walk.CUSTOMER["name"] not in phone.content()


def test_it_walks_3_she_cancels_and_the_time_is_free_again(salon: System, phone: Page) -> None:
    link = phone.url
    when = re.sub(r"\s+", "", phone.locator("dd.big").nth(1).inner_text())
    phone.get_by_text("この予約を取り消す").click()
    phone.get_by_role("button", name="取り消す").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("ご予約を取り消しました。")
    again = _book(phone, salon)
    assert again != link
    assert re.sub(r"\s+", "", phone.locator("dd.big").nth(1).inner_text()) == when


def test_it_walks_4_staff_join_by_passkey_and_see_today_with_names(salon: System, desk: Page) -> None:
    complaints = watch(desk)
    desk.goto(salon.link(AOI, r"/console/join#\S+"))
    assert "#" not in desk.url
    desk.get_by_role("button", name="パスキーを作る").click()
    expect(desk).to_have_url(f"{salon.origin}/console/")
    expect(desk.locator(".arrivals")).to_contain_text(walk.CUSTOMER["name"])
    desk.get_by_role("button", name="サインアウト").click()
    desk.get_by_role("button", name="パスキーでサインイン").click()
    expect(desk.locator(".arrivals")).to_contain_text(walk.CUSTOMER["name"])
    assert complaints == []


def test_it_walks_5_they_open_one(desk: Page) -> None:
    desk.locator(".arrivals a").first.click()
    expect(desk.locator("#card")).to_contain_text(walk.CUSTOMER["name"])
    assert walk.CUSTOMER["mail"] not in desk.content()
    desk.get_by_role("button", name="連絡先とメモを表示").click()
    expect(desk.locator("#card")).to_contain_text(walk.CUSTOMER["mail"])


def test_it_walks_6_scope_names_exactly_what_was_seen(salon: System, desk: Page) -> None:
    assert desk
    told = json.loads(salon.noren("scope", "--actor", "aoi.salon", "--since", "1h", "--json").stdout)
    # Of others it may be told that they are there, where somebody looked for a second record of hers.
    (person,) = [one for one in told["persons"] if "name" in one["fields"]]
    # Presence: her page lists her mails, which tells that she is a customer, and no field of hers.
    assert set(person["fields"]) == {"name", "kana", "mail", "phone", "note", "presence"}
    # At the desk she is looked at for checking in, if her hour is near, and found by who looks for doubles.
    assert set(person["purposes"]) - {"check_in", "search"} == {"today", "customer"}
    assert told["complete"] is True


def _verify(ledger: Path, key: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "noren_verify", str(ledger), "--key", key],
        capture_output=True,
        text=True,
        check=False,
    )


def _newest_segment(ledger: Path) -> Path:
    return max(path for path in (ledger / "segments").iterdir() if path.stat().st_size)


def test_it_walks_7_the_outsider_says_whole_and_names_a_flipped_byte(salon: System, folder: Path) -> None:
    salon.up.stop(signal.SIGINT)
    copy = folder / "ledger"
    shutil.copytree(salon.var / "ledger", copy)
    key = str(copy / "vkey")
    whole = _verify(copy, key)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    segment = _newest_segment(copy)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    broken = _verify(copy, key)
    assert broken.returncode == 1
    assert re.search(r"entry \d+", broken.stdout), broken.stdout


def test_it_walks_8_the_vault_refuses_a_ledger_whose_end_was_cut_and_the_pages_go_on(
    salon: System, phone: Page
) -> None:
    segment = _newest_segment(salon.var / "ledger")
    segment.write_bytes(segment.read_bytes()[:-200])
    again = Up(salon.up.var, salon.up.port).start()
    try:
        said = again.text()
        assert "The vault refuses to run" in said
        assert re.search(r"shorter|missing|fewer|cut", said), said
        phone.goto(f"{salon.origin}/salon/")
        expect(phone.get_by_role("heading", level=1)).to_have_text("美容室 あさぎ")
    finally:
        again.end()
