"""A shop's photos as its pages show them, and the address of each file: anybody's, kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from noren.accounts.rules import public
from noren.shops import directory, photos
from noren.shops.models import Photo
from noren.shops.photos import Subject
from noren.shops.redraw import Kind
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, wording

_FOR_EVER: Final = "public, max-age=31536000, immutable"
# Opened by itself, a file does nothing and is shown in no other page.
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Source:
    """The widths of one kind, as a browser chooses from them."""

    type: str
    srcset: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo as `web/parts/photo.html` writes it; width and height are those of the largest file."""

    alt: str
    src: str
    width: int
    height: int
    sources: tuple[Source, ...]
    """The lightest kind first; the last is what every browser knows."""


@dataclass(frozen=True, slots=True)
class Album:
    """All photos of a shop."""

    shop: Shown | None = None
    services: Mapping[int, Shown] = field(default_factory=dict)
    staff: Mapping[int, Shown] = field(default_factory=dict)


def album(face: shopfront.Face) -> Album:
    """What the pages of a shop show, in one query."""
    with in_shop(face.id):
        found = photos.every()
    shown = {subject: _shown(face.slug, photo) for subject, photo in found.items()}
    return Album(
        shop=shown.get(Subject()),
        services={subject.service: each for subject, each in shown.items() if subject.service is not None},
        staff={subject.staff: each for subject, each in shown.items() if subject.staff is not None},
    )


def _shown(slug: str, photo: Photo) -> Shown:
    files = {kind: [each for each in photo.sizes if each["kind"] == kind] for kind in Kind}
    addresses = {
        (kind, each["width"]): reverse("photo", args=[slug, photo.id, photo.digest, each["width"], kind])
        for kind, those in files.items()
        for each in those
    }
    sources = tuple(
        Source(
            f"image/{kind}",
            ", ".join(f"{addresses[kind, each['width']]} {each['width']}w" for each in those),
        )
        for kind, those in files.items()
        if those
    )
    largest = files[Kind.WEBP][-1]
    return Shown(
        alt=wording.text(photo.texts, "alt"),
        src=addresses[Kind.WEBP, largest["width"]],
        width=largest["width"],
        height=largest["height"],
        sources=sources,
    )


@public
@require_safe
def file(
    request: HttpRequest, *, slug: str, photo_id: str, digest: str, pixels: str, kind: str
) -> HttpResponseBase:
    """One file of a photo. Its address says what it shows: it is never another one."""
    if kind not in set(Kind):
        raise Http404
    etag = f'"{digest}-{pixels}-{kind}"'
    with in_shop(directory.shop_id(slug)):
        if not photos.is_there(int(photo_id), digest):
            raise Http404
        known = get_conditional_response(request, etag=etag)
        if isinstance(known, HttpResponseNotModified):
            return _kept(known, etag)
        data = photos.data(int(photo_id), Kind(kind), int(pixels))
    if data is None:
        raise Http404
    return _kept(HttpResponse(data, content_type=f"image/{kind}"), etag)


def _kept(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["ETag"] = etag
    response.headers["Content-Security-Policy"] = _POLICY
    return response
