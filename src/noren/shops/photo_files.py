"""Photos that lie beside a shop's file: drawn before anything is written, shown once its rows are there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from noren.shops import photos, redraw
from noren.shops.described import Faulty, PhotoGiven, ShopGiven
from noren.shops.models import Photo, Service, Staff
from noren.shops.photos import Subject
from noren.shops.redraw import File, NoPhoto, Reason

_WORDS: Final[Mapping[Reason, str]] = {
    Reason.UNREADABLE: "is no photo, or is damaged; give a JPEG, PNG, WebP or AVIF",
    Reason.TOO_LARGE: "is larger than 8 MB; save it smaller",
    Reason.TOO_MANY_PIXELS: "has more than 25 million pixels; make it smaller",
    Reason.TOO_SMALL: "is too small; give one of at least {} x {} pixels",
    Reason.BUSY: "has to wait for another; try again",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A photo that is ready; `service` and `staff` are keys, of which one is given, or none: the shop's."""

    service: str | None
    staff: str | None
    files: tuple[File, ...]
    alt: Mapping[str, str]

    def subject(self) -> Subject:
        """Who or what it is of, in the shop we are in."""
        if self.service is not None:
            return Subject(service=Service.objects.get(key=self.service).id)
        return Subject() if self.staff is None else Subject(staff=Staff.objects.get(key=self.staff).id)


def draw(given: ShopGiven, folder: Path) -> tuple[Drawn, ...]:
    """Draw every photo that a shop's file names. Raises Faulty with what is wrong with any of them."""
    faults: list[str] = []
    drawn = tuple(
        Drawn(service, staff, files, photo.alt)
        for service, staff, photo in _named(given)
        if (files := _files(folder / photo.file, small=bool(service or staff), faults=faults))
    )
    if faults:
        raise Faulty(faults)
    return drawn


def show(drawn: Iterable[Drawn]) -> int:
    """Show them, inside the shop, and say how many differ from what is shown already."""
    shown = photos.every()
    return sum([_show(each, shown) for each in drawn])


def _show(drawn: Drawn, shown: Mapping[Subject, Photo]) -> bool:
    subject = drawn.subject()
    there = shown.get(subject)
    if there is None or there.digest != redraw.digest(drawn.files):
        photos.put(subject, drawn.files, drawn.alt)
        return True
    return there.texts != {"alt": dict(drawn.alt)} and photos.describe(subject, drawn.alt)


def _named(given: ShopGiven) -> Iterator[tuple[str | None, str | None, PhotoGiven]]:
    if given.photo is not None:
        yield None, None, given.photo
    for service in given.services:
        if service.photo is not None:
            yield service.key, None, service.photo
    for resource in given.resources:
        if resource.photo is not None:
            yield None, resource.key, resource.photo


def _files(path: Path, *, small: bool, faults: list[str]) -> tuple[File, ...]:
    shape = redraw.SQUARE if small else redraw.WIDE
    try:
        return redraw.redraw(path.read_bytes(), shape)
    except NoPhoto as refusal:
        faults.append(f"{path.name} {_WORDS[refusal.reason].format(*shape.least)}")
    except OSError as error:
        faults.append(f"{path.name} cannot be read: {error.strerror}")
    return ()
