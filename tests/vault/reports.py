"""What mail servers send back: delivery status notifications by RFC 3464, as Postfix writes them."""

from email.message import EmailMessage


def dsn(
    *, action: str = "failed", status: str = "5.1.1", address: str = "hanako@example.jp", about: bytes = b""
) -> bytes:
    """A report on one recipient, with the whole of the mail it is about."""
    fields = [
        "Reporting-MTA: dns; mx.example.jp",
        "X-Postfix-Queue-ID: 4WxYz12345",
        "",
        f"Final-Recipient: rfc822; {address}",
        f"Original-Recipient: rfc822;{address}",
        f"Action: {action}",
        f"Status: {status}",
        "Remote-MTA: dns; far.example.jp",
        f"Diagnostic-Code: smtp; 550 <{address}>: Recipient address rejected",
        "",
    ]
    words = ["This is the mail system.", "", f"<{address}>: user unknown", ""]
    parts = [
        ("text/plain; charset=utf-8", "\r\n".join(words).encode()),
        ("message/delivery-status", "\r\n".join(fields).encode()),
        ("message/rfc822", about or b"Subject: x\r\n\r\nx\r\n"),
    ]
    body = b"".join(b"--B\r\nContent-Type: %s\r\n\r\n%s\r\n" % (kind.encode(), part) for kind, part in parts)
    head = (
        "From: MAILER-DAEMON@mx.example.jp\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
    )
    return head.encode() + body + b"--B--\r\n"


def vacation() -> bytes:
    """What an answering machine sends to the return address: no report."""
    message = EmailMessage()
    message["From"], message["Subject"] = "hanako@example.jp", "Out of office"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("Action: failed\nStatus: 5.1.1\n")
    return message.as_bytes()
