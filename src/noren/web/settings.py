"""What the pages of one's own account share: the frame of whoever reads, and showing first who one is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren import people
from noren.accounts.access import SignedInRequest
from noren.accounts.session import CUSTOMER
from noren.errors import FreshSignInNeeded
from noren.shops import directory
from noren.web import devices, passwords, shopfront

P = ParamSpec("P")
LONGEST_PASSWORD: Final = 500
DONE: Final[Mapping[str, str | Promise]] = {
    "named": gettext_lazy("The passkey has its name."),
    "added": gettext_lazy("The passkey was added. You can give it a name that you will know again."),
    "removed": gettext_lazy("The passkey was removed, and what it had opened has ended."),
    "password": gettext_lazy("Your password was changed, and your other sign-ins have ended."),
    "codes_off": gettext_lazy("One-time codes are off."),
    "ended": gettext_lazy("The sign-in has ended."),
    "others": gettext_lazy("All other sign-ins have ended."),
}
View = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def confirmed_first(back: str) -> Callable[[View[P]], View[P]]:
    """Lead over the confirming page and back where somebody has to show first who it is."""

    def wrapper(view: View[P]) -> View[P]:
        @wraps(view)
        def led(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except FreshSignInNeeded:
                # What was posted is not done again by itself: the page before it is shown.
                path = request.path if request.method == "GET" else reverse(back)
                return HttpResponseRedirect(f"{reverse('security_confirm')}?{urlencode({'next': path})}")

        return led

    return wrapper


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey as the page shows it."""

    one: people.OwnPasskey
    words: str
    added: datetime
    used: datetime | None

    @classmethod
    def of(cls, one: people.OwnPasskey, zone: tzinfo) -> "Key":
        used = None if one.used is None else one.used.astimezone(zone)
        return cls(one, named(one), one.added.astimezone(zone), used)


def named(one: people.OwnPasskey) -> str:
    """Its own name, else what is known of the device."""
    if one.label:
        return one.label
    if one.attached == "cross-platform":
        return _("Security key or phone")
    device = devices.device(one.device)
    return _("Passkey of %(device)s") % {"device": device} if device else _("Passkey")


def fresh(request: SignedInRequest) -> None:
    """Raise FreshSignInNeeded where the vault would."""
    if not people.confirm_state(request.signed_in.grant).fresh:
        raise FreshSignInNeeded


def typed(request: SignedInRequest, name: str) -> str:
    """What was typed as a password; nothing at all is not asked of the vault."""
    return passwords.typed(request, name, LONGEST_PASSWORD) or "-"


def zone_of(request: SignedInRequest) -> tzinfo:
    """The zone of the shop; an operator reads UTC."""
    face = face_of(request)
    return UTC if face is None else face.zone


def face_of(request: SignedInRequest) -> shopfront.Face | None:
    shop_id = request.signed_in.shop_id
    return None if shop_id is None else shopfront.face(shop_id, directory.slug(shop_id))


def shown(
    request: SignedInRequest, name: str, title: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render one of these pages in the frame of whoever reads it."""
    face = face_of(request)
    frame = "operations" if face is None else "customer" if request.signed_in.place is CUSTOMER else "console"
    whole = {
        "shop": face,
        "title": title,
        "way": "security",
        "frame": f"web/settings/frame_{frame}.html",
        "utc": face is None,
        **context,
    }
    return render(request, f"web/settings/{name}.html", whole, status=status)


def done(what: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('security')}?{urlencode({'done': what})}")
