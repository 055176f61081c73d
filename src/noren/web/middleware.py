"""One place where an error of the vocabulary becomes an answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from noren.errors import NorenError
from noren.web.errors import noren_error


class ErrorPages:
    """Turns a NorenError that a view raises into its page. The API answers its own errors in its own form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NorenError) and not request.path.startswith("/api/"):
            return noren_error(request, exception)
        return None
