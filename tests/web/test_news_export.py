"""Notices as files: served by any host they hang together, and verify; changed there, they do not."""

import re
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import pytest
from django.test import override_settings

from noren.incidents import notice_checks
from noren.web import news_export
from noren_verify.__main__ import main as verify
from tests.servers import VaultProcess
from tests.web.notice_house import NAME, publish
from tests.web.test_powers import House, house

__all__ = ["house"]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())


def _crawl(origin: str) -> dict[str, str]:
    """Every page, style and file that can be reached, by its address."""
    found: dict[str, str] = {}
    waiting = [origin]
    while waiting:
        address = waiting.pop()
        if address in found or not address.startswith(origin):
            continue
        found[address] = _get(address)
        if address.endswith((".html", "/")):
            links = re.findall(r'(?:href|src)="([^"#][^"]*)"', found[address])
            waiting += [urljoin(address, one) for one in links if not one.startswith("mailto:")]
    return found


def test_it_can_be_put_on_any_host_when_the_platform_is_down(
    house: House, vault: VaultProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made without the vault, served by a plain server: every link leads somewhere, and the texts verify."""
    publish(house)
    publish(house, deed="correct", **{"en-happened": "Somebody came into three admin pages."})
    publish(house, deed="next")
    folder = tmp_path / "site"
    notice_checks.forget()
    with override_settings(LEDGER=vault.ledger, VAULT_SOCKET=str(tmp_path / "nobody.sock")):
        assert news_export.main([str(folder)]) == 0
        assert news_export.main([str(folder)]) == 1
    with _served(folder) as origin:
        found = _crawl(origin)
    names = {address.removeprefix(origin) for address in found}
    assert {f"{one}/{NAME}/{two}.html" for one in ("ja", "en") for two in ("index", "1", "2")} <= names
    assert {f"texts/{NAME}-{one}.json" for one in ("1.1", "1.2", "2.1")} <= names
    assert {"ja/check.html", "en/check.html", "news.ja.atom", "news.en.atom"} <= names
    page = found[f"{origin}en/{NAME}/1.html"]
    assert "<script" not in page
    assert "csrf" not in page
    assert "<ins>three</ins>" in page
    feed = ET.fromstring(found[f"{origin}news.en.atom"])  # noqa: S314 - our own
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 3
    key = (folder / "vkey").read_text().strip()
    assert verify(["notice", str(folder), "--key", key]) == 0
    assert capsys.readouterr().out.count("proved:") == 3
    (folder / "texts" / f"{NAME}-1.1.json").unlink()
    assert verify(["notice", str(folder), "--key", key]) == 1
    assert "version 1 is missing" in capsys.readouterr().out
