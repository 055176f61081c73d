"""The console's pages of photos: what has one, and choosing, describing and taking away each."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from noren.accounts.access import StaffRequest, manager_required
from noren.errors import NothingHere
from noren.shops import photos, redraw
from noren.shops.models import Service, Staff
from noren.shops.photos import Subject
from noren.shops.redraw import NoPhoto, Reason
from noren.shops.tenancy import shop as in_shop
from noren.web import shopfront, times, wording
from noren.web.desk import Unclear, face_of
from noren.web.photos import Album, Shown, album

LANGUAGES: Final = ("ja", "en")
_WORDS: Final[Mapping[Reason, str | Promise]] = {
    Reason.UNREADABLE: gettext_lazy(
        "This file is no photo that can be shown here, or it is damaged. "
        "Please save it as JPEG, PNG, WebP or AVIF and choose it again."
    ),
    Reason.TOO_LARGE: gettext_lazy(
        "This file is too large: a photo may have 8 MB. Please save it smaller and choose it again."
    ),
    Reason.TOO_MANY_PIXELS: gettext_lazy(
        "This photo has too many pixels: 25 million are the most. Please make it smaller and choose it again."
    ),
    Reason.TOO_SMALL: gettext_lazy(
        "This photo is too small: it would be blurred. "
        "Please choose one of at least %(width)s × %(height)s pixels."
    ),
    Reason.BUSY: gettext_lazy(
        "Photos cannot be made ready at this moment. Please choose yours again in a minute."
    ),
}
_DONE: Final[Mapping[str, str | Promise]] = {
    "shown": gettext_lazy("Customers see this photo now."),
    "said": gettext_lazy("The words were saved."),
    "removed": gettext_lazy("The photo was taken away."),
}
_STATUS: Final = {Reason.TOO_LARGE: 413, Reason.BUSY: 503}


@dataclass(frozen=True, slots=True)
class Line:
    """Something of the shop's that may have a photo."""

    about: str
    name: str
    photo: Shown | None

    @property
    def href(self) -> str:
        return reverse("console_photo", args=[self.about])


@manager_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    found = album(face)
    context = {
        "shop": face,
        "way": "photos",
        "front": _line(Subject(), found),
        "services": [_line(Subject(service=each.id), found, each.name) for each in shopfront.offers(face.id)],
        "staff": [
            _line(Subject(staff=each.id), found, wording.text(each.texts, "name") or each.key)
            for each in shopfront.staff(face.id).values()
        ],
    }
    return render(request, "web/console/photos.html", context)


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, about: str) -> HttpResponse:
    """The photo of one thing: GET shows it, POST shows another, says it in other words, or takes it away."""
    face = face_of(request)
    subject = _subject(about)
    with in_shop(face.id):
        if not subject.there():
            raise NothingHere
    if request.method != "POST":
        return _page(request, face, subject)
    if request.POST.get("deed") == "remove":
        with in_shop(face.id):
            photos.remove(subject)
        done = "removed"
    else:
        try:
            done = _save(request, face, subject)
        except Unclear as fault:
            return _page(request, face, subject, wrong=fault)
    return HttpResponseRedirect(f"{reverse('console_photo', args=[_about(subject)])}?done={done}")


def _subject(about: str) -> Subject:
    """Read what is meant: `shop`, `service-3` or `staff-5`. Raises NothingHere."""
    if about == "shop":
        return Subject()
    what, _dash, text = about.partition("-")
    number = times.number(text)
    if what not in ("service", "staff") or not number:
        raise NothingHere
    return Subject(service=number) if what == "service" else Subject(staff=number)


def _about(subject: Subject) -> str:
    if subject.service is not None:
        return f"service-{subject.service}"
    return "shop" if subject.staff is None else f"staff-{subject.staff}"


def _save(request: StaffRequest, face: shopfront.Face, subject: Subject) -> str:
    """Show what was sent, and say what was done. Raises Unclear, and nothing is changed."""
    alt = {language: _alt(request, language) for language in LANGUAGES}
    sent = request.FILES.get("file")
    # A form that is larger than may be held in memory has lost its file (settings).
    if sent is None and int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        raise _refused(Reason.TOO_LARGE, subject)
    if not any(alt.values()):
        raise Unclear(_("Please say what is seen on the photo: it is read out to whoever cannot see it."))
    if sent is None:
        with in_shop(face.id):
            if not photos.describe(subject, alt):
                raise Unclear(_("Please choose a photo."))
        return "said"
    try:
        files = redraw.redraw(sent.read(), subject.shape)
    except NoPhoto as refusal:
        raise _refused(refusal.reason, subject) from None
    with in_shop(face.id):
        photos.put(subject, files, alt)
    return "shown"


def _alt(request: StaffRequest, language: str) -> str:
    text = " ".join(request.POST.get(f"alt_{language}", "").split())
    if len(text) > photos.LONGEST_ALT or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise Unclear(_("These words cannot be used. Please write them anew, shorter."))
    return text


def _line(subject: Subject, found: Album, name: str = "") -> Line:
    if subject.service is not None:
        shown = found.services.get(subject.service)
    else:
        shown = found.shop if subject.staff is None else found.staff.get(subject.staff)
    return Line(_about(subject), name, shown)


def _name(subject: Subject) -> str:
    """The name of what it is of; of the shop itself none is needed."""
    row: Service | Staff
    if subject.service is not None:
        row = Service.objects.get(id=subject.service)
    elif subject.staff is not None:
        row = Staff.objects.get(id=subject.staff)
    else:
        return ""
    return wording.text(row.texts, "name") or row.key


def _refused(reason: Reason, subject: Subject) -> Unclear:
    width, height = subject.shape.least
    words = str(_WORDS[reason]) % {"width": width, "height": height}
    return Unclear(words, _STATUS.get(reason, 422))


def _page(
    request: StaffRequest, face: shopfront.Face, subject: Subject, *, wrong: Unclear | None = None
) -> HttpResponse:
    with in_shop(face.id):
        row = photos.every().get(subject)
        name = _name(subject)
    kept = {} if row is None else row.texts["alt"]
    width, height = subject.shape.least
    context = {
        "shop": face,
        "way": "photos",
        "line": _line(subject, album(face), name),
        "wide": subject == Subject(),
        "alts": [
            {
                "language": language,
                "text": request.POST.get(f"alt_{language}", kept.get(language, ""))[: photos.LONGEST_ALT],
            }
            for language in LANGUAGES
        ],
        "longest": photos.LONGEST_ALT,
        "least_width": width,
        "least_height": height,
        "wrong": wrong,
        "done": "" if wrong else _DONE.get(request.GET.get("done", ""), ""),
    }
    return render(request, "web/console/photo.html", context, status=wrong.status if wrong else 200)
