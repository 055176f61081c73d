"""How a shop's page is reached from elsewhere: from the shop's own site, and from paper."""

from functools import partial
from io import BytesIO
from typing import Any

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock
from noren.accounts.access import StaffRequest, manager_required
from noren.booking import changes
from noren.errors import NothingHere
from noren.shops import edits, origins
from noren.web import legal, listed, shopfront, wording
from noren.web.desk import Unclear, face_of

LONGEST = 8_000
# The code's forms: what each is called, and how many units a dot of it has.
CODES = {"svg": ("image/svg+xml", 10), "png": ("image/png", 24), "pdf": ("application/pdf", 10)}


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def embed(request: StaffRequest) -> HttpResponse:
    """Show the tag for the shop's own site, and keep in which sites it works."""
    face = face_of(request)
    if request.method != "POST":
        return _page(request, face)
    text = request.POST.get("sites", "")[:LONGEST]
    try:
        sites = _sites(text)
    except Unclear as fault:
        return _page(request, face, wrong=str(fault), sites=text, status=422)
    by = request.signed_in.by
    changes.change(face.id, partial(edits.set_embed_origins, sites), now=clock.now(), by=by)
    return HttpResponseRedirect(f"{reverse('console_embed')}?kept")


def _sites(text: str) -> list[str]:
    found: list[str] = []
    for line in filter(None, (each.strip() for each in text.splitlines())):
        try:
            found.append(origins.origin(line))
        except ValueError:
            told = _("This is no site: %(line)s. Please write it like https://www.salon.example.")
            raise Unclear(told % {"line": line[:100]}) from None
    if len(found) > origins.MOST:
        raise Unclear(_("These are too many; %(most)d at most.") % {"most": origins.MOST})
    return list(dict.fromkeys(found))


def _page(
    request: HttpRequest,
    face: shopfront.Face,
    *,
    wrong: str = "",
    sites: str | None = None,
    status: int = 200,
) -> HttpResponse:
    script = listed.address("embed_script", face.slug)
    context: dict[str, Any] = {
        "shop": face,
        "way": "page",
        "address": listed.address("shop", face.slug),
        "tag": f'<script src="{script}" async></script>',
        "known": face.embed_origins,
        "sites": "\n".join(face.embed_origins) if sites is None else sites,
        "wrong": wrong,
        "kept": "kept" in request.GET,
        "services": shopfront.offers(face.id),
        "lacking": wording.joined(legal.lacking(face)),
    }
    return render(request, "web/console/embed.html", context, status=status)


@manager_required
@require_safe
def poster(request: StaffRequest) -> HttpResponse:
    """Lead to the poster and to the code alone."""
    face = face_of(request)
    context = {"shop": face, "way": "page", "address": listed.address("shop", face.slug)}
    return render(request, "web/console/poster.html", context)


@manager_required
@require_safe
def sheet(request: StaffRequest) -> HttpResponse:
    """Show the poster as it is printed."""
    face = face_of(request)
    return render(
        request, "web/console/sheet.html", {"shop": face, "address": listed.address("shop", face.slug)}
    )


@manager_required
@require_safe
def code(request: StaffRequest, form: str) -> HttpResponse:
    """Give the code of the shop's address: a quarter of it may be lost and it is still read."""
    if form not in CODES:
        raise NothingHere
    face, (mime, scale) = face_of(request), CODES[form]
    kept = BytesIO()
    write = segno.make(listed.address("shop", face.slug), error="q", micro=False).save
    write(kept, kind=form, scale=scale, border=4)
    answer = HttpResponse(kept.getvalue(), content_type=mime)
    answer["Content-Disposition"] = f'inline; filename="{face.slug}.{form}"'
    return answer
