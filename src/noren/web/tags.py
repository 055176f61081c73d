"""The shop's tags: words by which customers are marked, a short list that managers keep."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import tags
from noren.errors import BadField
from noren.web import times
from noren.web.desk import face_of

WHY: dict[str, str | Promise] = {
    "empty": _("Please write a word."),
    "too_long": _("20 characters at most."),
    "double": _("There is a tag of this word already."),
    "control": _("This holds characters that cannot be kept."),
    "full": _("30 tags at most. Please take one away first."),
}


@permission_required(Permission.SHOP_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """GET lists them; POST adds one, says another word for one, or takes one away."""
    face, given = face_of(request), request.POST
    wrong: str | Promise = ""
    number = times.number(given.get("tag"))
    if request.method == "POST":
        try:
            if given.get("deed") == "drop" and number is not None:
                tags.drop(face.id, number)
            else:
                tags.put(face.id, given.get("word", ""), tag=number)
            return HttpResponseRedirect(reverse("console_tags"))
        except BadField as refusal:
            wrong = WHY[refusal.facts["reason"]]
    context = {
        "shop": face,
        "way": "customers",
        "tags": tags.words(face.id),
        "longest": tags.LONGEST,
        "wrong": wrong,
        "wrong_at": number,
        "word": given.get("word", ""),
    }
    return render(request, "web/console/tags.html", context, status=422 if wrong else 200)
