"""The addresses below /api/v1/, and one answer in the API's own shape for all that are none."""

from django.urls import path, re_path

from noren.api import free
from noren.api.endpoints import api
from noren.api.problems import nothing_here

urlpatterns = [
    # Before ninja's own root page.
    path("", nothing_here),
    # Described by ninja, served without it: see free.
    path("shops/<str:slug>/availability", free.view),
    path("", api.urls),
    re_path(r"^.+$", nothing_here),
]
