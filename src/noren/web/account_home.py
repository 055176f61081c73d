"""A customer's account from inside: her bookings, her data, her ways in, its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from noren import clock, people
from noren.accounts import session
from noren.accounts.access import CustomerRequest, customer_required, fresh_customer_required, safe_next
from noren.booking import links, merging
from noren.booking.models import LIVE, STANDING, Booking, Status, Waiting
from noren.errors import BadField, BadPassword, CodeRefused, MailTaken, MailUnproved, NothingHere
from noren.people import OwnAccount
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import linked, passwords, shopfront, visits, wording
from noren.web.entrance import given
from noren.web.forms import OwnForm
from noren.web.passwords import why
from noren.web.public import face_or_404

OWN_FIELDS = ("name", "kana", "mail", "phone")
MOST = 200
_LONGEST_PASSWORD = 1_000
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One booking: `mine` when it was made under the account, else found by the address. `again` leads to the
    same at another time.
    """

    visit: visits.Visit
    href: str
    mine: bool
    again: str


@dataclass(frozen=True, slots=True)
class Place:
    """One place on a waiting list."""

    service: str
    day: datetime
    whole_day: bool
    href: str


@customer_required
def page(request: CustomerRequest, slug: str) -> HttpResponse:
    """Her bookings by time and service, each with its own page. No name is here, and none is asked for."""
    face, own = face_or_404(slug), people.own_account(request.signed_in.grant)
    coming, past, left_off = bookings_of(face, own, clock.now())
    context = {
        "shop": face,
        "own": own,
        "coming": coming,
        "past": past,
        "left_off": left_off or own.records_left_off,
        "places": places_of(face, own),
        "changed": "changed" in request.GET,
        "added": "added" in request.GET,
    }
    return render(request, "web/account/home.html", context)


@customer_required
@require_POST
def not_mine(request: CustomerRequest, slug: str) -> HttpResponse:
    """She lets go of a booking that somebody else made with her address."""
    own = people.own_account(request.signed_in.grant)
    number = request.POST.get("booking", "")
    with in_shop(request.shop_id):
        found = Booking.objects.filter(
            id=int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0,
            person_id__in=own.records,
        ).first()
    if found is None or found.person_id is None or found.person_id == own.person:
        raise NothingHere
    people.own_let_go(request.signed_in.grant, found.person_id)
    return HttpResponseRedirect(reverse("account", args=[slug]))


# -- her data


@fresh_customer_required(session.OWN_FRESH)
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: CustomerRequest, slug: str) -> HttpResponse:
    """Her own fields, to see and to change. Only what she changed is written."""
    face, grant = face_or_404(slug), request.signed_in.grant
    person, held = own_fields(grant)
    form = OwnForm(initial=held) if request.method != "POST" else OwnForm(request.POST)
    status = 200
    if form.is_bound and form.is_valid():
        changed = {
            name: text for name, text in form.cleaned_data.items() if text.strip() != held.get(name, "")
        }
        try:
            if changed:
                people.update(grant, person, changed)
            return _after_change(request, slug, changed)
        except BadField as refusal:
            form.refused(refusal.reasons)
    if form.is_bound:
        status = 422
    context = {"shop": face, "form": form, "query": query_of(request, face)}
    return render(request, "web/account/data.html", context, status=status)


def _after_change(request: HttpRequest, slug: str, changed: dict[str, str]) -> HttpResponse:
    if "mail" in changed:
        return HttpResponseRedirect(reverse("account_address", args=[slug]))
    return HttpResponseRedirect(safe_next(request, reverse("account", args=[slug]) + "?changed"))


@customer_required
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: CustomerRequest, slug: str) -> HttpResponse:
    """Prove the present address by a code that is mailed there."""
    face, grant, refused, status = face_or_404(slug), request.signed_in.grant, "", 200
    step = request.POST.get("step", "")
    if step == "ask":
        people.own_address_begin(grant)
    elif step == "enter":
        try:
            typed = "".join(passwords.typed(request, "code", 200).split())[:20]
            people.own_address_finish(grant, typed or "-")
            return HttpResponseRedirect(reverse("account", args=[slug]) + "?changed")
        except (CodeRefused, MailTaken) as refusal:
            refused, status = refusal.words(), refusal.status
    context = {"shop": face, "asked": bool(step), "refused": refused}
    return render(request, "web/account/address.html", context, status=status)


def own_fields(grant: str) -> tuple[UUID, dict[str, str]]:
    """Her person and her own fields: a reveal of herself, on record."""
    person = people.whoami(grant).person
    if person is None:
        raise NothingHere
    told = people.reveal(grant, people.Purpose.OWN, [person], OWN_FIELDS)
    return person, told.persons.get(person, {})


# -- her ways in


@fresh_customer_required(session.FRESH)
@require_safe
def ways(request: CustomerRequest, slug: str) -> HttpResponse:
    """Add a passkey on this device, or set a password."""
    return _ways(request, slug)


@sensitive_post_parameters("password")
@fresh_customer_required(session.FRESH)
@require_POST
def ways_password(request: CustomerRequest, slug: str) -> HttpResponse:
    """Set her password; her other sign-ins end."""
    face, typed = face_or_404(slug), passwords.typed(request, "password", _LONGEST_PASSWORD)
    try:
        people.password_set(request.signed_in.grant, typed or "-", words=_words(face))
    except BadPassword as refusal:
        return _ways(request, slug, refused=why(refusal), status=refusal.status)
    except (MailTaken, MailUnproved) as refused:
        return _ways(request, slug, refused=refused.words(), status=refused.status)
    return HttpResponseRedirect(reverse("account", args=[slug]) + "?added")


@fresh_customer_required(session.FRESH)
@require_POST
def ways_passkey_begin(request: CustomerRequest, slug: str) -> JsonResponse:
    options = people.passkey_begin(request.signed_in.grant)
    # What her device lists it by: the shop, in its own words. She has one person in each.
    options["user"]["name"] = options["user"]["displayName"] = face_or_404(slug).name
    return JsonResponse({"options": options})


@fresh_customer_required(session.FRESH)
@require_POST
def ways_passkey_finish(request: CustomerRequest, slug: str) -> JsonResponse:
    people.passkey_finish(request.signed_in.grant, given(request, "answer"))
    return JsonResponse({"next": reverse("account", args=[slug]) + "?added"})


def _ways(request: CustomerRequest, slug: str, *, refused: str = "", status: int = 200) -> HttpResponse:
    context = {
        "shop": face_or_404(slug),
        "own": people.own_account(request.signed_in.grant),
        "refused": refused,
        "begin": reverse("account_ways_passkey_begin", args=[slug]),
        "finish": reverse("account_ways_passkey_finish", args=[slug]),
        "passkey": "add",
        "label": _("Add a passkey on this device"),
    }
    return render(request, "web/account/ways.html", context, status=status)


def _words(face: shopfront.Face) -> list[str]:
    """Names of the shop and its services: no password is made of them."""
    offers = [offer.name[:200] for offer in shopfront.offers(face.id)]
    return [face.name[:200], face.slug, *offers][:_MOST_WORDS]


# -- its end


@fresh_customer_required(session.FRESH)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: CustomerRequest, slug: str) -> HttpResponse:
    """End the account: its ways in go, the bookings stay."""
    face = face_or_404(slug)
    if request.method != "POST":
        return render(request, "web/account/end.html", {"shop": face})
    people.own_end(request.signed_in.grant)
    response = HttpResponseRedirect(reverse("account", args=[slug]) + "?ended")
    session.end_session(request.session, session.CUSTOMER)
    session.forget_grant(response, session.CUSTOMER)
    return response


# -- inside


def query_of(request: HttpRequest, face: shopfront.Face) -> str:
    """The page she wanted, for the next form's address."""
    default = reverse("account", args=[face.slug])
    wanted = safe_next(request, default)
    return "" if wanted == default else "?" + urlencode({"next": wanted})


def bookings_of(face: shopfront.Face, own: OwnAccount, now: datetime) -> tuple[list[Line], list[Line], bool]:
    """What is to come, the next first; what was or is off, the last first; whether more were left off."""
    # The shop may have joined her own record with another: what she booked under it stays in her sight.
    brought = merging.brought(face.id, [own.person])
    with in_shop(face.id):
        rows = list(
            Booking.objects.filter(Q(person_id__in=own.records) | Q(id__in=brought))
            .exclude(status=Status.HELD)
            .order_by("-start", "-id")[: MOST + 1]
        )
        found = visits.of(rows[:MOST], face)
    offers = {each.id: each for each in shopfront.offers(face.id)}
    lines = [
        Line(
            visit,
            reverse("own", args=[links.token(face.id, row.id, row.generation)]),
            mine=row.person_id == own.person or row.id in brought,
            again=linked.again(face, _offer(face, offers, visit), visit, now),
        )
        for visit, row in zip(found, rows, strict=False)
    ]
    coming = [one for one in lines if one.visit.end > now and one.visit.status in STANDING]
    past = [one for one in lines if one not in coming]
    return coming[::-1], past, len(rows) > MOST


def _offer(
    face: shopfront.Face, offers: Mapping[int, shopfront.Offer], visit: visits.Visit
) -> shopfront.Offer | None:
    """Return what the same would be today."""
    if not visit.also:
        return offers.get(visit.service_id)
    return shopfront.offer(face.id, visit.service_id, visit.also)


def places_of(face: shopfront.Face, own: OwnAccount) -> list[Place]:
    """Return her places on waiting lists."""
    with in_shop(face.id):
        rows = list(
            Waiting.objects.filter(person_id__in=own.records, state__in=LIVE).order_by("day", "id")[:MOST]
        )
        services = Service.objects.in_bulk({row.service_id for row in rows})
    return [
        Place(
            service=wording.text(services[row.service_id].texts, "name"),
            day=datetime(row.day.year, row.day.month, row.day.day, tzinfo=face.zone)
            if row.start is None
            else row.start.astimezone(face.zone),
            whole_day=row.start is None,
            href=reverse("waiting", args=[links.waiting_token(face.id, row.id, row.generation)]),
        )
        for row in rows
    ]
