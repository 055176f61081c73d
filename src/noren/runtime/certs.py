"""`noren certs ...`: the certificates of the line between the app side and a vault on another host.

They lie in `tls/` of the data folder, which is the starter's own: neither side can change whom it believes.
A private key never leaves the host that uses it; what travels are requests and certificates.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.x509 import Certificate

from noren.runtime import authority, env, folders, users
from noren.runtime.authority import Authority
from noren.runtime.env import StartRefused
from noren.runtime.paths import Paths

CA_KEY, CA, SERVER, REVOKED, ISSUED = "ca.key", "ca.pem", "server.pem", "revoked", "issued"
_SERIAL: Final = re.compile(r"[0-9a-f]{1,40}")


def init(words: Sequence[str]) -> int:
    """On the vault's host: make the authority where there is none, and the vault's certificate anew."""
    parser = _parser("init", init)
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="the name or address in the app side's NOREN_VAULT_URL (default: as before); may be repeated",
    )
    hosts = parser.parse_args(words).host
    folder = _folder()
    if not hosts:
        if not (folder / SERVER).exists():
            raise StartRefused("Give --host: the name or address by which the app's host reaches this one.")
        hosts = authority.hosts_of(authority.certificate_of((folder / SERVER).read_bytes()))
    if not (folder / CA_KEY).exists():
        made = Authority.make(_now())
        _write(folder / CA, authority.text(made.certificate), 0o644)
        _write(folder / CA_KEY, authority.key_text(made.key))
    ours = _authority(folder)
    key = authority.new_key()
    try:
        certificate = ours.for_vault(key.public_key(), hosts, _now())
    except ValueError as fault:
        raise StartRefused(f"--host: {fault}") from None
    whole = authority.key_text(key) + authority.text(certificate)
    _write(folder / SERVER, whole, owner=folders.owner(users.sides().vault))
    _say(f"The vault's certificate for {', '.join(hosts)}, until {_until(certificate.not_valid_after_utc)}.")
    return 0


def request(words: Sequence[str]) -> int:
    """On the app's host: make keys, and print the requests for their certificates."""
    parser = _parser("request", request)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"of {', '.join(authority.PARTS)}; else all")
    parts = parser.parse_args(words).part or list(authority.PARTS)
    if not set(parts) <= set(authority.PARTS):
        raise StartRefused(f"The parts are {', '.join(authority.PARTS)}.")
    folder = _folder()
    for part in parts:
        # Beside the one in use, until its certificate is here.
        key = authority.new_key()
        _write(folder / f"{part}.key", authority.key_text(key))
        sys.stdout.write(authority.text(authority.request(key, part)).decode("ascii"))
    return 0


def sign(words: Sequence[str]) -> int:
    """On the vault's host: print the certificates that a file of requests asks for."""
    parser = _parser("sign", sign)
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument(
        "--admin", action="store_true", help="also one that may ask what an administrator may"
    )
    asked = parser.parse_args(words)
    folder = _folder()
    ours, wanted = _authority(folder), authority.requests_of(_read(asked.file))
    if not wanted:
        raise StartRefused(f"{asked.file} holds no request.")
    if any(part == "admin" for part, _ in wanted) and not asked.admin:
        raise StartRefused(
            "A certificate for `admin` is among them: it may found shops and ask for every scope. "
            "Give --admin if that is meant."
        )
    made = [(part, ours.for_part(public, part, _now())) for part, public in wanted]
    lines = [f"{authority.serial(c)} {part} {_until(c.not_valid_after_utc)}\n" for part, c in made]
    with (folder / ISSUED).open("a", encoding="ascii") as issued:
        issued.writelines(lines)
        issued.flush()
        os.fsync(issued.fileno())
    sys.stderr.writelines(lines)
    whole = [*(certificate for _, certificate in made), ours.certificate]
    sys.stdout.write(b"".join(map(authority.text, whole)).decode("ascii"))
    return 0


def install(words: Sequence[str]) -> int:
    """On the app's host: put the signed certificates beside their keys. Running processes take them up."""
    parser = _parser("install", install)
    parser.add_argument("file", metavar="FILE", type=Path)
    found = authority.certificates_of(_read(parser.parse_args(words).file))
    folder = _folder()
    parts = [(part, one) for one in found if (part := authority.part_of(one)) is not None]
    authorities = [one for one in found if authority.part_of(one) is None]
    if not parts or len(authorities) != 1:
        raise StartRefused("This is not what `noren certs sign` printed: certificates, and one authority's.")
    whole = {part: _joined(folder / f"{part}.key", one, authorities[0]) for part, one in parts}
    _write(folder / CA, authority.text(authorities[0]), 0o644)
    app = folders.owner(users.sides().app)
    for part, one in parts:
        _write(folder / f"{part}.pem", whole[part], owner=None if part == "admin" else app)
        (folder / f"{part}.key").unlink()
        _say(f"{part}: {authority.serial(one)}, until {_until(one.not_valid_after_utc)}.")
    return 0


def revoke(words: Sequence[str]) -> int:
    """On the vault's host: let a certificate in no more. Its open lines are cut within some seconds."""
    parser = _parser("revoke", revoke)
    parser.add_argument("serial", metavar="SERIAL", help="as `noren certs show` and the ledger name it")
    serial = parser.parse_args(words).serial.lower().lstrip("0")
    if not _SERIAL.fullmatch(serial):
        raise StartRefused("A serial is a number in hex, such as the ledger has behind `tls:web/`.")
    path = _folder() / REVOKED
    known = path.read_text(encoding="ascii") if path.exists() else ""
    if serial not in known.split():
        _write(path, f"{known}{serial}\n".encode("ascii"), 0o644)
    _say(f"{serial} is revoked.")
    return 0


def show(words: Sequence[str]) -> int:
    """Print the certificates that are here, those that were signed here, and which of them are revoked."""
    _parser("show", show).parse_args(words)
    folder = _folder()
    for name in (CA, SERVER, *(f"{part}.pem" for part in authority.PARTS)):
        if (folder / name).exists():
            one = authority.certificate_of((folder / name).read_bytes())
            _say(f"{name:11} {authority.serial(one)} until {_until(one.not_valid_after_utc)}")
    revoked = (folder / REVOKED).read_text(encoding="ascii").split() if (folder / REVOKED).exists() else []
    if (folder / ISSUED).exists():
        for line in (folder / ISSUED).read_text(encoding="ascii").splitlines():
            _say(f"signed      {line}{' revoked' if line.split()[0] in revoked else ''}")
    return 0


def check(given: env.Env) -> None:
    """Refuse a start on one of two hosts that has not got its certificates."""
    folder = Paths.of(given).tls
    needed = [] if given.app_here else [CA, SERVER]
    needed += [] if given.vault_here else [CA, "web.pem", "worker.pem"]
    missing = [name for name in needed if not (folder / name).exists()]
    if missing:
        raise StartRefused(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in {folder}: "
            "make them with `noren certs` (docs/vault-host.md)."
        )


def _joined(key: Path, certificate: Certificate, ours: Certificate) -> bytes:
    """Return key and certificate as one text, once they fit each other and the authority."""
    if not key.exists():
        raise StartRefused(f"{key} is not here: ask anew with `noren certs request {key.stem}`.")
    private = key.read_bytes()
    if authority.key_of(private).public_key() != certificate.public_key():
        raise StartRefused(f"The certificate for {key.stem} is for another key: one of an older request.")
    try:
        certificate.verify_directly_issued_by(ours)
    except Exception:  # noqa: BLE001 - ValueError, TypeError, InvalidSignature: all say the same
        raise StartRefused(f"The certificate for {key.stem} is not of the authority beside it.") from None
    return private + authority.text(certificate)


def _authority(folder: Path) -> Authority:
    if not (folder / CA_KEY).exists():
        raise StartRefused(f"{folder / CA_KEY} is not here: `noren certs init` on the vault's host makes it.")
    return Authority.of((folder / CA_KEY).read_bytes(), (folder / CA).read_bytes())


def _folder() -> Path:
    paths = Paths.of(env.read())
    for path in (paths.var, paths.tls):
        users.own(path, None, 0o755)
    return paths.tls


def _write(path: Path, data: bytes, mode: int = 0o600, *, owner: tuple[int, int] | None = None) -> None:
    """Replace a file whole: who reads it meanwhile has the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise StartRefused(f"{path}: {fault.strerror}") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _until(end: datetime) -> str:
    return f"{end:%Y-%m-%d}"


def _parser(word: str, function: object) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"noren certs {word}", description=function.__doc__)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
