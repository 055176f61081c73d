"""The parts that send and what comes back, put together as the settings say."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr

from noren_vault.addresses import Addresses
from noren_vault.bounces import Bounces
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.mail import Mail
from noren_vault.messages import Messages
from noren_vault.people import People
from noren_vault.record import Record
from noren_vault.returns import Returns
from noren_vault.settings import Settings
from noren_vault.smtp import Server


@dataclass(frozen=True, slots=True)
class Post:
    """`returns` is None where no setting names a domain for what comes back."""

    courier: Courier
    messages: Messages
    returns: Returns | None

    @classmethod
    def of(cls, settings: Settings, database: Database, people: People, record: Record, now: Now) -> "Post":
        """Put them together; nothing listens yet."""
        addresses, back = Addresses(database, record, now), settings.bounces
        domain = "" if back is None else back.domain
        channel = Mail(Server.of(settings.smtp_url), _sender(settings.mail_from), domain)
        bounces = Bounces(domain=domain, database=database, record=record, addresses=addresses, now=now)
        return cls(
            courier=Courier(
                database=database, people=people, record=record, channel=channel, addresses=addresses, now=now
            ),
            messages=Messages(
                database=database, people=people, record=record, channel=channel, addresses=addresses, now=now
            ),
            returns=None if back is None else Returns(bounces, back.port),
        )


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name or "Noren", addr_spec=address)
