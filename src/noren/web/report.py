"""The form by which anybody reports something amiss, without an account; named in security.txt.

What is written goes to the vault and is kept nowhere here. The answer comes once it lies durable there.
"""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren.accounts.rules import public
from noren.accounts.signin import visit_of
from noren.errors import BadField, ChallengeNeeded, RequestUnreadable, TooMuch
from noren.people import signs
from noren.web import challenge

_LONGEST_MAIL: Final = 254
_LONGEST_NAME: Final = 200
_KEY: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


@public
@sensitive_post_parameters("text", "mail")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form; sent, the number under which the report lies."""
    if request.method != "POST":
        return _form(request)
    text, mail = request.POST.get("text", "").strip(), request.POST.get("mail", "").strip()[:_LONGEST_MAIL]
    files = request.FILES.getlist("files")
    # A form that is larger than may be held in memory has lost its files (settings).
    lost = int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    if lost or sum(file.size or 0 for file in files) > signs.MOST_BYTES:
        return _form(request, refused=TooMuch(megabytes=signs.MOST_BYTES >> 20).words(), status=413)
    if not text:
        return _form(request, refused=_("Please write what you have seen."), status=422)
    try:
        number = signs.report(
            _key(request),
            text[: signs.LONGEST_REPORT].replace("\x00", ""),
            mail,
            [(_name(file.name or ""), file.read()) for file in files if file.size],
            proof=challenge.proof(request),
            **visit_of(request),
        )
    except BadField:
        refused = _("This mail address cannot be. Please look for a slip.")
        return _form(request, refused=refused, wrong_mail=True, status=422)
    except TooMuch as refusal:
        return _form(request, refused=refusal.words(), status=refusal.status)
    except ChallengeNeeded as refusal:
        return _form(request, asked=refusal, status=refusal.status)
    return _answer(request, {"number": number, "mailed": bool(mail)})


def _key(request: HttpRequest) -> str:
    key = request.POST.get("key", "")
    if not _KEY.fullmatch(key):
        raise RequestUnreadable
    return key


def _name(name: str) -> str:
    return "".join(one for one in name if one.isprintable())[:_LONGEST_NAME] or "file"


def _form(
    request: HttpRequest,
    *,
    refused: str = "",
    wrong_mail: bool = False,
    asked: ChallengeNeeded | None = None,
    status: int = 200,
) -> HttpResponse:
    key = request.POST.get("key", "")
    context = {
        "key": key if _KEY.fullmatch(key) else signs.new_key(),
        "given": request.POST,
        "refused": refused,
        "wrong_mail": wrong_mail,
        "challenge": challenge.shown(asked),
        "longest": signs.LONGEST_REPORT,
        "most_files": signs.MOST_FILES,
        "megabytes": signs.MOST_BYTES >> 20,
        "files_lost": bool(request.FILES),
    }
    return _answer(request, context, status)


def _answer(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "web/security/report.html", context, status=status)
    add_never_cache_headers(response)
    return response
