"""How the file of a list is to be read, from when it is asked for until it is taken."""

from datetime import datetime

from noren.booking.models import Incoming
from noren.people.columns import Reading
from noren.shops.tenancy import shop


def keep(shop_id: int, transfer: str, reading: Reading, *, now: datetime) -> None:
    """Keep it for this list."""
    with shop(shop_id):
        Incoming.objects.create(transfer=transfer, reading=reading.to_json(), made_at=now)


def of(shop_id: int, transfer: str) -> Reading:
    """Return it; where nothing was said, everything is found."""
    with shop(shop_id):
        found = Incoming.objects.filter(transfer=transfer).first()
    return Reading() if found is None else Reading.of_json(found.reading)
