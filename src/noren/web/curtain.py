"""A shop whose curtain is not out yet: to the public no such shop, to its own people a look at what will be.

One place for every address that names a shop or holds a link of one, those of the API too, and those that are
yet to be written: the view is asked with an address that no shop can have, and so answers as it answers then.
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from noren.accounts.access import signed_in
from noren.booking import links
from noren.errors import NotOpenYet, ShopUnknown
from noren.shops import curtain, directory
from noren.web.errors import noren_error

# Neither can be: the one is a word of the house, the other has no seal.
_NO_SHOP: Final = "noren"
_NO_LINK: Final = "none"
_NAMES: Final = {"slug", "token"}
# A provider's own request, which ends sign-ins of the shop's people; it tells nothing of the shop.
_OF_MEMBERS: Final = "sso_signed_out"


class Curtain:
    """Hides a shop that is not open (a middleware)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, "only_you", False):
            add_never_cache_headers(response)
        if getattr(request, "no_shop", False):
            # Of a hidden shop it depends on who asks; so it is said of each that is not there.
            patch_vary_headers(response, ["Cookie"])
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],  # noqa: ARG002 - Django's signature
        args: tuple[Any, ...],  # noqa: ARG002 - Django's signature
        named: dict[str, Any],
    ) -> HttpResponse | None:
        """Let the view answer, of a hidden shop as of none."""
        if not _NAMES & set(named) or _is_of_members(request):
            return None
        shop_id = _shop_of(named)
        if shop_id is not None and curtain.is_open(shop_id):
            return None
        vars(request)["no_shop"] = True
        if shop_id is None:
            return None
        who = None if request.path.startswith("/api/") else signed_in(request)
        if who is None or who.shop_id != shop_id:
            named.update({key: _NO_SHOP if key == "slug" else _NO_LINK for key in _NAMES & set(named)})
            return None
        if request.method in ("GET", "HEAD"):
            vars(request)["only_you"] = True
            return None
        return noren_error(request, NotOpenYet())


def _shop_of(named: dict[str, Any]) -> int | None:
    """Return the shop that an address names, or whose link it holds; None where there is none."""
    if "slug" in named:
        try:
            return directory.shop_id(str(named["slug"]))
        except ShopUnknown:
            return None
    return links.shop_of(str(named["token"])) if "token" in named else None


def _is_of_members(request: HttpRequest) -> bool:
    matched = request.resolver_match
    return matched is not None and matched.url_name == _OF_MEMBERS
