"""A shop's booking pages inside another site's page: only in those that the shop names, and without a cookie.

Browsers keep cookies from a frame of another site, so nothing here reads or writes one: the language is in
each address, the hold in the form (`held`), and the form's own token is signed and dated instead of being
held against a cookie. What a cookie proves elsewhere, that the form was sent from a page of ours, the
browser's own `Origin` says. Who is signed in counts as anybody here, so there is no power to be borrowed by a
forged form; pages of the account open outside of the frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt

from noren.errors import NorenError
from noren.web.errors import noren_error
from noren.web.public import face_or_404
from noren.web.shopfront import Face
from noren.web.ways import Way

View = Callable[..., HttpResponse]
_SIGNER = TimestampSigner(salt="noren.web.frames")
# A page that stood open longer is loaded anew first.
_GOOD_SECONDS = 24 * 3600
_OUT = SafeString(' target="_blank" rel="noopener"')


@dataclass(frozen=True, slots=True)
class Frame:
    """Whose pages, and where their first is."""

    face: Face
    way: Way

    @property
    def home(self) -> str:
        return self.way.at("shop", [self.face.slug])

    def opens(self, response: HttpResponse) -> HttpResponse:
        """Let a page be shown in frames of the sites that the shop named."""
        ancestors = list(self.face.embed_origins) or ["'none'"]
        response.headers["Content-Security-Policy"] = build_policy(replace={"frame-ancestors": ancestors})
        # What django.views.decorators.clickjacking.xframe_options_exempt sets: the policy says it all.
        vars(response)["xframe_options_exempt"] = True
        return response


def framed(view: View) -> View:
    """Show the view's pages in frames of the sites that the shop named, and take no form from elsewhere.

    It keeps the view's rule.
    """

    @csrf_exempt
    @wraps(view)
    def shown(request: HttpRequest, slug: str, **named: Any) -> HttpResponse:
        face = face_or_404(slug)
        way = Way(framed=True, lang=get_language() or "ja")
        frame = Frame(face, way)
        vars(request).update(frame=frame, way=way)
        try:
            forged = request.method == "POST" and not _is_ours(request, face.id)
            response = _grown_old(request) if forged else view(request, slug=slug, **named)
        except NorenError as refusal:
            response = noren_error(request, refusal)
        return frame.opens(response)

    return shown


def context(request: HttpRequest) -> dict[str, Any]:
    """Give templates the frame (a context processor): its token in place of the one that needs a cookie."""
    frame = getattr(request, "frame", None)
    if not isinstance(frame, Frame):
        return {}
    return {
        "frame": frame,
        "frame_base": "web/embed/frame.html",
        "csrf_token": _SIGNER.sign(str(frame.face.id)),
        "out": _OUT,
    }


def _is_ours(request: HttpRequest, shop_id: int) -> bool:
    """Whether the form came from one of our own pages of this shop, not long ago."""
    # Every browser names the page's origin with a form that is posted; what is no browser has no cookies
    # and no visitor who could be made to send something.
    origin = request.headers.get("Origin")
    ours = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    if origin is not None and origin not in ours:
        return False
    try:
        signed = _SIGNER.unsign(request.POST.get("csrfmiddlewaretoken", ""), max_age=_GOOD_SECONDS)
    except BadSignature:
        return False
    return signed == str(shop_id)


def _grown_old(request: HttpRequest) -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
