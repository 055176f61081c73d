"""A shop's first hour on a telephone: from the printed link to a customer's booking, counted."""

import re
import sys
import time

from playwright.sync_api import Browser, expect

from tests.browser import walk
from tests.browser.first_hour import SHOP_MAIL, Hand, answer, code_of
from tests.browser.system import PICTURES, System, looks, visit, watch, with_passkey

SLUG = "hajime"
# What it may cost whoever takes all as it stands: more than this, and a step has grown.
MOST_TAPS, MOST_FIELDS = 8, 7
LANGUAGES = ("ja", "en") if PICTURES else ()


def test_an_owner_opens_her_shop_and_a_customer_books(system: System, browser: Browser) -> None:
    told = system.noren("shop", "new", SLUG, "--owner", "owner@hajime.example").stdout
    link = re.search(rf"{re.escape(system.origin)}/console/join#\S+", told)
    assert link is not None
    assert system.link("owner@hajime.example", r"/console/join#\S+") == link[0]
    page = visit(browser, bypass_csp=True).new_page()
    with_passkey(page)
    complaints, faults, hand, began = watch(page), list[str](), Hand(page), time.monotonic()

    def seen(step: str) -> None:
        """Look at the step in each screen and theme, off the clock; in both languages where one looks on."""
        nonlocal began
        before = time.monotonic()
        expect(page).to_have_url(re.compile(f"/console/start/{step}$"))
        for lang in LANGUAGES or ("ja",):
            faults.extend(looks(page.context, f"{page.url}?lang={lang}", f"start-{step}-{lang}"))
        began += time.monotonic() - before

    page.goto(link[0])
    hand.tap(page.get_by_role("button", name="パスキーを作る"))
    answer(hand, seen)
    stranger = visit(browser).new_page()
    assert stranger.goto(f"{system.origin}/{SLUG}/").status == 404  # type: ignore[union-attr]
    faults += looks(page.context, f"{system.origin}/{SLUG}/", "start-preview")
    hand.write("確認コード", code_of(system, SHOP_MAIL))
    hand.tap(page.get_by_role("button", name="開店する"))
    expect(page.get_by_role("heading", level=1)).to_have_text("開店しました")
    took = time.monotonic() - began
    for lang in LANGUAGES or ("en",):
        faults += looks(page.context, f"{page.url}?lang={lang}", f"start-open-{lang}")
        for way in ("words", "offers", "offers/new", "hours/week"):
            address = f"{system.origin}/console/{way}?in={lang}&lang={lang}"
            faults += looks(page.context, address, f"{way.replace('/', '-')}-{lang}")
    sys.stdout.write(f"a shop in {took:.1f} s of the machine, {hand.taps} taps, {hand.fields} fields\n")
    assert hand.taps <= MOST_TAPS
    assert hand.fields <= MOST_FIELDS

    walk.choose_service(stranger, system.origin, "カット", SLUG)
    walk.choose_time(stranger)
    walk.fill(stranger, mail="first@example.jp")
    walk.confirm(stranger)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
    assert "はじめの一席" in str(system.mail("first@example.jp")["Subject"])
    assert complaints == []
    assert faults == [], "\n".join(faults)


def test_it_works_by_keyboard_and_says_what_is_wrong(system: System, browser: Browser) -> None:
    """Without a script, too: what is marked is read out with its field, and nothing typed is lost."""
    told = system.noren("shop", "new", "hajime-two", "--owner", "two@hajime.example").stdout
    joining = visit(browser).new_page()
    with_passkey(joining)
    joining.goto(re.findall(r"\S+/console/join#\S+", told)[0])
    joining.get_by_role("button", name="パスキーを作る").click()
    joining.wait_for_url(re.compile("/console/start/kind$"))
    context = visit(browser, bypass_csp=True, scripts=False)
    context.add_cookies(joining.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{system.origin}/console/start")
    page.get_by_role("button", name=re.compile("クラス制")).focus()
    page.keyboard.press("Enter")
    page.get_by_label(re.compile("^お店の名前")).first.fill("二つ目の店")
    page.keyboard.press("Enter")
    mail = page.get_by_label(re.compile("^メール"))
    expect(mail).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label(re.compile("^お店の名前")).first).to_have_value("二つ目の店")
    page.get_by_role("link", name="戻る").click()
    page.get_by_role("button", name=re.compile("治療院")).click()
    page.wait_for_url(re.compile("/console/start/about$"))
    page.go_back()
    expect(page.get_by_role("button", name=re.compile("治療院"))).to_have_attribute("aria-pressed", "true")
