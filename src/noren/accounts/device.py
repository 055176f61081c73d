"""The browser's own secret: by it the vault knows a browser that somebody has signed in from.

It lies in a cookie of the browser, and nowhere on this side. It opens nothing: who comes from a browser that
her account knows is not held up by what others try on the account.
"""

import re
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

LIFE: Final = timedelta(days=180)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def cookie_name() -> str:
    return "__Host-noren_device" if settings.SESSION_COOKIE_SECURE else "noren_device"


def secret_of(request: HttpRequest) -> str:
    """Return the browser's secret, or a new one: `remember` it with the answer once somebody signed in."""
    held = request.COOKIES.get(cookie_name(), "")
    return held if _SECRET.fullmatch(held) else secrets.token_urlsafe(32)


def remember(response: HttpResponseBase, secret: str) -> None:
    """Hand it to the browser."""
    response.set_cookie(
        cookie_name(),
        secret,
        max_age=int(LIFE.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
        path="/",
    )
