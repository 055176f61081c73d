"""The one place where the environment is read. A NOREN_* name that is not known here stops the start."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

Role = Literal["web", "worker", "migrate", "owner"]
LOCAL_HOSTS = ("localhost", "127.0.0.1")

T = TypeVar("T")


class StartRefused(Exception):
    """The system cannot start as it is set up; the words say what is wrong and how it is mended."""


def envtext(environ: Mapping[str, str], name: str, default: str | None = None) -> str | None:
    """Return the value without surrounding blanks; an empty one counts as not set."""
    return environ.get(name, "").strip() or default


def envint(environ: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    """Return a whole number within the two limits, both included."""
    text = envtext(environ, name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not lowest <= int(text) <= highest:
        raise StartRefused(f"{name}={text}: give a whole number from {lowest} to {highest}.")
    return int(text)


def envchoice(environ: Mapping[str, str], name: str, default: T, choices: tuple[T, ...]) -> T:
    """Return the one of `choices` that is written like the value."""
    text = envtext(environ, name)
    if text is None:
        return default
    for choice in choices:
        if text == choice:
            return choice
    raise StartRefused(f"{name}={text}: give one of {', '.join(map(str, choices))}.")


def envurl(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    """Return a URL with one of the schemes, or None. A refusal does not repeat it: passwords."""
    text = envtext(environ, name)
    if text is not None and urlsplit(text).scheme not in schemes:
        raise StartRefused(f"{name}: give a URL that begins with {' or '.join(s + '://' for s in schemes)}.")
    return text


@dataclass(frozen=True, slots=True)
class Env:
    """Every setting there is; docs/settings.md says what each is for.

    `database_url` and `vault_database_url` are None where the embedded clusters are used.
    """

    var: Path
    port: int
    origin: str
    database_url: str | None
    vault_database_url: str | None
    smtp_url: str | None
    mail_from: str
    bounce_domain: str | None
    witnesses: Path | None
    witness_minutes: int
    search_mb: int
    canary_domain: str
    test_database_url: str | None
    test_vault_database_url: str | None
    role: Role

    @property
    def host(self) -> str:
        """The origin's host name, without its port."""
        return urlsplit(self.origin).hostname or ""

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def development(self) -> bool:
        """Whether the origin is this machine's own: then mail is caught, and may be read in the browser."""
        return self.host in LOCAL_HOSTS

    @property
    def mailbox_port(self) -> int:
        """The mail catcher's pages; its SMTP listens one above."""
        return self.port + 1

    @property
    def catcher_smtp_port(self) -> int:
        return self.port + 2

    @property
    def bounce_port(self) -> int:
        """Where the mail server delivers what came back (LMTP), when there is a domain for it."""
        return self.port + 3

    @property
    def catches_mail(self) -> bool:
        return self.development and self.smtp_url is None

    def mail_server(self) -> str:
        """Return the URL to which mail is sent. Raises StartRefused where there is none.

        Only the supervisor and the vault need it: it may hold a password, which the app side never gets.
        """
        if self.smtp_url is not None:
            return self.smtp_url
        if not self.development:
            raise StartRefused(
                "NOREN_SMTP_URL is not set: away from localhost there is no mail catcher. "
                "Give the mail server, such as smtp+starttls://user:password@mail.example.jp:587."
            )
        return f"smtp://127.0.0.1:{self.catcher_smtp_port}"


_DOMAIN = re.compile(r"(?=.{1,200}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)
_POSTGRES = ("postgresql", "postgres")

# Name -> the field of Env it fills. The vault process has names of its own, which the supervisor makes.
NAMES: dict[str, str] = {
    "NOREN_VAR": "var",
    "NOREN_PORT": "port",
    "NOREN_ORIGIN": "origin",
    "NOREN_DATABASE_URL": "database_url",
    "NOREN_VAULT_DATABASE_URL": "vault_database_url",
    "NOREN_SMTP_URL": "smtp_url",
    "NOREN_MAIL_FROM": "mail_from",
    "NOREN_BOUNCE_DOMAIN": "bounce_domain",
    "NOREN_WITNESSES": "witnesses",
    "NOREN_WITNESS_MINUTES": "witness_minutes",
    "NOREN_SEARCH_MB": "search_mb",
    "NOREN_CANARY_DOMAIN": "canary_domain",
    "NOREN_TEST_DATABASE_URL": "test_database_url",
    "NOREN_TEST_VAULT_DATABASE_URL": "test_vault_database_url",
    "NOREN_ROLE": "role",
}


def read(environ: Mapping[str, str] | None = None) -> Env:
    """Read and check every setting. Raises StartRefused with words for the person who set them."""
    given = os.environ if environ is None else environ
    _refuse_unknown(given)
    port = envint(given, "NOREN_PORT", 8000, 1, 65532)
    origin = _origin(envtext(given, "NOREN_ORIGIN", f"http://localhost:{port}") or "")
    host = urlsplit(origin).hostname or ""
    policy = envtext(given, "NOREN_WITNESSES")
    return Env(
        var=Path(envtext(given, "NOREN_VAR", "var") or "var").expanduser().resolve(),
        port=port,
        origin=origin,
        database_url=envurl(given, "NOREN_DATABASE_URL", _POSTGRES),
        vault_database_url=envurl(given, "NOREN_VAULT_DATABASE_URL", _POSTGRES),
        smtp_url=envurl(given, "NOREN_SMTP_URL", ("smtp", "smtps", "smtp+starttls")),
        mail_from=envtext(given, "NOREN_MAIL_FROM") or f"noren@{host}",
        bounce_domain=_bounce_domain(envtext(given, "NOREN_BOUNCE_DOMAIN")),
        witnesses=None if policy is None else Path(policy).expanduser().resolve(),
        witness_minutes=envint(given, "NOREN_WITNESS_MINUTES", 60, 1, 10_080),
        canary_domain=_canary_domain(envtext(given, "NOREN_CANARY_DOMAIN", "") or ""),
        search_mb=envint(given, "NOREN_SEARCH_MB", 256, 1, 65_536),
        test_database_url=envurl(given, "NOREN_TEST_DATABASE_URL", _POSTGRES),
        test_vault_database_url=envurl(given, "NOREN_TEST_VAULT_DATABASE_URL", _POSTGRES),
        role=envchoice(given, "NOREN_ROLE", "web", get_args(Role)),
    )


def or_exit(start: Callable[[], T]) -> T:
    """Run `start`; a refusal becomes one line on the error stream and exit code 1."""
    try:
        return start()
    except StartRefused as refusal:
        raise SystemExit(f"noren: {refusal}") from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    unknown = sorted(name for name in environ if name.startswith("NOREN_") and name not in NAMES)
    if unknown:
        raise StartRefused(
            f"Unknown setting {', '.join(unknown)}. Known are {', '.join(NAMES)} (docs/settings.md)."
        )


def _bounce_domain(text: str | None) -> str | None:
    if text is not None and not _DOMAIN.fullmatch(text):
        raise StartRefused(f"NOREN_BOUNCE_DOMAIN={text}: give a domain alone, such as bounce.example.jp.")
    return text


def _canary_domain(text: str) -> str:
    if text and (not _DOMAIN.fullmatch(text) or "." not in text):
        raise StartRefused(f"NOREN_CANARY_DOMAIN={text}: give a domain alone, such as mail.example.jp.")
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    if not plain or parts.query or parts.fragment or parts.username:
        raise StartRefused(
            f"NOREN_ORIGIN={text}: give scheme and host only, such as https://book.example.jp."
        )
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise StartRefused(
            f"NOREN_ORIGIN={text}: plain http is for localhost only. Put a TLS proxy in front and give https://."
        )
    return f"{parts.scheme}://{parts.netloc}".lower()
