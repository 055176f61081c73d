"""Letters as mails: what a letter looks like there, and the address to which it comes back."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final

from noren_vault.channel import Answer, Stamp
from noren_vault.errors import BadRequest
from noren_vault.fields import Value
from noren_vault.letter import Letter
from noren_vault.smtp import Line, Server

RETURN: Final = "bounce"


class Mail:
    """The channel `mail`."""

    name: Final = "mail"
    field: Final = "mail"

    def __init__(self, server: Server, sender: Address, bounces: str) -> None:
        """`sender` is the From of every mail; to `bounces`, a domain or empty, goes what comes back."""
        self._line = Line(server)
        self._sender = sender
        self._bounces = bounces

    def make(self, letter: Letter, person: Mapping[str, Value], stamp: Stamp) -> bytes:
        """Build the mail to one person; EmailMessage refuses a header with a line break in it."""
        message = EmailMessage()
        try:
            message["From"] = self._sender
            message["To"] = Address(addr_spec=person[self.field].text)
            message["Subject"] = letter.fill(letter.subject, person)
        except ValueError:
            raise BadRequest("a header cannot hold a line break") from None
        message["Date"] = formatdate(stamp.at / 1000)
        # The same key has the same Message-ID, so that a mail that came twice shows once.
        message["Message-ID"] = f"<{stamp.mark}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if letter.leave:
            # RFC 2369 and RFC 8058: mail programs show a button of their own, and large receivers ask for it.
            message["List-Unsubscribe"] = f"<{letter.leave}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        try:
            message.set_content(letter.fill(letter.text, person))
            for one in letter.attachments:
                message.add_attachment(
                    one.content,
                    maintype=one.maintype,
                    subtype=one.subtype,
                    filename=one.name,
                    params=dict(one.params),
                )
            return message.as_bytes(policy=SMTP)
        except UnicodeEncodeError:
            raise BadRequest("half a character") from None

    def hand_over(self, address: str, made: bytes, stamp: Stamp) -> Answer:
        """Give the mail to the server; what comes back names the message by its token (VERP)."""
        origin = f"{RETURN}+{stamp.token}@{self._bounces}" if self._bounces else self._sender.addr_spec
        return self._line.hand_over(origin, address, made)

    def close(self) -> None:
        """Let go of idle connections."""
        self._line.close()
