"""What every answer passes: its policy, and the one place where an error becomes an answer."""

from collections.abc import Callable

from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from noren.errors import NorenError
from noren.web.errors import noren_error


class ContentPolicy:
    """Writes the policy of the settings, the same on every answer that has none of its own (frames).
    django-csp's own middleware puts it together anew for each, at a seventh of what a month of free times
    costs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # What is no page may say something stricter.
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class TextGZip(GZipMiddleware):
    """Compresses words; pictures are compressed as they are."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("image/"):
            return response
        return super().process_response(request, response)


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
