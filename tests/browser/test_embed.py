"""A shop's booking pages inside its own site: two real origins, and a browser that blocks cookies."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, chromium, picture, running, visit, watch

PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Salon</title>
<body><h1>美容室</h1><div id="here">{tag}</div><p>東京都台東区谷中</p></body></html>"""


@contextmanager
def site(tag: str, lang: str = "ja") -> Iterator[str]:
    """Serve a page with the tag in it, as another host: 127.0.0.1 is not localhost."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE.format(tag=tag, lang=lang).encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def own() -> Iterator[System]:
    """A system of its own, at whose salon the sites can be named."""
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def strict() -> Iterator[Browser]:
    """A browser that blocks cookies of third parties."""
    with chromium("--test-third-party-cookie-phaseout") as started:
        yield started


def tag(system: System) -> str:
    return f'<script src="{system.origin}/salon/embed.js" async></script>'


def allow(system: System, folder: Path, *origins: str) -> None:
    """Name the sites, as the shop's file does."""
    path = at_any_hour(folder)
    text = path.read_text(encoding="utf-8")
    listed = ", ".join(f'"{each}"' for each in origins)
    path.write_text(text.replace('slug = "salon"', f'slug = "salon"\nembed = [{listed}]'), encoding="utf-8")
    system.noren("shop", "import", str(path))


def framed(page: Page) -> Frame:
    page.wait_for_selector("iframe")
    frame = page.frames[1]
    frame.wait_for_load_state()
    return frame


def height(page: Page) -> float:
    return float(page.evaluate("document.querySelector('iframe').getBoundingClientRect().height"))


def test_a_customer_books_inside_the_shops_own_site(own: System, strict: Browser, tmp_path: Path) -> None:
    with site(tag(own)) as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        complaints = watch(page)
        page.goto(origin)
        frame = framed(page)
        page.wait_for_function("document.querySelector('iframe').style.height !== '640px'")
        picture(page, "embed-services")
        frame.locator(".services a").first.click()
        frame.locator("button[name=at]:visible").first.click()
        expect(frame.locator("#id_note")).to_be_visible()
        for field, text in walk.CUSTOMER.items():
            frame.locator(f"#id_{field}").fill(text)
        frame.locator("button[value=final]").click()
        frame.locator("button[value=book]").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
        assert frame.url.startswith(f"{own.origin}/salon/embed/done/")
        picture(page, "embed-done")
        assert page.url == f"{origin}/"
        assert complaints == []
        assert context.cookies() == []
        with context.expect_page() as opened:
            frame.get_by_role("link", name="ご予約のページへ").click()
        expect(opened.value).to_have_url(re.compile(r"/b/"))
    own.mail(walk.CUSTOMER["mail"])


def test_cookies_of_a_frame_are_blocked_there(own: System, strict: Browser, tmp_path: Path) -> None:
    """The control: what the test above does without, this browser would not have kept."""
    with site(tag(own)) as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        page.goto(origin)
        frame = framed(page)
        frame.evaluate("document.cookie = 'x=1; SameSite=None; Secure'")
        assert frame.evaluate("document.cookie") == ""
        page.goto(f"{own.origin}/salon/")
        page.evaluate("document.cookie = 'x=1; SameSite=None; Secure'")
        assert page.evaluate("document.cookie") == "x=1"


def test_it_is_as_high_as_its_page(own: System, strict: Browser, tmp_path: Path) -> None:
    with site(tag(own), "en") as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        page.goto(origin)
        frame = framed(page)
        expect(frame.get_by_role("heading", level=1)).to_have_text("Choose a service")
        page.wait_for_function("document.querySelector('iframe').style.height !== '640px'")
        first = height(page)
        frame.locator(".services a").first.click()
        expect(frame.locator(".week")).to_be_visible()
        page.wait_for_function(f"document.querySelector('iframe').getBoundingClientRect().height !== {first}")
        page.wait_for_timeout(300)
        assert frame.evaluate("document.documentElement.scrollHeight") <= height(page) + 1
        frame.evaluate("document.querySelector('main').remove()")
        page.wait_for_function("document.querySelector('iframe').getBoundingClientRect().height < 300")


def test_it_turns_the_week_inside_and_begins_where_the_tag_says(
    own: System, strict: Browser, tmp_path: Path
) -> None:
    written = tag(own).replace(" async", ' data-lang="en" data-service="2" async')
    with site(written) as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        complaints = watch(page)
        page.goto(origin)
        frame = framed(page)
        expect(frame.locator(".chosen strong")).to_have_text("Fringe trim")
        before = frame.locator(".week .num").first.inner_text()
        frame.evaluate("window.same = true")
        frame.get_by_role("link", name="Later days").click()
        expect(frame.locator(".week .num").first).not_to_have_text(before)
        assert frame.evaluate("window.same") is True
        assert complaints == []


def test_it_listens_to_nobody_else(own: System, strict: Browser, tmp_path: Path) -> None:
    """Neither the site to a word that is not the frame's, nor the frame to a site that is not named."""
    with site(tag(own)) as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        page.goto(origin)
        frame = framed(page)
        page.wait_for_function("document.querySelector('iframe').style.height !== '640px'")
        before = height(page)
        page.evaluate("postMessage({noren: 'height', height: 77}, '*')")
        page.wait_for_timeout(300)
        assert height(page) == before
        frame.evaluate(
            """dispatchEvent(new MessageEvent("message", {
                data: {noren: "hello"}, origin: "https://evil.example", source: parent}))"""
        )
        frame.evaluate("document.querySelector('main').remove()")
        page.wait_for_function(
            f"document.querySelector('iframe').getBoundingClientRect().height < {before} / 2"
        )


def test_a_site_that_is_not_named_is_refused(own: System, strict: Browser, tmp_path: Path) -> None:
    with site(tag(own)) as mine, site(tag(own)) as foreign, visit(strict) as context:
        allow(own, tmp_path, mine)
        page = context.new_page()
        complaints = watch(page)
        page.goto(foreign)
        page.wait_for_selector("iframe")
        expect(page.get_by_role("link", name="ご予約はこちら")).to_have_attribute(
            "href", f"{own.origin}/salon/", timeout=15_000
        )
        assert any("frame-ancestors" in one for one in complaints)
        assert page.locator("iframe").count() == 0


def test_the_account_is_never_in_a_frame(own: System, strict: Browser, tmp_path: Path) -> None:
    with site(f'<iframe src="{own.origin}/salon/account"></iframe>') as origin, visit(strict) as context:
        allow(own, tmp_path, origin)
        page = context.new_page()
        complaints = watch(page)
        page.goto(origin)
        page.wait_for_timeout(1000)
        assert any("frame-ancestors" in one for one in complaints)
