"""OpenID Connect providers for tests: a published one in a process of its own, and one that cheats.

The first is `oidc-provider-mock`, as anybody can install it; every whole way goes through it. The second
signs whatever a test asks for: what an honest provider never says.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.ports import free_port
from tests.servers import wait_for

CLIENT = "noren"
SECRET = "a secret of the provider's: 7%+ü"
Json = dict[str, Any]


class _Stay(urllib.request.HTTPRedirectHandler):
    """Where a browser would be led is what a test wants to know."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Published:
    """The published provider. Any client and secret will do; who signs in is typed."""

    port: int

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def knows(self, sub: str, **claims: Any) -> None:
        """Say what the provider tells of somebody."""
        request = urllib.request.Request(  # noqa: S310 - an address of our own
            "/".join((self.issuer, "users", urllib.parse.quote(sub))),
            json.dumps(claims).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request).close()  # noqa: S310 - an address of our own

    def signs_in(self, url: str, sub: str) -> dict[str, str]:
        """Sign in on the provider's page at `url` and give what it leads the browser back with."""
        data = urllib.parse.urlencode({"sub": sub}).encode()
        opener = urllib.request.build_opener(_Stay)
        with pytest.raises(urllib.error.HTTPError) as led:
            opener.open(url, data)
        with led.value as answer:
            assert answer.code == 302, answer.read()
            query = urllib.parse.urlsplit(answer.headers["Location"]).query
        return dict(urllib.parse.parse_qsl(query))


@contextmanager
def published() -> Iterator[Published]:
    """Run the published provider."""
    provider = Published(free_port())
    words = [sys.executable, "-m", "oidc_provider_mock", "--port", str(provider.port), "--require-nonce"]
    environ = {"PATH": os.environ["PATH"], "AUTHLIB_INSECURE_TRANSPORT": "1"}
    process = subprocess.Popen(
        words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        wait_for(lambda: _answers(provider.issuer))
        yield provider
    finally:
        process.terminate()
        process.wait()


def _answers(issuer: str) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"{issuer}/jwks").close()  # noqa: S310 - an address of our own
        return True
    return False


@dataclass
class Cheat:
    """A provider that says what a test wants. `asked` are the paths that were asked for."""

    port: int
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    published: list[Any] = field(default_factory=list)
    document: Json = field(default_factory=dict)
    token: str = ""
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        key: Any = None,
        alg: str = "RS256",
        head: Mapping[str, Any] | None = None,
    ) -> str:
        """Sign claims, whatever they say."""
        used = self.key if key is None else key
        header = {"alg": alg, "kid": "one", **(head or {})}
        registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(header, dict(claims), used, registry=registry)

    def claims(self, nonce: str, /, **changed: Any) -> Json:
        """The claims of a good ID token, changed; a claim that is None is left out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "u-1",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "groups": ["staff"],
            "email": "kim@example.jp",
            "name": "Kim",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def answer(self, path: str) -> tuple[int, bytes]:
        if path == "/.well-known/openid-configuration":
            good = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
            }
            return 200, json.dumps({**good, **self.document}).encode()
        if path == "/jwks":
            keys = [one.as_dict(private=False) for one in self.published or [self.key]]
            return 200, json.dumps({"keys": keys}).encode()
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": self.token}).encode()


@contextmanager
def cheat() -> Iterator[Cheat]:
    """Run one that cheats."""
    provider = Cheat(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do(b"")

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers["Content-Length"])))

        def _do(self, body: bytes) -> None:
            provider.asked.append(self.path)
            provider.heads.append(self.headers.get("Authorization", ""))
            if body:
                provider.forms.append(dict(urllib.parse.parse_qsl(body.decode())))
            if provider.hangs:
                provider.hang.wait(60)
            status, text = provider.answer(self.path)
            if provider.status != 200:
                status = provider.status
            with suppress(OSError):
                self.send_response(status)
                for name, value in provider.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text if provider.body is None else provider.body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()


def another_key(kind: str, kid: str = "one") -> Any:
    """A key of a kind."""
    if kind == "RSA":
        return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})
    if kind == "EC":
        return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})
    return OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"})
