"""Who may enter a view: `@signed_in_required`, `@staff_required`, `@permission_required(...)`,
`@operator_required`, `@auditor_required`, `@platform_required` (one of the last two) and `@customer_required`
give it a request that knows who asks. Each declares its rule (`rules`).

Beyond the first pages an operator needs a power that was lent to her: `@power_required("support_shop")`, and
`@record_required` where auditors read by standing. The vault says whether it runs, at each request.

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
from noren.accounts.rules import Kind, Permission, Rule, declare
from noren.accounts.session import (
    CUSTOMER,
    STAFF,
    Place,
    SignedIn,
    end_session,
    forget_grant,
    read_session,
)
from noren.errors import FreshSignInNeeded, GrantExpired, GrantRefused, PowerNeeded
from noren.people import powers
from noren.shops import directory

__all__ = [
    "CustomerRequest",
    "LentRequest",
    "OperatorRequest",
    "Permission",
    "RecordRequest",
    "SignedIn",
    "SignedInRequest",
    "StaffRequest",
    "auditor_required",
    "customer_of",
    "customer_required",
    "fresh_customer_required",
    "manager_required",
    "operator_required",
    "permission_required",
    "platform_required",
    "power_required",
    "record_required",
    "safe_next",
    "sign_in_of",
    "signed_in",
    "signed_in_required",
    "staff_required",
]

P = ParamSpec("P")
OPERATOR = "operator"
AUDITOR = "auditor"
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
    """A request of an operator, or of an auditor."""

    signed_in: SignedIn


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in, whoever it is."""

    signed_in: SignedIn


class LentRequest(OperatorRequest):
    """A request of an operator who acts under a power; `lent` is her grant under it, `power` what it is."""

    lent: str
    power: powers.Power


class RecordRequest(OperatorRequest):
    """A request of who reads the record; `asking` is the grant by which she does."""

    asking: str


SignedInView = Callable[Concatenate[SignedInRequest, P], HttpResponseBase]
StaffView = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
OperatorView = Callable[Concatenate[OperatorRequest, P], HttpResponseBase]
LentView = Callable[Concatenate[LentRequest, P], HttpResponseBase]
RecordView = Callable[Concatenate[RecordRequest, P], HttpResponseBase]
CustomerView = Callable[Concatenate[CustomerRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return who of a shop or of the platform asks, as the vault knows them now, or None.

    A right that ended is felt at once.
    """
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

    return declare(guarded, Rule(Kind.CUSTOMER))


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
    return declare(_of_shop(view), Rule(Kind.MEMBER))


def permission_required(*any_of: Permission) -> Callable[[StaffView[P]], View[P]]:
    """Let only members in who have one of these permissions; others of the shop are told that they may not.

    The vault says what they have, at each request.
    """

    def guard(view: StaffView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.signed_in.permissions.intersection(any_of):
                raise GrantRefused
            return view(request, *args, **kwargs)

        return declare(_of_shop(guarded), Rule(Kind.PERMISSION, any_of))

    return guard


def manager_required(view: StaffView[P]) -> View[P]:
    """Let only members in who may change the shop: its owner and managers."""
    return permission_required(Permission.SHOP_CHANGE)(view)


def operator_required(view: OperatorView[P]) -> View[P]:
    """Let only operators in; others are led to /operations/sign-in."""
    return declare(_of_platform(view, (OPERATOR,)), Rule(Kind.OPERATOR))


def auditor_required(view: OperatorView[P]) -> View[P]:
    """Let only auditors in; others are led to /operations/sign-in."""
    return declare(_of_platform(view, (AUDITOR,)), Rule(Kind.AUDITOR))


def platform_required(view: OperatorView[P]) -> View[P]:
    """Let operators and auditors in."""
    return declare(_of_platform(view, (OPERATOR, AUDITOR)), Rule(Kind.PLATFORM))


def power_required(what: str) -> Callable[[LentView[P]], View[P]]:
    """Let in an operator under a running power of this kind that she has entered. Raises PowerNeeded."""

    def guard(view: LentView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: OperatorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            known = cast("LentRequest", request)
            known.power, known.lent = lent_to(request.signed_in, what)
            return view(known, *args, **kwargs)

        return declare(_of_platform(guarded, (OPERATOR,)), Rule(Kind.POWER, (what,)))

    return guard


def record_required(view: RecordView[P]) -> View[P]:
    """Let auditors in, and an operator under the power `read_ledger_entries`. Raises PowerNeeded."""

    @wraps(view)
    def guarded(request: OperatorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        known, who = cast("RecordRequest", request), request.signed_in
        known.asking = who.grant if who.role == AUDITOR else lent_to(who, "read_ledger_entries")[1]
        return view(known, *args, **kwargs)

    return declare(_of_platform(guarded, (OPERATOR, AUDITOR)), Rule(Kind.RECORD))


def lent_to(who: SignedIn, what: str) -> tuple[powers.Power, str]:
    """Give the power that she acts under, and her grant under it. Raises PowerNeeded."""
    power = powers.powers(who.grant).running(what)
    if power is None:
        raise PowerNeeded
    return power, powers.under(who.grant, power.power)


def _of_shop(view: StaffView[P]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None or who.shop_id is None:
            return _to_sign_in(request, STAFF_SIGN_IN)
        known = cast("StaffRequest", request)
        known.signed_in, known.shop_id = who, who.shop_id
        return _answer(request, lambda: view(known, *args, **kwargs), STAFF_SIGN_IN)

    return guarded


def _of_platform(view: OperatorView[P], roles: tuple[str, ...]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None or who.role not in roles:
            return _to_sign_in(request, OPERATOR_SIGN_IN)
        known = cast("OperatorRequest", request)
        known.signed_in = who
        return _answer(request, lambda: view(known, *args, **kwargs), OPERATOR_SIGN_IN)

    return guarded


def signed_in_required(view: SignedInView[P]) -> View[P]:
    """Let whoever is signed in in: staff, operators, customers. Others are led to /console/sign-in.

    Who works somewhere and is a customer in the same browser comes in as who works there.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request) or read_session(request, now=clock.now(), place=CUSTOMER)
        if who is None:
            return _to_sign_in(request, STAFF_SIGN_IN)
        known = cast("SignedInRequest", request)
        known.signed_in = who
        return _answer(request, lambda: view(known, *args, **kwargs), sign_in_of(who), who.place)

    return declare(guarded, Rule(Kind.SIGNED_IN))


def sign_in_of(who: SignedIn) -> str:
    """Where somebody like her comes in."""
    if who.shop_id is None:
        return OPERATOR_SIGN_IN
    return f"/{directory.slug(who.shop_id)}/account" if who.place is CUSTOMER else STAFF_SIGN_IN


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
