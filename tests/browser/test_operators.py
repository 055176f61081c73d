"""Operators, an auditor and a shop, each in a browser of their own: broken glass, a power lent, its end."""

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, axe, looks, picture, running, visit, watch, with_passkey


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("operators")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _second_passkey(salon: System, handle: str) -> None:
    """As if another one had been added on the page for it."""
    salon.vault(
        "INSERT INTO vault.passkey (credential_id, name, actor, public_key, sign_count, backed_up, added_at) "
        "SELECT %s, %s, actor, '\\x00', 0, false, 0 FROM vault.actor WHERE handle = %s",
        secrets.token_bytes(32),
        f"pk-{secrets.token_hex(12)}",
        handle,
    )


def _join(browser: Browser, link: str, home: str, *, wide: bool = True) -> Page:
    page = visit(browser, wide=wide, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(link)
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(re.compile(f"{home}$"))
    return page


def _shop_with_a_customer(salon: System, browser: Browser) -> Page:
    """A customer books for today; gives the owner."""
    with visit(browser) as customers:
        page = customers.new_page()
        walk.choose_service(page, salon.origin, "カット")
        walk.choose_time(page)
        walk.fill(page)
        walk.confirm(page)
    return _join(browser, salon.link("aoi@salon.example", r"/console/join#\S+"), "/console/")


def _first_operator(salon: System, browser: Browser) -> Page:
    """She has one passkey, and is led to another."""
    said = salon.noren("operator", "invite", "--mail", "first@operators.example").stdout
    link = re.search(r"http\S+", said)
    assert link is not None
    first = _join(browser, link[0], "/operations/")
    expect(first.locator("main")).to_contain_text("パスキーが1つしかありません")
    assert looks(first.context, first.url, "operators-few") == []
    _second_passkey(salon, "first.operator")
    return first


def _second_operator(salon: System, browser: Browser, first: Page) -> Page:
    """There is nobody to agree: the first breaks the glass to invite the second, who looks at it."""
    first.goto(f"{salon.origin}/operations/people")
    assert looks(first.context, first.url, "operators-people") == []
    first.locator("#o-about").fill("kei")
    first.locator("#o-mail").fill("kei@operators.example")
    first.locator("#o-words").fill("二人目の運営者")
    first.get_by_role("button", name="ほかに誰もいない").first.click()
    expect(first.locator("main")).to_contain_text("まだ何も起きていません")
    assert axe(first) == []
    picture(first, "operators-glass")
    first.get_by_role("button", name="パスキーで緊急の権限を使う").click()
    expect(first.locator("main")).to_contain_text("実施済み")
    assert "緊急" in str(salon.mail("first@operators.example", 2)["Subject"])
    second = _join(browser, salon.link("kei@operators.example", r"/operations/join#\S+"), "/operations/")
    _second_passkey(salon, "kei.operator")
    assert "break-glass" in salon.noren("doctor", check=False).stdout
    second.goto(first.url)
    assert looks(second.context, second.url, "operators-review") == []
    second.locator("#words").fill("自分の招待を確認した")
    second.get_by_role("button", name="記録する").click()
    expect(second.locator("main")).to_contain_text("自分の招待を確認した")
    assert "break-glass" not in salon.noren("doctor", check=False).stdout
    return second


def _lent(salon: System, first: Page, second: Page) -> str:
    """A power is asked for and agreed to; gives its id."""
    first.goto(f"{salon.origin}/operations/powers")
    assert looks(first.context, first.url, "operators-powers") == []
    first.locator("#words").fill("予約表が開かないとの問い合わせ")
    first.get_by_role("button", name="別の運営者に依頼する").click()
    expect(first.locator("main")).to_contain_text("別の運営者の承認待ち")
    assert looks(first.context, first.url, "operators-asked") == []
    power = first.url.rpartition("/")[2]
    second.goto(f"{salon.origin}/operations/")
    expect(second.locator("main")).to_contain_text("あなたの承認待ち")
    second.get_by_role("link", name=re.compile("お店のサポート")).first.click()
    assert looks(second.context, second.url, "operators-agree") == []
    second.get_by_role("button", name="パスキーで同意する").click()
    expect(second.locator("main")).to_contain_text("有効")
    return power


def _used(salon: System, first: Page) -> str:
    """It is entered and the banner counts down; names come by a tap. Gives the shop's address."""
    first.reload()
    first.get_by_role("button", name="始める").click()
    expect(first.locator(".lent .clock")).to_have_text(re.compile(r"^(29|30):\d\d$"))
    shop = first.url
    assert "/operations/shops/" in shop
    expect(first.locator("main")).to_contain_text("カット")
    assert "山田" not in first.content()
    first.get_by_role("button", name=re.compile("名前を表示する")).click()
    expect(first.locator(".arrivals .who").first).to_contain_text("山田")
    picture(first, "operators-named")
    first.goto(shop)
    assert looks(first.context, first.url, "operators-shop") == []
    first.get_by_role("button", name="English").click()
    first.goto(shop)
    expect(first.locator("main")).to_contain_text("To read only")
    assert looks(first.context, first.url, "operators-shop-en") == []
    first.goto(f"{salon.origin}/operations/powers")
    assert looks(first.context, first.url, "operators-powers-en") == []
    first.get_by_role("button", name="日本語").click()
    return shop


def _told(salon: System, owner: Page, power: str) -> None:
    """The owner has a mail, and reads who and why."""
    mail = salon.mail("aoi@salon.example", len(salon.mails("aoi@salon.example")))
    assert any(
        power in str(one.get_content())
        for one in [mail, *salon.mails("aoi@salon.example")]
        if not one.is_multipart()
    )
    owner.goto(f"{salon.origin}/console/operators")
    expect(owner.locator("main")).to_contain_text("予約表が開かないとの問い合わせ")
    assert looks(owner.context, owner.url, "operators-told") == []


def _ends(salon: System, first: Page, power: str, shop: str) -> None:
    """By itself: the page looks again, and is refused."""
    salon.vault("UPDATE vault.power SET until = %s WHERE power = %s", int(time.time() * 1000) + 4000, power)
    first.goto(shop)
    expect(first.locator("main")).to_contain_text("権限が必要です", timeout=15_000)
    first.goto(f"{salon.origin}/operations/powers/{power}")
    expect(first.locator("main")).to_contain_text("時間切れ")


def _auditor(salon: System, browser: Browser, first: Page, second: Page) -> Page:
    """Asked for by one operator and agreed to by the other."""
    first.goto(f"{salon.origin}/operations/people")
    first.locator("#a-about").fill("audit")
    first.locator("#a-mail").fill("audit@auditors.example")
    first.locator("#a-words").fill("年次の監査")
    first.get_by_role("button", name="別の運営者に依頼する").nth(1).click()
    expect(first.locator("main")).to_contain_text("別の運営者の承認待ち")
    second.goto(first.url)
    second.get_by_role("button", name="パスキーで同意する").click()
    expect(second.locator("main")).to_contain_text("実施済み")
    invited = salon.link("audit@auditors.example", r"/operations/join#\S+")
    return _join(browser, invited, "/operations/audit")


def _audits(salon: System, auditor: Page) -> None:
    """Numbers, proofs, controls; nobody's name."""
    auditor.locator("#path").select_option("actor")
    auditor.locator("section[aria-labelledby=scope] #name").fill("first.operator")
    auditor.locator("section[aria-labelledby=scope] button").click()
    expect(auditor.locator("main")).to_contain_text("exposed")
    assert axe(auditor) == []
    picture(auditor, "operators-scope")
    auditor.get_by_role("button", name="自己診断をさせる").click()
    expect(auditor.locator("main")).to_contain_text("break-glass")
    auditor.goto(f"{salon.origin}/operations/audit")
    assert looks(auditor.context, auditor.url, "operators-audit") == []
    assert "山田" not in auditor.content()
    with auditor.expect_download() as begun:
        auditor.locator(".entries a").first.click()
    assert Path(begun.value.path()).read_text().startswith("c2sp.org/tlog-proof@v1\n")


def test_a_power_is_lent_used_told_and_ends(salon: System, browser: Browser) -> None:
    owner = _shop_with_a_customer(salon, browser)
    first = _first_operator(salon, browser)
    second = _second_operator(salon, browser, first)
    complaints = [watch(page) for page in (owner, first, second)]
    power = _lent(salon, first, second)
    shop = _used(salon, first)
    _told(salon, owner, power)
    assert complaints == [[], [], []]
    _ends(salon, first, power, shop)
    auditor = _auditor(salon, browser, first, second)
    of_audit = watch(auditor)
    _audits(salon, auditor)
    assert [*complaints[::2], of_audit] == [[], [], []]  # the first was refused what has ended
