"""How much a request may bring."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from noren.api.problems import problem
from noren.errors import RequestTooLarge

# Room for 10,000 letters written as escapes, so that a name that is far too long is told so by its field.
LARGEST_BODY = 128 * 1024
View = Callable[..., HttpResponse]


def small(view: View) -> View:
    """Refuse a body that is too long before it is read."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            return problem(RequestTooLarge(limit=LARGEST_BODY))
        return view(request, *args, **kwargs)

    return checked
