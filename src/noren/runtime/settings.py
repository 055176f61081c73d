"""The one place for settings. RUNTIME owns this file."""

import os

DEBUG = False
SECRET_KEY = "unset"  # noqa: S105 - replaced by the secrets file
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "noren.people",
    "noren.shops",
    "noren.accounts",
    "noren.booking",
    "noren.messages",
    "noren.incidents",
    "noren.api",
    "noren.web",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE", "noren"),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "USER": os.environ.get("PGUSER", "postgres"),
    },
}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
