"""Pictures of every step of the customer's way, of the console and of a leak, into docs/screens:
`make screens` (FOLDER is where; `ONLY=console` takes those alone). What axe finds on them is an error.

Each step on a phone and on a desk, in Japanese and English, light and dark, as they are walked: journey.py,
console_walk.py and operations_walk.py.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import console_walk, journey, operations_walk
from tests.browser.first_hour import SHOP_MAIL, Hand, answer, code_of
from tests.browser.journey import WHO, Way
from tests.browser.studio import Studio, offered
from tests.browser.system import (
    DESK,
    PHONE,
    TOP,
    System,
    at_any_hour,
    axe,
    chromium,
    running,
    visit,
    with_passkey,
)
from tests.servers import wait_for

SHOPS = ("yoga", "court", "cottage", "clinic")
# What stays in sight while one scrolls would lie over the middle of a picture of all of a page.
_WHOLE = "@media (width < 860px) { nav.ways { position: static !important; } }"
LANGUAGES = {"ja": False, "en": True}


class Album:
    """Takes the pictures, in the order of the walk."""

    def __init__(self, folder: Path, heading: str, *said: str) -> None:
        """Begin it anew: the pictures of the last time are gone."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.webp"):
            old.unlink()
        self.folder = folder
        self.head = [f"# {heading}", "", *said, ""]
        self.steps: list[str] = []
        self.faults: list[str] = []

    def of(self, page: Page, language: str) -> Callable[[str], None]:
        """Return what takes a picture of each screen and theme of the page as it stands."""

        def shot(name: str) -> None:
            if name not in self.steps:
                self.steps.append(name)
            for wide, dark in ((False, False), (False, True), (True, False), (True, True)):
                page.set_viewport_size(DESK if wide else PHONE)  # type: ignore[arg-type]
                page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
                if wide == dark:  # each theme and each width once
                    self.faults += [f"{_file(name, wide, language, dark)}: {fault}" for fault in axe(page)]
                self._keep(page.screenshot(full_page=True, style=_WHOLE), _file(name, wide, language, dark))
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]

        return shot

    def _keep(self, taken: bytes, name: str) -> None:
        """A page has few colours: kept without loss, it is smaller than a blurred one."""
        with Image.open(BytesIO(taken)) as picture:
            few = picture.convert("RGB").quantize(24, dither=Image.Dither.NONE).convert("RGB")
            few.save(self.folder / name, "WEBP", lossless=True, quality=50, method=4)

    def index(self) -> None:
        """Write the page that shows them all."""
        lines = [*self.head]
        for name in self.steps:
            lines += [f"## {name}", ""]
            phones, desks = (self._of(name, wide) for wide in (False, True))
            lines += [" ".join(f'<img src="{each}" width="220" alt="{each[:-5]}">' for each in phones), ""]
            lines += ["desk: " + " · ".join(f"[{each[:-5]}]({each})" for each in desks), ""]
        (self.folder / "README.md").write_text("\n".join(lines), encoding="utf-8")

    def _of(self, name: str, wide: bool) -> list[str]:
        """The step's pictures that were taken: of easy Japanese and the first hour there are fewer."""
        all_of = (_file(name, wide, each, dark) for each in (*LANGUAGES, "easy") for dark in (False, True))
        return [each for each in all_of if (self.folder / each).exists()]


def _file(name: str, wide: bool, language: str, dark: bool) -> str:
    return f"{name}-{'desk' if wide else 'phone'}-{language}-{'dark' if dark else 'light'}.webp"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "docs" / "screens")
    only, faults = os.environ.get("ONLY") or "customer console operations", []
    with tempfile.TemporaryDirectory() as made, chromium() as browser:
        for name, take in (("customer", _customer), ("console", _console), ("operations", _operations)):
            if name in only.split():
                album = take(Path(made), browser, folder / name)
                album.index()
                faults += album.faults
    if faults:
        sys.exit("\n".join(faults))


def _console(_made: Path, browser: Browser, folder: Path) -> Album:
    album = Album(
        folder,
        "The console, page by page",
        "Made by `make screens` from the example salon, with made-up customers whose bookings came in",
        "with a list.",
    )
    with running(TOP / "examples" / "salon.toml") as system:
        console_walk.walk(system, browser, album.of)
    return album


def _operations(made: Path, browser: Browser, folder: Path) -> Album:
    album = Album(
        folder,
        "A leak, from the first sign to the last answer",
        "Made by `make screens` from the example salon, with made-up customers: operators, the shop, those",
        "who ask and those concerned.",
    )
    with running(at_any_hour(made)) as system:
        operations_walk.walk(system, browser, album.of)
    return album


def _customer(made: Path, browser: Browser, folder: Path) -> Album:
    album = Album(
        folder,
        "The customer's way, step by step",
        "Made by `make screens` from the example shops, with a made-up customer. The salon is open day",
        "and night in them, so that they can be made at any hour.",
    )
    others = [TOP / "examples" / f"{name}.toml" for name in SHOPS]
    with running(at_any_hour(made), *others) as system:
        for language in LANGUAGES:
            _walk(system, browser, album, language)
        _easy(system, browser, album)
        _first_hour(system, browser, album)
    return album


def _walk(system: System, browser: Browser, album: Album, language: str) -> None:
    english, studio = LANGUAGES[language], Studio(system)
    with visit(browser, english=english, bypass_csp=True) as context, visit(browser) as another:
        page = context.new_page()
        way = Way(system, page, shot=album.of(page, language))
        own = journey.book(way, days=3, states=True)
        journey.move_and_cancel(way, own)
        _late(way)
        journey.staff_first(way)
        journey.several_services(way)
        journey.several_dates(way)
        journey.questions(way)
        journey.lose_a_race(way, another.new_page())
        journey.request(way)
        journey.stay(way)
        journey.wait(way, studio.service, studio.fill(0)[0])
        way.open(offered(system, studio, 0, f"offered-{language}@example.jp"))
        way.shot("offered")
        journey.nothing_there(way)
        journey.vault_down(way)
        _account(system, way)


def _easy(system: System, browser: Browser, album: Album) -> None:
    """The booking once more in easy Japanese."""
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{system.origin}/salon/")
        page.get_by_role("button", name="やさしい日本語").click()
        journey.book(Way(system, page, shot=album.of(page, "easy")), days=3)


def _first_hour(system: System, browser: Browser, album: Album) -> None:
    """A shop of one's own, each step in both languages."""
    told = system.noren("shop", "new", "hajime", "--owner", "owner@hajime.example").stdout
    [link] = re.findall(r"\S+/console/join#\S+", told)
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        with_passkey(page)

        def seen(step: str) -> None:
            page.wait_for_url(re.compile(f"/console/start/{step}$"))
            for language in LANGUAGES:
                other = context.new_page()
                other.goto(f"{page.url}?lang={language}")
                album.of(other, language)(f"start-{step}")
                other.close()

        page.goto(link)
        page.get_by_role("button", name="パスキーを作る").click()
        answer(Hand(page), seen)
        page.get_by_label("確認コード").fill(code_of(system, SHOP_MAIL))
        page.get_by_role("button", name="開店する").click()
        album.of(page, "ja")("start-open")


def _late(way: Way) -> None:
    shot, way.shot = way.shot, lambda _name: None
    own = journey.book(way)
    way.shot = shot
    journey.late(way, own)


def _account(system: System, way: Way) -> None:
    """Codes are a minute apart: the one of the other language is older by then, in the vault's book."""
    system.vault("UPDATE vault.code SET made_at = made_at - 61000")
    shape = re.compile(r"Your code is (\d{6})")

    def codes() -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in system.mails(WHO["mail"])]
        found = [shape.search(body.get_content()) for body in bodies if body is not None]
        return [one[1] for one in found if one]

    before = len(codes())

    def newest() -> str:
        wait_for(lambda: len(codes()) > before, 40)
        return codes()[-1]

    journey.account(way, newest)


if __name__ == "__main__":
    main()
