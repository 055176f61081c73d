"""The vault's settings, all from the environment. An unknown NOREN_VAULT_* name stops the start."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from noren_vault.hook import Alarm, secret_of
from noren_vault.outward import fits

NAMES: Final = frozenset(
    "NOREN_VAULT_" + name
    for name in ("SOCKET", "DATABASE_URL", "KEYS", "LEDGER", "ORIGIN", "SMTP_URL", "MAIL_FROM")
) | {
    "NOREN_VAULT_PEER_UIDS",
    "NOREN_VAULT_ADMIN_UIDS",
    "NOREN_VAULT_BOUNCES",
    "NOREN_VAULT_WITNESSES",
    "NOREN_VAULT_WITNESS_MINUTES",
    "NOREN_VAULT_SEARCH_MB",
    "NOREN_VAULT_KEY_PROVIDER",
    "NOREN_VAULT_KMS_KEY",
    "NOREN_VAULT_KMS_ENDPOINT",
    "NOREN_VAULT_BACKUP_DAYS",
    "NOREN_VAULT_LISTEN",
    "NOREN_VAULT_TLS",
    "NOREN_VAULT_DOOR_KEY",  # read where sessions are marked (doormark)
    "NOREN_VAULT_CANARY_DOMAIN",
    "NOREN_VAULT_PWNED",
    "NOREN_VAULT_SSO_PRIVATE",
    "NOREN_VAULT_ALARM_URL",
    "NOREN_VAULT_ALARM_SECRET",
    "NOREN_VAULT_ALARM_PRIVATE",
    "NOREN_VAULT_ALARM_MINUTES",
    "NOREN_VAULT_SEEN",
}
_KMS_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+", re.ASCII)

_SEARCH_MB: Final = 256
_NOBODYS: Final = "example.com"
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_DOMAIN: Final = re.compile(r"(?=.{1,200}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)


class SettingsError(Exception):
    """The vault cannot start as it is set up; the words say which setting, never its value."""


@dataclass(frozen=True, slots=True)
class Bounces:
    """The domain of return addresses, and the loopback port where what comes back is delivered by LMTP."""

    domain: str
    port: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the vault is asked over the network, and the folder of its certificates."""

    host: str
    port: int
    certificates: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set from outside. `origin` has no trailing slash; its host is the passkeys' rpId.

    `kms_key` is the ARN of the master key where AWS KMS provides the keys, else None. `backup_days` tells for
    how many days a backup stays readable.
    """

    socket: Path
    database_url: str
    keys: Path
    ledger: Path
    origin: str
    smtp_url: str
    mail_from: str
    bounces: Bounces | None
    peer_uids: frozenset[int]
    admin_uids: frozenset[int]
    witnesses: Path | None = None
    """A tlog-policy file: who witnesses the ledger, and how many of them are enough."""
    witness_minutes: int = 60
    """How old the tail that no quorum has witnessed may become before it is alarmed about."""
    search_bytes: int = _SEARCH_MB << 20
    """How much of people's data all texts for searching may hold in clear in memory."""
    kms_key: str | None = None
    kms_endpoint: str | None = None
    backup_days: int = 35
    listen: Listen | None = None
    canary_domain: str = ""
    """The mail domain of canaries in exports: one of the operator's own that does not look like it."""
    pwned: str = ""
    """The range service that is asked for breached passwords, by its root's URL; empty: nobody is."""

    sso_private: frozenset[str] = frozenset()
    """Hosts of providers that may be at addresses of no internet's; "localhost" over plain http, too."""
    alarm: Alarm | None = None
    """Where rings of signs are posted to; None: mail alone."""
    alarm_minutes: int = 15
    """How long a sign may be taken by nobody before it rings again."""
    seen: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What the supervisor saw of secrets whose files are not the vault's: how many, since when."""

    @property
    def canaries_at(self) -> str:
        """The canaries' mail domain; unless one is set, that of our own sender, or one of nobody's."""
        own = parseaddr(self.mail_from)[1].rpartition("@")[2]
        return self.canary_domain or (own if "." in own else _NOBODYS)

    @property
    def host(self) -> str:
        """The origin's host: the passkeys' rpId."""
        return urlsplit(self.origin).hostname or ""


def database_url(environ: Mapping[str, str] | None = None) -> str:
    """Return the one setting that `migrate` needs."""
    given = os.environ if environ is None else environ
    refuse_unknown(given)
    return _text(given, "NOREN_VAULT_DATABASE_URL")


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check every setting. Raises SettingsError."""
    given = os.environ if environ is None else environ
    refuse_unknown(given)
    return Settings(
        socket=Path(_text(given, "NOREN_VAULT_SOCKET")),
        database_url=_text(given, "NOREN_VAULT_DATABASE_URL"),
        keys=Path(_text(given, "NOREN_VAULT_KEYS")),
        ledger=Path(_text(given, "NOREN_VAULT_LEDGER")),
        origin=_origin(_text(given, "NOREN_VAULT_ORIGIN")),
        smtp_url=_smtp(_text(given, "NOREN_VAULT_SMTP_URL")),
        mail_from=_text(given, "NOREN_VAULT_MAIL_FROM"),
        bounces=_bounces(given.get("NOREN_VAULT_BOUNCES", "").strip()),
        peer_uids=_uids(given, "NOREN_VAULT_PEER_UIDS"),
        admin_uids=_uids(given, "NOREN_VAULT_ADMIN_UIDS"),
        witnesses=Path(path) if (path := given.get("NOREN_VAULT_WITNESSES", "").strip()) else None,
        witness_minutes=_number(given, "NOREN_VAULT_WITNESS_MINUTES", 60, 10_080),
        search_bytes=_number(given, "NOREN_VAULT_SEARCH_MB", _SEARCH_MB, 65_536) << 20,
        kms_key=_kms_key(given),
        kms_endpoint=given.get("NOREN_VAULT_KMS_ENDPOINT", "").strip() or None,
        backup_days=_days(given.get("NOREN_VAULT_BACKUP_DAYS", "").strip() or "35"),
        listen=_listen(given),
        canary_domain=_canary_domain(given.get("NOREN_VAULT_CANARY_DOMAIN", "").strip()),
        pwned=_pwned(given.get("NOREN_VAULT_PWNED", "").strip()),
        sso_private=_hosts(given, "NOREN_VAULT_SSO_PRIVATE"),
        alarm=_alarm(given),
        alarm_minutes=_number(given, "NOREN_VAULT_ALARM_MINUTES", 15, 1_440),
        seen=_seen(given.get("NOREN_VAULT_SEEN", "").strip()),
    )


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raise SettingsError for a name that begins as ours do and is none of ours."""
    unknown = sorted(name for name in environ if name.startswith("NOREN_VAULT_") and name not in NAMES)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(NAMES))}")


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _kms_key(environ: Mapping[str, str]) -> str | None:
    provider = environ.get("NOREN_VAULT_KEY_PROVIDER", "").strip() or "file"
    if provider not in ("file", "aws-kms"):
        raise SettingsError("NOREN_VAULT_KEY_PROVIDER: give file or aws-kms")
    if provider == "file":
        return None
    key = _text(environ, "NOREN_VAULT_KMS_KEY")
    if not _KMS_KEY.fullmatch(key):
        raise SettingsError(
            "NOREN_VAULT_KMS_KEY: give the master key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID"
        )
    return key


def _days(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise SettingsError("NOREN_VAULT_BACKUP_DAYS: give a whole number of days from 1 to 3650")
    return int(text)


def _uids(environ: Mapping[str, str], name: str) -> frozenset[int]:
    parts = _text(environ, name).split(",")
    if not all(part.strip().isascii() and part.strip().isdecimal() for part in parts):
        raise SettingsError(f"{name}: give numbers of users, with commas between")
    return frozenset(int(part) for part in parts)


def _hosts(environ: Mapping[str, str], name: str) -> frozenset[str]:
    hosts = [part.strip().lower() for part in environ.get(name, "").split(",") if part.strip()]
    if not all(_DOMAIN.fullmatch(one) for one in hosts):
        raise SettingsError(f"{name}: give names of hosts, with commas between")
    return frozenset(hosts)


def _number(environ: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environ.get(name, "").strip() or str(default)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= highest:
        raise SettingsError(f"{name}: give a whole number from 1 to {highest}")
    return int(text)


def _listen(environ: Mapping[str, str]) -> Listen | None:
    text = environ.get("NOREN_VAULT_LISTEN", "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None or parts.netloc != text or parts.username is not None:
        raise SettingsError("NOREN_VAULT_LISTEN: an address and a port, such as 10.0.0.2:7443")
    return Listen(host, port, Path(_text(environ, "NOREN_VAULT_TLS")))


def _origin(text: str) -> str:
    parts = urlsplit(text)
    local = parts.hostname in ("localhost", "127.0.0.1")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingsError("NOREN_VAULT_ORIGIN: give scheme and host only")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise SettingsError("NOREN_VAULT_ORIGIN: https, or http on localhost")
    return f"{parts.scheme}://{parts.netloc}"


def _smtp(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise SettingsError("NOREN_VAULT_SMTP_URL: smtp://, smtp+starttls:// or smtps://")
    if parts.scheme == "smtp" and parts.username and parts.hostname not in _LOCAL:
        raise SettingsError("NOREN_VAULT_SMTP_URL: a password goes over smtp+starttls:// or smtps:// only")
    return text


def _canary_domain(text: str) -> str:
    if text and (not _DOMAIN.fullmatch(text) or "." not in text):
        raise SettingsError("NOREN_VAULT_CANARY_DOMAIN: a mail domain, such as mail.example.jp")
    return text.lower()


def _pwned(text: str) -> str:
    parts = urlsplit(text)
    plain = not parts.query and not parts.fragment and parts.username is None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if text and not (parts.hostname and plain and safe):
        raise SettingsError(
            "NOREN_VAULT_PWNED: https, or http on localhost, such as https://api.pwnedpasswords.com"
        )
    return text.rstrip("/")


def _alarm(given: Mapping[str, str]) -> Alarm | None:
    url, private = given.get("NOREN_VAULT_ALARM_URL", "").strip(), _hosts(given, "NOREN_VAULT_ALARM_PRIVATE")
    if not url:
        return None
    if not fits(url, private):
        raise SettingsError("NOREN_VAULT_ALARM_URL: https, without a user (http on localhost where private)")
    try:
        return Alarm(url, secret_of(given.get("NOREN_VAULT_ALARM_SECRET", "").strip()), private)
    except ValueError as fault:
        raise SettingsError(f"NOREN_VAULT_ALARM_SECRET: {fault}") from None


def _seen(text: str) -> dict[str, dict[str, int]]:
    try:
        found = json.loads(text or "{}")
        return {name: {key: int(value) for key, value in fact.items()} for name, fact in found.items()}
    except (ValueError, TypeError, AttributeError):
        raise SettingsError("NOREN_VAULT_SEEN: facts by name, each a number") from None


def _bounces(text: str) -> Bounces | None:
    """Read `domain:port`; empty: mails come back to their sender, and nobody here reads them."""
    if not text:
        return None
    domain, _, port = text.partition(":")
    if not _DOMAIN.fullmatch(domain) or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise SettingsError("NOREN_VAULT_BOUNCES: a domain and a port, such as bounce.example.jp:8003")
    return Bounces(domain.lower(), int(port))
