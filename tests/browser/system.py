"""A whole running system and a real browser, for tests that walk."""

import email
import email.policy
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from noren.runtime import databases, doorkey, env
from noren.runtime.paths import Paths
from tests.environment import TOP as TESTED
from tests.ports import free_port
from tests.runtime.up import Up
from tests.servers import wait_for

TOP = Path(__file__).resolve().parents[2]
AXE = TOP / "tests" / "vendor" / "axe-4.14.1.min.js"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# The whole of a public page, with everything it needs, as it comes over the wire.
HEAVIEST = 60_000
# A folder for pictures of the pages, to be looked at by a person.
PICTURES = os.environ.get("TEST_PICTURES", "")


@dataclass
class System:
    """`up` runs it; the rest is how a person at the machine speaks to it."""

    up: Up

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.up.port}"

    @property
    def var(self) -> Path:
        return self.up.var

    def vault(self, query: str, *values: object) -> None:
        """Change a row of the vault's database, as one of the system's own processes."""
        given = env.read({"NOREN_VAR": str(self.var), "NOREN_PORT": str(self.up.port)})
        words = doorkey.marked(databases.vault(given, "migrator"), Paths(self.var).door_keys)
        options = f"-c role={databases.VAULT_OWNER}"
        with psycopg.connect(**words, options=options, autocommit=True) as connection:
            connection.execute(query.encode(), values)

    def noren(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `noren WORDS` on this system."""
        return self._python("-m", "noren.cli", *words, check=check)

    def inside(self, code: str) -> None:
        """Run Python as a part of the system's app would: for a deed that no page does."""
        begun = "import django; from noren.runtime.env import read; read(); django.setup()\n"
        self._python("-c", begun + code, more={"NOREN_ROLE": "web"}, check=True)

    def _python(
        self, *words: str, check: bool, more: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        environ = {
            "PATH": os.environ["PATH"],
            "NOREN_VAR": str(self.up.var),
            "NOREN_PORT": str(self.up.port),
            "DJANGO_SETTINGS_MODULE": "noren.runtime.settings",
            **self.up.settings,
            **(more or {}),
        }
        return subprocess.run(
            [sys.executable, *words], env=environ, capture_output=True, text=True, check=check, cwd="/"
        )

    def mails(self, to: str) -> list[EmailMessage]:
        """What the mail catcher holds for an address, the oldest first."""
        files = sorted((self.var / "mail").glob("*.eml"))  # not those still being written
        found = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]
        return [mail for mail in found if to in str(mail["To"])]

    def mail(self, to: str, number: int = 1) -> EmailMessage:
        """Wait for the nth mail to an address."""
        wait_for(lambda: len(self.mails(to)) >= number, 40)
        return self.mails(to)[number - 1]

    def link(self, to: str, shape: str, number: int = 1) -> str:
        """Wait for the nth mail with a link of this shape, whatever else comes, and return the link."""
        wait_for(lambda: len(self._links(to, shape)) >= number, 40)
        return self._links(to, shape)[number - 1]

    def _links(self, to: str, shape: str) -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in self.mails(to)]
        texts = [body.get_content() for body in bodies if body is not None]
        found = [re.search(rf"{re.escape(self.origin)}{shape}", text) for text in texts]
        return [one[0] for one in found if one is not None]


@contextmanager
def running(*shops: Path, settings: dict[str, str] | None = None) -> Iterator[System]:
    """Start everything on an empty folder, and put the shops in."""
    top = Path(tempfile.mkdtemp(prefix="nb-", dir=TESTED.parent))
    top.chmod(0o755)
    system = System(Up(top / "var", free_port(), settings=settings or {}))
    try:
        system.up.start()
        if shops:
            done = system.noren("shop", "import", *map(str, shops), check=False)
            assert done.returncode == 0, done.stdout + done.stderr + system.up.text()
        yield system
    finally:
        system.up.end()
        shutil.rmtree(top, ignore_errors=True)


def at_any_hour(folder: Path) -> Path:
    """The example salon, open day and night: so there is a time today whenever the tests are run."""
    text = (TOP / "examples" / "salon.toml").read_text(encoding="utf-8")
    head, hours, rest = re.split(r"^\[hours\]\n|^\[holidays\]\n", text, maxsplit=2, flags=re.MULTILINE)
    assert hours
    days = "".join(f'{day} = "00:00-24:00"\n' for day in DAYS)
    rest = re.sub(r"^hours = \{.*\}\n", "", rest, flags=re.MULTILINE)
    rest = rest.replace("lead = { minutes = 60 }", "lead = { minutes = 0 }")
    rest = re.sub(r"cancel = \{ (days = 1, at = \"20:00\"|minutes = 60) \}", "cancel = { minutes = 0 }", rest)
    if datetime.now(ZoneInfo("Asia/Tokyo")).hour >= 21:  # too late there for a time that is still today
        head = head.replace('zone = "Asia/Tokyo"', 'zone = "Asia/Dubai"')
    made = folder / "salon.toml"
    made.write_text(f"{head}[hours]\n{days}\n[holidays]\n{rest}", encoding="utf-8")
    return made


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A real browser: the machine's Chromium, else the one Playwright keeps; `more` are its own switches."""
    names = ("chromium", "chromium-browser", "google-chrome")
    own = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox", *more])
        try:
            yield browser
        finally:
            browser.close()


def visit(
    browser: Browser,
    *,
    wide: bool = False,
    dark: bool = False,
    english: bool = False,
    scripts: bool = True,
    bypass_csp: bool = False,
) -> BrowserContext:
    """A visitor with a screen, a language and a theme."""
    return browser.new_context(
        viewport=DESK if wide else PHONE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        locale="en-GB" if english else "ja-JP",
        timezone_id="Asia/Tokyo",
        java_script_enabled=scripts,
        bypass_csp=bypass_csp,
    )


def with_passkey(page: Page) -> None:
    """Give the page's browser a passkey of its own, that opens without a finger."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def weigh(page: Page, address: str) -> float:
    """Open a page, and return the bytes that it and all it needs took over the wire."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return sum(sizes)


def watch(page: Page) -> list[str]:
    """Collect what the browser complains about: refused scripts and styles, failed requests, errors."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


# Colours change by an animation; one that never ends is not waited for.
_SETTLED = """Promise.race([
  Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  new Promise((done) => setTimeout(done, 3000)),
])"""


def axe(page: Page) -> list[str]:
    """What axe finds wrong on the page as it stands: rule, where, why.

    A colour on its way from one theme to the other is no colour to be judged: it is waited for.
    """
    page.evaluate(_SETTLED)
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
            .map(v => v.id + ": " + v.nodes
                .map(n => n.target.join(" ") + " " + n.failureSummary).join(" | "))"""
    )
    return [str(each) for each in found]


# Wide or a phone, dark or light: each once, for colours do not depend on the width; who looks sees all four.
SCREENS = [(False, False), (True, True), *([(True, False), (False, True)] if PICTURES else [])]


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, if pictures are wanted."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def look_once(page: Page, name: str, *, wide: bool, dark: bool) -> list[str]:
    """What is wrong with the page as it stands in one screen and theme, with a picture if one is wanted."""
    name = f"{name}-{'desk' if wide else 'phone'}-{'dark' if dark else 'light'}"
    page.set_viewport_size(DESK if wide else PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark" if dark else "light")
    faults = [f"{name}: {fault}" for fault in axe(page)]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append(f"{name}: wider than the screen")
    picture(page, name)
    return faults


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands in each screen and theme."""
    return [fault for wide, dark in SCREENS for fault in look_once(page, name, wide=wide, dark=dark)]


def looks(context: BrowserContext, address: str, name: str) -> list[str]:
    """The same of a page that is opened anew each time: the one at hand keeps what it says."""
    found: list[str] = []
    for wide, dark in SCREENS:
        page = context.new_page()
        page.goto(address)
        found += look_once(page, name, wide=wide, dark=dark)
        page.close()
    return found


def operator_of(salon: System, browser: Browser) -> Page:
    """Somebody who joined as the first operator."""
    said = salon.noren("operator", "invite", "--mail", "first@operators.example").stdout
    link = re.search(r"http\S+", said)
    assert link is not None
    page = visit(browser, wide=True, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(link[0])
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(re.compile("/operations/$"), timeout=30_000)
    return page
