"""The customer's link to her booking: derived when it is told, stored nowhere, revoked by generation.

A token is `<shop>.<booking>.<generation>.<mac>`: numbers in clear (base 36), then HMAC-SHA256 under the link
key, 16 bytes in base64url. Who has no key cannot make one; the shop in clear is where it is looked up.
"""

import base64
import hmac
from dataclasses import dataclass

from django.conf import settings

from noren.booking.models import Booking
from noren.errors import LinkRevoked, LinkUnknown
from noren.shops.tenancy import shop

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Link:
    shop_id: int
    booking_id: int


def token(shop_id: int, booking_id: int, generation: int) -> str:
    """Return the token of this generation."""
    said = ".".join(_base36(number) for number in (shop_id, booking_id, generation))
    return f"{said}.{_mac(said)}"


def resolve(token: str) -> Link:
    """Return the booking a token opens. Raises LinkUnknown, or LinkRevoked for an older generation."""
    said, _, mac = token.rpartition(".")
    if len(token) > _LONGEST or not token.isascii() or not hmac.compare_digest(mac, _mac(said)):
        raise LinkUnknown
    shop_id, booking_id, generation = (int(part, 36) for part in said.split("."))
    with shop(shop_id):
        newest = Booking.objects.filter(id=booking_id).values_list("generation", flat=True).first()
    if newest is None:
        raise LinkUnknown
    if generation != newest:
        raise LinkRevoked
    return Link(shop_id, booking_id)


def _mac(said: str) -> str:
    if not settings.LINK_KEY:
        raise RuntimeError("There is no link key: has the system been set up?")
    digest = hmac.digest(settings.LINK_KEY, b"booking link\0" + said.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
