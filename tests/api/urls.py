"""The API alone, as noren.web mounts it."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("noren.api.urls"))]
