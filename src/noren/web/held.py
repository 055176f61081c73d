"""The time a customer has chosen, as it travels through her form: signed, and kept nowhere on our side.

The hold itself is the booking room's; this names it, and remembers what it was for when it has gone.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.core.signing import BadSignature, Signer

from noren.errors import HoldExpired

_SIGNER = Signer(salt="noren.web.held")


@dataclass(frozen=True, slots=True)
class Held:
    """`start` and `until` in POSIX seconds; `staff` is whom she asked for, 0 for anybody.

    Of a series `hold` is its first, and `dates` are all its starts.
    """

    shop: int
    hold: int
    service: int
    start: int
    staff: int
    party: int
    until: int
    nights: int = 0
    also: tuple[int, ...] = ()
    dates: tuple[int, ...] = ()

    def sign(self) -> str:
        return _SIGNER.sign_object(list(asdict(self).values()), compress=True)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def starts(self) -> tuple[datetime, ...]:
        """Return the starts of a series; nothing of a single booking."""
        return tuple(datetime.fromtimestamp(each, UTC) for each in self.dates)

    @property
    def asked(self) -> int | None:
        return self.staff or None


def read(token: str, shop_id: int) -> Held:
    """Return what the form carries. Raises HoldExpired for anything that is not this shop's."""
    try:
        *values, also, dates = _SIGNER.unsign_object(token)
        held = Held(*[*values, tuple(also), tuple(dates)])
    except (BadSignature, ValueError, TypeError):
        raise HoldExpired from None
    if held.shop != shop_id:
        raise HoldExpired
    return held
