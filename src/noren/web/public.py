"""What anybody may see: the list of shops, and a shop's own page. No vault."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import public
from noren.errors import ShopUnknown
from noren.shops import directory
from noren.web import listed, photos, shelf, shopfront, ways


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
    shown = shelf.of(face, ways.OWN, chosen_staff(request), clock.now())
    context = {
        "shop": face,
        **shown,
        "photos": photos.album(face),
        "hours": rows,
        "closings": special,
        "listed": listed.of(face, "shop"),
        "linked": listed.business(face, shown["offers"], today),
    }
    return render(request, "web/shop.html", context)


def chosen_staff(request: HttpRequest) -> int | None:
    """Return whom the address of a shop's page names (`?staff=`), if it is a number."""
    text = request.GET.get("staff", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def face_or_404(slug: str) -> shopfront.Face:
    """Return the shop at this address. Raises ShopUnknown."""
    face = shopfront.face(directory.shop_id(slug), slug)
    if face is None:
        raise ShopUnknown
    return face
