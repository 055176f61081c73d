"""The mail catcher of development: takes every mail, keeps it as a file, shows the mailbox in the browser.

It listens on 127.0.0.1 only and refuses a request whose Host is not this machine, so that no page from
elsewhere can read it. A message is shown as text; its HTML part is never rendered.
"""

import argparse
import asyncio
import email
import email.policy
import html
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, Envelope

_CSS = """
body{background:#faf9f7;color:#222}
body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.7 system-ui,sans-serif}
a{color:#1f4e79}ul{list-style:none;padding:0}li{border-bottom:1px solid #ddd;padding:.6rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}
pre{background:#fff;padding:1rem;border:1px solid #ddd}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0}small{color:#555}
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-same-origin allow-downloads",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_ID = re.compile(r"[0-9]{19}-[0-9a-f]{8}")
_LINK = re.compile(r"https?://[^\s<>\"']+")


class Mailbox:
    """A folder with one file a message; a name sorts by the time of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - theirs
        content = envelope.content
        self.keep(content if isinstance(content, bytes) else str(content).encode())
        return "250 OK"

    def keep(self, content: bytes) -> None:
        """Write a message whole: it is seen under its name only when it is complete."""
        name = f"{time.time_ns():019d}-{secrets.token_hex(4)}"
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(content)
        fresh.replace(self.folder / f"{name}.eml")

    def newest(self) -> Iterator[tuple[str, EmailMessage]]:
        """Give the last 500 messages with their names, the newest first."""
        for path in sorted(self.folder.glob("*.eml"), reverse=True)[:500]:
            yield path.stem, _parse(path.read_bytes())

    def get(self, name: str) -> EmailMessage | None:
        path = self.folder / f"{name}.eml"
        if not _ID.fullmatch(name) or not path.is_file():
            return None
        return _parse(path.read_bytes())


def _parse(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def list_page(mailbox: Mailbox) -> str:
    items = [
        f'<li><a href="/{name}">{html.escape(_header(message, "Subject") or "(no subject)")}</a><br>'
        f"<small>{html.escape(_header(message, 'To'))} · {html.escape(_header(message, 'Date'))}</small></li>"
        for name, message in mailbox.newest()
    ]
    return _page("Mailbox", f"<ul>{''.join(items)}</ul>" if items else "<p>No mail yet.</p>")


def message_page(name: str, message: EmailMessage) -> str:
    heads = "".join(
        f"<dt>{head}</dt><dd>{html.escape(_header(message, head))}</dd>" for head in ("From", "To", "Date")
    )
    body = message.get_body(("plain", "html"))
    text = _link(str(body.get_content())) if isinstance(body, EmailMessage) else ""
    files = "".join(
        f'<li><a href="/{name}/{number}" download>{html.escape(part.get_filename() or "attachment")}</a> '
        f"<small>{html.escape(part.get_content_type())}</small></li>"
        for number, part in enumerate(message.iter_attachments())
    )
    inside = f'<p><a href="/">Mailbox</a></p><dl>{heads}</dl><pre>{text}</pre><ul>{files}</ul>'
    return _page(_header(message, "Subject") or "(no subject)", inside)


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, ""))


def _link(text: str) -> str:
    """Escape the text and make its addresses links."""
    parts, last = [], 0
    for found in _LINK.finditer(text):
        parts.append(html.escape(text[last : found.start()]))
        address = html.escape(found.group())
        parts.append(f'<a href="{address}" rel="noreferrer">{address}</a>')
        last = found.end()
    return "".join(parts) + html.escape(text[last:])


def _page(title: str, inside: str) -> str:
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>'
        f'{html.escape(title)}</title><meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="/style.css"></head>'
        f"<body><h1>{html.escape(title)}</h1>{inside}</body></html>"
    )


class Pages(BaseHTTPRequestHandler):
    """The mailbox's three kinds of page: the list, a message, an attachment."""

    server: "PageServer"
    server_version = "noren"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host", "") not in self.server.hosts:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"This mailbox is read on localhost.")
            return
        path = self.path.split("?", 1)[0].removeprefix("/dev/mail").strip("/")
        if path == "style.css":
            self._answer(HTTPStatus.OK, "text/css", _CSS.encode())
        elif not path:
            self._answer(HTTPStatus.OK, "text/html", list_page(self.server.mailbox).encode())
        else:
            self._message(*path.split("/", 1))

    def _message(self, name: str, number: str | None = None) -> None:
        message = self.server.mailbox.get(name)
        if message is not None and number is None:
            self._answer(HTTPStatus.OK, "text/html", message_page(name, message).encode())
            return
        parts = [] if message is None else list(message.iter_attachments())
        if number is None or not number.isascii() or not number.isdecimal() or int(number) >= len(parts):
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such mail.")
            return
        part = parts[int(number)]
        name = quote(part.get_filename() or "attachment", safe="")
        content = part.get_payload(decode=True)
        self._answer(
            HTTPStatus.OK,
            "application/octet-stream",
            content if isinstance(content, bytes) else b"",
            {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
        )

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        text = kind.startswith("text/")
        for name, value in (_HEADERS | (more or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
        """Say nothing: what was read in the mailbox is nobody's business."""


class PageServer(ThreadingHTTPServer):
    """Serves the mailbox on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, mailbox: Mailbox, port: int) -> None:
        super().__init__(("127.0.0.1", port), Pages)
        self.mailbox = mailbox
        self.hosts = {f"{host}:{self.server_port}" for host in ("localhost", "127.0.0.1")}


async def serve_smtp(mailbox: Mailbox, port: int) -> asyncio.Server:
    """Take mail on 127.0.0.1."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), "127.0.0.1", port)


async def _run(mailbox: Mailbox, smtp_port: int, http_port: int) -> None:
    server = await serve_smtp(mailbox, smtp_port)
    pages = PageServer(mailbox, http_port)
    Thread(target=pages.serve_forever, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


def main(argv: list[str]) -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="noren.runtime.catcher", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    given = parser.parse_args(argv)
    os.umask(0o077)
    asyncio.run(_run(Mailbox(given.folder), given.smtp_port, given.http_port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
