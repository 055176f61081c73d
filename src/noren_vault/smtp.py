"""Handing one mail to the server, so that it is known how far it came."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit

SECONDS: Final = 20.0
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Handed(StrEnum):
    """SENT: the server took it. FAILED: it surely did not. UNKNOWN: it may have."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


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


def hand_over(server: Server, sender: str, recipient: str, message: EmailMessage) -> tuple[Handed, str]:
    """Give the mail to the server; answers how it ended and a code why. Blocks."""
    data = message.as_bytes(policy=SMTP)
    try:
        client = _greet(server)
    except (OSError, smtplib.SMTPException) as fault:
        return Handed.FAILED, _code(fault)
    try:
        return _transfer(client, sender, recipient, data)
    finally:
        client.close()


def _greet(server: Server) -> smtplib.SMTP:
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


def _transfer(client: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> tuple[Handed, str]:
    """Up to DATA a fault means that nothing was taken; within DATA only a refusal in so many words does."""
    try:
        for answer in (client.mail(sender), client.rcpt(recipient)):
            if answer[0] not in (250, 251):
                return Handed.FAILED, f"smtp_{answer[0]}"
    except (OSError, smtplib.SMTPException) as fault:
        return Handed.FAILED, _code(fault)
    try:
        code, _ = client.data(data)
    except smtplib.SMTPDataError as fault:
        return Handed.FAILED, _code(fault)
    except (OSError, smtplib.SMTPException) as fault:
        return Handed.UNKNOWN, _code(fault)
    return (Handed.SENT, "") if code == 250 else (Handed.FAILED, f"smtp_{code}")


def _code(fault: Exception) -> str:
    """Name a fault without its words: a server repeats the address in them."""
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"smtp_{fault.smtp_code}"
    return type(fault).__name__.lower()
