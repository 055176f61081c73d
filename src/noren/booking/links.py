"""The customer's links, to her booking and to her place on a waiting list: derived when they are told, stored
nowhere, revoked by generation.

A token is `<shop>.<booking>.<generation>.<mac>`: numbers in clear (base 36), then HMAC-SHA256 under the link
key, 16 bytes in base64url. That of a waiting list begins with `w.` and is made under another name: neither
can be taken for the other. Who has no key cannot make one; the shop in clear is where it is looked up.
"""

import base64
import hmac
from dataclasses import dataclass

from django.conf import settings

from noren.booking.models import Booking, Waiting
from noren.errors import LinkRevoked, LinkUnknown
from noren.shops.tenancy import shop

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST = 80
_BOOKING = b"booking link\0"
_WAITING = b"waiting link\0"
_LISTED = "w."


@dataclass(frozen=True, slots=True)
class Link:
    shop_id: int
    booking_id: int


@dataclass(frozen=True, slots=True)
class WaitingLink:
    shop_id: int
    waiting_id: int


def token(shop_id: int, booking_id: int, generation: int) -> str:
    """Return the token of this generation."""
    return _signed(_BOOKING, "", shop_id, booking_id, generation)


def waiting_token(shop_id: int, waiting_id: int, generation: int) -> str:
    """Return the token of a place on a waiting list."""
    return _signed(_WAITING, _LISTED, shop_id, waiting_id, generation)


def resolve(token: str) -> Link:
    """Return the booking a token opens. Raises LinkUnknown, or LinkRevoked for an older generation."""
    shop_id, booking_id, generation = _numbers(_BOOKING, "", token)
    with shop(shop_id):
        newest = Booking.objects.filter(id=booking_id).values_list("generation", flat=True).first()
    _check(shop_id, generation, newest)
    return Link(shop_id, booking_id)


def resolve_waiting(token: str) -> WaitingLink:
    """Return the place on a waiting list a token opens. Raises LinkUnknown, LinkRevoked."""
    shop_id, waiting_id, generation = _numbers(_WAITING, _LISTED, token)
    with shop(shop_id):
        newest = Waiting.objects.filter(id=waiting_id).values_list("generation", flat=True).first()
    _check(shop_id, generation, newest)
    return WaitingLink(shop_id, waiting_id)


def shop_of(token: str) -> int | None:
    """Return the shop of a token that we have made, of whatever generation; None for any other."""
    waits = token.startswith(_LISTED)
    try:
        return _numbers(*((_WAITING, _LISTED) if waits else (_BOOKING, "")), token)[0]
    except LinkUnknown:
        return None


def _check(shop_id: int, generation: int, newest: int | None) -> None:
    if newest is None:
        raise LinkUnknown
    if generation != newest:
        raise LinkRevoked(shop_id=shop_id)


def _signed(name: bytes, prefix: str, *numbers: int) -> str:
    said = prefix + ".".join(_base36(number) for number in numbers)
    return f"{said}.{_mac(name, said)}"


def _numbers(name: bytes, prefix: str, token: str) -> list[int]:
    """Return the numbers of a token that we have made under this name."""
    said, _, mac = token.rpartition(".")
    if len(token) > _LONGEST or not token.isascii() or not hmac.compare_digest(mac, _mac(name, said)):
        raise LinkUnknown
    return [int(part, 36) for part in said.removeprefix(prefix).split(".")]


def _mac(name: bytes, said: str) -> str:
    if not settings.LINK_KEY:
        raise RuntimeError("There is no link key: has the system been set up?")
    digest = hmac.digest(settings.LINK_KEY, name + said.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
