"""Handing one mail to the server, so that it is known how far it came, and who is to blame.

A connection that has taken a mail is kept for the next one for a moment: greeting and TLS cost more than a
mail does. Replies by RFC 5321 (4xx: later, 5xx: never) and the enhanced codes of RFC 3463 within them.
"""

import re
import smtplib
import ssl
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final
from urllib.parse import unquote, urlsplit

from noren_vault.channel import Answer, Handed

SECONDS: Final = 20.0
_IDLE_SECONDS: Final = 5.0
_MOST_A_LINE: Final = 200
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


class Line:
    """The way to one server. Several threads hand over at a time, each on a connection of its own."""

    def __init__(self, server: Server) -> None:
        """Nothing is opened yet."""
        self._server = server
        # A connection, since when it is idle, how many mails it has taken.
        self._idle: deque[tuple[smtplib.SMTP, float, int]] = deque()
        self._over = False
        self._ends = Lock()

    def hand_over(self, sender: str, recipient: str, data: bytes) -> Answer:
        """Give the mail to the server. Blocks."""
        client, taken = self._kept(sender)
        if client is None:
            try:
                client = _greet(self._server)
            except (OSError, smtplib.SMTPException, UnicodeError) as fault:
                # Whatever it was (no server, another certificate, another password), it was not the mail.
                return Answer(Handed.DEFERRED, _code(fault), told=False)
        kept = False
        try:
            answer = _transfer(client, sender, recipient, data, begun=taken > 0)
            kept = answer.handed is Handed.SENT and taken + 1 < _MOST_A_LINE
        finally:
            if not kept:
                client.close()
        if kept:
            self._keep(client, taken + 1)
        return answer

    def close(self) -> None:
        """Let go of what is idle, and of what is under way once it has ended."""
        with self._ends:
            self._over = True
        with suppress(IndexError):  # a thread that hands over takes from it, too
            while True:
                self._idle.pop()[0].close()

    def _keep(self, client: smtplib.SMTP, taken: int) -> None:
        with self._ends:
            if not self._over:
                self._idle.append((client, time.monotonic(), taken))
                return
        client.close()

    def _kept(self, sender: str) -> tuple[smtplib.SMTP | None, int]:
        """Give a connection on which the next mail is begun, and how many it took before."""
        while self._idle:
            try:
                client, since, taken = self._idle.pop()
            except IndexError:
                break
            # One that the server has let go of meanwhile is none, and nothing was told on it.
            if time.monotonic() - since < _IDLE_SECONDS and _begins(client, sender):
                return client, taken
            client.close()
        return None, 0


def _begins(client: smtplib.SMTP, sender: str) -> bool:
    try:
        return client.mail(sender)[0] == 250
    except (OSError, smtplib.SMTPException, UnicodeError):
        return False


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


def _transfer(client: smtplib.SMTP, sender: str, recipient: str, data: bytes, *, begun: bool) -> Answer:
    """Up to DATA a fault means that nothing was taken; within DATA only a refusal in so many words does.

    `begun`: the server has taken the sender already.
    """
    told = False
    try:
        code, words = (250, b"") if begun else client.mail(sender)
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
