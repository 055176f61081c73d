"""How an API key is written: `noren_<shop>_<43 signs of chance>_<6 signs of a checksum>`. Pure.

The word in front and the checksum are for scanners: what looks like a key can be told from one without asking
anybody. The shop stands in it in clear, as in every token. Chance is 256 bits in base 62.
"""

import hashlib
import re
import secrets
import string
import zlib
from typing import Final

from noren_vault.errors import ApiKeyRefused

_SIGNS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHANCE: Final = 43
_SUM: Final = 6
PATTERN: Final = rf"noren_[1-9][0-9]{{0,15}}_[0-9A-Za-z]{{{_CHANCE}}}_[0-9A-Za-z]{{{_SUM}}}"
_KEY: Final = re.compile(PATTERN, re.ASCII)


def make(shop: int) -> str:
    """Make a new key of a shop."""
    head = f"noren_{shop}_{_base62(secrets.randbits(256), _CHANCE)}"
    return f"{head}_{_checksum(head)}"


def read(text: object) -> tuple[int, bytes]:
    """Give the key's shop and its SHA-256. Raises ApiKeyRefused for what is none, asking nobody."""
    if not isinstance(text, str) or len(text) > 100 or not _KEY.fullmatch(text):
        raise ApiKeyRefused("not a key")
    head, _, told = text.rpartition("_")
    if told != _checksum(head):
        raise ApiKeyRefused("the checksum is wrong")
    return int(head.split("_")[1]), hashlib.sha256(text.encode()).digest()


def _checksum(head: str) -> str:
    return _base62(zlib.crc32(head.encode()), _SUM)


def _base62(number: int, length: int) -> str:
    signs = []
    for _ in range(length):
        number, rest = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[rest])
    return "".join(reversed(signs))
