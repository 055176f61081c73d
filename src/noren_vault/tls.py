"""Certificates: whom the vault lets in over the network, and as which part of the app side.

One folder holds them: `ca.pem` (the house's own authority; no other is believed), `server.pem` (the vault's
key and certificate) and `revoked` (serials in hex, one a line). All are read anew when one of them changes.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from cryptography import x509

from noren_vault.callers import Caller

WARN_DAYS: Final = 30
_AUTHORITY: Final = "ca.pem"
_SERVER: Final = "server.pem"
_REVOKED: Final = "revoked"
_ROLE: Final = "urn:noren:"
_SERIAL: Final = re.compile(r"[0-9a-f]{1,40}")
_log = structlog.get_logger("tls")

Stamp = tuple[tuple[int, int, int] | None, ...]


class TlsError(Exception):
    """Certificates that cannot be used, or a peer that is not let in; the words say why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A peer's certificate, verified. `ends` in POSIX seconds; `era` counts the authorities so far."""

    role: Caller
    serial: str
    ends: float
    era: int

    @property
    def name(self) -> str:
        """How it stands in the record, in the place of a process: `tls:web/3f2a...`."""
        return f"tls:{self.role}/{self.serial}"


class Trust:
    """The folder as it stands. `context` is what the next handshake goes by; `fault` why a change was not
    taken up, or empty.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder. Raises TlsError."""
        self._folder = folder
        self._stamp = self._look()
        self.era = 0
        self._authority = _read(folder / _AUTHORITY)
        self.fault = ""
        self.context, self._revoked = self._load()

    def refresh(self) -> bool:
        """Take up what has changed, if anything has. Files that cannot be used leave all as it was."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            authority = _read(self._folder / _AUTHORITY)
            self.context, self._revoked = self._load()
        except TlsError as fault:
            self.fault = str(fault)
            _log.critical("certificates_not_taken", why=self.fault)
            return False
        if authority != self._authority:
            # Who came under another authority comes again.
            self._authority, self.era = authority, self.era + 1
        self.fault = ""
        _log.info("certificates_taken", revoked=len(self._revoked))
        return True

    def identify(self, told: Mapping[str, Any] | None, era: int, now: float) -> Certificate:
        """Say who is there by what a handshake of that era verified (`getpeercert()`). Raises TlsError."""
        if not told:
            raise TlsError("no certificate")
        names = [str(name) for kind, name in told.get("subjectAltName", ()) if kind == "URI"]
        if len(names) != 1 or not names[0].startswith(_ROLE):
            raise TlsError("the certificate names no role")
        try:
            role = Caller(names[0].removeprefix(_ROLE))
        except ValueError:
            raise TlsError("the certificate's role is not known") from None
        ends = float(ssl.cert_time_to_seconds(told["notAfter"]))
        found = Certificate(role, _serial(str(told["serialNumber"])), ends, era)
        if not self.holds(found, now):
            raise TlsError(f"the certificate {found.name} is revoked or has ended")
        return found

    def holds(self, certificate: Certificate, now: float) -> bool:
        """Whether it still lets in: not revoked, not over, of the authority of now."""
        return (
            certificate.era == self.era and certificate.serial not in self._revoked and now < certificate.ends
        )

    def _load(self) -> tuple[ssl.SSLContext, frozenset[str]]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        # No tickets: nothing is resumed, so each connection shows its certificate anew, and no request can
        # come before the handshake is over (0-RTT needs a ticket that allows it).
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        try:
            context.load_cert_chain(self._folder / _SERVER)
            context.load_verify_locations(self._folder / _AUTHORITY)
        except (OSError, ValueError) as fault:
            raise TlsError(f"{self._folder}: {_AUTHORITY} and {_SERVER}: {fault}") from None
        return context, self._read_revoked()

    def _read_revoked(self) -> frozenset[str]:
        path = self._folder / _REVOKED
        if not path.exists():
            return frozenset()
        lines = _read(path).decode("utf-8", "replace").splitlines()
        serials = [_serial(line.split()[0]) for line in lines if line.strip()]
        if not all(_SERIAL.fullmatch(serial) for serial in serials):
            raise TlsError(f"{path}: a serial in hex a line")
        return frozenset(serials)

    def _look(self) -> Stamp:
        return tuple(_stamp(self._folder / name) for name in (_AUTHORITY, _SERVER, _REVOKED))


def ends(folder: Path) -> dict[str, datetime]:
    """When the vault's certificate and its authority end, by the names of their files. Raises TlsError."""
    found = {}
    for name in (_SERVER, _AUTHORITY):
        try:
            certificates = x509.load_pem_x509_certificates(_read(folder / name))
        except ValueError:
            raise TlsError(f"{folder / name} holds no certificate") from None
        found[name] = min(one.not_valid_after_utc for one in certificates)
    return found


def days_left(folder: Path, now: float) -> tuple[int, str]:
    """Whole days until the first of them ends, and which one. `now` in POSIX seconds. Raises TlsError."""
    at = datetime.fromtimestamp(now, UTC)
    return min(((end - at).days, name) for name, end in ends(folder).items())


def _serial(text: str) -> str:
    return text.lower().lstrip("0") or "0"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise TlsError(f"{path}: {fault.strerror}") from None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_ino, told.st_size
