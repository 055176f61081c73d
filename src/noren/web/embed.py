"""What a frame begins and ends with: the tag's script, the list of services, the booking that was made."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import own_link, public
from noren.booking import links
from noren.booking.models import Status
from noren.errors import LinkUnknown
from noren.web import own_series, shelf, visits, ways
from noren.web.public import chosen_staff, face_or_404


@public
@require_safe
def script(_request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the tag's script. It is one for all: it reads the shop from the address it was asked by."""
    face_or_404(slug)
    answer = HttpResponseRedirect(static("noren/embed.js"))
    patch_cache_control(answer, public=True, max_age=300)
    return answer


@public
@require_safe
def front(request: HttpRequest, slug: str) -> HttpResponse:
    """List the services, and who may be asked for."""
    face, way = face_or_404(slug), ways.of(request)
    shown = shelf.of(
        face, way, chosen_staff(request), shelf.been_of(request.GET.get("been", "")), clock.now()
    )
    return render(request, "web/embed/front.html", {"shop": face, **shown})


@own_link
@require_safe
def done(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show the booking that was made, and lead to its page outside: there it can be cancelled, here not."""
    face = face_or_404(slug)
    link = links.resolve(token)
    visit = visits.one(face, link.booking_id) if link.shop_id == face.id else None
    if visit is None:
        raise LinkUnknown
    pending = visit.status == Status.PENDING
    context = {
        "shop": face,
        "token": token,
        "booking": visit,
        "tone": "pending" if pending else "good" if visit.stands else "",
        "heading": _("You have asked for this time.") if pending else visit.status_words,
        "words": _("It is not booked yet: the shop looks at it and answers by mail.") if pending else "",
        **own_series.of(face, visit, clock.now()),
    }
    if visit.status == Status.CONFIRMED:
        context["heading"] = _("You are booked.")
        context["words"] = _("A confirmation is on its way to your mail.")
    response = render(request, "web/embed/done.html", context)
    add_never_cache_headers(response)
    return response
