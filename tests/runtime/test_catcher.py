"""The mail catcher: keeps, shows, escapes; answers this machine only."""

import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from noren.runtime.catcher import Mailbox, PageServer
from tests.ports import free_port


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageServer]:
    server = PageServer(Mailbox(tmp_path), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _get(pages: PageServer, path: str, host: str | None = None) -> tuple[str, dict[str, str]]:
    request = urllib.request.Request(f"http://127.0.0.1:{pages.server_port}{path}")
    if host is not None:
        request.add_header("Host", host)
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own page, over http
        return answer.read().decode(), dict(answer.headers)


def _refused(pages: PageServer, path: str, host: str | None = None) -> int:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        _get(pages, path, host)
    refusal.value.close()
    return refusal.value.code


def _mail(subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "noren@localhost"
    message["To"] = "hana@example.jp"
    message["Subject"] = subject
    message.set_content(text)
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="予約.ics")
    return message


def _only(pages: PageServer) -> str:
    return next(iter(pages.mailbox.newest()))[0]


def test_it_says_when_there_is_no_mail(pages: PageServer) -> None:
    assert "No mail yet." in _get(pages, "/")[0]


def test_it_takes_mail_by_smtp_and_lists_it(pages: PageServer) -> None:
    port = free_port()
    controller = Controller(pages.mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(_mail("ご予約", "ありがとう"))
    finally:
        controller.stop()
    body, _ = _get(pages, "/")
    assert "ご予約" in body
    assert "hana@example.jp" in body


def test_it_shows_a_message_as_text_with_its_links(pages: PageServer) -> None:
    pages.mailbox.keep(bytes(_mail("ご予約", "See http://localhost:8000/b/x?a=1&b=2 please <b>now</b>")))
    body, headers = _get(pages, f"/{_only(pages)}")
    assert '<a href="http://localhost:8000/b/x?a=1&amp;b=2" rel="noreferrer">' in body
    assert "&lt;b&gt;now&lt;/b&gt;" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "sandbox" in headers["Content-Security-Policy"]


def test_it_escapes_a_subject_and_a_sender(pages: PageServer) -> None:
    message = _mail("<script>alert(1)</script>", "x")
    message.replace_header("From", '"<img src=x>" <a@example.jp>')
    pages.mailbox.keep(bytes(message))
    for path in ("/", f"/{_only(pages)}"):
        assert "<script" not in _get(pages, path)[0]
        assert "<img" not in _get(pages, path)[0]


def test_it_gives_an_attachment_as_a_file(pages: PageServer) -> None:
    pages.mailbox.keep(bytes(_mail("x", "y")))
    body, headers = _get(pages, f"/{_only(pages)}/0")
    assert body == "BEGIN:VCALENDAR"
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path", ["/../secrets", "/1/0", "/%2e%2e", "/0000000000000000000-00000000", "/x/y/z"]
)
def test_it_knows_no_other_file(pages: PageServer, path: str) -> None:
    assert _refused(pages, path) == 404


def test_it_knows_no_other_attachment(pages: PageServer) -> None:
    pages.mailbox.keep(bytes(_mail("x", "y")))
    for number in ("1", "-1", "a", "²"):
        assert _refused(pages, urllib.request.quote(f"/{_only(pages)}/{number}")) == 404  # type: ignore[attr-defined]


def test_it_refuses_a_page_from_elsewhere(pages: PageServer) -> None:
    assert _refused(pages, "/", "evil.example") == 421
