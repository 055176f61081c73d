"""A shop's pages as machines read them: schema.org in JSON-LD, Open Graph, an address for each language."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from noren.engine import hours
from noren.engine.model import ShopRules
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Face, Offer

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Days with other hours than usual are told that far ahead, as on the page.
AHEAD = 35
LONGEST = 150
LOCALES = {"ja": "ja_JP", "en": "en_GB"}
Json = dict[str, Any]
# In a script's element only `</script` and `<!--` end or change anything: no `<` of a shop's gets there.
_HARMLESS = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@dataclass(frozen=True, slots=True)
class Listed:
    """How a page is named by search engines and in messages that point to it; `path` is its own."""

    path: str
    title: str
    description: str

    @property
    def address(self) -> str:
        """The page in the language of whoever asks."""
        return f"{settings.NOREN_ORIGIN}{self.path}"

    @property
    def canonical(self) -> str:
        return f"{self.address}?lang={wording.spoken_language()}"

    @property
    def languages(self) -> list[tuple[str, str]]:
        return [(code, f"{self.address}?lang={code}") for code in LOCALES]

    @property
    def locale(self) -> str:
        return LOCALES[wording.spoken_language()]

    @property
    def other_locales(self) -> list[str]:
        return [locale for locale in LOCALES.values() if locale != self.locale]


def of(face: Face, name: str, title: str = "") -> Listed:
    """Describe the shop's page of this name."""
    words = " ".join(face.about.split()) or _("Book a time at %(shop)s, at any hour.") % {"shop": face.name}
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    whole = f"{title} · {face.name}" if title else str(face.name)
    return Listed(reverse(name, args=[face.slug]), whole, short)


def address(name: str, *args: object) -> str:
    """Return a page's whole address."""
    return f"{settings.NOREN_ORIGIN}{reverse(name, args=args)}"


def business(face: Face, services: Iterable[Offer], today: date) -> SafeString:
    """Return the shop as a data block: its words, hours, services and prices."""
    with in_shop(face.id):
        known = rules.known().rules
    shop = address("shop", face.slug)
    told = {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "@id": shop,
        "url": shop,
        "name": face.name,
        "description": face.about,
        "telephone": face.phone,
        "email": face.mail,
        "address": _place(face),
        "currenciesAccepted": face.currency,
        "openingHoursSpecification": [*_weekly(known), *_other_days(known, today)],
        "makesOffer": [_offer(face, each, shop) for each in services],
        "potentialAction": {
            "@type": "ReserveAction",
            "target": {"@type": "EntryPoint", "urlTemplate": shop},
            "result": {"@type": "Reservation"},
        },
    }
    return block(_filled(told))


def block(told: Json) -> SafeString:
    """Write a data block. It is no script: no browser runs it, so the pages' policy has nothing to allow."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).translate(_HARMLESS)
    return SafeString(f'<script type="application/ld+json">{text}</script>')


def _filled(told: Json) -> Json:
    return {key: value for key, value in told.items() if value not in ("", [], {})}


def _place(face: Face) -> Json:
    told = {"streetAddress": face.address, "postalCode": face.postcode, "addressCountry": face.country}
    return {"@type": "PostalAddress", **_filled(told)} if face.address else {}


def _offer(face: Face, service: Offer, shop: str) -> Json:
    about = {"name": service.name, "description": service.about}
    return {
        "@type": "Offer",
        "url": address("book", face.slug, service.id),
        "price": str(service.price),
        "priceCurrency": face.currency,
        "itemOffered": {"@type": "Service", **_filled(about), "provider": {"@id": shop}},
    }


def _weekly(known: ShopRules) -> list[Json]:
    """Return the hours of each weekday; a day that is not named is closed."""
    week = zip(DAYS, known.hours.weekly, strict=True)
    return [
        _open(each, dayOfWeek=f"https://schema.org/{day}")
        for day, ranges in week
        for each in hours.merged(ranges)
    ]


def _other_days(known: ShopRules, today: date) -> list[Json]:
    """Return the dates to come whose hours are not those of their weekday: holidays, closings, their own."""
    told: list[Json] = []
    for number in range(AHEAD):
        on = today + timedelta(days=number)
        ranges = hours.merged(hours.of_shop(known, on))
        if ranges != hours.merged(known.hours.weekly[on.weekday()]):
            dated = {"validFrom": on.isoformat(), "validThrough": on.isoformat()}
            told += [_open(each, **dated) for each in ranges or [(0, 0)]]
    return told


def _open(stretch: Sequence[int], **when: str) -> Json:
    """Write one stretch. An end that is not after its start is on the next day; nothing at all: closed."""
    start, end = stretch
    closes = end - 1 if end == 1440 else end % 1440
    return {"@type": "OpeningHoursSpecification", **when, "opens": _clock(start), "closes": _clock(closes)}


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
