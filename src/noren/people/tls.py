"""The line to a vault on another host: TLS 1.3, our certificate, and the house's own authority alone.

A folder holds `ca.pem` and, for each part of the app side, a file with its key and certificate: `web.pem`,
`worker.pem`, `admin.pem` (the commands). They are read anew when they change, so that a renewed certificate
serves from the next connection on.
"""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from django.conf import settings

SCHEME: Final = "tls://"
AUTHORITY: Final = "ca.pem"
PARTS: Final = ("web", "worker", "admin")
WARN_DAYS: Final = 30
_log = structlog.get_logger("vault")

_Stamp = tuple[tuple[int, int], ...]
# By authority and certificate. Two threads may make one at the same time: either is good.
_contexts: dict[tuple[Path, Path], tuple[_Stamp, ssl.SSLContext]] = {}


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate here, and when it ends."""

    name: str
    ends: datetime


def connect(address: str, seconds: float) -> ssl.SSLSocket:
    """Open a line to `tls://host:port`, as settings.VAULT_CALLER. Raises OSError; the log says why."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 0
    plain: socket.socket | None = None
    try:
        context = _context(Path(settings.VAULT_TLS), settings.VAULT_CALLER)
        plain = socket.create_connection((host, port), seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(plain, server_hostname=host)
    except OSError as fault:
        if plain is not None:
            plain.close()
        why = fault.verify_message if isinstance(fault, ssl.SSLCertVerificationError) else str(fault)
        _log.warning("vault_not_reached", caller=settings.VAULT_CALLER, why=why)
        raise


def endings(folder: Path) -> tuple[Ending, ...]:
    """Say when each certificate in the folder ends. Raises OSError, ValueError for a file that is none."""
    names = [name for name in (AUTHORITY, *(f"{part}.pem" for part in PARTS)) if (folder / name).exists()]
    return tuple(Ending(name, _ends(folder / name)) for name in names)


def _ends(path: Path) -> datetime:
    found = x509.load_pem_x509_certificates(path.read_bytes())
    return min(one.not_valid_after_utc for one in found).astimezone(UTC)


def _context(folder: Path, caller: str) -> ssl.SSLContext:
    authority, own = folder / AUTHORITY, folder / f"{caller}.pem"
    stamp = tuple((told.st_mtime_ns, told.st_ino) for told in (authority.stat(), own.stat()))
    known = _contexts.get((authority, own))
    if known is not None and known[0] == stamp:
        return known[1]
    # No authority of the system's: PROTOCOL_TLS_CLIENT verifies certificate and name, against what is loaded.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(authority)
    context.load_cert_chain(own)
    _contexts[authority, own] = stamp, context
    return context
