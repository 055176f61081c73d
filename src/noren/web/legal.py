"""What a shop must say of itself: the page by the law on trade, and what it uses its customers' data for.

Both are the shop's own words where it gives them, and plain true ones of the house where it does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from noren.accounts.rules import public
from noren.shops import described_public
from noren.web import listed, shopfront, wording
from noren.web.public import face_or_404
from noren.web.shopfront import Face

ASKED_FOR = gettext_lazy("We tell it without delay to whoever asks.")
OTHERWISE: Mapping[str, str | Promise] = {
    "person": ASKED_FOR,
    "address": ASKED_FOR,
    "phone": ASKED_FOR,
    "charges": gettext_lazy(
        "A fee for choosing who serves you, where one is shown before you book; else none. "
        "What your line to the internet costs is yours to pay."
    ),
    "payment": gettext_lazy("At the shop, after your visit."),
    "delivery": gettext_lazy("At the date and time that you book."),
    "refunds": gettext_lazy(
        "You can cancel on your booking's page. Until when, and what it costs, is shown before you book."
    ),
}
PURPOSES: Final = (
    gettext_lazy("to take your booking, keep it, change it and remind you of it"),
    gettext_lazy("to reach you about it, on the day too"),
    gettext_lazy("to prepare your visit and serve you well, with what is known of earlier ones"),
    gettext_lazy("to do what the law asks of a shop"),
)
NOTHING_ELSE: Final = gettext_lazy("It is used for nothing else, unless you agree.")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the page; `scheme` makes a link of it: tel, mailto."""

    label: str
    words: str
    scheme: str = ""


@public
@require_safe
def trade(request: HttpRequest, slug: str) -> HttpResponse:
    """Show 特定商取引法に基づく表記."""
    face = face_or_404(slug)
    title = _("Act on Specified Commercial Transactions")
    context = {"shop": face, "rows": _rows(face), "listed": listed.of(face, "legal", title)}
    return render(request, "web/shop/legal.html", context)


@public
@require_safe
def privacy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show 利用目的: what for, how kept, how to ask."""
    face = face_or_404(slug)
    listing = listed.of(face, "privacy", _("Use of your data"))
    context = {
        "shop": face,
        "listed": listing,
        "purposes": PURPOSES,
        "nothing_else": NOTHING_ELSE,
        "health": shopfront.asks_health(face.id),
    }
    return render(request, "web/shop/privacy.html", context)


def house_privacy(lang: str) -> str:
    """Say in a language, as text, what the page says of a shop that says nothing of it."""
    with translation.override(lang):
        dot = "・" if lang == "ja" else "- "
        return "\n".join([*(f"{dot}{each}" for each in PURPOSES), "", str(NOTHING_ELSE)])


def labels() -> dict[str, str]:
    """What the law asks for by name, as the page calls it."""
    return {
        "seller": _("Seller"),
        "person": _("Responsible"),
        "address": _("Address"),
        "phone": _("Phone"),
    }


def lacking(face: Face) -> list[str]:
    """Name what the law asks for and the shop has not said, nor that it tells it on request."""
    lacks = described_public.lacking({"address": face.address}, dict(face.legal), {"phone": face.phone})
    return [labels()[key] for key in lacks]


def _rows(face: Face) -> list[Row]:
    given = face.legal
    hidden = given.get("on_request", ())

    def said(key: str, known: str = "") -> str:
        words = "" if key in hidden else wording.text(given, key) or known
        return words or str(OTHERWISE[key])

    phone = "" if "phone" in hidden else face.phone
    mail = [Row(_("Mail"), face.mail, "mailto")] if face.mail else []
    return [
        Row(_("Seller"), wording.text(given, "seller") or face.name),
        Row(_("Responsible"), said("person")),
        Row(_("Address"), said("address", _address(face))),
        Row(_("Phone"), said("phone", phone), "tel" if phone else ""),
        *mail,
        Row(_("Price"), _("As shown with each service, tax included.")),
        Row(_("Other charges"), said("charges")),
        Row(_("When and how you pay"), said("payment")),
        Row(_("When you are served"), said("delivery")),
        Row(_("Cancelling and refunds"), said("refunds", face.policy)),
    ]


def _address(face: Face) -> str:
    if not face.address or not face.postcode:
        return face.address
    lang = getattr(face.address, "lang", "")
    return wording.Words(f"〒{face.postcode}\n{face.address}", lang)
