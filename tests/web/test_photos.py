"""Photos as anybody sees them: on the shop's pages, and at their own addresses."""

import re

import pytest
from django.test import Client

from noren.shops import photos, redraw
from noren.shops.models import Photo, PhotoFile
from noren.shops.photos import Subject
from noren.shops.redraw import SQUARE, WIDE, File
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.servers import AppDatabase
from tests.shops.pictures import photo

pytestmark = pytest.mark.usefixtures("app_db")
ALT = {"ja": "大きな鏡の前の椅子", "en": "Chairs before large mirrors"}
JA, EN = {"Accept-Language": "ja"}, {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def wide() -> tuple[File, ...]:
    return redraw.redraw(photo(), WIDE)


@pytest.fixture(scope="module")
def square() -> tuple[File, ...]:
    return redraw.redraw(photo(), SQUARE)


@pytest.fixture
def made(app_db: AppDatabase, wide: tuple[File, ...], square: tuple[File, ...]) -> Salon:
    """A salon with a photo of itself, of the cut, and of the first who serves."""
    assert app_db
    made = salon()
    with shop(made.id):
        photos.put(Subject(), wide, ALT)
        photos.put(Subject(service=made.cut), square, {"ja": "はさみ", "en": ""})
        photos.put(Subject(staff=made.staff[0]), square, ALT)
    return made


def addresses(page: str) -> list[str]:
    """Every file that a page names."""
    return sorted(set(re.findall(r"/[a-z]+/photos/[\w./-]+", page)))


def test_it_shows_the_shop_and_its_services(made: Salon) -> None:
    page = Client().get("/salon/", headers=JA).content.decode()
    first, second, third = re.findall(r"<picture>.*?</picture>", page)
    assert 'alt="大きな鏡の前の椅子"' in first
    assert 'width="1600" height="900"' in first
    assert "lazy" not in first
    assert 'alt="はさみ"' in second
    assert 'width="384" height="384"' in second
    assert 'loading="lazy"' in second
    assert first.index('type="image/avif"') < first.index("<img")
    assert re.search(rf"aoi</strong></p>(?:<p>(?:(?!</?li>).)*</p>)?{re.escape(third)}", page)
    assert len(addresses(page)) == 18


def test_it_says_what_is_seen_in_the_readers_language_or_in_the_other(made: Salon) -> None:
    page = Client().get("/salon/", headers=EN).content.decode()
    assert 'alt="Chairs before large mirrors"' in page
    assert 'alt="はさみ"' in page


def test_it_shows_who_serves_where_she_is_chosen(made: Salon) -> None:
    page = Client().get(f"/salon/book/{made.cut}/", headers=JA).content.decode()
    assert re.search(rf'id="staff-{made.staff[0]}"[^>]*><span>aoi</span><picture>.*?</picture>\s*</a>', page)
    assert page.count("<picture>") == 1


def test_it_serves_each_file_for_ever(made: Salon) -> None:
    for address in addresses(Client().get("/salon/").content.decode()):
        answer = Client().get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        kind = address.rpartition(".")[2]
        assert answer.headers["Content-Type"] == f"image/{kind}"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].endswith("sandbox")
        assert "Content-Encoding" not in answer.headers
        assert not answer.cookies
        with shop(made.id):
            assert PhotoFile.objects.filter(data=answer.content, kind=kind).exists()


def test_it_sends_nothing_again_that_is_known(made: Salon) -> None:
    address = addresses(Client().get("/salon/").content.decode())[0]
    tag = Client().get(address).headers["ETag"]
    again = Client().get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again.headers["Cache-Control"]
    assert Client().get(address, headers={"If-None-Match": '"another"'}).status_code == 200
    head = Client().head(address)
    assert (head.status_code, head.content) == (200, b"")


def test_it_serves_what_the_address_says_or_nothing(made: Salon) -> None:
    address = addresses(Client().get("/salon/").content.decode())[0]
    shop_name, number, rest = re.fullmatch(r"(/salon/photos)/(\d+)/(.*)", address).groups()  # type: ignore[union-attr]
    digest, pixels, kind = re.split(r"[-.]", rest)
    wrong = [
        f"{shop_name}/{int(number) + 99}/{rest}",
        f"{shop_name}/{number}/{digest[::-1]}-{pixels}.{kind}",
        f"{shop_name}/{number}/{digest}-{int(pixels) + 1}.{kind}",
        f"{shop_name}/{number}/{digest}-{pixels}.html",
        f"{shop_name}/{number}/{digest}-{pixels}.jpeg",
        f"/nobody/photos/{number}/{rest}",
    ]
    assert [Client().get(each).status_code for each in wrong] == [404] * 6


def test_it_serves_nothing_of_another_shop(made: Salon, square: tuple[File, ...]) -> None:
    """The same pixels, in two shops: each has its own row and its own address."""
    other = salon("yoga", ("sora",))
    with shop(other.id):
        theirs = photos.put(Subject(service=other.cut), square, ALT)
        assert [photo.id for photo in Photo.objects.all()] == [theirs.id]
    own = addresses(Client().get("/yoga/").content.decode())
    assert own
    for address in own:
        assert Client().get(address).status_code == 200
        assert Client().get(address.replace("/yoga/", "/salon/")).status_code == 404


def test_it_serves_nothing_that_was_taken_away(made: Salon) -> None:
    found = addresses(Client().get("/salon/").content.decode())
    tags = {address: Client().get(address).headers["ETag"] for address in found}
    with shop(made.id):
        assert photos.remove(Subject())
        assert photos.remove(Subject(service=made.cut))
        assert photos.remove(Subject(staff=made.staff[0]))
        assert not photos.remove(Subject())
        assert PhotoFile.objects.count() == 0
    for address, tag in tags.items():
        assert Client().get(address).status_code == 404
        assert Client().get(address, headers={"If-None-Match": tag}).status_code == 404
    assert "<picture>" not in Client().get("/salon/").content.decode()


def test_it_shows_another_photo_at_another_address(made: Salon, square: tuple[File, ...]) -> None:
    before = addresses(Client().get("/salon/").content.decode())
    with shop(made.id):
        photos.put(Subject(service=made.cut), redraw.redraw(photo("PNG"), SQUARE), ALT)
        assert Photo.objects.filter(service_id=made.cut).count() == 1
    after = addresses(Client().get("/salon/").content.decode())
    gone = set(before) - set(after)
    assert (len(after), len(gone)) == (18, 6)
    assert {Client().get(address).status_code for address in gone} == {404}


def test_it_is_the_page_that_it_was_where_there_is_no_photo() -> None:
    bare = salon("bare")
    for address in ("/bare/", f"/bare/book/{bare.cut}/"):
        assert "<picture" not in Client().get(address).content.decode()
