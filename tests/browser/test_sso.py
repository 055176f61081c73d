"""Signing in by an organisation in a real browser: an owner sets it up, others come and join by it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.system import System, at_any_hour, looks, picture, running, visit, with_passkey
from tests.providers import CLIENT, SECRET, Published, published


@pytest.fixture(scope="module")
def provider() -> Iterator[Published]:
    with published() as one:
        yield one


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon of its own, whose vault may ask a provider on this machine."""
    folder = tmp_path_factory.mktemp("sso")
    folder.chmod(0o755)
    with running(at_any_hour(folder), settings={"NOREN_SSO_PRIVATE": "localhost"}) as started:
        yield started


@pytest.fixture
def owner(browser: Browser, salon: System) -> Page:
    page = visit(browser, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{salon.origin}/console/")
    return page


def _ours(page: Page, salon: System) -> list[str]:
    """What the browser complains about on our pages; the provider's own are not ours to mend."""
    complaints: list[str] = []

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error" and said.location["url"].startswith(salon.origin):
            complaints.append(said.text)

    page.on("console", heard)
    return complaints


def _comes(page: Page, provider: Published, sub: str) -> None:
    """Sign in on the provider's own page."""
    expect(page).to_have_url(re.compile(re.escape(provider.issuer) + "/"))
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def _sets(salon: System, owner: Page, provider: Published) -> None:
    """The owner sets the provider, beside the other ways; a mistake is told first."""
    owner.goto(f"{salon.origin}/console/sso")
    assert looks(owner.context, owner.url, "sso-unset") == []
    owner.get_by_label("ほかの方法と併用する").check()
    owner.locator("#issuer").fill(provider.issuer)
    owner.locator("#client").fill(CLIENT)
    owner.locator("#secret").fill(SECRET)
    owner.locator("#groups-reception").fill("desk")
    owner.locator("#groups-manager").fill("desk")
    owner.get_by_role("button", name="パスキーで保存する").click()
    expect(owner.get_by_role("status")).to_contain_text("2か所")
    picture(owner, "sso-wrong")
    owner.locator("#groups-manager").fill("leads")
    owner.get_by_label("招待なしで入れる").check()
    owner.get_by_role("button", name="パスキーで保存する").click()
    expect(owner.get_by_role("status").first).to_contain_text("保存しました")
    assert looks(owner.context, owner.url, "sso-set") == []


def _everybody_comes(browser: Browser, salon: System, provider: Published) -> None:
    """Somebody of the organisation, with the policy of the site in force; then without scripts."""
    provider.knows("yuki", email="yuki@corp.example.jp", name="佐藤 雪", groups=["desk"])
    page = visit(browser, wide=True, english=True).new_page()
    said = _ours(page, salon)
    page.goto(f"{salon.origin}/console/sign-in?shop=salon&next=/console/day")
    page.get_by_role("button", name="Sign in with your organisation").click()
    _comes(page, provider, "yuki")
    expect(page).to_have_url(f"{salon.origin}/console/day")
    assert said == []
    # Without scripts each step has a button.
    still = visit(browser, english=True, scripts=False).new_page()
    still.goto(f"{salon.origin}/console/sign-in?shop=salon")
    still.get_by_role("button", name="Sign in with your organisation").click()
    picture(still, "sso-onward")
    still.get_by_role("link", name="Go on").click()
    _comes(still, provider, "yuki")
    picture(still, "sso-back")
    still.get_by_role("button", name="Go on").click()
    expect(still).to_have_url(f"{salon.origin}/console/")


def _requires(salon: System, owner: Page, provider: Published) -> None:
    """The owner binds her own account, and makes it the only way."""
    owner.goto(f"{salon.origin}/console/sso")
    provider.knows("aoi", email="aoi@corp.example.jp", groups=["leads"])
    owner.get_by_role("button", name="アカウントを結び付ける").click()
    _comes(owner, provider, "aoi")
    expect(owner.get_by_role("status").first).to_contain_text("結び付けました")
    owner.get_by_label("唯一の方法にする").check()
    owner.get_by_role("button", name="パスキーで保存する").click()
    expect(owner.get_by_role("status").first).to_contain_text("保存しました")


def _joins(browser: Browser, salon: System, provider: Published) -> None:
    """Whoever was invited joins by it: a passkey is no way any more."""
    invited = visit(browser, english=True).new_page()
    with_passkey(invited)
    provider.knows("haruto", email="haruto@corp.example.jp", groups=["leads"])
    invited.goto(salon.link("haruto@salon.example", r"/console/join#\S+"))
    invited.get_by_role("button", name="Make a passkey").click()
    expect(invited.get_by_role("status")).to_contain_text("by its organisation only")
    invited.goto("about:blank")
    invited.goto(salon.link("haruto@salon.example", r"/console/join#\S+"))
    invited.get_by_role("button", name="Join by your organisation").click()
    _comes(invited, provider, "haruto")
    expect(invited).to_have_url(f"{salon.origin}/console/")


def test_an_organisation_signs_its_people_in(
    browser: Browser, salon: System, owner: Page, provider: Published
) -> None:
    _sets(salon, owner, provider)
    _everybody_comes(browser, salon, provider)
    complaints = _ours(owner, salon)
    _requires(salon, owner, provider)
    assert complaints == []
    for name, english in (("ja", False), ("en", True)):
        visitor = visit(browser, english=english, bypass_csp=True)
        for door in ("sign-in", "sign-in?shop=salon", "join"):
            address = f"{salon.origin}/console/{door}"
            assert looks(visitor, address, f"sso-{name}-{door.replace('?', '-')}") == []
    member = visit(browser, english=True, bypass_csp=True).new_page()
    member.goto(f"{salon.origin}/console/sign-in?shop=salon")
    member.get_by_role("button", name="Sign in with your organisation").click()
    _comes(member, provider, "yuki")
    expect(member).to_have_url(f"{salon.origin}/console/")
    assert looks(member.context, f"{salon.origin}/console/sso", "sso-member") == []
    _joins(browser, salon, provider)


def test_an_operator_begins_there_and_shows_her_passkey(
    browser: Browser, salon: System, provider: Published, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    words = ["--issuer", provider.issuer, "--client-id", CLIENT, "--group", "ops"]
    said = salon.noren("sso", *words, "--secret-file", str(secret)).stdout
    assert f"may begin at localhost:{provider.port}" in said
    link = salon.noren("operator", "invite").stdout.split()
    address = next(word for word in link if "/operations/join#" in word)
    page = visit(browser, wide=True, english=True, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(address)
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{salon.origin}/operations/")
    page.goto(f"{salon.origin}/operations/sso")
    assert looks(page.context, page.url, "sso-operations") == []
    provider.knows("op", email="op@corp.example.jp", groups=["ops"])
    page.get_by_role("button", name="Bind my account").click()
    _comes(page, provider, "op")
    expect(page.get_by_role("status")).to_contain_text("is bound")
    assert "must begin" in salon.noren("sso", *words, "--keep-secret", "--required").stdout
    page.goto(f"{salon.origin}/operations/sign-in")
    page.get_by_role("button", name="Sign in with your passkey").click()
    expect(page.get_by_role("status")).to_contain_text("by its organisation only")
    page.get_by_role("button", name="Sign in with your organisation").click()
    _comes(page, provider, "op")
    expect(page.get_by_role("status").first).to_contain_text("Now your passkey")
    picture(page, "sso-vouched")
    page.get_by_role("button", name="Sign in with your passkey").click()
    expect(page).to_have_url(f"{salon.origin}/operations/")
    assert "no provider" in salon.noren("sso", "--end").stdout
