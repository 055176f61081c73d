"""A leak from the first sign to the last answer, for its pictures: as operators, a shop, a customer and a
stranger see it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.console_walk import PATIENCE, owner_of, seed
from tests.browser.system import System, visit
from tests.browser.test_news import NAME, _agreed, _draft
from tests.browser.test_operators import _first_operator, _second_operator
from tests.browser.test_reports import incident
from tests.browser.test_telling import CODE
from tests.servers import wait_for

Shot = Callable[[str], None]
Shots = Callable[[Page, str], Shot]
SAID = "11月27日の夜、受付の端末からお店の名簿が見られました。\nパスワードとカードの番号は含まれません。"
REPORT = "予約番号を変えると、ほかの人の名前が見えます。"
ASKED = "わたしのデータも見られましたか。"
ASKER = "aoi.asks@example.jp"
LOG = b"2026-11-28T00:01:30Z sshd accepted key for ren\n2026-11-28T00:05:00Z cron ran\n"
# Of the operators, of one incident (an address of its own each), and of everybody.
DESK = (
    ("operations", ""),
    ("powers", "powers"),
    ("people", "people"),
    ("signs", "signs"),
    ("incidents", "incidents"),
    ("inquiries", "inquiries"),
    ("answers-saved", "inquiries/saved"),
    ("notices", "news"),
    ("secrets", "secrets"),
)
FOUND = (
    ("power", "powers", r"/operations/powers/[0-9a-f]{16}"),
    ("sign", "signs", r"/operations/signs/[0-9a-f]{16}"),
    ("inquiry-one", "inquiries", r"/operations/inquiries/[0-9a-f]{16}"),
    ("notice-draft", "news", r"/operations/news/drafts/\d+"),
    ("secret", "secrets", r"/operations/secrets/[a-z0-9-]+"),
)
OF_ONE = (
    ("incident", "", ""),
    ("file", "", r"/files/[0-9a-f]{16}"),
    ("facts", "", r"/facts/\d+"),
    ("secrets-reached", "", r"/operations/secrets\?.+"),
    ("scope", "/scope", ""),
    ("asked", "/scope", r"/scope/\d+"),
    ("shops", "/shops", ""),
    ("shop-pack", "/shops", r"/shops/[1-9]\d*"),
    ("reports", "/reports", ""),
    ("report", "/reports", r"/reports/jp-appi/0"),
    ("tellings", "/telling", ""),
)
OPEN = (
    ("report-a-problem", "security/report"),
    ("inquiry", "inquiry"),
    ("news", "news"),
    ("notice", f"news/{NAME}"),
    ("news-check", "news/check"),
    ("exposed-door", "exposed"),
)


def walk(system: System, browser: Browser, shots: Shots) -> None:
    """Let it happen once, then take its pages in both languages."""
    expect.set_options(timeout=PATIENCE)
    with visit(browser, wide=True, bypass_csp=True) as shop, visit(browser, bypass_csp=True) as stranger:
        owner = shop.new_page()
        owner_of(system, owner)
        seed(system, owner)
        first = _first_operator(system, browser)
        second = _second_operator(system, browser, first)
        own = _asked(system, stranger.new_page())
        _reported(system, stranger.new_page())
        place = _happened(system, first)
        _draft(system, first)
        _agreed(system, second)
        code = _told(system, first, second, place)
        first.goto(f"{system.origin}/operations/news")
        first.locator("button[value=correct]").click()
        for language, english in (("ja", False), ("en", True)):
            with visit(browser, wide=True, english=english, bypass_csp=True) as desk:
                desk.add_cookies(first.context.cookies())  # type: ignore[arg-type]
                _desk(system, desk.new_page(), shots, language, place)
            with visit(browser, english=english, bypass_csp=True) as other:
                _open(system, other, shots, language, (own, code))
            with visit(browser, wide=True, english=english, bypass_csp=True) as console:
                console.add_cookies(shop.cookies())  # type: ignore[arg-type]
                page = console.new_page()
                page.goto(f"{system.origin}/console/safety/packs/{place.rpartition('/')[2]}")
                shots(page, language)("pack-at-the-shop")


def _asked(system: System, page: Page) -> str:
    """Somebody asks the desk; gives her page's address."""
    page.goto(f"{system.origin}/inquiry")
    page.locator("#about").select_option(index=1)
    page.locator("#words").fill(ASKED)
    page.locator("#mail").fill(ASKER)
    page.locator("main button.next").click()
    expect(page).to_have_url(re.compile(r"/inquiry/own/[0-9a-f]{16}-"), timeout=PATIENCE)
    return page.url


def _reported(system: System, page: Page) -> None:
    page.goto(f"{system.origin}/security/report")
    page.locator("#text").fill(REPORT)
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_have_text(re.compile("受け付けました"))


def _happened(system: System, page: Page) -> str:
    """An incident with all that a book can have, and a pack handed over; gives its address."""
    place = incident(page, system)
    page.goto(place)
    for kind, text, more in (
        ("fact", "受付の端末から3回、名簿が表示された", {}),
        ("hypothesis", "端末の鍵が持ち出された", {}),
        ("task", "店に電話する", {"#who": "kei"}),
        ("decision", "お客様に知らせる", {"#because": "表示されたことが確かなため"}),
    ):
        _write(page, kind, text, more)
    page.locator("#handle").fill("kei.operator")
    page.locator("form:has(#handle) button").click()
    page.locator("details:has(#suspect) summary").click()
    page.locator("#suspect").fill("aoi.salon")
    since = datetime.now(UTC) - timedelta(hours=1)
    page.locator("#suspect-since").fill(f"{since:%Y-%m-%dT%H:%M}")
    page.locator("form:has(#suspect) button").click()
    page.wait_for_load_state()
    page.locator("details:has(#file) summary").click()
    page.locator("#file").set_input_files({"name": "auth.log", "mimeType": "text/plain", "buffer": LOG})
    page.locator("#source").fill("踏み台")
    page.locator("form:has(#file) button").click()
    expect(page.locator("h1")).to_have_text("auth.log")
    page.goto(f"{place}/shops")
    page.get_by_role("link", name="salon").click()
    page.locator("#text").fill(SAID)
    page.locator("form:has(#text) button").click()
    expect(page.locator("section[aria-labelledby=tell]")).to_contain_text("未読")
    return place


def _write(page: Page, kind: str, text: str, more: dict[str, str]) -> None:
    page.locator(f"form:has(#text) input[value={kind}]").check()
    page.locator("#text").fill(text)
    for field, words in more.items():
        page.locator(field).fill(words)
    page.locator("form:has(#text) button.next").click()
    expect(page.locator(".timeline")).to_contain_text(text)


def _told(system: System, first: Page, second: Page, place: str) -> str:
    """Exactly those in it are told; gives the code in one of the mails."""
    first.goto(f"{place}/telling")
    first.locator("#path").select_option("all")
    first.locator("#since").fill("1h")
    first.get_by_role("button", name="探す（まだ送りません）").click()
    expect(first).to_have_url(re.compile(r"/operations/tellings/[0-9a-f]{16}$"))
    second.goto(first.url)
    second.locator("form[data-passkey] button").click()
    wait_for(lambda: bool(_codes(system)), 120)
    return _codes(system)[-1]


def _codes(system: System) -> list[str]:
    texts = [one.get_body(("plain",)) for one in system.mails("hana0@example.jp")]
    return [code for text in texts if text is not None for code in CODE.findall(text.get_content())]


def _desk(system: System, page: Page, shots: Shots, language: str, place: str) -> None:
    shot = shots(page, language)
    for name, path in DESK:
        page.goto(f"{system.origin}/operations/{path}")
        shot(name)
    for name, path, shape in FOUND:
        _one(page, f"{system.origin}/operations/{path}", shape)
        shot(name)
    for name, path, shape in OF_ONE:
        _one(page, place + path, shape)
        shot(name)
    _one(page, f"{place}/telling", r"/operations/tellings/[0-9a-f]{16}")
    shot("telling")
    page.goto(f"{system.origin}/operations/news?incident={place.rpartition('/')[2]}")
    shot("notice-of-incident")
    page.goto(place)
    page.locator("#block-name").fill("203.0.113.0/24")
    page.locator("form:has(#block-name) button").click()
    expect(page.locator("#block-name")).to_have_count(0)
    shot("block")


def _one(page: Page, list_of: str, shape: str) -> None:
    """Open the page, or the first one of this shape that it leads to."""
    page.goto(list_of)
    if shape:
        page.locator("main").wait_for()
        links = page.locator("main a").evaluate_all("all => all.map(one => one.href)")
        page.goto(next(link for link in links if re.search(f"{shape}$", link)))


def _open(
    system: System, context: BrowserContext, shots: Shots, language: str, given: tuple[str, str]
) -> None:
    page, (own, code) = context.new_page(), given
    shot = shots(page, language)
    for name, path in OPEN:
        page.goto(f"{system.origin}/{path}")
        shot(name)
    page.goto(own)
    shot("inquiry-own")
    page.goto(f"{system.origin}/exposed")
    page.locator("#code").fill(code)
    page.locator("form:has(#code) button.next").click()
    expect(page.locator("#code")).to_have_count(0)
    shot("exposed")
