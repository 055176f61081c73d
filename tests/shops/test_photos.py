"""A photo of each thing, and one alone, whoever chooses at the same moment."""

from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError

from noren.shops import photos
from noren.shops.models import Photo, PhotoFile
from noren.shops.photos import Subject
from noren.shops.redraw import File, Kind
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.booking.rush import at_once
from tests.servers import AppDatabase

ALT = {"ja": "店"}


@pytest.fixture
def made(app_db: AppDatabase) -> Salon:
    assert app_db
    return salon()


def files(number: int) -> list[File]:
    return [File(Kind.WEBP, width, width, b"RIFF....WEBP%d" % number) for width in (96, 192)]


def choose(made: Salon, subject: Subject, number: int) -> int:
    with shop(made.id):
        return photos.put(subject, files(number), ALT).id


def rush(made: Salon) -> list[int | BaseException]:
    """Six who choose a photo of the same at the same moment."""
    return at_once([partial(choose, made, Subject(service=made.cut), number) for number in range(6)])


def test_the_last_of_many_stays_alone(made: Salon) -> None:
    chosen = rush(made)
    assert len({each for each in chosen if isinstance(each, int)}) == 6
    with shop(made.id):
        [kept] = Photo.objects.all()
        assert set(PhotoFile.objects.values_list("photo_id", flat=True)) == {kept.id}
        assert PhotoFile.objects.count() == 2


def test_control_without_the_lock_they_meet(made: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "_lock", lambda: None)
    assert any(isinstance(each, IntegrityError) for _try in range(5) for each in rush(made))


def test_it_keeps_the_photos_of_each_thing_apart(made: Salon) -> None:
    subjects = [
        Subject(),
        Subject(service=made.cut),
        Subject(service=made.lesson),
        Subject(staff=made.staff[0]),
    ]
    for number, subject in enumerate(subjects):
        choose(made, subject, number)
    with shop(made.id):
        assert photos.every().keys() == set(subjects)
        assert photos.remove(Subject())
        assert photos.every().keys() == set(subjects[1:])


def test_it_takes_none_of_what_another_shop_has(made: Salon) -> None:
    other = salon("yoga", ("sora",))
    for subject in (Subject(service=other.cut), Subject(staff=other.staff[0])):
        with pytest.raises(DatabaseError, match="foreign key"):
            choose(made, subject, 1)
    with shop(made.id):
        assert photos.every() == {}
        assert not Subject(service=other.cut).there()
