"""Every refusal of the API in one shape, made in one place: status, code, message, and what can be mended.

`code` is for a program and never changes; `message` is for a person, in the language of Accept-Language.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import pydantic
import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from noren.accounts.rules import public
from noren.errors import (
    ApiKeyRefused,
    BadField,
    NorenError,
    NothingHere,
    OurFault,
    RequestTooLarge,
    RequestUnreadable,
)

View = Callable[..., HttpResponse]
log = structlog.get_logger(__name__)

# Where ninja says a value came from; the rest of its location names the field.
_SOURCES = {"body", "query", "path", "header"}


def problem(error: NorenError) -> HttpResponse:
    """Return the error as the API answers it."""
    told: dict[str, Any] = {"status": error.status, "code": error.code, "message": error.words()}
    fields = _fields(error)
    if fields:
        told["fields"] = [{"field": field, "reason": reason} for field, reason in fields.items()]
    if "nearest" in error.facts:
        told["nearest"] = error.facts["nearest"]
    if "dates" in error.facts:
        told["dates"] = error.facts["dates"]
    response = JsonResponse(told, status=error.status, json_dumps_params={"ensure_ascii": False})
    add_never_cache_headers(response)
    if isinstance(error, ApiKeyRefused):
        response["WWW-Authenticate"] = "Bearer"
    if error.status == 503:
        response["Retry-After"] = "30"
    return response


class Api(NinjaAPI):
    """Ends every exception of a view as a problem."""

    def on_exception(self, request: HttpRequest, exc: Exception | type[Exception]) -> HttpResponse:  # noqa: ARG002 - ninja's signature
        return problem(_named(exc))


def with_problems(view: View) -> View:
    """Let a plain view of the API end its exceptions in the same way."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Exception as exc:  # noqa: BLE001 - nothing may leave in another shape; what is ours is logged
            return problem(_named(exc))

    return guarded


@public
@csrf_exempt
def nothing_here(_request: HttpRequest) -> HttpResponse:
    """Answer every address below /api/v1/ that is none."""
    return problem(NothingHere())


def _named(exc: Exception | type[Exception]) -> NorenError:
    match exc:
        case NorenError():
            return exc
        case AuthenticationError():
            return ApiKeyRefused()
        case ValidationError():
            return bad_fields(exc.errors)
        case pydantic.ValidationError():
            return bad_fields(exc.errors(include_url=False, include_input=False))
        case HttpError():
            return RequestUnreadable()
        case RequestDataTooBig():
            return RequestTooLarge()
        case Http404():
            return NothingHere()
    log.error("api_failed", exc_info=exc)
    return OurFault()


def _fields(error: NorenError) -> dict[str, str]:
    if not isinstance(error, BadField):
        return {}
    many = error.facts.get("fields")
    return dict(many) if many else {error.facts["field"]: error.facts["reason"]}


def bad_fields(faults: Iterable[Mapping[str, Any]]) -> BadField:
    """Name each field as the caller wrote it, and why; never its value."""
    return BadField(fields={_name(fault["loc"]): str(fault["type"]) for fault in faults})


def _name(location: tuple[str | int, ...]) -> str:
    parts = [str(part) for part in location if part not in _SOURCES]
    # The body's own name in our code is not the caller's word.
    return ".".join(parts[1:] if location[0] == "body" and len(parts) > 1 else parts)
