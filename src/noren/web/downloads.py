"""A file that somebody else made, handed on: never shown, never run, only kept."""

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header

from noren.people.signs import File


def as_download(file: File, content: bytes) -> HttpResponse:
    """As bytes of no kind: a browser saves it, whatever it is called."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=file.name.replace("/", "_")
    )
    response["X-Content-Type-Options"] = "nosniff"
    add_never_cache_headers(response)
    return response
