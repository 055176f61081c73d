"""A browser in a few lines, for a thief, for who asks from outside, and for the people of the house.

Nothing of Noren is used here: it keeps cookies, and says in a form what the form's page told it.
"""

import hashlib
import html
import http.client
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

_PUZZLE: Final = re.compile(r'data-challenge="([\w-]+)" data-bits="(\d+)"')
_FORM: Final = "application/x-www-form-urlencoded"
# (field, file's name, content)
Upload = tuple[str, str, bytes]


@dataclass
class Browser:
    """One of one's own. After each call `page`, `content` and `location` are those of the answer."""

    port: int
    agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    language: str = "ja"
    cookies: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    location: str = ""

    @property
    def page(self) -> str:
        return self.content.decode(errors="replace")

    def get(self, path: str) -> int:
        """Open a page; gives the status."""
        return self._ask("GET", path, b"", {})

    def post(self, path: str, form: Mapping[str, str], *, of: str = "", files: Sequence[Upload] = ()) -> int:
        """Send a form of the page `of` (of `path` itself, unless it is said); gives the status."""
        self.get(of or path)
        token = self.hidden("csrfmiddlewaretoken")
        if not token:
            return 0
        given = {**form, "csrfmiddlewaretoken": token}
        if files:
            kind, body = _parts(given, files)
            return self._ask("POST", path, body, {"Content-Type": kind})
        return self._ask("POST", path, urlencode(given).encode(), {"Content-Type": _FORM})

    def send(self, path: str, told: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Send JSON, as a page's script does. Raises RuntimeError where it is refused."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": token}
        status = self._ask("POST", path, json.dumps(told).encode(), headers)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}: {self.page[:200]}")
        return dict(json.loads(self.content))

    def hidden(self, name: str) -> str:
        """What the page says in a field that nobody sees; empty where it has none."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return html.unescape(found[1]) if found else ""

    def said(self, name: str) -> str:
        """What the page says in a `data-` of this name; empty where it has none."""
        found = re.search(rf'data-{name}="([^"]+)"', self.page)
        return html.unescape(found[1]) if found else ""

    def solved(self) -> str:
        """Solve the page's puzzle, as its script does; empty where it has none."""
        found = _PUZZLE.search(self.page)
        if found is None:
            return ""
        head, bits, number = hashlib.sha256(f"{found[1]}:".encode()), int(found[2]), 0
        while True:
            tried = head.copy()
            tried.update(str(number).encode())
            if int.from_bytes(tried.digest()) >> (256 - bits) == 0:
                return f"{found[1]}:{number}"
            number += 1

    def _ask(self, method: str, path: str, body: bytes, more: Mapping[str, str]) -> int:
        headers = {"User-Agent": self.agent, "Host": f"localhost:{self.port}", **more}
        headers["Accept-Language"] = self.language
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            self.content = answer.read()
            self.location = answer.headers.get("Location", "")
            for said in answer.headers.get_all("Set-Cookie", []):
                self._keep(said)
            return answer.status
        finally:
            line.close()

    def _keep(self, said: str) -> None:
        for name, morsel in SimpleCookie(said).items():
            if morsel.value:
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)


def _parts(form: Mapping[str, str], files: Sequence[Upload]) -> tuple[str, bytes]:
    """A form with files, as a browser writes it: its type, and its bytes."""
    mark = secrets.token_hex(16)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in form.items()
    ]
    for name, file, content in files:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n")
    return f"multipart/form-data; boundary={mark}", b"".join(parts) + f"--{mark}--\r\n".encode()
