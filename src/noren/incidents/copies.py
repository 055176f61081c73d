"""An incident's copy: one file with all of it, to be opened where there is no Noren. Pure but for the crypto.

A zip of parts, its `manifest.json` with the SHA-256 of each, encrypted by age to a passphrase or to a
recipient: `age -d FILE` opens it, too. docs/incident-copy.md describes the parts.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyrage

SCHEMA: Final = "noren-incident/1"
MANIFEST: Final = "manifest.json"
_PART: Final = re.compile(r"[a-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*){0,3}", re.ASCII)
_BY_PASSPHRASE: Final = b"\n-> scrypt "
# The first lines of a file in age's format: they say what it is encrypted to.
_HEADER: Final = 400


class CopyRefused(ValueError):
    """A copy that cannot be made or read; the words say why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An opened one: what the manifest says, and its parts by name, the manifest among them."""

    about: Mapping[str, Any]
    parts: Mapping[str, bytes]

    @property
    def incident(self) -> str:
        """Which incident it is of."""
        return str(self.about["incident"])

    def json(self, name: str) -> Any:
        """One part, read."""
        return json.loads(self.parts[name])


def pack(about: Mapping[str, Any], parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the zip of the parts, and of the manifest with what is said of them."""
    made, hashes = io.BytesIO(), {}
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts:
            file.writestr(name, data)
            hashes[name] = hashlib.sha256(data).hexdigest()
        manifest = {"schema": SCHEMA, **about, "parts": hashes}
        file.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    return made.getvalue()


def seal(packed: bytes, *, passphrase: str = "", recipient: str = "") -> bytes:
    """Encrypt it to a passphrase, or else to an age recipient (`age1...`). Raises CopyRefused."""
    if passphrase:
        return bytes(pyrage.passphrase.encrypt(packed, passphrase))
    return bytes(pyrage.encrypt(packed, [recipient_of(recipient)]))


def recipient_of(text: str) -> pyrage.x25519.Recipient:
    """Read an age recipient. Raises CopyRefused."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise CopyRefused(f"{text}: give an age recipient, age1 and 58 more letters and digits.") from None


def wants_passphrase(sealed: bytes) -> bool:
    """Whether it was encrypted to a passphrase, and not to a key."""
    return _BY_PASSPHRASE in sealed[:_HEADER]


def unseal(sealed: bytes, *, passphrase: str = "", identity: str = "") -> bytes:
    """Decrypt it. Raises CopyRefused where the key is another, or a single byte was changed."""
    try:
        if passphrase:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
        keys = [line.strip() for line in identity.splitlines() if line.startswith("AGE-SECRET-KEY-")]
        return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(key) for key in keys]))
    except (pyrage.DecryptError, pyrage.IdentityError, OSError):
        what = "passphrase" if passphrase else "key"
        raise CopyRefused(f"It cannot be opened: it was changed, or this is not its {what}.") from None


def read(packed: bytes) -> Copy:
    """Read the zip: every part as the manifest has it, and no other. Raises CopyRefused."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as file:
            about = json.loads(file.read(MANIFEST))
            parts = {name: file.read(name) for name in file.namelist()}
        if about["schema"] != SCHEMA:
            raise CopyRefused(f"It is of another kind: {about['schema']}. This Noren reads {SCHEMA}.")
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items() if name != MANIFEST}
        if hashes != about["parts"] or not all(map(_PART.fullmatch, parts)):
            raise CopyRefused("Its parts are not those of its manifest.")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as fault:
        if isinstance(fault, CopyRefused):
            raise
        raise CopyRefused("It is not an incident's copy.") from None
    return Copy(about, parts)
