"""Which language a page is in: the address's, else the one chosen, else the browser's.

Choosing is a form, because a GET changes nothing; an address with `?lang=` is a page in that language, to be
found and passed on, and is remembered by nobody.

Easy Japanese (やさしい日本語) is a language of its own. Its catalogue holds the texts of a customer's way;
what it lacks is said in Japanese.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from noren.accounts.rules import public

NAMED = "lang"
EASY = "ja-easy"
# Easy Japanese is for customers: who works here reads Japanese, and would meet a mixture of both.
_AT_WORK = ("/console", "/operations", "/settings", "/password")


class Language(LocaleMiddleware):
    """Django's, and before it the language that the address names."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        asked = request.GET.get(NAMED)
        if asked in dict(settings.LANGUAGES):
            self._speak(request, asked)
        if translation.get_language() == EASY and request.path.startswith(_AT_WORK):
            self._speak(request, "ja")

    def _speak(self, request: HttpRequest, language: str) -> None:
        translation.activate(language)
        request.LANGUAGE_CODE = language


@public
@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Keep the choice in a cookie and go back to the page, which Django checks to be one of ours."""
    answer = set_language(request)
    if isinstance(answer, HttpResponseRedirect):
        answer["Location"] = _without_language(answer.url)
    return answer


def _without_language(address: str) -> str:
    """The page in the language that was chosen, not in the one its address named."""
    parts = urlsplit(address)
    if NAMED not in parts.query:
        return address
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != NAMED]
    return urlunsplit(parts._replace(query=urlencode(kept)))
