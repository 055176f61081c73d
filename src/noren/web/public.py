"""What anybody may see: the list of shops, and a shop's own page. No vault, but for who is signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import public
from noren.errors import ShopUnknown
from noren.shops import directory
from noren.shops.terms import Visitors
from noren.web import known, listed, photos, shelf, shopfront, ways


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
    shown = shelf.of(face, ways.OWN, chosen_staff(request), _been(request, face), clock.now())
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


def _been(request: HttpRequest, face: shopfront.Face) -> Visitors:
    """Her own word; without one, of who is signed in, what her history says, so that nothing is shown that is
    not for her. The vault is asked who she is only where that changes what is shown.
    """
    word = request.GET.get("been", "")
    if word or not any(each.visitors for each in shopfront.offers(face.id)):
        return shelf.been_of(word)
    return known.been(request, face.id, clock.now())


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
