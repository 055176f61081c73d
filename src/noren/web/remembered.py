"""Which shop somebody signs in to, kept in a cookie of its own: a public name, and nobody's secret."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from noren.shops import directory

_YEAR = 365 * 86_400


def shop(request: HttpRequest) -> str:
    """Return the short name in `?shop=`, or the one this browser signed in to last; empty for neither."""
    for text in (request.GET.get("shop", ""), request.COOKIES.get(_name(), "")):
        if directory.SLUG.fullmatch(text):
            return text
    return ""


def remember(response: HttpResponseBase, slug: str) -> None:
    response.set_cookie(
        _name(),
        slug,
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _name() -> str:
    return "__Host-noren_shop" if settings.SESSION_COOKIE_SECURE else "noren_shop"
