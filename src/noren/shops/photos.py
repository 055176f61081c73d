"""A shop's photos, inside the shop: of itself, of its services, of its staff. One of each at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from noren.shops import redraw
from noren.shops.models import Photo, PhotoFile, Service, Shop, Staff
from noren.shops.redraw import File, Kind, Shape

LONGEST_ALT: Final = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """What a photo is of: a service, somebody who serves, or (neither) the shop."""

    service: int | None = None
    staff: int | None = None

    @property
    def shape(self) -> Shape:
        return redraw.SQUARE if self.service or self.staff else redraw.WIDE

    @property
    def columns(self) -> dict[str, int | None]:
        return {"service_id": self.service, "staff_id": self.staff}

    def there(self) -> bool:
        """Whether the shop we are in has this."""
        if self.service is not None:
            return Service.objects.filter(id=self.service).exists()
        return self.staff is None or Staff.objects.filter(id=self.staff).exists()


def put(subject: Subject, files: Sequence[File], alt: Mapping[str, str]) -> Photo:
    """Show this photo of it from now on, in the place of another; what redraw gave, and nothing else."""
    _lock()
    remove(subject)
    photo = Photo.objects.create(
        **subject.columns,
        texts={"alt": dict(alt)},
        digest=redraw.digest(files),
        sizes=[{"kind": str(each.kind), "width": each.width, "height": each.height} for each in files],
    )
    PhotoFile.objects.bulk_create(
        PhotoFile(photo_id=photo.id, kind=str(each.kind), width=each.width, data=each.data) for each in files
    )
    return photo


def _lock() -> None:
    """Let two who choose at once come one after the other: the later one's photo stays."""
    Shop.objects.select_for_update(no_key=True).first()


def describe(subject: Subject, alt: Mapping[str, str]) -> bool:
    """Say in other words what is seen on it; whether there is such a photo."""
    return Photo.objects.filter(**subject.columns).update(texts={"alt": dict(alt)}) > 0


def remove(subject: Subject) -> bool:
    """Take its photo away, files and all; whether there was one."""
    photo = Photo.objects.filter(**subject.columns).first()
    if photo is None:
        return False
    PhotoFile.objects.filter(photo_id=photo.id).delete()
    return photo.delete()[0] > 0


def every() -> dict[Subject, Photo]:
    """Return all photos of the shop we are in, without their files."""
    return {Subject(photo.service_id, photo.staff_id): photo for photo in Photo.objects.all()}


def is_there(photo_id: int, digest: str) -> bool:
    """Whether this photo is shown, and shows this."""
    return Photo.objects.filter(id=photo_id, digest=digest).exists()


def data(photo_id: int, kind: Kind, width: int) -> bytes | None:
    """Return one of its files."""
    found = PhotoFile.objects.filter(photo_id=photo_id, kind=str(kind), width=width)
    row = found.values_list("data", flat=True).first()
    return None if row is None else bytes(row)
