"""The blind index: which tokens stand for a person, and which a query could mean."""

from collections.abc import Callable, Mapping
from typing import Final

from noren_vault import spelling
from noren_vault.fields import Values
from noren_vault.keys import Keys
from noren_vault.sealing import IndexKey

# A name and its kana share one kind, so that はなこ finds both the kana ハナコ and a name written so.
_KINDS: Final[Mapping[str, tuple[str, Callable[[str], str | None]]]] = {
    "name": ("name", spelling.name),
    "kana": ("name", spelling.name),
    "mail": ("mail", spelling.mail),
    "phone": ("phone", spelling.phone),
}


def tokens(key: IndexKey, shop: int, values: Values) -> dict[str, bytes]:
    """Give the token of each field that can be searched."""
    found: dict[str, bytes] = {}
    for field, value in values.items():
        if field in _KINDS:
            kind, spelt = _KINDS[field]
            text = value.e164 or spelt(value.text)
            if text:
                found[field] = key.token(kind, shop, text)
    return found


def queries(keys: Keys, shop: int, query: str) -> list[bytes]:
    """Give the tokens a query could mean, under each key in use: it may be a name, a mail or a phone."""
    spelt = [(kind, text) for kind, spell in set(_KINDS.values()) if (text := spell(query))]
    found = {key.token(kind, shop, text) for key in list(keys.indexes.values()) for kind, text in spelt}
    return sorted(found)


def identity(key: IndexKey, shop: int, text: str) -> bytes:
    """Give what is stored of a caller's idempotency key, which may itself be personal."""
    return key.token("key", shop, text)


def identities(keys: Keys, shop: int, text: str) -> list[bytes]:
    """Give what could be stored of it: under each key in use."""
    return [identity(key, shop, text) for key in list(keys.indexes.values())]


def content(key: IndexKey, shop: int, values: Values) -> bytes:
    """Give what is stored to tell whether a repeated put brings the same values."""
    joined = "\x00".join(f"{field}\x01{values[field].text}" for field in sorted(values))
    return key.token("content", shop, joined)
