"""Her data, to take along and to delete: what stands in the way, what stays, and the certificate to keep.

The certificate is shown once, in the answer: who was erased has no sign-in by which it could be asked for
again. It travels in that page's form, signed, and is kept nowhere on our side.
"""

import io
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from noren import clock, people
from noren.accounts import session
from noren.accounts.access import CustomerRequest, fresh_customer_required
from noren.accounts.rules import public
from noren.booking import relink
from noren.errors import ErasureHeld
from noren.incidents import erasing
from noren.people import Certificate, Certified, OwnAccount
from noren.web import account_home
from noren.web.public import face_or_404
from noren.web.shopfront import Face

_SIGNER = Signer(salt="noren.web.own_data")


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is still to come, for which the shop needs to know who she is."""

    bookings: list[account_home.Line]
    places: list[account_home.Place]

    def __bool__(self) -> bool:
        return bool(self.bookings or self.places)


@fresh_customer_required(session.OWN_FRESH)
@require_safe
def take(request: CustomerRequest, slug: str) -> HttpResponse:
    """Her own fields, bookings and places on waiting lists, as a file that programs can read."""
    face, own = face_or_404(slug), people.own_account(request.signed_in.grant)
    _person, held = account_home.own_fields(request.signed_in.grant)
    coming, past, left_off = account_home.bookings_of(face, own, clock.now())
    told = {
        "shop": face.name,
        "made_at": clock.now().astimezone(face.zone).isoformat(),
        "you": held,
        "bookings": [_booking(line) for line in [*coming, *past]],
        "older_bookings_left_off": left_off or own.records_left_off,
        "waiting": [
            {"service": place.service, "day": place.day.date().isoformat()}
            for place in account_home.places_of(face, own)
        ],
    }
    response = JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="my-data-{slug}.json"'
    return response


def _booking(line: account_home.Line) -> dict[str, Any]:
    visit = line.visit
    return {
        "service": visit.service,
        "start": visit.start.isoformat(),
        "end": visit.end.isoformat(),
        "staff": visit.staff,
        "party": visit.party,
        "price": visit.price,
        "status": visit.status,
    }


@fresh_customer_required(session.FRESH)
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: CustomerRequest, slug: str) -> HttpResponse:
    """GET tells what goes, what stays and what is in the way; POST erases and gives the certificate."""
    face, grant = face_or_404(slug), request.signed_in.grant
    own = people.own_account(grant)
    coming, _past, _left_off = account_home.bookings_of(face, own, clock.now())
    ahead = Ahead(coming, account_home.places_of(face, own))
    sure = request.POST.get("sure") == "yes"
    if request.method != "POST" or ahead or not sure:
        context = {
            "shop": face,
            "own": own,
            "ahead": ahead,
            "days": settings.ENV.vault_backup_days,
            "unsure": request.method == "POST" and not ahead,
        }
        status = 200 if request.method != "POST" else 409 if ahead else 422
        return render(request, "web/account/erase.html", context, status=status)
    made, held, gone = _certificates(face, own, grant)
    if not gone:
        context = {"shop": face, "own": own, "ahead": ahead, "days": settings.ENV.vault_backup_days}
        return render(request, "web/account/erase.html", context | {"held": held}, status=ErasureHeld.status)
    response = _erased(request, face, made, held)
    session.end_session(request.session, session.CUSTOMER)
    session.forget_grant(response, session.CUSTOMER)
    return response


def _certificates(face: Face, own: OwnAccount, grant: str) -> tuple[list[Certificate], date | None, bool]:
    """Erase every record of hers. Her own person goes last: with it goes the grant that erases.

    What a legal hold keeps waits in the vault, and happens there. Gives the certificates, when the hold is
    looked at again, and whether her own person is gone.
    """
    made: list[Certificate] = []
    held: list[date] = []
    others = [record for record in own.records if record != own.person]
    while others:
        for record in others:
            _one(face, record, grant, made, held)
        others = []
        if own.records_left_off and not held:
            own = people.own_account(grant)
            others = [record for record in own.records if record != own.person]
    gone = _one(face, own.person, grant, made, held)
    return made, max(held, default=None), gone


def _one(face: Face, person: UUID, grant: str, made: list[Certificate], held: list[date]) -> bool:
    """Erase one, or let it wait (False): the links in her mails end at once, either way."""
    try:
        certificate = people.erase(face.id, person, "asked", grant=grant)
    except ErasureHeld as refusal:
        relink.revoke_all(face.id, person)
        held.append(date.fromisoformat(refusal.facts["day"]))
        return False
    for each in {person, certificate.person}:
        relink.revoke_all(face.id, each)
    made.append(certificate)
    return True


def _erased(request: HttpRequest, face: Face, made: list[Certificate], held: date | None) -> HttpResponse:
    last = made[-1]
    days = [one.unreadable_from for one in made if one.unreadable_from is not None]
    context = {
        "shop": face,
        "at": last.erased_at.astimezone(face.zone),
        "records": len(made),
        "held": held,
        "unreadable_from": max(days, default=None),
        "entries": [entry.index for one in made for entry in one.entries],
        "vkey": last.vkey,
        "certificate": _SIGNER.sign_object([_plain(one) for one in made], compress=True),
    }
    response = render(request, "web/account/erased.html", context)
    add_never_cache_headers(response)
    return response


@public
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, slug: str) -> HttpResponse:
    """Give back the certificate that the page before brought, as files an outsider can check."""
    face_or_404(slug)
    if request.method != "POST":
        return HttpResponseRedirect(reverse("shop", args=[slug]))
    try:
        made = [_read(each) for each in _SIGNER.unsign_object(request.POST.get("certificate", ""))]
    except (BadSignature, ValueError):
        return HttpResponseRedirect(reverse("shop", args=[slug]))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for one in made:
            for path, text in erasing.files(one, Path()).items():
                into.writestr(path.as_posix(), text)
    response = HttpResponse(packed.getvalue(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="erased-{slug}.zip"'
    add_never_cache_headers(response)
    return response


def _plain(certificate: Certificate) -> dict[str, Any]:
    day = certificate.unreadable_from
    return asdict(certificate) | {
        "person": str(certificate.person),
        "erased_at": certificate.erased_at.timestamp(),
        "unreadable_from": day and day.isoformat(),
    }


def _read(plain: dict[str, Any]) -> Certificate:
    day = plain["unreadable_from"]
    return Certificate(
        **plain
        | {
            "person": UUID(plain["person"]),
            "erased_at": datetime.fromtimestamp(plain["erased_at"], UTC),
            "unreadable_from": day and date.fromisoformat(day),
            "entries": tuple(Certified(**each) for each in plain["entries"]),
        }
    )
