"""Handing one mail to the server, so that it is known how far it came, and who is to blame.

Replies by RFC 5321 (4xx: later, 5xx: never) and the enhanced codes of RFC 3463 within them.
"""

import re
import smtplib
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from noren_vault.channel import Answer, Handed

SECONDS: Final = 20.0
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_ENHANCED: Final = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")
# Without an enhanced code these speak of the mailbox: there is none, it has moved, its name cannot be.
_OF_THE_MAILBOX: Final = frozenset({550, 551, 553})


@dataclass(frozen=True, slots=True)
class Server:
    """The mail server, as its URL says."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read `smtp://`, `smtp+starttls://` or `smtps://`, with user and password percent-encoded."""
        parts = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def __repr__(self) -> str:
        """Show no password."""
        return f"<Server {self.scheme}://{self.host}:{self.port}>"


def blames_address(status: str) -> bool:
    """Whether an enhanced code says for good that this address does not receive.

    5.1.x (addressing) and 5.2.x (mailbox), but not 5.2.2, a full mailbox; not 5.7.x, which is policy: a
    server that refuses all our mail must not make every customer's address a bad one.
    """
    klass, subject, detail = status.split(".")
    return klass == "5" and (subject == "1" or (subject == "2" and detail != "2"))


def hand_over(server: Server, sender: str, recipient: str, data: bytes) -> Answer:
    """Give the mail to the server. Blocks."""
    try:
        client = _greet(server)
    except (OSError, smtplib.SMTPException, UnicodeError) as fault:
        # Whatever it was (no server, another certificate, another password), it was not the mail.
        return Answer(Handed.DEFERRED, _code(fault), told=False)
    try:
        return _transfer(client, sender, recipient, data)
    finally:
        client.close()


def _greet(server: Server) -> smtplib.SMTP:
    """Connect; beyond plain `smtp` nothing is said before certificate and host name are verified."""
    client: smtplib.SMTP
    if server.scheme == "smtps":
        client = smtplib.SMTP_SSL(
            server.host, server.port, timeout=SECONDS, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    try:
        client.ehlo_or_helo_if_needed()
        if server.scheme == "smtp+starttls":
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
        if server.user:
            client.login(server.user, server.password)
    except (OSError, smtplib.SMTPException):
        client.close()
        raise
    return client


def _transfer(client: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> Answer:
    """Up to DATA a fault means that nothing was taken; within DATA only a refusal in so many words does."""
    told = False
    try:
        code, words = client.mail(sender)
        if code != 250:
            # About our own sender, not about this mail: as with a password, an operator may mend it in time.
            return Answer(Handed.DEFERRED, _reason(code, words)[0], told=False)
        told = True
        code, words = client.rcpt(recipient)
        if code not in (250, 251):
            return _refused(code, words, mailbox=True)
    except (OSError, smtplib.SMTPException, UnicodeError) as fault:
        return Answer(Handed.DEFERRED, _code(fault), told=told)
    try:
        code, words = client.data(data)
    except smtplib.SMTPDataError as fault:
        return _refused(fault.smtp_code, fault.smtp_error, mailbox=False)
    except (OSError, smtplib.SMTPException) as fault:
        return Answer(Handed.UNKNOWN, _code(fault))
    if 200 <= code <= 299:
        return Answer(Handed.SENT)
    if 400 <= code <= 599:
        return _refused(code, words, mailbox=False)
    return Answer(Handed.UNKNOWN, "no_reply")


def _refused(code: int, words: bytes | str, *, mailbox: bool) -> Answer:
    """Read a refusal. `mailbox`: a bare code is about the address."""
    reason, status = _reason(code, words)
    if not 500 <= code <= 599:
        return Answer(Handed.DEFERRED, reason)
    blamed = blames_address(status) if status else mailbox and code in _OF_THE_MAILBOX
    return Answer(Handed.FAILED, reason, no_such_address=blamed)


def _reason(code: int, words: bytes | str) -> tuple[str, str]:
    """Give both codes of a reply as one, and the enhanced one or nothing; never its words."""
    if code < 0:
        return "no_reply", ""
    found = _ENHANCED.match(words if isinstance(words, bytes) else words.encode("utf-8", "replace"))
    status = found[1].decode() if found else ""
    return f"smtp_{code}_{status}" if status else f"smtp_{code}", status


def _code(fault: Exception) -> str:
    """Name a fault without its words: a server repeats the address in them."""
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"smtp_{fault.smtp_code}"
    return type(fault).__name__.lower()
