"""What a shop's own programs do, with a key: its bookings by opaque ids, and persons for a purpose.

The vault knows what a key may do, and is asked at every request: an ended key is good for none after it.
What makes a key none here (broken, unknown, ended, expired, another shop's) is one refusal.
"""

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Path, Query, Schema
from ninja.decorators import decorate_view
from ninja.security import HttpBearer
from pydantic import BaseModel, Field

from noren import clock, people
from noren.accounts.rules import key
from noren.api.limits import small
from noren.api.schemas import STATUS, STATUSES, Day, Problem, QueryId, Slug, Status, Strict
from noren.booking import actions, day, reception
from noren.booking.models import Booking
from noren.errors import ApiKeyRefused, BadField, ShopUnknown
from noren.shops import directory

MOST_DAYS = 31
MOST_PERSONS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A key that was shown and holds: `request.auth`, for this one request."""

    name: str
    key: str = dataclasses.field(repr=False)


class Keyed(HttpBearer):
    """Lets in whoever shows a key of the path's shop that is good for the scope."""

    openapi_description = "A key of the shop, `noren_…`, made at /console/api-keys."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Shown:
        return Shown(people.use_api_key(token, _shop(request), self.scope), token)


def _shop(request: HttpRequest) -> int:
    """Give the path's shop; one that is not there has no keys."""
    matched = request.resolver_match
    try:
        return directory.shop_id("" if matched is None else str(matched.kwargs["slug"]))
    except ShopUnknown:
        raise ApiKeyRefused from None


class Days(BaseModel):
    """From when to when, in days of the shop's wall."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


class BookingSeen(Schema):
    id: int
    service: int
    also: list[int] = Field(description="The other services of the same visit.")
    staff: int | None
    person: UUID | None = Field(description="For /people. Says nothing by itself.")
    start: str
    end: str
    party: int
    nights: int
    status: Status = Field(description=STATUSES)
    price: int
    currency: str


class BookingsSeen(Schema):
    shop: str
    bookings: list[BookingSeen]


class Wanted(Strict):
    purpose: Literal["day", "customer"] = Field(
        description="`day`: who comes (name, kana). `customer`: to reach her (mail and phone, too)."
    )
    persons: list[UUID] = Field(min_length=1, max_length=MOST_PERSONS)
    fields: list[Literal["name", "kana", "mail", "phone"]] = Field(min_length=1, max_length=4)


class PeopleShown(Schema):
    persons: dict[str, dict[str, str]] = Field(description="Who is not (any more) of the shop is left out.")
    left: int = Field(description="How much more this key may see now, in persons times kinds of fields.")


_REFUSED = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem, 503: Problem}
READ, WRITE, PEOPLE = (Keyed(scope) for scope in people.SCOPES)


@key("bookings:read")
def bookings(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    days: Annotated[Days, Query()],
) -> BookingsSeen:
    """Scope `bookings:read`. What begins from `from` to `to`, both included, 31 days at most; no names."""
    response["Cache-Control"] = "no-store"
    _check(days.first, days.last)
    found = day.between(directory.shop_id(slug), days.first, days.last)
    return BookingsSeen(shop=slug, bookings=[_seen(one) for one in found])


@key("bookings:write")
def cancel(
    request: HttpRequest,
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    booking_id: Annotated[QueryId, Path()],
) -> BookingSeen:
    """Scope `bookings:write`. The customer is told by mail, and owes nothing. 409 when it has ended."""
    response["Cache-Control"] = "no-store"
    shop_id = directory.shop_id(slug)
    actions.cancel(shop_id, booking_id, now=clock.now(), by=_by(request))
    return _seen(day.one(shop_id, booking_id))


@key("bookings:write")
def confirm(
    request: HttpRequest,
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    booking_id: Annotated[QueryId, Path()],
) -> BookingSeen:
    """Scope `bookings:write`. 409 when it does not wait (any more), or its time is taken."""
    response["Cache-Control"] = "no-store"
    return _seen(reception.approve(directory.shop_id(slug), booking_id, now=clock.now(), by=_by(request)))


@decorate_view(small)
@key("people:read")
def look(
    request: HttpRequest, response: HttpResponse, slug: Annotated[Slug, Path()], wanted: Wanted
) -> PeopleShown:
    """Scope `people:read`. Each person and field is on record under the key's name before it is told.

    429 budget_held: this key has seen as many new persons as an hour, or a day, may hold.
    """
    response["Cache-Control"] = "no-store"
    shop_id, fields = directory.shop_id(slug), dict.fromkeys(wanted.fields)
    told = people.reveal_by_key(_shown(request).key, shop_id, wanted.purpose, wanted.persons, fields)
    return PeopleShown(
        persons={str(one): shown for one, shown in told.persons.items()}, left=told.budget.left
    )


def _shown(request: HttpRequest) -> Shown:
    return cast("Shown", cast("Any", request).auth)


def _by(request: HttpRequest) -> str:
    return f"key:{_shown(request).name}"


def _check(first: date, last: date) -> None:
    if last < first:
        raise BadField(field="to", reason="before_from")
    if last - first >= timedelta(days=MOST_DAYS):
        raise BadField(field="to", reason="too_many_days")


def _seen(row: Booking) -> BookingSeen:
    zone = ZoneInfo(row.zone)
    return BookingSeen(
        id=row.id,
        service=row.service_id,
        also=list(row.also),
        staff=row.staff_id,
        person=row.person_id,
        start=row.start.astimezone(zone).isoformat(),
        end=row.end.astimezone(zone).isoformat(),
        party=row.party,
        nights=row.agreed.get("nights", 0),
        status=STATUS.validate_python(row.status),
        price=row.agreed.get("price", 0),
        currency=row.agreed.get("currency", ""),
    )


def mount(api: NinjaAPI) -> None:
    """Put these at their addresses; one shares its address with what needs no key."""
    api.get(
        "/shops/{slug}/bookings",
        response={200: BookingsSeen, **_REFUSED},
        operation_id="bookings_with_key",
        summary="A shop's bookings",
        auth=READ,
    )(bookings)
    api.post(
        "/shops/{slug}/bookings/{booking_id}/cancel",
        response={200: BookingSeen, **_REFUSED},
        operation_id="cancel_with_key",
        summary="Cancel for the shop",
        auth=WRITE,
    )(cancel)
    api.post(
        "/shops/{slug}/bookings/{booking_id}/confirm",
        response={200: BookingSeen, **_REFUSED},
        operation_id="confirm_with_key",
        summary="Say yes to a booking that waits for it",
        auth=WRITE,
    )(confirm)
    api.post(
        "/shops/{slug}/people",
        response={200: PeopleShown, 413: Problem, 429: Problem, **_REFUSED},
        operation_id="people_with_key",
        summary="Names and contacts of persons, for a purpose",
        auth=PEOPLE,
    )(look)
