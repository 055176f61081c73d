"""The shop's own mail address, proved: a code is mailed there and typed in.

To the vault it is the address of a person of an hour, whom nobody keeps: a code, its pace (one a minute, five
an hour) and its tries are those of every other proof, and nothing of it stays there.
"""

from datetime import datetime

from noren import people
from noren.errors import CodeRefused, NoSuchPerson
from noren.shops.models import Setup
from noren.shops.tenancy import shop


def ask(shop_id: int, mail: str, *, now: datetime, session: str = "") -> None:
    """Have a code mailed to the address. Raises BadField, VaultUnavailable, LedgerUnavailable."""
    # The same within an hour: so the pace holds for a shop, whatever addresses it types.
    key = f"shop-mail:{now:%Y-%m-%dT%H}"
    person = people.put(shop_id, key, {"name": mail.partition("@")[0], "mail": mail}, session=session)
    with shop(shop_id):
        row = Setup.objects.first() or Setup.objects.create()
        Setup.objects.filter(id=row.id).update(mail_asked=mail, mail_person=person)
    people.prove_begin(shop_id, person, session=session)


def prove(shop_id: int, code: str, *, session: str = "") -> str:
    """Take the code; give the address, which is proved now. Raises CodeRefused."""
    with shop(shop_id):
        row = Setup.objects.first()
    if row is None or row.mail_person is None:
        raise CodeRefused
    try:
        came = people.prove_finish(shop_id, row.mail_person, code, session=session)
    except NoSuchPerson:
        raise CodeRefused from None
    if isinstance(came, people.SignedIn):
        # What a proof gives a customer is nothing for a shop.
        people.signout(came.grant)
    with shop(shop_id):
        Setup.objects.filter(id=row.id, mail_asked=row.mail_asked).update(
            mail_proved=row.mail_asked, mail_person=None
        )
    return row.mail_asked
