"""What anybody may see: the list of shops, and a shop's own page. No vault."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import public
from noren.errors import ShopUnknown
from noren.shops import directory
from noren.web import listed, photos, shopfront


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "web/home.html", {"shops": shopfront.doors()})


@public
@require_safe
def shop(request: HttpRequest, slug: str) -> HttpResponse:
    face = face_or_404(slug)
    today = clock.now().astimezone(face.zone).date()
    rows, special = shopfront.hours(face.id, today)
    services = shopfront.offers(face.id)
    context = {
        "shop": face,
        "services": [(each, reverse("book", args=[slug, each.id])) for each in services],
        "team": shopfront.team(face.id),
        "photos": photos.album(face),
        "hours": rows,
        "closings": special,
        "listed": listed.of(face, "shop"),
        "linked": listed.business(face, services, today),
    }
    return render(request, "web/shop.html", context)


def face_or_404(slug: str) -> shopfront.Face:
    """Return the shop at this address. Raises ShopUnknown."""
    face = shopfront.face(directory.shop_id(slug), slug)
    if face is None:
        raise ShopUnknown
    return face
