"""Who may enter a view: `@signed_in_required`, `@staff_required`, `@permission_required(...)`,
`@operator_required`, `@auditor_required` and `@platform_required` (one of the last two) give it a request
that knows who asks. Each declares its rule (`rules`).

Beyond the first pages an operator needs a power that was lent to her: `@power_required("support_shop")`, and
`@record_required` where auditors read by standing. The vault says whether it runs, at each request.

A view so guarded never runs for anybody else, its answer is not kept by any cache, and a grant that
ends while it runs leads back to sign-in: /console/sign-in for shops, /operations/sign-in for operators.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from noren import clock
from noren.accounts.rules import Kind, Permission, Rule, declare
from noren.accounts.session import KEY, SignedIn, forget_grant, read_session
from noren.errors import GrantExpired, GrantRefused, PowerNeeded
from noren.people import powers

__all__ = [
    "LentRequest",
    "OperatorRequest",
    "Permission",
    "RecordRequest",
    "SignedIn",
    "SignedInRequest",
    "StaffRequest",
    "auditor_required",
    "customer_of",
    "manager_required",
    "operator_required",
    "permission_required",
    "platform_required",
    "power_required",
    "record_required",
    "safe_next",
    "signed_in",
    "signed_in_required",
    "staff_required",
]

P = ParamSpec("P")
OPERATOR = "operator"
AUDITOR = "auditor"
CUSTOMER = "customer"
STAFF_SIGN_IN = "/console/sign-in"
OPERATOR_SIGN_IN = "/operations/sign-in"


class StaffRequest(HttpRequest):
    """A request of somebody who works for the shop `shop_id`."""

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
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return who asks, as the vault knows them now, or None: a right that ended is felt at once."""
    return read_session(request, now=clock.now())


def customer_of(request: HttpRequest, shop_id: int) -> SignedIn | None:
    """Return the customer of this shop who came in by a mailed code, or None."""
    who = signed_in(request)
    return who if who is not None and who.role == CUSTOMER and who.shop_id == shop_id else None


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
            known.power, known.lent = _lent(request.signed_in, what)
            return view(known, *args, **kwargs)

        return declare(_of_platform(guarded, (OPERATOR,)), Rule(Kind.POWER, (what,)))

    return guard


def record_required(view: RecordView[P]) -> View[P]:
    """Let auditors in, and an operator under the power `read_ledger_entries`. Raises PowerNeeded."""

    @wraps(view)
    def guarded(request: OperatorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        known, who = cast("RecordRequest", request), request.signed_in
        known.asking = who.grant if who.role == AUDITOR else _lent(who, "read_ledger_entries")[1]
        return view(known, *args, **kwargs)

    return declare(_of_platform(guarded, (OPERATOR, AUDITOR)), Rule(Kind.RECORD))


def _lent(who: SignedIn, what: str) -> tuple[powers.Power, str]:
    power = powers.powers(who.grant).running(what)
    if power is None:
        raise PowerNeeded
    return power, powers.under(who.grant, power.power)


def _of_shop(view: StaffView[P]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None or who.shop_id is None or who.role == CUSTOMER:
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
    """Let whoever is signed in in: staff, operators, customers. Others are led to /console/sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        who = signed_in(request)
        if who is None:
            return _to_sign_in(request, STAFF_SIGN_IN)
        known = cast("SignedInRequest", request)
        known.signed_in = who
        return _answer(request, lambda: view(known, *args, **kwargs), STAFF_SIGN_IN)

    return declare(guarded, Rule(Kind.SIGNED_IN))


def safe_next(request: HttpRequest, default: str) -> str:
    """Return the page asked for in `?next=`, if it is one of ours."""
    wanted = request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return default


def _answer(request: HttpRequest, view: Callable[[], HttpResponseBase], sign_in: str) -> HttpResponseBase:
    try:
        response = view()
    except GrantExpired:
        request.session.pop(KEY, None)
        response = _to_sign_in(request, sign_in)
        forget_grant(response)
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
