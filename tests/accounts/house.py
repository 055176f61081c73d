"""Those who work at a shop, each with a passkey, enrolled by the link that the vault mailed."""

import re
from dataclasses import dataclass

from noren import people
from tests.accounts.passkey import Passkey
from tests.servers import Sink

ORIGIN = "http://localhost:8000"
OWNER = people.Member(handle="owner", role="owner", staff=None, name="店主 太郎", mail="owner@example.com")
AOI = people.Member(handle="aoi", role="staff", staff="aoi", name="青木 葵", mail="aoi@example.com")


@dataclass(frozen=True)
class Colleague:
    """Somebody with a passkey and a grant."""

    handle: str
    passkey: Passkey
    grant: str


def invitations(mail: Sink, number: int) -> dict[str, str]:
    """Return the invitations' tokens by the address they were sent to."""
    found = {}
    for message in mail.wait(number):
        body = message.get_body(("plain",))
        assert body is not None
        link = re.search(rf"{re.escape(ORIGIN)}/console/join#(\S+)", body.get_content())
        if link is not None:
            found[str(message["To"])] = link[1]
    return found


def staffed(shop_id: int, slug: str, mail: Sink) -> dict[str, Colleague]:
    """Found the shop in the vault and let owner and Aoi join; by their handles."""
    members = (OWNER, AOI)
    people.found_shop(shop_id, slug, members)
    invited = invitations(mail, len(members))
    return {member.handle: join(invited[member.mail]) for member in members}


def join(invite: str) -> Colleague:
    """Enrol a passkey, as the page of the invitation does."""
    passkey = Passkey(ORIGIN, "localhost")
    joined = people.register_finish(invite, passkey.create(people.register_begin(invite)), session="joining")
    return Colleague(joined.who.actor.handle, passkey, joined.grant)
