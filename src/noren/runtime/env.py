"""The one place where the environment is read. A NOREN_* name that is not known here stops the start."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

from noren.engine.office import Office

Role = Literal["web", "worker", "migrate", "owner"]
LOCAL_HOSTS = ("localhost", "127.0.0.1")
# When the inquiry desk answers.
DESK = "mon-fri 10:00-18:00 Asia/Tokyo JP"

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

    `database_url` and `vault_database_url` are None where the embedded clusters are used. With `vault_url`
    this host has the app side alone, with `vault_listen` the vault's alone; never both.
    """

    var: Path
    port: int
    origin: str
    database_url: str | None
    vault_database_url: str | None
    vault_url: str | None
    vault_listen: str | None
    smtp_url: str | None
    mail_from: str
    bounce_domain: str | None
    witnesses: Path | None
    witness_minutes: int
    search_mb: int
    vault_key_provider: Literal["file", "aws-kms"]
    vault_kms_key: str | None
    vault_kms_endpoint: str | None
    vault_backup_days: int
    backups: Path
    backup_hour: int
    door_key: str | None
    canary_domain: str
    pwned: str
    sso_private: str
    desk: str
    alarm_url: str
    alarm_secret: str
    alarm_private: str
    alarm_minutes: int
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
    def app_here(self) -> bool:
        """Whether this host has the app side."""
        return self.vault_listen is None

    @property
    def vault_here(self) -> bool:
        """Whether this host has the vault's side."""
        return self.vault_url is None

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

    def vault_keys(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what the vault's process is told of its keys; for AWS KMS also AWS's own names."""
        told = {
            "NOREN_VAULT_KEY_PROVIDER": self.vault_key_provider,
            "NOREN_VAULT_BACKUP_DAYS": str(self.vault_backup_days),
        }
        if self.vault_key_provider == "file":
            return told
        if self.vault_kms_key is None:
            raise StartRefused(
                "NOREN_VAULT_KMS_KEY is not set: give the ARN of the master key that wraps the vault's keys."
            )
        told["NOREN_VAULT_KMS_KEY"] = self.vault_kms_key
        if self.vault_kms_endpoint is not None:
            told["NOREN_VAULT_KMS_ENDPOINT"] = self.vault_kms_endpoint
        given = os.environ if environ is None else environ
        return told | {name: value for name, value in given.items() if name.startswith("AWS_")}

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


_WHSEC = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}", re.ASCII)
_DOMAIN = re.compile(r"(?=.{1,200}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)
_POSTGRES = ("postgresql", "postgres")

# Name -> the field of Env it fills. The vault process has names of its own, which the supervisor makes.
NAMES: dict[str, str] = {
    "NOREN_VAR": "var",
    "NOREN_PORT": "port",
    "NOREN_ORIGIN": "origin",
    "NOREN_DATABASE_URL": "database_url",
    "NOREN_VAULT_DATABASE_URL": "vault_database_url",
    "NOREN_VAULT_URL": "vault_url",
    "NOREN_VAULT_LISTEN": "vault_listen",
    "NOREN_SMTP_URL": "smtp_url",
    "NOREN_MAIL_FROM": "mail_from",
    "NOREN_BOUNCE_DOMAIN": "bounce_domain",
    "NOREN_WITNESSES": "witnesses",
    "NOREN_WITNESS_MINUTES": "witness_minutes",
    "NOREN_SEARCH_MB": "search_mb",
    "NOREN_VAULT_KEY_PROVIDER": "vault_key_provider",
    "NOREN_VAULT_KMS_KEY": "vault_kms_key",
    "NOREN_VAULT_KMS_ENDPOINT": "vault_kms_endpoint",
    "NOREN_VAULT_BACKUP_DAYS": "vault_backup_days",
    "NOREN_BACKUPS": "backups",
    "NOREN_BACKUP_HOUR": "backup_hour",
    "NOREN_DOOR_KEY": "door_key",
    "NOREN_CANARY_DOMAIN": "canary_domain",
    "NOREN_PWNED": "pwned",
    "NOREN_SSO_PRIVATE": "sso_private",
    "NOREN_DESK": "desk",
    "NOREN_ALARM_URL": "alarm_url",
    "NOREN_ALARM_SECRET": "alarm_secret",
    "NOREN_ALARM_PRIVATE": "alarm_private",
    "NOREN_ALARM_MINUTES": "alarm_minutes",
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
    var = Path(envtext(given, "NOREN_VAR", "var") or "var").expanduser().resolve()
    vault_url, vault_listen = _sides(given)
    return Env(
        var=var,
        port=port,
        origin=origin,
        database_url=envurl(given, "NOREN_DATABASE_URL", _POSTGRES),
        vault_database_url=envurl(given, "NOREN_VAULT_DATABASE_URL", _POSTGRES),
        vault_url=vault_url,
        vault_listen=vault_listen,
        smtp_url=envurl(given, "NOREN_SMTP_URL", ("smtp", "smtps", "smtp+starttls")),
        mail_from=envtext(given, "NOREN_MAIL_FROM") or f"noren@{host}",
        bounce_domain=_bounce_domain(envtext(given, "NOREN_BOUNCE_DOMAIN")),
        witnesses=None if policy is None else Path(policy).expanduser().resolve(),
        witness_minutes=envint(given, "NOREN_WITNESS_MINUTES", 60, 1, 10_080),
        canary_domain=_canary_domain(envtext(given, "NOREN_CANARY_DOMAIN", "") or ""),
        pwned=_pwned(envurl(given, "NOREN_PWNED", ("https", "http"))),
        desk=_desk(envtext(given, "NOREN_DESK", DESK) or DESK),
        sso_private=_hosts(given, "NOREN_SSO_PRIVATE"),
        **_alarm(given),
        alarm_minutes=envint(given, "NOREN_ALARM_MINUTES", 15, 1, 1_440),
        search_mb=envint(given, "NOREN_SEARCH_MB", 256, 1, 65_536),
        vault_key_provider=envchoice(given, "NOREN_VAULT_KEY_PROVIDER", "file", ("file", "aws-kms")),
        vault_kms_key=envtext(given, "NOREN_VAULT_KMS_KEY"),
        vault_kms_endpoint=envurl(given, "NOREN_VAULT_KMS_ENDPOINT", ("https", "http")),
        vault_backup_days=envint(given, "NOREN_VAULT_BACKUP_DAYS", 35, 1, 3650),
        backups=Path(envtext(given, "NOREN_BACKUPS") or var / "backups").expanduser().resolve(),
        backup_hour=envint(given, "NOREN_BACKUP_HOUR", 18, 0, 23),
        door_key=envtext(given, "NOREN_DOOR_KEY"),
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


def _sides(given: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return where the vault is asked, and where it listens, on two hosts; neither where there is one."""
    url, listen = envtext(given, "NOREN_VAULT_URL"), envtext(given, "NOREN_VAULT_LISTEN")
    if url is not None and not (url.startswith("tls://") and _reachable(url.removeprefix("tls://"))):
        raise StartRefused(f"NOREN_VAULT_URL={url}: give tls://HOST:PORT, the vault's host.")
    if listen is not None and not _reachable(listen):
        raise StartRefused(f"NOREN_VAULT_LISTEN={listen}: give ADDRESS:PORT, such as 10.0.0.2:7443.")
    for one, other in (
        ("NOREN_VAULT_URL", "NOREN_VAULT_LISTEN"),
        ("NOREN_VAULT_URL", "NOREN_VAULT_DATABASE_URL"),
        ("NOREN_VAULT_LISTEN", "NOREN_DATABASE_URL"),
    ):
        if envtext(given, one) is not None and envtext(given, other) is not None:
            raise StartRefused(
                f"{one} and {other} are set: one is for the app's host, the other for the vault's."
            )
    return url, listen


def _reachable(text: str) -> bool:
    """Whether a text is a host and a port, and nothing else."""
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname and parts.port) and parts.netloc == text and parts.username is None
    except ValueError:
        return False


def _bounce_domain(text: str | None) -> str | None:
    if text is not None and not _DOMAIN.fullmatch(text):
        raise StartRefused(f"NOREN_BOUNCE_DOMAIN={text}: give a domain alone, such as bounce.example.jp.")
    return text


def _canary_domain(text: str) -> str:
    if text and (not _DOMAIN.fullmatch(text) or "." not in text):
        raise StartRefused(f"NOREN_CANARY_DOMAIN={text}: give a domain alone, such as mail.example.jp.")
    return text


def _pwned(url: str | None) -> str:
    """Return the service's root, or nothing: it is a third party, and asked by nobody who did not say so."""
    parts = urlsplit(url or "")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise StartRefused("NOREN_PWNED: plain http is for localhost only.")
    return url or ""


def _hosts(given: Mapping[str, str], name: str) -> str:
    text = envtext(given, name, "") or ""
    if not all(_DOMAIN.fullmatch(part.strip()) for part in text.split(",") if part.strip()):
        raise StartRefused(f"{name}={text}: give names of hosts, with commas between.")
    return text


def _desk(text: str) -> str:
    try:
        Office.of(text)
    except ValueError:
        raise StartRefused(
            f"NOREN_DESK={text}: give days, hours, zone and country, such as {DESK}."
        ) from None
    return text


def _alarm(given: Mapping[str, str]) -> dict[str, str]:
    """Where rings of signs are posted to. The vault looks closer; what is told here is what is forgotten."""
    url, secret = (
        envurl(given, "NOREN_ALARM_URL", ("https", "http")) or "",
        envtext(given, "NOREN_ALARM_SECRET"),
    )
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in LOCAL_HOSTS:
        raise StartRefused("NOREN_ALARM_URL: plain http is for localhost only.")
    if bool(url) != bool(secret):
        raise StartRefused("NOREN_ALARM_URL and NOREN_ALARM_SECRET: give both, or neither.")
    if secret and not _WHSEC.fullmatch(secret):
        raise StartRefused("NOREN_ALARM_SECRET: whsec_ and 24 to 64 bytes in base64.")
    return {
        "alarm_url": url,
        "alarm_secret": secret or "",
        "alarm_private": _hosts(given, "NOREN_ALARM_PRIVATE"),
    }


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
