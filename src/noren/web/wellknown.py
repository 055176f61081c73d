"""The small addresses that machines ask for."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import public

# Booking pages by link, and what is behind a sign-in, are nobody's search result.
ROBOTS = """User-agent: *
Disallow: /b/
Disallow: /console/
Disallow: /operations/
Disallow: /api/
Disallow: /*/book/
Disallow: /*/embed/
"""


@public
@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")


@public
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that this process answers. Whether vault and ledger do is shown to operators, not to everybody."""
    response = HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


@public
@require_safe
def security_txt(_request: HttpRequest) -> HttpResponse:
    """RFC 9116: whom to tell about a hole. The form first: it rings at once, and needs no account."""
    expires = (clock.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    text = (
        f"Contact: {settings.NOREN_ORIGIN}{reverse('report')}\n"
        f"Contact: mailto:{settings.ENV.mail_from}\n"
        f"Expires: {expires}\n"
        "Preferred-Languages: ja, en\n"
        f"Canonical: {settings.NOREN_ORIGIN}/.well-known/security.txt\n"
    )
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
