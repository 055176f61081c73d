"""An operator opens an incident and writes into it, by keys where it counts; looked at in each screen."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, look, looks, operator_of, running, visit, watch


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("incidents")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _tab_to(page: Page, selector: str) -> None:
    """Reach a control as a keyboard does."""
    for _ in range(120):
        if page.evaluate("sel => document.activeElement?.matches(sel)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key reaches {selector}")


def _open(page: Page, salon: System) -> None:
    page.goto(f"{salon.origin}/operations/incidents")
    assert looks(page.context, page.url, "incidents-none") == []
    _tab_to(page, "#title")
    page.keyboard.type("夜中に名簿が見られている")
    page.keyboard.press("Tab")
    page.keyboard.type("朝、店から「見た覚えのない記録がある」と電話があった。")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("夜中に名簿が見られている")


def _write(page: Page, kind: str, text: str, **more: str) -> None:
    """A record, by keys alone."""
    form = "form:has(#text)"
    page.locator(f"{form} input[value={kind}]").focus()
    page.keyboard.press("Space")
    _tab_to(page, "#text")
    page.keyboard.type(text)
    for name, value in more.items():
        _tab_to(page, f"#{name}")
        page.keyboard.type(value)
    _tab_to(page, f"{form} button.next")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_contain_text(text, timeout=15_000)


@pytest.mark.timeout(900)
def test_an_incident_is_worked_on(salon: System, browser: Browser, tmp_path: Path) -> None:
    page = operator_of(salon, browser)
    complaints = watch(page)
    _open(page, salon)
    _write(page, "fact", "台帳では午前3時に12人分が表示された")
    _write(page, "hypothesis", "受付の端末が置き忘れられていた")
    _write(page, "task", "店のサインインを終わらせる", who="kei")
    _write(page, "decision", "お客様に知らせる", because="表示されたことが確かなため")
    page.locator("#known-at").fill("2026-11-28T09:30")
    page.get_by_text("不正の目的をもって").click()
    page.locator("form:has(#known-at) button").click()
    expect(page.locator("section[aria-labelledby=terms]")).to_contain_text("確報", timeout=15_000)
    expect(page.locator("section[aria-labelledby=terms]")).to_contain_text("72時間")
    page.get_by_role("button", name=re.compile("済んだ")).click()
    expect(page.locator("main s")).to_have_text("店のサインインを終わらせる")
    page.locator("select[name=weight]").select_option("refuted")
    page.locator("form:has(select[name=weight]) button").click()
    expect(page.locator("section[aria-labelledby=hypotheses]")).to_contain_text("否定")
    # Beside UTC stands the reader's own clock.
    expect(page.locator("time[data-local]").first).to_have_text(re.compile(r"UTC \("))
    assert looks(page.context, page.url, "incident") == []
    page.locator("#level").select_option("critical")
    page.locator("form:has(#level) button").click()
    expect(page.locator("dl.facts")).to_contain_text("緊急")
    page.get_by_role("button", name="English").click()
    page.goto(f"{salon.origin}/operations/incidents")
    page.get_by_role("link", name=re.compile("夜中に名簿")).click()
    expect(page.locator("main")).to_contain_text("What the law asks")
    _contain(page)
    _shut_out(page, salon)
    _reset_those(page, salon)
    assert looks(page.context, page.url, "incident-en") == []
    _copied(page, salon, browser, tmp_path)
    page.get_by_role("button", name="日本語").click()
    assert look(page, "incident-contained") == []
    assert complaints == []


def _copied(page: Page, salon: System, browser: Browser, folder: Path) -> None:
    """Written into a file by a shell; opened where there is no system, read off the disk without a script."""
    incident, secret = page.url.rpartition("/")[2].partition("#")[0], folder / "passphrase"
    secret.write_text("seven quite ordinary words in a row")
    given = ("--passphrase-file", str(secret))
    salon.noren("incident", "export", incident, "--to", str(folder / "copy.age"), *given)
    page.reload()
    expect(page.locator(".timeline")).to_contain_text("Copy taken out")
    taken = folder / "taken"
    subprocess.run(
        [sys.executable, "-m", "noren.cli", "incident", "take", "copy.age", "--to", str(taken), *given],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        cwd=folder,
        check=True,
        timeout=300,
    )
    reader = visit(browser, bypass_csp=True)
    for language in ("ja", "en"):
        assert looks(reader, (taken / language / "index.html").as_uri(), f"incident-copy-{language}") == []
    there = visit(browser, scripts=False).new_page()
    complaints = watch(there)
    there.goto((taken / "index.html").as_uri())
    expect(there.locator("h1")).to_have_text("夜中に名簿が見られている")
    there.get_by_role("link", name="English").click()
    expect(there.locator("section[aria-labelledby=proved]")).to_contain_text("records of the book are as")
    # The style sheet was let in by the page's own policy: the cloth of the curtain has its colour.
    assert (
        there.evaluate("getComputedStyle(document.querySelector('.cloth')).backgroundColor")
        != "rgba(0, 0, 0, 0)"
    )
    there.get_by_role("link", name="reports/en/eu-gdpr-0.md").click()
    assert complaints == []


def _contain(page: Page) -> None:
    """What the ledger has of the operator herself; then lists are frozen, and a shop is held."""
    page.get_by_text("Look into something").click()
    _tab_to(page, "#suspect")
    page.keyboard.type("first.operator")
    page.locator("#suspect-since").fill("2026-01-01T00:00")
    page.locator("form:has(#suspect) button").click()
    timeline = page.locator("section[aria-labelledby=timeline]")
    expect(timeline).to_contain_text("From the ledger", timeout=15_000)
    contain = page.locator("section[aria-labelledby=contain]")
    expect(contain).to_contain_text("needs a power")
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(contain).to_contain_text("Lists of every shop are frozen", timeout=15_000)
    expect(page.get_by_role("button", name="Thaw")).to_be_visible()
    page.locator("section[aria-labelledby=suspects] a").click()
    expect(page.locator("h1")).to_have_text("What the ledger has")
    expect(page.locator("ol.timeline li").first).to_be_visible()
    assert looks(page.context, page.url, "incident-facts") == []
    page.locator("main a").first.click()
    expect(page.locator("h1")).to_have_text("夜中に名簿が見られている")


def _power(page: Page, salon: System, what: str, title: str) -> None:
    """A power by broken glass: there is no other operator."""
    page.goto(f"{salon.origin}/operations/powers")
    page.locator(f"input[name=what][value={what}]").check()
    page.locator("#words").fill("夜中の閲覧を止める")
    page.locator("#minutes").select_option("15")
    page.get_by_role("button", name="Nobody else can be had").click()
    page.get_by_role("button", name=re.compile("passkey", re.IGNORECASE)).click()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("h1")).to_have_text(title, timeout=15_000)


def _passkey(salon: System, handle: str) -> None:
    """One more, that is in nobody's hand."""
    salon.vault(
        "INSERT INTO vault.passkey (credential_id, name, actor, public_key, sign_count, backed_up, added_at) "
        "SELECT %s, %s, actor, '\\x00', 0, false, 0 FROM vault.actor WHERE handle = %s",
        secrets.token_bytes(32),
        f"pk-{secrets.token_hex(12)}",
        handle,
    )


def _shut_out(page: Page, salon: System) -> None:
    """A network is weighed and blocked, her own with a warning; somebody's credentials are revoked."""
    _passkey(salon, "first.operator")
    _power(page, salon, "end_grants", "Ending sign-ins")
    page.goto(f"{salon.origin}/operations/incidents")
    page.get_by_role("link", name=re.compile("夜中に名簿")).click()
    contain = page.locator("section[aria-labelledby=contain]")
    for network, own in (("203.0.113.0/24", False), ("127.0.0.1", True)):
        _tab_to(page, "#block-name")
        page.keyboard.type(network)
        page.locator("form:has(#block-name) button").click()
        expect(page.locator("h1")).to_have_text("Block a path")
        expect(page.get_by_role("alert")).to_have_count(int(own))
        name = "incident-block-own" if own else "incident-block"
        assert look(page, name) == []
        if own:
            page.get_by_role("link", name="Leave it").click()
            break
        page.get_by_role("button", name="Block it now").click()
        expect(contain).to_contain_text("Nobody signs in from there", timeout=15_000)
    expect(contain).not_to_contain_text("127.0.0.1")
    _tab_to(page, "#revoke-whose")
    page.locator("#revoke-whose").select_option("actor")
    page.locator("#revoke-name").fill("aoi.salon")
    page.locator("form:has(#revoke-name) button").click()
    expect(contain).to_contain_text("by an invitation that was mailed just now", timeout=15_000)
    incident = re.search(r"incidents/([0-9a-f]{16})", page.url)
    assert incident is not None
    said = salon.noren("incident", "contain", incident[1], "show").stdout
    assert "203.0.113.0/24" in said


def _reset_those(page: Page, salon: System) -> None:
    """Whose data is asked; exactly those are counted and sign in anew, and the page says how it goes."""
    _passkey(salon, "aoi.salon")
    contain = page.locator("section[aria-labelledby=contain]")
    contain.get_by_text("What else, and how").click()
    contain.get_by_role("link", name="Whose data").click()
    _power(page, salon, "read_ledger_entries", "The record")
    page.goto(f"{salon.origin}/operations/incidents")
    page.get_by_role("link", name=re.compile("夜中に名簿")).click()
    page.goto(f"{page.url}/scope")
    page.locator("#since").fill("2026-01-01T00:00")
    page.locator("form:has(#since) button").click()
    expect(page.get_by_role("button", name="Ask again, as of now")).to_be_visible(timeout=15_000)
    page.locator("main a").first.click()
    _tab_to(page, "#reset-scope")
    page.locator("form:has(#reset-scope) button").click()
    expect(page.locator("h1")).to_have_text("Have passwords set anew")
    assert look(page, "incident-reset") == []
    _tab_to(page, "#because")
    page.keyboard.type("夜中に見られていたため")
    page.keyboard.press("Enter")
    done = contain.locator("li", has_text="Have passwords set anew")
    expect(done).to_contain_text("done", timeout=15_000)
    incident = page.url
    done.get_by_role("link", name="How it goes").click()
    expect(page.locator("h2")).to_contain_text("exactly those in a scope")
    assert looks(page.context, page.url, "resets-of-scope") == []
    page.goto(incident)
