"""How a shop treats bookings, changed in the console: for all services at once, and for one where it differs.

What customers will read of it is shown beside, in both languages, by the functions that tell it to them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import StaffRequest
from noren.booking import agreement
from noren.booking.models import Booking, Status
from noren.engine.model import Deadline
from noren.shops import edits
from noren.shops.models import Service, Shop
from noren.shops.reading import LANGUAGES, Values
from noren.shops.tenancy import shop as in_shop
from noren.web import fees, offers, policy_words, wording
from noren.web.desk import open_face_of
from noren.web.offer import row_of
from noren.web.policy_form import PolicyForm, of_row
from noren.web.shopfront import Face


@dataclass(frozen=True, slots=True)
class Read:
    """What customers read, in one language."""

    lang: str
    lines: list[str]


class WhoseForm(forms.Form):
    """Which services are treated as the shop says."""

    follows = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label=""
    )

    def __init__(self, *args: object, rows: Iterable[Service], **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.fields["follows"].label = _("For which services this holds")
        self.fields["follows"].choices = [  # type: ignore[attr-defined]
            (row.id, wording.text(row.texts, "name") or row.key) for row in rows
        ]


@offers.rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def of_shop(request: StaffRequest) -> HttpResponse:
    """What holds for all services but those that differ."""
    with in_shop(request.shop_id):
        rows = list(Service.objects.order_by("position", "id"))
        kept = Shop.objects.get().policies
    begun = kept or (of_row(rows[0]) if rows else {name: {} for name in of_row(Service())})
    given = request.POST if request.method == "POST" else None
    ticked = set() if given is None else set(given.getlist("follows"))
    by_night = any(row.stay for row in rows if f"{row.id}" in ticked)
    form = PolicyForm(given, initial=PolicyForm.begun(begun), by_night=by_night)
    following = [row.id for row in rows if not row.own_policy]
    whose = WhoseForm(given, rows=rows, initial={"follows": following})
    there = reverse("console_policies")
    sound = given is not None and form.is_valid() and whose.is_valid()
    if sound and "look" not in request.POST:
        follows = whose.cleaned_data["follows"]
        write = partial(edits.set_policies, form.columns(), follows)
        return offers.changed(request, _("Booking and cancelling"), write, there, again=there)
    columns = form.columns() if sound else begun
    price = next((row.price for row in rows), 0)
    return _page(request, form, columns, price, whose=whose, there=there)


@offers.rules_changer
@require_http_methods(["GET", "HEAD", "POST"])
def of_service(request: StaffRequest, service_id: int) -> HttpResponse:
    """What holds for one service: what the shop says, or its own."""
    row, _lang = row_of(request.shop_id, service_id)
    given = request.POST if request.method == "POST" else None
    form = PolicyForm(given, initial=PolicyForm.begun(of_row(row)), by_night=row.stay is not None)
    there = reverse("console_offer_policy", args=[service_id])
    with in_shop(request.shop_id):
        shops = Shop.objects.get().policies
    title = wording.text(row.texts, "name") or row.key
    if given is not None and shops and given.get("whose") == "shop":
        write = partial(edits.follow_policies, service_id)
        return offers.changed(request, str(title), write, there, again=there)
    sound = given is not None and form.is_valid()
    if sound and "look" not in request.POST:
        write = partial(edits.set_service, service_id, {**form.columns(), "own_policy": True})
        return offers.changed(request, str(title), partial(edits.with_version, write), there, again=there)
    columns = form.columns() if sound else of_row(row)
    return _page(request, form, columns, row.price, row=row, title=title, there=there, shops=bool(shops))


def _page(
    request: StaffRequest, form: PolicyForm, columns: Values, price: int, **more: object
) -> HttpResponse:
    face = open_face_of(request)
    context = {
        "shop": face,
        "way": "offers",
        "form": form,
        "kept": "kept" in request.GET,
        "looked": "look" in request.POST and not form.errors,
        "read": read(face, columns, price, clock.now()),
        **more,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "web/console/policy.html", context, status=status)


def read(face: Face, columns: Values, price: int, now: datetime) -> list[Read]:
    """Return what who books now for this time in a week would read, in each language."""
    with in_shop(face.id):
        example = _example(columns, price, face, now)
        return [Read(lang, _lines(face, columns, example, now, lang)) for lang in LANGUAGES]


def _lines(face: Face, columns: Values, example: Booking, now: datetime, lang: str) -> list[str]:
    with translation.override(lang):
        until = agreement.deadline(example, "cancel").astimezone(face.zone)
        begins = {
            "day": wording.day(example.start),
            "clock": wording.clock(example.start),
            "price": wording.yen(example.agreed["price"]),
        }
        return [
            _("Example: booked now for %(day)s %(clock)s, %(price)s.") % begins,
            wording.cancelling(until, now),
            *fees.of(face, example, now).tiers,
            *policy_words.lines(columns),
        ]


def _example(columns: Values, price: int, face: Face, now: datetime) -> Booking:
    """A booking that nobody has made: at two in the afternoon, in a week."""
    noon = now.astimezone(face.zone).replace(hour=14, minute=0, second=0, microsecond=0)
    agreed = {
        "price": price,
        "fees": columns["fees"],
        **{name: asdict(Deadline(**columns[name])) for name in ("cancel", "change")},
        "consent_at": now.isoformat(),
    }
    start = noon + timedelta(days=7)
    return Booking(start=start, created_at=now, agreed=agreed, status=Status.CONFIRMED, service_id=0)
