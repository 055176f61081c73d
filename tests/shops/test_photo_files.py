"""Photos beside a shop's file come in with it: all of them, or nothing of the shop."""

from pathlib import Path

import pytest

from noren.booking import importing
from noren.errors import ShopUnknown
from noren.shops import directory, photos, rules
from noren.shops.models import Photo, Service, Staff
from noren.shops.photos import Subject
from noren.shops.tenancy import shop
from tests.servers import AppDatabase, VaultProcess
from tests.shops.pictures import halves, photo, picture, saved

SALON = (Path(__file__).parents[2] / "examples" / "salon.toml").read_text(encoding="utf-8")


def named(text: str, file: str, words: str) -> str:
    """The shop's file with a photo under this line."""
    assert text.count(f"\n{words}") == 1
    return text.replace(
        f"\n{words}", f'\n{words}\nphoto = {{ file = "{file}", alt = {{ ja = "写真 {file}" }} }}', 1
    )


@pytest.fixture
def file(app_db: AppDatabase, vault: VaultProcess, tmp_path: Path) -> Path:
    """A salon with a photo of itself, of a service and of somebody, in an empty system."""
    assert app_db
    assert vault
    text = named(SALON, "front.jpg", 'currency = "JPY"')
    text = named(text, "cut.png", 'key = "cut"')
    text = named(text, "aoi.jpg", 'key = "aoi"')
    (tmp_path / "front.jpg").write_bytes(photo())
    (tmp_path / "cut.png").write_bytes(photo("PNG"))
    (tmp_path / "aoi.jpg").write_bytes(photo(image=halves()))
    made = tmp_path / "salon.toml"
    made.write_text(text, encoding="utf-8")
    return made


def shown() -> dict[Subject, Photo]:
    with shop(directory.shop_id("salon")):
        return photos.every()


def test_it_shows_what_lies_beside_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert importing.main([str(file)]) == 0
    assert "salon: 3 of its photos are shown anew" in capsys.readouterr().out
    with shop(directory.shop_id("salon")):
        cut, aoi = Service.objects.get(key="cut").id, Staff.objects.get(key="aoi").id
    found = shown()
    assert found.keys() == {Subject(), Subject(service=cut), Subject(staff=aoi)}
    assert found[Subject(service=cut)].texts == {"alt": {"ja": "写真 cut.png"}}


def test_it_changes_only_what_differs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    importing.main([str(file)])
    before = shown()
    with shop(directory.shop_id("salon")):
        revision = rules.revision()
    capsys.readouterr()
    assert importing.main([str(file)]) == 0
    assert "photos" not in capsys.readouterr().out
    (file.parent / "cut.png").write_bytes(saved(halves(), "PNG"))
    file.write_text(file.read_text(encoding="utf-8").replace("写真 aoi.jpg", "葵"), encoding="utf-8")
    assert importing.main([str(file)]) == 0
    assert "salon: 2 of its photos are shown anew" in capsys.readouterr().out
    after = shown()
    same = {subject for subject, one in after.items() if one.id == before[subject].id}
    assert same == {subject for subject in after if subject.service is None}
    assert {"葵"} == {one.texts["alt"]["ja"] for subject, one in after.items() if subject.staff}
    with shop(directory.shop_id("salon")):
        assert rules.revision() == revision, "photos are no rules"


def test_it_leaves_a_photo_that_the_file_does_not_name(file: Path) -> None:
    importing.main([str(file)])
    file.write_text(SALON, encoding="utf-8")
    assert importing.main([str(file)]) == 0
    assert len(shown()) == 3


def test_it_makes_no_shop_while_a_photo_is_faulty(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "front.jpg").unlink()
    (file.parent / "cut.png").write_bytes(b"<svg/>")
    (file.parent / "aoi.jpg").write_bytes(saved(picture(40, 40)))
    assert importing.main([str(file)]) == 1
    told = capsys.readouterr().err
    assert "front.jpg cannot be read: No such file or directory" in told
    assert "cut.png is no photo, or is damaged; give a JPEG, PNG, WebP or AVIF" in told
    assert "aoi.jpg is too small; give one of at least 96 x 96 pixels" in told
    assert "Nothing was imported." in told
    with pytest.raises(ShopUnknown):
        directory.shop_id("salon")


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        ('photo = "front.jpg"', "photo: 'front.jpg' cannot be; write a table"),
        ('photo = { file = "front.jpg" }', "photo.alt: is missing"),
        ('photo = { file = "front.jpg", alt = "店", size = 3 }', "photo.size: is not known here"),
    ],
)
def test_it_says_how_a_photo_is_written(
    file: Path, instead: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = 'photo = { file = "front.jpg", alt = { ja = "写真 front.jpg" } }'
    text = file.read_text(encoding="utf-8")
    assert line in text
    file.write_text(text.replace(line, instead), encoding="utf-8")
    assert importing.main([str(file)]) == 1
    assert told in capsys.readouterr().err
