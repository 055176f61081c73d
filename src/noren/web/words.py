"""What a shop says of itself, changed in the console: its words in each language, and the shop's own mail.

A shop that comes from a file says what the file says again once that is imported.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import changes
from noren.errors import BadField, CodeRefused, LedgerUnavailable, VaultUnavailable
from noren.shops import described_public, importing, own_mail
from noren.shops.models import Setup, Shop
from noren.shops.reading import Values
from noren.shops.tenancy import shop as in_shop
from noren.web import legal, passwords, wording
from noren.web.desk import face_of, open_face_of
from noren.web.forms import REASONS, CustomerForm
from noren.web.start import code_typed

TEXTS: Final = ("name", "about", "address", "access", "policy", "privacy")
CONTACT: Final = ("phone", "postcode")
_LONG: Final[dict[str, Any]] = {"max_length": 2000, "required": False}
_SHORT: Final[dict[str, Any]] = {"max_length": 200, "required": False}


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class WordsForm(CustomerForm):
    """A shop's words in one language; what is left empty is said in the other, or in the house's words."""

    kana = mail = note = None  # type: ignore[assignment]
    name = forms.CharField(label=gettext_lazy("Name of the shop"), max_length=100, required=False)
    about = forms.CharField(label=gettext_lazy("About the shop"), widget=_area(3), **_LONG)
    address = forms.CharField(label=gettext_lazy("Address"), **_SHORT)
    access = forms.CharField(label=gettext_lazy("How to get there"), **_SHORT)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=30, required=False)
    postcode = forms.CharField(label=gettext_lazy("Postcode"), max_length=10, required=False)
    policy = forms.CharField(
        label=gettext_lazy("Changing and cancelling"),
        help_text=gettext_lazy("Who has booked keeps the words that were agreed to then."),
        widget=_area(3),
        **_LONG,
    )
    privacy = forms.CharField(
        label=gettext_lazy("What customers' data are used for"), widget=_area(6), **_LONG
    )
    legal_seller = forms.CharField(label=gettext_lazy("Seller"), **_SHORT)
    legal_person = forms.CharField(label=gettext_lazy("Responsible"), **_SHORT)
    legal_address = forms.CharField(
        label=gettext_lazy("Address of the seller"),
        help_text=gettext_lazy("Where it is not the shop's."),
        **_SHORT,
    )
    legal_charges = forms.CharField(label=gettext_lazy("Other charges"), widget=_area(2), **_LONG)
    legal_payment = forms.CharField(label=gettext_lazy("When and how you pay"), widget=_area(2), **_LONG)
    legal_delivery = forms.CharField(label=gettext_lazy("When you are served"), widget=_area(2), **_LONG)
    legal_refunds = forms.CharField(label=gettext_lazy("Cancelling and refunds"), widget=_area(2), **_LONG)
    on_request = forms.MultipleChoiceField(
        label=gettext_lazy("Told to whoever asks, in place of being shown"),
        choices=[("address", gettext_lazy("Address")), ("phone", gettext_lazy("Phone"))],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, row: Shop, lang: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row, self.lang = row, lang
        for name, field in self.fields.items():
            if name not in (*CONTACT, "on_request"):
                field.widget.attrs["lang"] = lang
        with translation.override(lang):
            for key in ("charges", "payment", "delivery", "refunds"):
                self.fields[f"legal_{key}"].widget.attrs["placeholder"] = str(legal.OTHERWISE[key])

    @staticmethod
    def begun(row: Shop, lang: str) -> Values:
        """Fill the form from the shop's row."""
        texts = {key: (row.texts.get(key) or {}).get(lang, "") for key in TEXTS}
        said = {f"legal_{key}": (row.legal.get(key) or {}).get(lang, "") for key in described_public.LEGAL}
        texts["privacy"] = texts["privacy"] or legal.house_privacy(lang)
        contact = {key: row.contact.get(key, "") for key in CONTACT}
        return {**texts, **said, **contact, "on_request": row.legal.get("on_request", [])}

    def clean_name(self) -> str:
        name = super().clean_name()
        if not name and not any(words for lang, words in self.row.texts["name"].items() if lang != self.lang):
            raise forms.ValidationError(REASONS["empty"])
        return name

    def clean_phone(self) -> str:
        return super().clean_phone() if self.cleaned_data["phone"] else ""

    def columns(self) -> Values:
        """Return the columns of the shop's row as they are to be."""
        given = dict(self.cleaned_data)
        if given["privacy"].split() == legal.house_privacy(self.lang).split():
            given["privacy"] = ""
        texts = {**self.row.texts, **{key: self._said(self.row.texts, key, given[key]) for key in TEXTS}}
        said: Values = {
            key: self._said(self.row.legal, key, given[f"legal_{key}"]) for key in described_public.LEGAL
        }
        hidden = {"on_request": given["on_request"]} if given["on_request"] else {}
        return {
            "texts": {key: words for key, words in texts.items() if words},
            "legal": {key: words for key, words in said.items() if words} | hidden,
            "contact": {**self.row.contact, **{key: given[key] for key in CONTACT}},
        }

    def _said(self, texts: Mapping[str, Any], key: str, words: str) -> dict[str, str]:
        """Put the words of this language beside those of the other."""
        both = {**(texts.get(key) or {}), self.lang: words.replace("\r\n", "\n").strip()}
        return {lang: text for lang, text in both.items() if text}


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show what the shop says in one language; POST changes it."""
    row = _row(request)
    lang = _language(request, row)
    if request.method != "POST":
        return _page(request, row, lang, WordsForm(initial=WordsForm.begun(row, lang), row=row, lang=lang))
    form = WordsForm(request.POST, initial=WordsForm.begun(row, lang), row=row, lang=lang)
    if not form.is_valid():
        return _page(request, row, lang, form, status=422)
    _write(request, form.columns())
    return HttpResponseRedirect(f"{reverse('console_words')}?in={lang}&kept")


@sensitive_post_parameters("code")
@permission_required(Permission.HOURS_CHANGE)
@require_POST
def mail(request: StaffRequest) -> HttpResponse:
    """Change the shop's mail: a code is mailed to the new one, and only then is it shown to anybody."""
    row = _row(request)
    given, session = passwords.typed(request, "mail", 500).strip(), request.signed_in.session
    try:
        if "code" not in request.POST:
            own_mail.ask(request.shop_id, given[:254], now=clock.now(), session=session)
            return HttpResponseRedirect(f"{reverse('console_words')}?mailed#mail")
        proved = own_mail.prove(request.shop_id, code_typed(request), session=session)
    except BadField:
        return _again(request, row, {"mail_wrong": REASONS["mail"], "mail_typed": given})
    except (CodeRefused, VaultUnavailable, LedgerUnavailable) as refusal:
        return _again(request, row, {"code_wrong": refusal.words()})
    _write(request, {"texts": row.texts, "contact": {**row.contact, "mail": proved}})
    return HttpResponseRedirect(f"{reverse('console_words')}?kept")


def _row(request: StaffRequest) -> Shop:
    open_face_of(request)
    with in_shop(request.shop_id):
        return Shop.objects.get()


def _language(request: StaffRequest, row: Shop) -> str:
    given: QueryDict = request.POST if request.method == "POST" else request.GET
    asked = given.get("in", "")
    return asked if asked in dict(settings.LANGUAGES) else row.locale


def _write(request: StaffRequest, columns: Values) -> None:
    now = clock.now()
    by = request.signed_in.by
    changes.change(request.shop_id, partial(importing.write_shop, columns, now=now), now=now, by=by)


def _again(request: StaffRequest, row: Shop, more: Mapping[str, Any]) -> HttpResponse:
    lang = row.locale
    form = WordsForm(initial=WordsForm.begun(row, lang), row=row, lang=lang)
    return _page(request, row, lang, form, status=422, **more)


def _page(
    request: StaffRequest, row: Shop, lang: str, form: WordsForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    with in_shop(request.shop_id):
        kept = Setup.objects.first()
    lacks = described_public.lacking(row.texts, row.legal, row.contact)
    context = {
        "shop": face_of(request),
        "way": "words",
        "form": form,
        "lang": lang,
        "languages": settings.LANGUAGES,
        "mail": row.contact.get("mail", ""),
        "asked": kept.mail_asked if kept is not None and kept.mail_person is not None else "",
        "kept": "kept" in request.GET,
        "mailed": "mailed" in request.GET,
        "lacking": wording.joined([legal.labels()[key] for key in lacks]),
        **more,
    }
    return render(request, "web/console/words.html", context, status=status)
