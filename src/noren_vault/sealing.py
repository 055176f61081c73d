"""How a person's fields and data keys are sealed: AES-256-GCM, bound to where they belong.

    sealed = version (1 byte) | key id (4) | nonce (12, random) | ciphertext and tag

The associated data are canonical JSON of the place; a sealed value moved to another person, field, shop or
version does not open. A data key is used for few values (a person's fields and their versions), so random
96-bit nonces are far from their bound.

Keys are handles: they cannot be built by hand, pickled, copied or printed. Only `keys` makes them.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from typing import Any, Final, NoReturn, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from noren_vault.errors import RecordDamaged

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_HEAD: Final = len(_VERSION) + KEY_ID_BYTES + _NONCE_BYTES


class _Handle:
    """A key that can be used and not be had."""

    __slots__ = ("_key", "id")

    id: bytes
    _key: Any

    def __new__(cls, *_: Any, **__: Any) -> Self:
        raise TypeError("a key is made by the key provider only")

    def __init_subclass__(cls) -> None:
        """Refuse a kind of key that somebody else invents."""
        if cls.__module__ != __name__:
            raise TypeError("kinds of keys are this module's own")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id.hex()}>"

    def __reduce_ex__(self, _: Any) -> NoReturn:
        raise TypeError("a key is neither pickled nor copied")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a key is neither pickled nor copied")


def _seal(key: AESGCM, key_id: bytes, plaintext: bytes, place: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + key_id + nonce + key.encrypt(nonce, plaintext, place)


def _open(key: AESGCM, key_id: bytes, sealed: bytes, place: bytes) -> bytes:
    if len(sealed) < _HEAD or sealed[:1] != _VERSION or sealed[1 : 1 + KEY_ID_BYTES] != key_id:
        raise RecordDamaged("decryption failed")
    try:
        return key.decrypt(sealed[_HEAD - _NONCE_BYTES : _HEAD], sealed[_HEAD:], place)
    except InvalidTag:
        raise RecordDamaged("decryption failed") from None


class DataKey(_Handle):
    """One person's key; it lives as long as one request."""

    __slots__ = ()

    def seal(self, plaintext: bytes, *, shop: int, person: str, field: str, version: int) -> bytes:
        """Seal one field's value."""
        return _seal(self._key, self.id, plaintext, self._place(shop, person, field, version))

    def open(self, sealed: bytes, *, shop: int, person: str, field: str, version: int) -> bytes:
        """Open one field's value. Raises RecordDamaged."""
        return _open(self._key, self.id, sealed, self._place(shop, person, field, version))

    def _place(self, shop: int, person: str, field: str, version: int) -> bytes:
        return (
            f'{{"field":"{field}","key":"{self.id.hex()}","person":"{person}","shop":{shop},'
            f'"v":1,"version":{version}}}'
        ).encode()


class EpochKey(_Handle):
    """The key that wraps data keys. The wrap is bound to the person and the current version of each field."""

    __slots__ = ()

    def new_data_key(self, *, shop: int, person: str, versions: Mapping[str, int]) -> tuple[DataKey, bytes]:
        """Make a person's key; gives its handle and its wrapped form."""
        key_id, raw = secrets.token_bytes(KEY_ID_BYTES), secrets.token_bytes(KEY_BYTES)
        return _data_key(key_id, raw), self._wrap(key_id, raw, shop, person, versions)

    def unwrap(self, wrapped: bytes, *, shop: int, person: str, versions: Mapping[str, int]) -> DataKey:
        """Unwrap a person's key. Raises RecordDamaged."""
        key_id, raw = self._raw(wrapped, shop, person, versions)
        return _data_key(key_id, raw)

    def rewrap(
        self, wrapped: bytes, *, shop: int, person: str, old: Mapping[str, int], new: Mapping[str, int]
    ) -> bytes:
        """Bind a person's key to new versions. Raises RecordDamaged."""
        key_id, raw = self._raw(wrapped, shop, person, old)
        return self._wrap(key_id, raw, shop, person, new)

    def hand_over(
        self, wrapped: bytes, to: "EpochKey", *, shop: int, person: str, versions: Mapping[str, int]
    ) -> bytes:
        """Wrap a person's key under another epoch key. Raises RecordDamaged."""
        key_id, raw = self._raw(wrapped, shop, person, versions)
        return to._wrap(key_id, raw, shop, person, versions)  # noqa: SLF001 - of the same class

    def _wrap(self, key_id: bytes, raw: bytes, shop: int, person: str, versions: Mapping[str, int]) -> bytes:
        return key_id + _seal(self._key, self.id, raw, self._place(key_id, shop, person, versions))

    def _raw(
        self, wrapped: bytes, shop: int, person: str, versions: Mapping[str, int]
    ) -> tuple[bytes, bytes]:
        key_id, sealed = wrapped[:KEY_ID_BYTES], wrapped[KEY_ID_BYTES:]
        return key_id, _open(self._key, self.id, sealed, self._place(key_id, shop, person, versions))

    def _place(self, key_id: bytes, shop: int, person: str, versions: Mapping[str, int]) -> bytes:
        held = ",".join(f'"{field}":{versions[field]}' for field in sorted(versions))
        return (
            f'{{"data_key":"{key_id.hex()}","key":"{self.id.hex()}","person":"{person}","shop":{shop},'
            f'"v":1,"versions":{{{held}}}}}'
        ).encode()


class PlainKey(_Handle):
    """A key for the vault's own small secrets (session -> network address)."""

    __slots__ = ()

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Seal a value for one place."""
        return _seal(self._key, self.id, plaintext, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open it. Raises RecordDamaged."""
        return _open(self._key, self.id, sealed, place.encode())


class IndexKey(_Handle):
    """The key of the blind index: HMAC-SHA256, never shortened."""

    __slots__ = ()

    def token(self, kind: str, shop: int, text: str) -> bytes:
        """32 bytes that stand for `text` in this shop and this kind, and for nobody without the key."""
        mac = self._key.copy()
        mac.update(f"{kind}\x00{shop}\x00{text}".encode())
        return bytes(mac.digest())


class PepperKey(_Handle):
    """The key of what people sign in with. Three keys derived from it: to hash, to name a mail, to seal."""

    __slots__ = ()

    def layer(self, hashed: bytes) -> bytes:
        """Lay HMAC-SHA256 over a hash: 32 bytes that nobody can try a password against without the key."""
        return _digest(self._key[0], hashed)

    def token(self, shop: int, mail: str) -> bytes:
        """32 bytes that stand for a mail address at sign-in to this shop."""
        return _digest(self._key[1], f"{shop}\x00{mail}".encode())

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Seal a value for one place."""
        return _seal(self._key[2], self.id, plaintext, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open it. Raises RecordDamaged."""
        return _open(self._key[2], self.id, sealed, place.encode())


def _digest(keyed: hmac.HMAC, message: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(message)
    return mac.digest()


_Kind = TypeVar("_Kind", bound=_Handle)


def _handle(kind: type[_Kind], key_id: bytes, key: object) -> _Kind:
    """Make a handle: the one way round `__new__`, private to this module."""
    made = object.__new__(kind)
    made.id = key_id
    made._key = key
    return made


def _data_key(key_id: bytes, raw: bytes) -> DataKey:
    return _handle(DataKey, key_id, AESGCM(raw))


def epoch_key(key_id: bytes, raw: bytes) -> EpochKey:
    """Called by `keys` alone."""
    return _handle(EpochKey, key_id, AESGCM(raw))


def plain_key(key_id: bytes, raw: bytes, purpose: str) -> PlainKey:
    """Called by `keys` alone; a key of its own is derived for each purpose."""
    return _handle(PlainKey, key_id, AESGCM(_derived(raw, purpose)))


def index_key(key_id: bytes, raw: bytes) -> IndexKey:
    """Called by `keys` alone."""
    return _handle(IndexKey, key_id, hmac.new(raw, None, hashlib.sha256))


def pepper_key(key_id: bytes, raw: bytes) -> PepperKey:
    """Called by `keys` alone."""
    hashes, mails = (
        hmac.new(_derived(raw, purpose), None, hashlib.sha256)
        for purpose in ("password-layer", "sign-in-mail")
    )
    return _handle(PepperKey, key_id, (hashes, mails, AESGCM(_derived(raw, "sign-in-seal"))))


def _derived(raw: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, f"noren {purpose} v1".encode()).derive(raw)
