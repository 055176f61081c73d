"""Keys and signed checkpoints (C2SP signed-note, tlog-checkpoint), as the verifier reads them."""

import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
MAX_TEXT = 1_000_000


class NotWhole(Exception):
    """What is wrong, in words for a person."""


class Misuse(Exception):
    """The command was not given what it needs."""


def object_of(data: bytes, what: str) -> dict[str, Any]:
    """Read an object in JSON. Raises NotWhole."""
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise NotWhole(f"{what} is not JSON") from None
    if not isinstance(found, dict):
        raise NotWhole(f"{what} is not an object")
    return found


def said(check: Callable[[], list[str]]) -> int:
    """Check and print the lines. Gives the exit code: 0 proved, 1 not whole in any part, 2 wrong usage."""
    try:
        lines = check()
    except Misuse as error:
        print(f"noren-verify: {error}", file=sys.stderr)
        return 2
    except (NotWhole, OSError, ValueError, KeyError, TypeError) as error:
        print(f"not whole: {error}")
        return 1
    print("\n".join(lines))
    return 1 if any(line.startswith("NOT WHOLE") for line in lines) else 0


class Key(NamedTuple):
    """The public key of a ledger, whose origin is the key's name."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey


class Signed(NamedTuple):
    """What a signed checkpoint says."""

    size: int
    root: bytes


def read_key(text: str) -> Key:
    """A public key `NAME+KEYID+BASE64`, or a file that holds one. Raises Misuse."""
    try:
        text = Path(text).read_text(encoding="utf-8") if Path(text).is_file() else text
    except (OSError, ValueError):
        raise Misuse("the key's file cannot be read") from None
    parts = text.strip().split("+", 2)
    try:
        raw = base64.b64decode(parts[2], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise Misuse("the key is not written NAME+KEYID+BASE64") from None
    key_id = hashlib.sha256(parts[0].encode(errors="replace") + b"\n" + raw).digest()[:4]
    if (
        len(raw) != 33
        or raw[0] != 1
        or key_id.hex() != parts[1]
        or not parts[0]
        or re.search(r"\s", parts[0])
    ):
        raise Misuse("the key is not an Ed25519 key, or its id does not fit")
    return Key(parts[0], key_id, Ed25519PublicKey.from_public_bytes(raw[1:]))


def read_signed(note: bytes, key: Key, what: str) -> Signed:
    """Check a signed checkpoint against the key. `what` names it in the error. Raises NotWhole."""
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise NotWhole(f"{what} is not text") from None
    body, blank, signatures = text.rpartition("\n\n")
    if (
        len(note) > MAX_TEXT
        or not blank
        or not signatures.endswith("\n")
        or re.search(r"[\x00-\x09\x0b-\x1f]", text)
    ):
        raise NotWhole(f"{what} is not a signed note")
    lines = body.split("\n")
    if len(lines) < 3 or not all(lines) or not NUMBER.fullmatch(lines[1]):
        raise NotWhole(f"{what} is not a checkpoint")
    if lines[0] != key.name:
        raise NotWhole(f"{what} is of another ledger: {lines[0][:80]!a}")
    root = decoded(lines[2])
    if root is None or len(root) != 32:
        raise NotWhole(f"{what} has no root of 32 bytes")
    _check_signatures(f"{body}\n".encode(), signatures[:-1].split("\n"), key, what)
    return Signed(int(lines[1]), root)


def _check_signatures(text: bytes, lines: list[str], key: Key, what: str) -> None:
    """Some line must be of the key, and every line of the key must fit; lines of other keys are only read."""
    good = 0
    for line in lines:
        name, _, blob = line.removeprefix("— ").partition(" ")
        raw = decoded(blob)
        if not line.startswith("— ") or not name or raw is None or len(raw) < 5:
            raise NotWhole(f"{what} has a signature line that is none")
        if name == key.name and raw[:4] == key.key_id:
            try:
                key.public.verify(raw[4:], text)
            except InvalidSignature:
                raise NotWhole(f"{what} has a wrong signature") from None
            good += 1
    if not good:
        raise NotWhole(f"{what} was not signed by the key {key.name!a}")


def decoded(text: str) -> bytes | None:
    """Base64 of the standard alphabet, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
