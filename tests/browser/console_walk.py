"""The owner's walk through every page of the console, with bookings and customers in it, for its pictures."""

import re
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, visit, with_passkey

Shot = Callable[[str], None]
Shots = Callable[[Page, str], Shot]
PATIENCE = 60_000
HEADING = "予約日,開始時刻,メニュー,担当スタッフ,お名前,フリガナ,メール,電話番号"
NAMES = (
    "佐藤 花,サトウ ハナ",
    "髙橋 茜,タカハシ アカネ",
    "渡邉 由美子,ワタナベ ユミコ",
    "Lin Mei,リン メイ",
    "田中 翔,タナカ ショウ",
    "伊集院 光太郎,イジュウイン コウタロウ",
)
# Which of a day's six bookings is by phone alone.
NOBODYS_MAIL = 3
# Each page that needs no more than its address.
PLAIN = (
    ("today", ""),
    ("day", "day"),
    ("week", "calendar/week"),
    ("month", "calendar/month"),
    ("list", "calendar/list"),
    ("attention", "attention"),
    ("calls", "calls"),
    ("new", "new"),
    ("walk-in", "new/walk-in"),
    ("block", "block"),
    ("day-sheet", "day-sheet"),
    ("customers", "customers"),
    ("tags", "tags"),
    ("messages", "messages"),
    ("messages-told", "messages/told"),
    ("messages-rules", "messages/rules"),
    ("messages-words", "messages/words"),
    ("messages-many", "messages/many"),
    ("figures", "figures"),
    ("safety", "safety"),
    ("me", "me"),
    ("shifts", "shifts"),
    ("requests", "requests"),
    ("settings", "settings"),
    ("hours", "hours"),
    ("hours-week", "hours/week"),
    ("holidays", "holidays"),
    ("staff", "staff"),
    ("resources", "resources"),
    ("offers", "offers"),
    ("offer-new", "offers/new"),
    ("policies", "policies"),
    ("words", "words"),
    ("photos", "photos"),
    ("poster", "poster"),
    ("embed", "embed"),
    ("lists", "lists"),
    ("list-import", "lists/import"),
    ("work", "work"),
    ("members", "members"),
    ("roles", "members/roles"),
    ("security", "security"),
    ("api-keys", "api-keys"),
    ("operators", "operators"),
)
# Pages about one thing: where its address is found.
FOUND = (
    ("booking", "calendar/list", r"/console/bookings/\d+"),
    ("customer", "calendar/list", ""),
    ("staff-one", "staff", r"/console/staff/\d+"),
    ("shift", "shifts", r"/console/shifts/\d+[^\"]*"),
    ("pattern", "staff", r"/console/pattern/\d+"),
    ("resource", "resources", r"/console/resources/\d+"),
    ("offer", "offers", r"/console/offers/\d+"),
    ("mail-words", "messages/words", r"/console/messages/words/[a-z_-]+"),
    ("many-one", "messages/many", r"/console/messages/many/\d+"),
    ("many-sent", "messages/many", r"/console/messages/many/\d+"),
    ("list-one", "lists", r"/console/lists/[0-9a-f]{16}"),
    ("work-one", "work", r"/console/work/\d+"),
    ("member", "members", r"/console/members/[^\"/]*salon[^\"/]*"),
)


# Of several the oldest.
LAST = ("many-sent",)


def walk(system: System, browser: Browser, shots: Shots) -> None:
    """Take them in both languages."""
    expect.set_options(timeout=PATIENCE)
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        owner_of(system, page)
        seed(system, page)
        _settle(system, page)
        for language, english in (("ja", False), ("en", True)):
            with visit(browser, wide=True, english=english, bypass_csp=True) as other:
                other.add_cookies(page.context.cookies())  # type: ignore[arg-type]
                _pages(system, other.new_page(), shots, language)


def owner_of(system: System, page: Page, mail: str = "aoi@salon.example") -> None:
    """Join as a shop's owner, with a passkey of the page's own."""
    with_passkey(page)
    page.goto(system.link(mail, r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/", timeout=PATIENCE)


def seed(system: System, page: Page) -> None:
    """Bookings of a week by the way of a list, a day off asked for, a block, a message sent and one begun."""
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    page.goto(f"{system.origin}/console/lists/import?kind=bookings")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bookings.csv"
        file.write_bytes("\r\n".join([HEADING, *_lines(today)]).encode("cp932"))
        page.locator("#file").set_input_files(file)
        page.locator("button[value=look]").first.click()
        expect(page.locator("#seen")).to_be_visible(timeout=PATIENCE)
        page.locator("#in-words").fill("前のシステムからの移行")
        page.locator("button[value=ask]").click()
        expect(page).to_have_url(re.compile(r"/console/lists/[0-9a-f]{16}$"), timeout=PATIENCE)
        page.locator("#file").set_input_files(file)
        page.locator("form[enctype] button[type=submit]").click()
    expect(page.locator("#work dd.big")).to_have_text("終了", timeout=120_000)
    page.goto(f"{system.origin}/console/me")
    page.locator("input[name=first]").fill(f"{today + timedelta(days=20)}")
    page.locator("form:has(input[name=first]) button[type=submit]").first.click()
    page.goto(f"{system.origin}/console/block?date={today + timedelta(days=1)}")
    page.locator("select[name=resource]").select_option(index=1)
    page.locator("form:has(select[name=resource]) button[type=submit]").first.click()
    for sends in (True, False):
        page.goto(f"{system.origin}/console/messages/many")
        page.locator("#until").fill(f"{today + timedelta(days=6)}")
        page.locator("form:has(#until) button[type=submit]").click()
        expect(page).to_have_url(re.compile(r"/console/messages/many/\d+"), timeout=PATIENCE)
        if sends:
            _send(page)


def _send(page: Page) -> None:
    """Say to all of some days that there is no water."""
    page.locator("#id_subject_ja").fill("断水のお知らせ")
    page.locator("#id_opening_ja").fill("{name}様、ご予約の日は午前中断水いたします。")
    page.get_by_role("button", name="保存して宛先を確かめる").click()
    page.get_by_role("button", name=re.compile("人に送信する")).click()
    expect(page.locator("#work dd.big")).to_have_text("終了", timeout=120_000)


def _lines(today: date) -> list[str]:
    found = []
    for number in range(42):
        on, hour = today + timedelta(days=number // 6), 10 + number % 6 * 3 // 2
        mail = "" if number % 6 == NOBODYS_MAIL else f"hana{number % 12}@example.jp"
        who = NAMES[number % 6] if number % 12 < 6 else NAMES[number % 6].replace(" ", " 美")
        menu = ("前髪カット", "カット")[number % 2]
        found.append(f"{on},{hour}:{30 * (number % 2):02d},{menu},,{who},{mail},0901234{number % 12:04d}")
    return found


def _pages(system: System, page: Page, shots: Shots, language: str) -> None:
    shot = shots(page, language)
    for name, path in PLAIN:
        page.goto(f"{system.origin}/console/{path}")
        shot(name)
    for name, path, shape in FOUND:
        page.goto(f"{system.origin}/console/{path}")
        if not shape:
            page.locator("a[href*='/console/bookings/']").first.click()
            page.wait_for_url(re.compile(r"/console/bookings/\d+"))
            shape = r"/console/customers/[0-9a-f-]{36}"  # noqa: PLW2901 - found on the booking's page
        found = re.findall(shape, page.content())
        if found:
            address = found[-1 if name in LAST else 0].replace("&amp;", "&")
            page.goto(f"{system.origin}{address}")
            shot(name)
            _about(system, page, shot, name, address)
    touched(system, page, shot)


def _about(system: System, page: Page, shot: Shot, name: str, address: str) -> None:
    """The further pages of one thing."""
    more = {
        "booking": ("move", "longer", "instead"),
        "customer": ("edit", "looks"),
        "offer": ("policy", "dates"),
    }
    for each in more.get(name, ()):
        answer = page.goto(f"{system.origin}{address}/{each}")
        if answer is not None and answer.ok:
            shot(f"{name}-{each}")


def touched(system: System, page: Page, shot: Shot) -> None:
    """What a day that is closed touches: asked, and left as it is."""
    for number in range(1, 7):
        if _closing(system, page, number):
            shot("touched")
            return
    raise AssertionError("No day with bookings could be closed.")


def _settle(system: System, page: Page) -> None:
    """Close a day for good: one is cancelled whom no mail reaches, the others wait for a look."""
    for number in range(2, 7):
        if _closing(system, page, number):
            choices = page.locator("select[name^=choice-]")
            choices.nth(NOBODYS_MAIL).select_option("cancel")
            page.locator("form:has(ol.touched) button.next").click()
            page.goto(f"{system.origin}/console/calls")
            for _ in range(60):
                if page.locator("main a[href*='/console/bookings/']").count():
                    return
                page.wait_for_timeout(1000)
                page.reload()
    raise AssertionError("Nobody is to be called.")


def _closing(system: System, page: Page, number: int) -> bool:
    """Ask to close the day after so many; tell whether bookings are touched."""
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    page.goto(f"{system.origin}/console/hours?date={today + timedelta(days=number)}")
    if not page.locator("input[name=open][value=closed]").is_checked():
        page.locator("input[name=open][value=closed]").check()
        page.locator("form:has(input[name=open]) button[type=submit]").first.click()
        page.wait_for_load_state()
    return bool(page.locator("ol.touched").count() and page.locator("select[name^=choice-]").count())
