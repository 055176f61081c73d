"""Two screens at the desk agree: a page asks every two seconds whether anything has changed.

The question needs neither session nor vault: the page carries a token of its own, which tells of the shop
whether something has changed, and nothing else. A list that has changed is fetched as any page is, with the
bookings whose names the screen shows already: these stay as they are, and who is new is asked for alone.
"""

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from noren.accounts.rules import public
from noren.booking import day
from noren.web import times

_SALT = "noren.web.live"
_HOURS = 14
"""How long an open screen is answered: a day at the desk."""
MOST = 200
"""How many names a screen may say that it shows."""


def context(shop_id: int) -> dict[str, str]:
    """Return what a page needs to ask; to be read before what it shows is."""
    token = TimestampSigner(salt=_SALT).sign(str(shop_id))
    return {"pulse": f"{reverse('console_pulse')}?of={token}", "mark": day.mark(shop_id)}


def shown(request: HttpRequest) -> frozenset[int]:
    """Return the bookings whose names the screen shows already."""
    given = request.GET.get("known", "").split(",")[:MOST]
    return frozenset(number for each in given if (number := times.number(each)) is not None)


@public
@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """Say whether anything has changed: 304 where nothing has; 403 to who is no screen of ours (any more)."""
    try:
        token = TimestampSigner(salt=_SALT).unsign(request.GET.get("of", ""), max_age=_HOURS * 3600)
    except BadSignature:
        return HttpResponse(status=403)
    mark = f'"{day.mark(int(token))}"'
    answer = HttpResponse(status=304 if request.headers.get("If-None-Match") == mark else 204)
    answer["ETag"], answer["Cache-Control"] = mark, "no-cache, private"
    return answer
