"""What a provider signed: ID tokens and logout tokens, checked claim by claim. Pure.

OpenID Connect Core 1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6. The key is one of the provider's own set,
never one that the token brings along; the algorithms are three, none of them with a secret.
"""

import base64
import json
import warnings
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from noren_vault.errors import SsoRefused

# Which kind of key each algorithm has. Whatever is not here ("none", HS256, ...) is refused unread.
ALGORITHMS: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {
    "RS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
}
MOST_BYTES: Final = 32_768
_LEEWAY: Final = 60
_OLDEST: Final = 600
_LEAST_RSA_BITS: Final = 2048
_LONGEST_SUBJECT: Final = 255
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_KINDS: Final = ("RSA", "EC", "OKP")
# What else stands in a header is no matter: nothing of it is used. `crit` is refused all the same.
_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
Key = RSAKey | ECKey | OKPKey


def keys_of(document: Mapping[str, Any]) -> KeySet:
    """Read a provider's keys: those that sign, and none that is a secret. Raises SsoRefused."""
    found = []
    listed = document.get("keys")
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS or one.get("use", "sig") != "sig":
            continue
        try:
            found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(found)


def kid_of(token: str) -> str | None:
    """Give which key a token says it was signed with. Raises SsoRefused for what is no signed token."""
    header = _header(token)
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise SsoRefused("kid")
    return kid


def key_for(keys: KeySet, token: str) -> Key | None:
    """Give the provider's key that the token names; without a name, the only one that suits."""
    header = _header(token)
    kind = ALGORITHMS[header["alg"]]
    kid, alg = header.get("kid"), header["alg"]
    suiting = [
        one
        for one in keys
        if isinstance(one, kind) and kid in (None, one.kid) and one.get("alg") in (None, alg)
    ]
    return suiting[0] if len(suiting) == 1 else None


def identity(token: str, key: Key, *, issuer: str, client_id: str, nonce: str, now: int) -> dict[str, Any]:
    """Check an ID token; gives its claims. `now` in seconds. Raises SsoRefused."""
    claims = _claims(token, key, issuer=issuer, client_id=client_id, now=now)
    given = claims.get("nonce")
    if not isinstance(given, str) or given != nonce:
        raise SsoRefused("nonce")
    if not _subject(claims):
        raise SsoRefused("sub")
    return claims


def ended(token: str, key: Key, *, issuer: str, client_id: str, now: int) -> str:
    """Check a logout token; gives whose sign-ins end, by their subject. Raises SsoRefused."""
    claims = _claims(token, key, issuer=issuer, client_id=client_id, now=now)
    events = claims.get("events")
    if "nonce" in claims or not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
        raise SsoRefused("events")
    if not isinstance(claims.get("jti"), str) or not _subject(claims):
        raise SsoRefused("sub")
    return str(claims["sub"])


# -- inside


def _header(token: str) -> dict[str, Any]:
    """Read what stands before the signature was checked: the algorithm and the key's name, nothing else."""
    if len(token) > MOST_BYTES or token.count(".") != 2:
        raise SsoRefused("malformed")
    text = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as fault:
        raise SsoRefused("malformed") from fault
    if not isinstance(header, dict) or header.get("alg") not in tuple(ALGORITHMS):
        raise SsoRefused("alg")
    return header


def _claims(token: str, key: Key, *, issuer: str, client_id: str, now: int) -> dict[str, Any]:
    if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS:
        raise SsoRefused("key")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=_LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError, TypeError) as fault:
        raise SsoRefused(type(fault).__name__) from fault
    if claims["iat"] < now - _OLDEST - _LEEWAY:
        raise SsoRefused("iat")
    others = claims["aud"] != client_id and claims["aud"] != [client_id]
    if claims.get("azp", None if others else client_id) != client_id:
        raise SsoRefused("azp")
    return dict(claims)


def _subject(claims: Mapping[str, Any]) -> bool:
    sub = claims.get("sub")
    return isinstance(sub, str) and 0 < len(sub) <= _LONGEST_SUBJECT and "\x00" not in sub
