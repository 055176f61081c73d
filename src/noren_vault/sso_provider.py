"""Speaking with an organisation's provider: its document, its keys, a code for a token. Bounded in every way.

Each question has eight seconds, 256 KiB and no redirect; four go to one issuer at once and 64 in all, and
who comes beyond is refused at once. What a provider says of itself is kept for an hour.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import httpcore
import structlog
from joserfc.jwk import KeySet

from noren_vault import sso_tokens
from noren_vault.clock import Now
from noren_vault.errors import SsoAway, SsoRefused
from noren_vault.outward import Backend, fits

_SECONDS: Final = 8.0
_STEP_SECONDS: Final = 5.0
_MOST_BYTES: Final = 262_144
_AT_ONCE: Final = 64
_AN_ISSUER: Final = 4
_KEPT_MS: Final = 3_600_000
_AGAIN_MS: Final = 60_000
_MOST_KEPT: Final = 500
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_log = structlog.get_logger("sso")


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself. `post`: our secret goes in the body, not in the head."""

    issuer: str
    authorize: str
    token: str
    jwks: str
    post: bool
    tells_issuer: bool
    read_at: int


@dataclass(slots=True)
class _Keys:
    keys: KeySet
    read_at: int


class Providers:
    """All providers, asked by one pool of connections."""

    def __init__(self, private: frozenset[str], now: Now) -> None:
        """`private` names hosts that need not be on the internet."""
        self._private = private
        self._now = now
        self._pool: httpcore.AsyncConnectionPool | None = None
        self._known: dict[str, Provider] = {}
        self._keys: dict[str, _Keys] = {}
        self._busy: dict[str, int] = {}

    def fits(self, issuer: str) -> bool:
        """Whether this can be an issuer here."""
        return fits(issuer, self._private) and "?" not in issuer

    async def of(self, issuer: str) -> Provider:
        """Read what the issuer says of itself. Raises SsoAway."""
        known = self._known.get(issuer)
        if known is not None and self._now() < known.read_at + _KEPT_MS:
            return known
        told = await self._ask(issuer, "GET", issuer.rstrip("/") + _WELL_KNOWN)
        ends = [str(told.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if told.get("issuer") != issuer or not all(fits(one, self._private) for one in ends):
            _log.warning("provider_refused", issuer=issuer)
            raise SsoAway("its document is another's, or names ends that cannot be")
        ways = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        provider = Provider(
            issuer=issuer,
            authorize=ends[0],
            token=ends[1],
            jwks=ends[2],
            post=isinstance(ways, list) and "client_secret_basic" not in ways,
            tells_issuer=told.get("authorization_response_iss_parameter_supported") is True,
            read_at=self._now(),
        )
        _keep(self._known, issuer, provider)
        return provider

    async def token(self, provider: Provider, form: Mapping[str, str], client_id: str, secret: str) -> str:
        """Give the ID token that a code stands for. Raises SsoAway; SsoRefused: the provider refuses it."""
        headers, body = {}, dict(form)
        if provider.post:
            body |= {"client_id": client_id, "client_secret": secret}
        else:  # RFC 6749, 2.3.1: each form-encoded first
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        told = await self._ask(provider.issuer, "POST", provider.token, headers, urlencode(body).encode())
        token = told.get("id_token")
        if not isinstance(token, str):
            raise SsoRefused("no ID token")
        return token

    async def key(self, provider: Provider, token: str) -> sso_tokens.Key:
        """Give the provider's key for a token. Unknown ones are asked for, at most once a minute."""
        sso_tokens.kid_of(token)
        now, held = self._now(), self._keys.get(provider.issuer)
        key = None if held is None else sso_tokens.key_for(held.keys, token)
        old = held is None or now >= held.read_at + _KEPT_MS
        if old or (key is None and held is not None and now >= held.read_at + _AGAIN_MS):
            document = await self._ask(provider.issuer, "GET", provider.jwks)
            _keep(self._keys, provider.issuer, _Keys(sso_tokens.keys_of(document), now))
            key = sso_tokens.key_for(self._keys[provider.issuer].keys, token)
        if key is None:
            raise SsoRefused("kid")
        return key

    async def close(self) -> None:
        """Let the connections go."""
        if self._pool is not None:
            await self._pool.aclose()

    # -- inside

    async def _ask(
        self,
        issuer: str,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> dict[str, Any]:
        """Ask, and read the JSON object that comes. Raises SsoAway, SsoRefused (400 and 401)."""
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        async with self._turn(issuer):
            try:
                async with asyncio.timeout(_SECONDS):
                    status, text = await self._read(method, address, sent, body)
            except (OSError, TimeoutError, *_FAULTS) as fault:
                _log.warning("provider_away", issuer=issuer, fault=type(fault).__name__)
                raise SsoAway(type(fault).__name__) from fault
        if method == "POST" and status in (400, 401):
            _log.warning("code_refused", issuer=issuer, status=status)
            raise SsoRefused("the provider refuses the code")
        try:
            told = json.loads(text) if status == 200 else None
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            _log.warning("provider_away", issuer=issuer, status=status)
            raise SsoAway("it answers with something else")
        return told

    async def _read(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        if self._pool is None:  # made at the first question: reading the machine's authorities takes a moment
            context = await asyncio.to_thread(ssl.create_default_context)
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=_AT_ONCE,
                max_keepalive_connections=0,
                network_backend=Backend(self._private),
            )
        steps = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_SECONDS)
        async with self._pool.stream(
            method, address, headers=list(headers.items()), content=body, extensions={"timeout": steps}
        ) as answer:
            text = b""
            async for part in answer.aiter_stream():
                text += part
                if len(text) > _MOST_BYTES:
                    raise SsoAway("too long an answer")
            return answer.status, text

    @asynccontextmanager
    async def _turn(self, issuer: str) -> AsyncIterator[None]:
        """Let few ask at once: a provider that hangs holds nobody but those who sign in by it."""
        if self._busy.get(issuer, 0) >= _AN_ISSUER or sum(self._busy.values()) >= _AT_ONCE:
            raise SsoAway("too many ask it at once")
        self._busy[issuer] = self._busy.get(issuer, 0) + 1
        try:
            yield
        finally:
            self._busy[issuer] -= 1
            if not self._busy[issuer]:
                del self._busy[issuer]


_FAULTS: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def _keep(kept: dict[str, Any], issuer: str, value: Any) -> None:
    """Keep it, and let the oldest go when there are too many."""
    kept.pop(issuer, None)
    kept[issuer] = value
    if len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
