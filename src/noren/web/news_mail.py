"""Notices by mail: an address goes to the vault and is kept nowhere here; its link begins and ends it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from noren.accounts.rules import own_link, public
from noren.accounts.signin import visit_of
from noren.errors import BadField, ChallengeNeeded, NothingHere
from noren.incidents.notice_text import NOTICE
from noren.people import notices as door
from noren.web import challenge, notice_pages, passwords

_LONGEST_MAIL = 254


@public
@sensitive_post_parameters("mail")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The form; sent, the same answer for every address."""
    if request.method != "POST":
        return _page(request, "ask")
    mail = passwords.typed(request, "mail", _LONGEST_MAIL).strip()
    notice = passwords.typed(request, "notice", 200)
    if not NOTICE.fullmatch(notice):
        notice = ""
    try:
        if not mail:
            return _page(
                request, "ask", notice=notice, refused=_("Please enter your mail address."), status=422
            )
        language = notice_pages.reading()[0]
        door.reader_ask(mail, language, notice, proof=challenge.proof(request), **visit_of(request))
    except BadField:
        refused = _("This mail address cannot be. Please look for a slip.")
        return _page(request, "ask", notice=notice, mail=mail, refused=refused, status=422)
    except ChallengeNeeded as refusal:
        return _page(request, "ask", notice=notice, mail=mail, asked=refusal, status=refusal.status)
    return _page(request, "asked")


@csrf_exempt  # by RFC 8058 a mail server posts; the link alone is the right, and no cookie counts
@own_link
@require_http_methods(["GET", "HEAD", "POST"])
def reader(request: HttpRequest, reader: str) -> HttpResponse:
    """Her own link: how she stands, and with a button (or her mail program's) to begin or to leave.

    Raises NoSuchReader.
    """
    standing, begun = door.reader(reader), False
    if request.method == "POST":
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        match "leave" if one_click else request.POST.get("deed", ""):
            case "confirm":
                door.reader_confirm(reader)
                standing, begun = door.reader(reader), True
            case "leave":
                door.reader_leave(reader)
                return _page(request, "left")
            case _:
                raise NothingHere
    return _page(request, "confirmed" if standing.confirmed else "pending", begun=begun)


def _page(
    request: HttpRequest,
    state: str,
    *,
    notice: str = "",
    mail: str = "",
    refused: str = "",
    asked: ChallengeNeeded | None = None,
    begun: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "state": state,
        "notice": notice,
        "mail": mail,
        "refused": refused,
        "begun": begun,
        "challenge": challenge.shown(asked),
    }
    response = render(request, "web/news/mail.html", context, status=status)
    add_never_cache_headers(response)
    return response
