"""Django's settings, made of noren.runtime.env and the secrets file and nothing else.

They can be imported where nothing has been set up yet (types, tests): then there is no key and no password.
"""

from pathlib import Path

from noren.runtime import databases, env, logs, secrets_file
from noren.runtime.paths import Paths

ENV = env.or_exit(env.read)
PATHS = Paths.of(ENV)
_SECRETS = secrets_file.read(PATHS.app_secrets)
_WEB = Path(__file__).parent.parent / "web"

# -- ours

NOREN_ORIGIN = ENV.origin
NOREN_MAILBOX = f"http://localhost:{ENV.mailbox_port}/" if ENV.catches_mail and ENV.vault_here else None
# Where the vault is asked: a socket's path, or `tls://host:port` with a certificate out of VAULT_TLS.
VAULT_SOCKET = PATHS.vault_socket if ENV.vault_url is None else ENV.vault_url
VAULT_TLS = PATHS.tls
# Whose certificate: the command line makes it `admin`.
VAULT_CALLER = "worker" if ENV.role == "worker" else "web"
# Whether the app's database is on this host: on a host of the vault alone it is not.
APP_HERE = ENV.app_here
LEDGER = PATHS.ledger
NOREN_DESK = ENV.desk
# Keys of their own, so that one can be changed without the others. Booking links (HMAC of shop, booking,
# generation) and the hash that is kept of an Idempotency-Key.
LINK_KEY = _SECRETS.get("link_key", "").encode()
IDEMPOTENCY_KEY = _SECRETS.get("idempotency_key", "").encode()

# -- Django

SECRET_KEY = _SECRETS.get("django_key", "")
DEBUG = False
ALLOWED_HOSTS = [*env.LOCAL_HOSTS] if ENV.development else [ENV.host]
ROOT_URLCONF = "noren.web.urls"
WSGI_APPLICATION = "noren.web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
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

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "noren.web.middleware.ContentPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pads each answer (BREACH), and masks the token of forms.
    "noren.web.middleware.TextGZip",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "noren.web.language.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "noren.web.middleware.ErrorPages",
    "noren.web.curtain.Curtain",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_WEB / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "noren.web.frames.context",
            ],
        },
    },
]

# -- the database: one alias, whose login is NOREN_ROLE's


DATABASES = {"default": databases.django(databases.app(ENV), ENV.role)}

# -- sessions and cookies: `__Host-` binds a cookie to exactly this host, and needs https

_COOKIE = "__Host-noren_" if ENV.secure else "noren_"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = f"{_COOKIE}session"
SESSION_COOKIE_SECURE = ENV.secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_COOKIE}csrf"
CSRF_COOKIE_SECURE = ENV.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [ENV.origin]
LANGUAGE_COOKIE_NAME = f"{_COOKIE}language"
LANGUAGE_COOKIE_SECURE = ENV.secure
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

# -- what every answer carries

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# A booking's link is a secret in a path: it is never told to another site.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if ENV.secure else 0
# The TLS proxy in front says so; who reaches the port itself gains nothing by saying it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.secure else None
# A form with a note in it, an import of customers goes by the command line.
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
# A list of customers is read in memory: a larger one would lie in clear in a temporary file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

# -- words and times

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English"), ("ja-easy", "やさしい日本語")]
LOCALE_PATHS = [_WEB / "locale"]

# -- static files: hashed and compressed once collected, straight from the source before that

STATIC_URL = "/static/"
STATIC_ROOT = PATHS.static
_COLLECTED = (PATHS.static / "staticfiles.json").is_file() or ENV.role == "migrate"
WHITENOISE_USE_FINDERS = not _COLLECTED
WHITENOISE_AUTOREFRESH = not _COLLECTED
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# -- logs: one JSON object a line, without personal data

LOGGING_CONFIG = "noren.runtime.logs.configure"
LOGGING = logs.DJANGO
