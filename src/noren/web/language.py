"""Choosing a language: a form, because a GET changes nothing."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from noren.accounts.rules import public


@public
@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Keep the choice in a cookie and go back to the page, which Django checks to be one of ours."""
    return set_language(request)
