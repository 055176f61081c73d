"""Choosing, describing and taking photos away at the desk; what is no photo is refused in words."""

import re
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from noren.shops.models import Photo, PhotoFile
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.shops.pictures import SECRET, bomb, photo, picture, saved

WORDS = {"alt_ja": "鏡の前の椅子", "alt_en": "Chairs before mirrors"}


@pytest.fixture(autouse=True)
def no_photos(made: Salon) -> Iterator[None]:
    """Each begins without one."""
    yield
    with shop(made.id):
        PhotoFile.objects.all().delete()
        Photo.objects.all().delete()


def sent(raw: bytes, name: str = "IMG_0001.jpg", **words: str) -> dict[str, object]:
    return {"deed": "save", "file": SimpleUploadedFile(name, raw, "image/jpeg"), **(words or WORDS)}


def kept(made: Salon) -> list[Photo]:
    with shop(made.id):
        assert PhotoFile.objects.count() == sum(len(each.sizes) for each in Photo.objects.all())
        return list(Photo.objects.order_by("id"))


@pytest.mark.parametrize("about", ["shop", "service", "staff"])
def test_it_shows_what_was_chosen(made: Salon, staff: Client, about: str) -> None:
    number = {"shop": "", "service": f"-{made.cut}", "staff": f"-{made.staff[1]}"}[about]
    answer = staff.post(f"/console/photos/{about}{number}", sent(photo()))
    assert answer.headers["Location"] == f"/console/photos/{about}{number}?done=shown"
    assert "この写真がお客様に表示されます。" in staff.get(answer.headers["Location"]).content.decode()
    [row] = kept(made)
    ids = (row.service_id, row.staff_id)
    assert ids == {"shop": (None, None), "service": (made.cut, None), "staff": (None, made.staff[1])}[about]
    assert row.texts == {"alt": {"ja": "鏡の前の椅子", "en": "Chairs before mirrors"}}
    page = staff.get("/console/photos").content.decode()
    assert page.count("<picture>") == 1
    assert page.count('alt="鏡の前の椅子"') == 1
    with shop(made.id):
        assert not any(SECRET.encode() in bytes(file.data) for file in PhotoFile.objects.all())


def test_it_lists_all_that_can_have_one(made: Salon, staff: Client) -> None:
    page = staff.get("/console/photos").content.decode()
    ids = re.findall(r'<li><a id="([a-z0-9-]+)"', page)
    services = [f"service-{made.cut}", f"service-{made.lesson}"]
    assert ids == ["shop", *services, *(f"staff-{each}" for each in made.staff)]


def test_it_says_it_in_other_words(made: Salon, staff: Client) -> None:
    staff.post("/console/photos/shop", sent(photo()))
    [before] = kept(made)
    told = staff.post("/console/photos/shop", {"deed": "save", "alt_ja": "  新しい   店内 ", "alt_en": ""})
    assert told.headers["Location"] == "/console/photos/shop?done=said"
    [after] = kept(made)
    assert after.texts == {"alt": {"ja": "新しい 店内", "en": ""}}
    assert (after.id, after.digest) == (before.id, before.digest)


def test_it_puts_one_in_the_place_of_another(made: Salon, staff: Client) -> None:
    staff.post("/console/photos/shop", sent(photo()))
    [before] = kept(made)
    staff.post("/console/photos/shop", sent(photo("WEBP", image=picture(1200, 1200))))
    [after] = kept(made)
    assert after.digest != before.digest


def test_it_takes_one_away(made: Salon, staff: Client) -> None:
    staff.post("/console/photos/shop", sent(photo()))
    assert staff.post("/console/photos/shop", {"deed": "remove"}).status_code == 302
    assert kept(made) == []
    assert staff.post("/console/photos/shop", {"deed": "remove"}).status_code == 302


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        pytest.param(b"", 422, "空です|写真として表示できない", id="nothing"),
        pytest.param(b"<svg onload='alert(1)'/>", 422, "写真として表示できない", id="svg"),
        pytest.param(b"<html><script>alert(1)</script>", 422, "写真として表示できない", id="html"),
        pytest.param(photo()[:30_000], 422, "写真として表示できない", id="cut short"),
        pytest.param(bomb(), 422, "2,500万画素", id="bomb"),
        pytest.param(saved(picture(300, 200)), 422, "480 × 270", id="small"),
        pytest.param(b"\xff\xd8" * 4_200_000, 413, "8 MB", id="huge"),
    ],
)
def test_it_says_why_it_takes_no_photo(
    made: Salon, staff: Client, raw: bytes, status: int, words: str
) -> None:
    answer = staff.post("/console/photos/shop", sent(raw))
    page = answer.content.decode()
    assert answer.status_code == status
    alert = re.search(r'role="alert"><h2>(.*?)</h2>', page)
    assert alert
    assert re.search(words, alert[1]), alert[1]
    assert 'value="鏡の前の椅子"' in page, "what was written is still there"
    assert kept(made) == []
    assert staff.get("/console/photos").status_code == 200, "and the pages go on"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"alt_ja": " ", "alt_en": ""}, "何が写っているか"),
        ({"alt_ja": "x" * 201}, "もっと短く"),
        ({"alt_ja": "a\x07b"}, "もっと短く"),
    ],
)
def test_it_asks_what_is_seen(made: Salon, staff: Client, words: dict[str, str], told: str) -> None:
    answer = staff.post("/console/photos/shop", sent(photo(), **words))
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert kept(made) == []


def test_it_asks_for_a_photo(made: Salon, staff: Client) -> None:
    answer = staff.post("/console/photos/shop", {"deed": "save", **WORDS})
    assert answer.status_code == 422
    assert kept(made) == []


def test_a_refused_one_leaves_the_one_before(made: Salon, staff: Client) -> None:
    staff.post("/console/photos/shop", sent(photo()))
    [before] = kept(made)
    assert staff.post("/console/photos/shop", sent(bomb())).status_code == 422
    [after] = kept(made)
    assert (after.digest, after.texts) == (before.digest, before.texts)


def test_it_has_nothing_of_another_shops(made: Salon, staff: Client) -> None:
    other = salon("yoga", ("sora",))
    for about in (
        f"service-{other.cut}",
        f"staff-{other.staff[0]}",
        "service-0",
        "shops",
        "room-1",
        "staff-",
    ):
        address = reverse("console_photo", args=[about])
        assert staff.get(address).status_code == 404
        assert staff.post(address, sent(photo())).status_code == 404
    assert kept(made) == []
    assert kept(other) == []


@pytest.mark.parametrize("address", ["/console/photos", "/console/photos/shop"])
def test_it_lets_nobody_in_who_is_not_signed_in(address: str) -> None:
    for answer in (Client().get(address), Client().post(address, sent(photo()))):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/console/sign-in")
