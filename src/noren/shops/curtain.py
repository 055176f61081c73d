"""Whether a shop hangs out its curtain: before that nobody but its own people sees anything of it."""

from typing import Final

from django.db import connection

from noren.shops import trip

# The shops of which this process knows that they are open, by (database, shop). A shop that has opened stays
# so: what is here is never wrong.
_open: Final[set[tuple[str, int]]] = set()
_CACHED: Final = 4096


def is_open(shop_id: int) -> bool:
    """Say whether the public may see the shop. One that has an address and nothing else is not there yet."""
    return _published(shop_id) is True


def is_hidden(shop_id: int) -> bool:
    """Say whether the shop is there, and waits for its owner to open it."""
    return _published(shop_id) is False


def _published(shop_id: int) -> bool | None:
    key = (connection.settings_dict["NAME"], shop_id)
    if key in _open:
        return True
    rows = trip.read_in(shop_id, "SELECT published FROM shops_shop WHERE shop_id = $1::bigint", [shop_id])
    if not rows:
        return None
    if rows[0][0]:
        if len(_open) >= _CACHED:
            _open.clear()
        _open.add(key)
    return bool(rows[0][0])
