"""The blind index: what stands in the database for a value that is only ever looked up whole.

HMAC-SHA256 at its full length under a key that the database does not hold. Parts are found in memory
(`search`), never here.
"""

from noren_vault import spelling
from noren_vault.fields import Values
from noren_vault.keys import Keys
from noren_vault.sealing import IndexKey


def tokens(key: IndexKey, shop: int, values: Values) -> dict[str, bytes]:
    """Give the token of each field that can be looked up: the mail alone."""
    return {"mail": mail(key, shop, values["mail"].text)} if "mail" in values else {}


def mail(key: IndexKey, shop: int, text: str) -> bytes:
    """Give the token of a mail address in a shop."""
    return key.token("mail", shop, spelling.mail(text))


def mails(keys: Keys, shop: int, text: str) -> list[bytes]:
    """Give what could be stored of it: under each key in use."""
    return [mail(key, shop, text) for key in list(keys.indexes.values())]


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
