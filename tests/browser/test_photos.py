"""Photos are chosen at the desk and looked at by customers, in each screen and theme, with scripts or not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.system import System, at_any_hour, look, looks, running, visit, watch, with_passkey
from tests.shops.pictures import bomb, photo, scene

# How much more than the page its first screen may weigh, and what the page may weigh without.
PHOTOS, PAGE = 100_000, 60_000


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("photos"))) as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos as they come from a telephone."""
    folder = tmp_path_factory.mktemp("telephone")
    for number in range(6):
        image = scene(number, *((4000, 3000) if number == 0 else (1600, 1600)))
        (folder / f"{number}.jpg").write_bytes(photo(image=image))
    (folder / "bomb.jpg").write_bytes(bomb())
    return folder


@pytest.fixture(scope="module")
def owner(browser: Browser, salon: System) -> Iterator[BrowserContext]:
    context = visit(browser, bypass_csp=True)
    page = context.new_page()
    with_passkey(page)
    page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{salon.origin}/console/")
    page.close()
    yield context
    context.close()


def _choose(page: Page, link: str, file: Path, words: str) -> None:
    """From the list; the photo is shown as it is cut."""
    page.locator(f"#{link}").click()
    page.get_by_label(re.compile("写真のファイル|別の写真")).set_input_files(file)
    page.get_by_label("日本語").fill(words)
    page.get_by_role("button", name=re.compile("この写真を載せる|保存")).click()
    expect(page.get_by_role("status")).to_have_text("この写真がお客様に表示されます。")


@pytest.fixture(scope="module")
def shown(owner: BrowserContext, salon: System, files: Path) -> list[str]:
    """A photo of the shop, of four services and of everybody who serves."""
    page = owner.new_page()
    page.goto(f"{salon.origin}/console/photos")
    found = page.locator(".album a").evaluate_all("all => all.map(one => one.id)")
    links = ["shop", *[x for x in found if "service" in x][:4], *[x for x in found if "staff" in x]]
    for number, link in enumerate(links):
        _choose(page, link, files / f"{number % 6}.jpg", f"写真{number}枚目")
        page.get_by_role("link", name="写真の一覧").click()
        expect(page.locator(f"#{link} img")).to_be_visible()
    page.close()
    return links


def test_photos_are_chosen_at_the_desk(owner: BrowserContext, salon: System, files: Path) -> None:
    page = owner.new_page()
    page.goto(f"{salon.origin}/console/")
    page.get_by_role("link", name="設定").click()
    assert looks(owner, page.url, "settings") == []
    page.get_by_role("link", name="写真").click()
    assert looks(owner, page.url, "photos-none") == []
    _choose(page, "shop", files / "0.jpg", "通りから見た店")
    expect(page.get_by_role("img", name="通りから見た店")).to_be_visible()
    assert looks(owner, page.url, "photo-one") == []
    page.close()


def test_one_is_refused_in_words_and_one_is_taken_away(
    owner: BrowserContext, salon: System, files: Path
) -> None:
    page = owner.new_page()
    complaints = watch(page)
    page.goto(f"{salon.origin}/console/photos")
    _choose(page, "shop", files / "0.jpg", "通りから見た店")
    page.get_by_label("別の写真").set_input_files(files / "bomb.jpg")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("2,500万画素")
    assert look(page, "photo-wrong") == []
    page.get_by_role("button", name="写真を外す").click()
    expect(page.get_by_role("status")).to_have_text("写真を外しました。")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("status")).to_have_text("The photo was taken away.")
    assert look(page, "photo-removed-en") == []
    page.get_by_role("button", name="日本語", exact=True).click()
    # A page that is closed on its way to another may never be closed.
    expect(page.get_by_role("status")).to_have_text("写真を外しました。")
    # The browser says so of the page that was answered with 422.
    assert [said for said in complaints if "422" not in said] == []
    page.close()


@pytest.mark.usefixtures("shown")
def test_customers_see_them(salon: System, owner: BrowserContext, browser: Browser) -> None:
    assert looks(owner, f"{salon.origin}/console/photos", "photos-all") == []
    for english in (False, True):
        with visit(browser, bypass_csp=True, english=english) as context:
            language = "en" if english else "ja"
            assert looks(context, f"{salon.origin}/salon/", f"photo-shop-{language}") == []
            page = context.new_page()
            page.goto(f"{salon.origin}/salon/")
            page.locator(".services a").first.click()
            page.wait_for_url("**/book/**")
            assert looks(context, page.url, f"photo-times-{language}") == []


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_each_is_drawn_in_the_lightest_kind_and_nothing_jumps(
    salon: System, browser: Browser, wide: bool, scripts: bool
) -> None:
    with visit(browser, wide=wide, scripts=scripts) as context:
        page = context.new_page()
        complaints = watch(page)
        page.goto(f"{salon.origin}/salon/")
        boxes = page.locator("picture img").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().height)"
        )
        page.wait_for_load_state("networkidle")
        images = page.locator("picture img")
        told = "all => all.map(one => [one.currentSrc, one.complete && one.naturalWidth > 0])"
        drawn = images.evaluate_all(told)
        assert len(drawn) == 9
        assert all(complete and source.endswith(".avif") for source, complete in drawn)
        after = images.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
        assert after == boxes
        assert complaints == []


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("path", ["/salon/", "/salon/book/1/"])
def test_the_first_screen_stays_light(salon: System, browser: Browser, path: str, wide: bool) -> None:
    """On a telephone that draws three dots for one; by what comes over the wire, all that is loaded."""
    size = {"width": 1280, "height": 900} if wide else {"width": 390, "height": 844}
    dense = browser.new_context(viewport=size, device_scale_factor=2 if wide else 3, locale="ja-JP")  # type: ignore[arg-type]
    with dense as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        pictures: dict[str, bool] = {}
        sizes = {True: 0.0, False: 0.0}

        def began(event: dict[str, object]) -> None:
            pictures[str(event["requestId"])] = event["type"] == "Image"

        def ended(event: dict[str, object]) -> None:
            sizes[pictures.get(str(event["requestId"]), False)] += float(str(event["encodedDataLength"]))

        session.on("Network.responseReceived", began)
        session.on("Network.loadingFinished", ended)
        page.goto(salon.origin + path)
        page.wait_for_load_state("networkidle")
    assert 1_000 < sizes[True] < PHOTOS
    assert sizes[False] < PAGE


def test_a_photo_is_chosen_without_javascript(
    salon: System, owner: BrowserContext, browser: Browser, files: Path
) -> None:
    with visit(browser, scripts=False) as context:
        context.add_cookies(owner.cookies())  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{salon.origin}/console/photos")
        last = page.locator(".album a").last.get_attribute("id") or ""
        _choose(page, last, files / "5.jpg", "窓ぎわの席")
        expect(page.get_by_role("img", name="窓ぎわの席")).to_be_visible()


def test_a_telephone_without_avif_gets_webp(salon: System, owner: BrowserContext, shown: list[str]) -> None:
    """What every browser knows stands in the img itself; asked for as such, it is a picture."""
    page = owner.new_page()
    page.goto(f"{salon.origin}/salon/")
    source = page.locator(".front img").get_attribute("src") or ""
    answer = page.request.get(salon.origin + source)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.body()[8:12] == b"WEBP"
    assert len(shown) > 5
    page.close()
