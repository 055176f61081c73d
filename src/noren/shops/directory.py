"""Addresses: which slug is which shop."""

import re
from functools import lru_cache

from django.db import connection

from noren.errors import ShopUnknown
from noren.shops.models import ShopDirectory

# First path segments of the site, and words a visitor would take for the house itself.
RESERVED = frozenset(
    {
        *(
            "news",
            "inquiry",
            "security",
            "settings",
            "console",
            "operations",
            "password",
            "api",
            "static",
            "dev",
        ),
        *("well-known", "admin", "login", "signin", "signout", "logout", "join", "booking", "bookings"),
        *("health", "healthz", "media", "assets", "legal", "privacy", "terms", "security", "status"),
        *(
            "ledger",
            "vault",
            "noren",
            "operator",
            "auditor",
            "www",
            "mail",
            "search",
            "account",
            "accounts",
            "shops",
        ),
        *("favicon", "robots", "sitemap", "link", "links", "notices", "webhooks", "language", "i18n"),
        *("help", "about", "sso", "exposed"),
    }
)
SLUG = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,38}")


def is_free_word(slug: str) -> bool:
    """Whether a shop may have this address: 2 to 39 of a-z 0-9 and single hyphens, no word of the house."""
    return bool(SLUG.fullmatch(slug)) and slug not in RESERVED


@lru_cache(maxsize=4096)
def _shop_id(_database: str, slug: str) -> int:
    found = ShopDirectory.objects.filter(slug=slug).values_list("id", flat=True).first()
    if found is None:
        raise ShopUnknown
    return found


def shop_id(slug: str) -> int:
    """Return the shop at this address. Raises ShopUnknown. An address is never given to another shop."""
    if not is_free_word(slug):
        raise ShopUnknown
    return _shop_id(connection.settings_dict["NAME"], slug)


def slug(shop_id: int) -> str:
    """Return the shop's address. Raises ShopUnknown."""
    return _slug(connection.settings_dict["NAME"], shop_id)


@lru_cache(maxsize=4096)
def _slug(_database: str, shop_id: int) -> str:
    found = ShopDirectory.objects.filter(id=shop_id).values_list("slug", flat=True).first()
    if found is None:
        raise ShopUnknown
    return found


def found(slug: str) -> int:
    """Return the shop at this address, made when there is none yet: its row in `shops_shop` comes next."""
    if not is_free_word(slug):
        raise ValueError(f"{slug!r} cannot be a shop's address.")
    return ShopDirectory.objects.get_or_create(slug=slug)[0].id
