"""What goes wrong becomes a page, here and nowhere else."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from noren.errors import LinkRevoked, NorenError
from noren.shops import directory


def _title(status: int) -> str:
    titles = {
        400: _("This request could not be understood."),
        401: _("Please sign in again."),
        403: _("You may not open this."),
        404: _("There is no such page."),
        405: _("This page cannot be asked for in this way."),
        409: _("Something has changed in the meantime."),
        410: _("This is no longer valid."),
        413: _("This is more than we can take."),
        422: _("This cannot be done."),
        429: _("That is enough for now."),
        503: _("We cannot do this at this moment."),
    }
    return titles.get(status, _("Something went wrong on our side."))


def error_page(
    request: HttpRequest, status: int, words: str, way: tuple[str, str] | None = None
) -> HttpResponse:
    """Render the page of an error; a piece of a page asked for by htmx becomes the whole content.

    `way`: the address and the words of where to go on, where that is not the first page.
    """
    area = next((one for one in ("console", "operations") if request.path.startswith(f"/{one}/")), "home")
    frame = getattr(request, "frame", None)
    home, home_words = way or (frame.home if frame else reverse(area), _("To the first page"))
    context = {
        "status": status,
        "title": _title(status),
        "words": words,
        "again": request.get_full_path() if status in (500, 503) and request.method == "GET" else "",
        "home": home,
        "home_words": home_words,
        "stay": reverse(area),
    }
    response = render(request, "web/error.html", context, status=status)
    if request.headers.get("HX-Request") == "true":
        response["HX-Retarget"] = response["HX-Reselect"] = "#main"
        response["HX-Reswap"] = "outerHTML"
    add_never_cache_headers(response)
    return response


def noren_error(request: HttpRequest, error: NorenError) -> HttpResponse:
    if request.headers.get("Accept", "").startswith("application/json"):
        response: HttpResponse = JsonResponse(
            {"code": error.code, "message": error.words()}, status=error.status
        )
    else:
        response = error_page(request, error.status, error.words(), _way(error))
    if error.facts.get("wait"):
        response.headers["Retry-After"] = str(error.facts["wait"])
    return response


def _way(error: NorenError) -> tuple[str, str] | None:
    """Who has an old link alone finds her bookings by her mail."""
    shop_id = error.facts.get("shop_id") if isinstance(error, LinkRevoked) else None
    if shop_id is None:
        return None
    return reverse("account", args=[directory.slug(shop_id)]), _("Find my bookings by mail")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return error_page(request, 400, _("Please go back and try again."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return error_page(request, 403, _("It belongs to somebody else, or your role does not include it."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return error_page(request, 404, _("The address may be mistyped, or the page may have moved."))


def broken(request: HttpRequest) -> HttpResponse:
    """A frame of another site shows it, too (frames.framed): an empty one would say nothing."""
    page = error_page(request, 500, _("It has been noted. Nothing was lost; please try again soon."))
    frame = getattr(request, "frame", None)
    return frame.opens(page) if frame else page
