"""The ledger shown to the public: a page for people, C2SP tlog-tiles for programs.

Hashes and the checkpoint are everybody's. Entries name handles and persons by their ids: auditors
may fetch them, operators under a power, and that is on record.
"""

import re
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from noren import people
from noren.accounts.access import RecordRequest, record_required
from noren.accounts.rules import public
from noren.people import published

# N in groups of three digits, all but the last with an x before them; of a tile that is not full its width.
TILE: Final = r"(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_A_MOMENT: Final = "public, max-age=5"


@public
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    context = {"published": published.checkpoint(), "origin": settings.NOREN_ORIGIN}
    return render(request, "web/ledger.html", context)


@public
@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    return _text(_published().note)


@public
@require_safe
def vkey(_request: HttpRequest) -> HttpResponse:
    return _text(f"{_published().vkey}\n")


@public
@require_safe
def tile(_request: HttpRequest, level: str, number: str, width: str | None = None) -> HttpResponse:
    """Serve a tile of the tree. It never changes, nor does one of a smaller width."""
    found = published.tile(int(level), _number(number), _width(width))
    if found is None:
        raise Http404
    return _bytes(found)


@record_required
@require_safe
def entries(request: RecordRequest, number: str, width: str | None = None) -> HttpResponse:
    """Serve an entry bundle, to who may read the record: each after its length in two bytes, big endian."""
    count, first = _width(width), _number(number) * published.WIDTH
    found = people.entries(request.asking, first, count)
    if len(found) != count:
        raise Http404
    return _bytes(b"".join(len(one).to_bytes(2, "big") + one for one in found), keep=False)


def _published() -> published.Published:
    found = published.checkpoint()
    if found is None:
        raise Http404
    return found


def _number(text: str) -> int:
    digits = re.sub(r"[x/]", "", text)
    # Each tile has one address: no group of zeros in front.
    if text.startswith("x000"):
        raise Http404
    return int(digits)


def _width(text: str | None) -> int:
    width = published.WIDTH if text is None else int(text)
    if text is not None and width >= published.WIDTH:
        raise Http404
    return width


def _text(text: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = _A_MOMENT
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _bytes(data: bytes, *, keep: bool = True) -> HttpResponse:
    response = HttpResponse(data, content_type="application/octet-stream")
    if keep:
        response["Cache-Control"] = _FOR_EVER
        response["Access-Control-Allow-Origin"] = "*"
    return response
