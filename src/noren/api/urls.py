"""The addresses below /api/v1/, and one answer in the API's own shape for all that are none."""

from django.urls import path, re_path

from noren.api.endpoints import api
from noren.api.problems import nothing_here

# The first stands before ninja's own root page.
urlpatterns = [path("", nothing_here), path("", api.urls), re_path(r"^.+$", nothing_here)]
