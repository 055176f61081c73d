"""The addresses below /api/v1/, and one answer in the API's own shape for all that are none."""

from django.urls import URLPattern, path, re_path

from noren.accounts.rules import public
from noren.api import free
from noren.api.endpoints import api
from noren.api.problems import nothing_here

# Ninja's own pages are made by it: the description of all this, and its root, which is never reached.
_served = api.urls
for _own in _served[0]:
    if isinstance(_own, URLPattern) and _own.name in ("openapi-json", "api-root"):
        public(_own.callback)

urlpatterns = [
    # Before ninja's own root page.
    path("", nothing_here),
    # Described by ninja, served without it: see free.
    path("shops/<str:slug>/availability", free.view),
    path("", _served),
    re_path(r"^.+$", nothing_here),
]
