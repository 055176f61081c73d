"""The public API, version 1: a program can do here what a customer does on the pages, and a shop's own, with
a key, what is in `keyed`.

No cookie is read, so a forged form gains nothing. Without a key no answer holds personal data.
"""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Query
from ninja.decorators import decorate_view
from ninja.responses import Status

from noren import clock
from noren.accounts.rules import own_link, public
from noren.api import bookings, free, keyed, offers, series, waiting
from noren.api.limits import small
from noren.api.problems import Api
from noren.api.schemas import (
    Availability,
    BookingShown,
    IdempotencyKey,
    Moved,
    NewBooking,
    NewSeries,
    NewWait,
    Problem,
    SeriesBooked,
    SeriesReport,
    SeriesWish,
    Services,
    Slug,
    Token,
    WaitingShown,
    Window,
)
from noren.shops import directory

api = Api(
    title="Noren",
    version="1",
    description="Services, free times and bookings of a shop. Refusals have one shape: Problem.",
    docs_url=None,
    urls_namespace="api",
)

keyed.mount(api)


@api.get(
    "/shops/{slug}/services",
    response={200: Services, 404: Problem, 422: Problem},
    operation_id="services",
    summary="What a shop offers",
)
@public
def services(request: HttpRequest, response: HttpResponse, slug: Annotated[Slug, Path()]) -> Services:  # noqa: ARG001
    """Names are in the language of Accept-Language: ja or en."""
    response["Cache-Control"] = "private, max-age=60"
    return offers.services(slug, directory.shop_id(slug))


@api.get(
    "/shops/{slug}/availability",
    response={200: Availability, 404: Problem, 422: Problem},
    operation_id="availability",
    summary="Free starts",
)
@public
def availability(
    request: HttpRequest,
    slug: Annotated[Slug, Path()],
    window: Annotated[Window, Query()],  # noqa: ARG001 - for the description; the view reads the query itself
) -> HttpResponse:
    """The free starts of each day from `from` to `to`, both included, 62 days at most.

    With `also` of one visit of several services; 422 not_together says that these cannot be had in one.
    """
    return free.view(request, slug)


@api.post(
    "/shops/{slug}/bookings",
    response={
        201: BookingShown,
        400: Problem,
        404: Problem,
        409: Problem,
        413: Problem,
        422: Problem,
        503: Problem,
    },
    operation_id="book",
    summary="Book",
)
@decorate_view(small)
@public
def book(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    wanted: NewBooking,
    key: Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")] = None,
) -> Status[BookingShown]:
    """The same Idempotency-Key again gives the same booking.

    With `also` several services are one booking: one time, one price, one link; 422 not_together.

    409 slot_taken and limit_reached tell the nearest free starts; 422 nights_not_offered says that a stay
    from this day cannot have so many nights.

    Where the shop has to say yes the booking is `pending` until it has.

    Mails go out in the language of Accept-Language.
    """
    response["Cache-Control"] = "no-store"
    shop_id = directory.shop_id(slug)
    return Status(201, bookings.book(slug, shop_id, wanted, key, now=clock.now()))


@api.post(
    "/shops/{slug}/series/look",
    response={200: SeriesReport, 400: Problem, 404: Problem, 413: Problem, 422: Problem},
    operation_id="look_at_series",
    summary="Which dates of a series are free",
)
@decorate_view(small)
@public
def look_at_series(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    wanted: SeriesWish,
) -> SeriesReport:
    """For each date whether it is free, why not, and the nearest free start. Nothing is kept."""
    response["Cache-Control"] = "no-store"
    return series.look(slug, directory.shop_id(slug), wanted, now=clock.now())


@api.post(
    "/shops/{slug}/series",
    response={
        201: SeriesBooked,
        400: Problem,
        404: Problem,
        409: Problem,
        410: Problem,
        413: Problem,
        422: Problem,
        503: Problem,
    },
    operation_id="book_series",
    summary="Book a series, or a course",
)
@decorate_view(small)
@public
def book_series(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    wanted: NewSeries,
    key: Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")] = None,
) -> Status[SeriesBooked]:
    """The same Idempotency-Key again gives the same bookings. 409 series_not_free tells of each date.

    One mail goes out for all, in the language of Accept-Language.
    """
    response["Cache-Control"] = "no-store"
    shop_id = directory.shop_id(slug)
    return Status(201, series.book(slug, shop_id, wanted, key, now=clock.now()))


@api.get(
    "/bookings/{token}",
    response={200: BookingShown, 404: Problem, 410: Problem, 422: Problem},
    operation_id="booking",
    summary="A booking by its link's token",
)
@own_link
def booking(request: HttpRequest, response: HttpResponse, token: Annotated[Token, Path()]) -> BookingShown:  # noqa: ARG001
    """How it stands now, and what cancelling would cost. Nothing is changed."""
    response["Cache-Control"] = "no-store"
    return bookings.of_token(token, now=clock.now())


@api.delete(
    "/bookings/{token}",
    response={200: BookingShown, 404: Problem, 409: Problem, 410: Problem, 422: Problem},
    operation_id="cancel",
    summary="Cancel a booking",
)
@own_link
def cancel(request: HttpRequest, response: HttpResponse, token: Annotated[Token, Path()]) -> BookingShown:  # noqa: ARG001
    """Its time is free again at once. 409 when it was cancelled before, or when it is too late. What it costs
    is the `cancel_fee` of the booking as it was shown.
    """
    response["Cache-Control"] = "no-store"
    return bookings.cancel(token, now=clock.now())


@api.post(
    "/bookings/{token}/move",
    response={
        200: BookingShown,
        400: Problem,
        404: Problem,
        409: Problem,
        410: Problem,
        413: Problem,
        422: Problem,
    },
    operation_id="move",
    summary="Move a booking to another time",
)
@decorate_view(small)
@own_link
def move(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    token: Annotated[Token, Path()],
    wanted: Moved,
) -> BookingShown:
    """It keeps its price, its policy and its link. The same again changes nothing.

    409 slot_taken and limit_reached tell the nearest free starts; 409 too_late_to_change and
    already_cancelled say that it stays as it is.
    """
    response["Cache-Control"] = "no-store"
    return bookings.move(token, wanted, now=clock.now())


@api.post(
    "/shops/{slug}/waiting",
    response={
        201: WaitingShown,
        400: Problem,
        404: Problem,
        409: Problem,
        413: Problem,
        422: Problem,
        503: Problem,
    },
    operation_id="join",
    summary="Join the waiting list",
)
@decorate_view(small)
@public
def join(
    request: HttpRequest,  # noqa: ARG001 - ninja's signature
    response: HttpResponse,
    slug: Annotated[Slug, Path()],
    wanted: NewWait,
) -> Status[WaitingShown]:
    """Who waits is offered what becomes free, in order, by a mail in the language of Accept-Language. 409
    slot_free tells what is free now.
    """
    response["Cache-Control"] = "no-store"
    shop_id = directory.shop_id(slug)
    return Status(201, waiting.join(slug, shop_id, wanted, now=clock.now()))


@api.get(
    "/waiting/{token}",
    response={200: WaitingShown, 404: Problem, 410: Problem, 422: Problem},
    operation_id="waiting",
    summary="A place on a waiting list by its link's token",
)
@own_link
def waits(request: HttpRequest, response: HttpResponse, token: Annotated[Token, Path()]) -> WaitingShown:  # noqa: ARG001
    """How it stands now, and what is offered. Nothing is changed."""
    response["Cache-Control"] = "no-store"
    return waiting.of_token(token, now=clock.now())


@api.delete(
    "/waiting/{token}",
    response={200: WaitingShown, 404: Problem, 409: Problem, 410: Problem, 422: Problem},
    operation_id="leave",
    summary="Leave the waiting list",
)
@own_link
def leave(request: HttpRequest, response: HttpResponse, token: Annotated[Token, Path()]) -> WaitingShown:  # noqa: ARG001
    """What was offered goes to the next. Again it changes nothing; 409 when it has been booked."""
    response["Cache-Control"] = "no-store"
    return waiting.leave(token, now=clock.now())


@api.post(
    "/waiting/{token}/accept",
    response={200: BookingShown, 404: Problem, 409: Problem, 410: Problem, 422: Problem},
    operation_id="accept",
    summary="Book what is offered",
)
@own_link
def accept(request: HttpRequest, response: HttpResponse, token: Annotated[Token, Path()]) -> BookingShown:  # noqa: ARG001
    """Again it gives the same booking. 409 while nothing is offered, 410 when the offer is over."""
    response["Cache-Control"] = "no-store"
    return waiting.accept(token, now=clock.now())
