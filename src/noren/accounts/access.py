"""Who may enter a view: `@staff_required`, `@manager_required`, `@operator_required` and `@customer_required`
give it a request that knows who asks.

A view so guarded never runs for anybody else, its answer is not kept by any cache, and a grant that ends
while it runs leads back to sign-in: /console/sign-in for shops, /operations/sign-in for operators, and a
shop's own /<slug>/account for its customers.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from noren import clock
from noren.accounts.session import (
    CUSTOMER,
    STAFF,
    Place,
    SignedIn,
    end_session,
    forget_grant,
    read_session,
)
from noren.errors import FreshSignInNeeded, GrantExpired, GrantRefused
from noren.shops import directory

__all__ = [
    "CustomerRequest",
    "OperatorRequest",
    "SignedIn",
    "StaffRequest",
    "customer_of",
    "customer_required",
    "fresh_customer_required",
    "manager_required",
    "operator_required",
    "safe_next",
    "signed_in",
    "staff_required",
]

P = ParamSpec("P")
OPERATOR = "operator"
STAFF_SIGN_IN = "/console/sign-in"
OPERATOR_SIGN_IN = "/operations/sign-in"


class StaffRequest(HttpRequest):
    """A request of somebody who works for the shop `shop_id`."""

    signed_in: SignedIn
    shop_id: int


class CustomerRequest(HttpRequest):
    """A request of a customer of the shop `shop_id`."""

    signed_in: SignedIn
    shop_id: int


class OperatorRequest(HttpRequest):
    """A request of an operator."""

    signed_in: SignedIn


StaffView = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
OperatorView = Callable[Concatenate[OperatorRequest, P], HttpResponseBase]
CustomerView = Callable[Concatenate[CustomerRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return who of a shop, or which operator, asks, or None."""
    return read_session(request, now=clock.now())


def customer_of(request: HttpRequest, shop_id: int) -> SignedIn | None:
    """Return the customer of this shop who is signed in, or None."""
    who = read_session(request, now=clock.now(), place=CUSTOMER)
    return who if who is not None and who.shop_id == shop_id else None


def customer_required(view: CustomerView[P]) -> View[P]:
    """Let only a customer of the shop in whose slug the address names; others are led to its /account."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        slug = str(kwargs["slug"])
        shop_id, sign_in = directory.shop_id(slug), f"/{slug}/account"
        who = customer_of(request, shop_id)
        if who is None:
            return _to_sign_in(request, sign_in)
        known = cast("CustomerRequest", request)
        known.signed_in, known.shop_id = who, shop_id

        def asked() -> HttpResponseBase:
            try:
                return view(known, *args, **kwargs)
            except GrantRefused:
                raise GrantExpired from None  # she was erased since

        return _answer(request, asked, sign_in, CUSTOMER)

    return guarded


def fresh_customer_required(within: timedelta) -> Callable[[CustomerView[P]], View[P]]:
    """As `customer_required`, and she signed in so short a while ago: before anything of hers is changed."""

    def guard(view: CustomerView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: CustomerRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.signed_in.fresh(within, now=clock.now()):
                with suppress(FreshSignInNeeded):
                    return view(request, *args, **kwargs)
            if request.headers.get("Accept") == "application/json":
                raise FreshSignInNeeded
            return _to_sign_in(request, f"/{kwargs['slug']}/account/again")

        return customer_required(guarded)

    return guard


def staff_required(view: StaffView[P]) -> View[P]:
    """Let only members of a shop in; others are led to /console/sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None or who.shop_id is None:
            return _to_sign_in(request, STAFF_SIGN_IN)
        known = cast("StaffRequest", request)
        known.signed_in, known.shop_id = who, who.shop_id
        return _answer(request, lambda: view(known, *args, **kwargs), STAFF_SIGN_IN)

    return guarded


def manager_required(view: StaffView[P]) -> View[P]:
    """Let only a shop's owner and managers in; others who work there are told that they may not."""

    @wraps(view)
    def guarded(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.signed_in.manages:
            raise GrantRefused
        return view(request, *args, **kwargs)

    return staff_required(guarded)


def operator_required(view: OperatorView[P]) -> View[P]:
    """Let only operators in; others are led to /operations/sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None or who.role != OPERATOR:
            return _to_sign_in(request, OPERATOR_SIGN_IN)
        known = cast("OperatorRequest", request)
        known.signed_in = who
        return _answer(request, lambda: view(known, *args, **kwargs), OPERATOR_SIGN_IN)

    return guarded


def safe_next(request: HttpRequest, default: str) -> str:
    """Return the page asked for in `?next=`, if it is one of ours."""
    wanted = request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return default


def _answer(
    request: HttpRequest, view: Callable[[], HttpResponseBase], sign_in: str, place: Place = STAFF
) -> HttpResponseBase:
    try:
        response = view()
    except GrantExpired:
        end_session(request.session, place)
        response = _to_sign_in(request, sign_in)
        forget_grant(response, place)
    add_never_cache_headers(response)
    return response


def _to_sign_in(request: HttpRequest, sign_in: str) -> HttpResponseBase:
    """Lead to the sign-in page and back, without the query: it may name somebody.

    A piece of a page asked for by htmx leads the whole page there.
    """
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=401)
        response["HX-Redirect"] = sign_in
        return response
    query = "?" + urlencode({"next": request.path}) if request.method == "GET" else ""
    response = HttpResponseRedirect(sign_in + query)
    add_never_cache_headers(response)
    return response
