"""Signing in by passkey, and enrolling one by invitation (WebAuthn Level 3).

Challenges are made, not stored: random bytes, an expiry and an HMAC under a key of this process. What is kept
is which were used, until they would have expired anyway. A challenge opens one ceremony of one kind, once.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import structlog
import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from noren_vault.clock import Now
from noren_vault.errors import PasskeyRefused

LIFE_MS: Final = 300_000
_RANDOM: Final = 16
_EXPIRY: Final = 8
_log = structlog.get_logger("passkeys")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new passkey, checked."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool

    @property
    def name(self) -> str:
        """How it is called in the record."""
        return credential_name(self.credential_id)


@dataclass(frozen=True, slots=True)
class Known:
    """A passkey as it is stored."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    actor: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """A checked answer. `regressed`: the counter did not rise, so there may be a copy of the key."""

    sign_count: int
    backed_up: bool
    regressed: bool


def credential_name(credential_id: bytes) -> str:
    """Give the name under which a credential stands in the record."""
    return f"pk-{hashlib.sha256(credential_id).hexdigest()[:24]}"


def refuse(reason: str) -> NoReturn:
    """Refuse, with the reason in the log only."""
    _log.warning("passkey_refused", reason=reason)
    raise PasskeyRefused(reason)


class Challenges:
    """Makes challenges and takes each once."""

    def __init__(self, now: Now) -> None:
        """A restart forgets the key, and with it every open ceremony."""
        self._key = secrets.token_bytes(32)
        self._now = now
        self._used: dict[bytes, int] = {}

    def make(self, kind: str) -> bytes:
        """Make a challenge for one ceremony of this kind."""
        head = secrets.token_bytes(_RANDOM) + (self._now() + LIFE_MS).to_bytes(_EXPIRY, "big")
        return head + self._mac(kind, head)

    def take(self, kind: str, challenge: bytes) -> None:
        """Take a challenge, once. Raises PasskeyRefused."""
        head = challenge[: _RANDOM + _EXPIRY]
        if not hmac.compare_digest(challenge[_RANDOM + _EXPIRY :], self._mac(kind, head)):
            refuse("challenge_unknown")
        now, expires = self._now(), int.from_bytes(head[_RANDOM:], "big")
        self._used = {one: until for one, until in self._used.items() if until > now}
        if now >= expires:
            refuse("challenge_over")
        if head in self._used:
            refuse("challenge_used")
        self._used[head] = expires

    def _mac(self, kind: str, head: bytes) -> bytes:
        return hmac.new(self._key, kind.encode() + b"\x00" + head, hashlib.sha256).digest()


class Ceremonies:
    """The two ceremonies, for one origin. Knows no database."""

    def __init__(self, origin: str, host: str, challenges: Challenges) -> None:
        """`host` is the rpId."""
        self._origin = origin
        self._host = host
        self._challenges = challenges

    def creation_options(
        self, kind: str, *, actor: bytes, handle: str, existing: list[bytes]
    ) -> dict[str, Any]:
        """Options for `navigator.credentials.create`: discoverable, the user verified."""
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="Noren",
            user_id=actor,
            user_name=handle,
            user_display_name=handle,
            challenge=self._challenges.make(kind),
            timeout=LIFE_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in existing],
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def request_options(self, kind: str = "signin", *, allowed: Sequence[bytes] = ()) -> dict[str, Any]:
        """Options for `navigator.credentials.get`, the user verified: any passkey of this origin, or some."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=self._challenges.make(kind),
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
            timeout=LIFE_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def enrol(self, kind: str, response: Mapping[str, Any]) -> Enrolled:
        """Check the answer to creation options. Raises PasskeyRefused."""
        challenge = _client_challenge(response)
        self._challenges.take(kind, challenge)
        try:
            verified = webauthn.verify_registration_response(
                credential=dict(response),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as fault:
            refuse(type(fault).__name__)
        return Enrolled(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            backed_up=verified.credential_backed_up,
        )

    def assertion(
        self, challenge: str | None, response: Mapping[str, Any], known: Known, *, kind: str = "signin"
    ) -> Asserted:
        """Check the answer to request options, made with a known passkey. Raises PasskeyRefused.

        `challenge` is the one that the asking browser was given, where the kind does not bind it already.
        """
        given = _client_challenge(response)
        if challenge is not None and not hmac.compare_digest(given, _decode(challenge)):
            refuse("challenge_of_another")
        self._challenges.take(kind, given)
        handle = _inner(response).get("userHandle")
        if handle and _decode(handle).hex() != known.actor.replace("-", ""):
            refuse("user_handle")
        try:
            verified = webauthn.verify_authentication_response(
                credential=dict(response),
                expected_challenge=given,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=known.public_key,
                credential_current_sign_count=0,  # a regression is flagged below, not refused
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as fault:
            refuse(type(fault).__name__)
        count = verified.new_sign_count
        regressed = count <= known.sign_count and (count, known.sign_count) != (0, 0)
        return Asserted(count, verified.credential_backed_up, regressed)


def credential_id(response: Mapping[str, Any]) -> bytes:
    """Give the id of the credential that answers. Raises PasskeyRefused."""
    return _decode(response.get("rawId"))


def _inner(response: Mapping[str, Any]) -> dict[str, Any]:
    inner = response.get("response")
    if not isinstance(inner, dict):
        refuse("malformed")
    return inner


def _client_challenge(response: Mapping[str, Any]) -> bytes:
    """Give the challenge the browser signed; an answer from inside another site's frame is refused."""
    try:
        client = json.loads(_decode(_inner(response).get("clientDataJSON")))
    except ValueError:
        refuse("malformed")
    if not isinstance(client, dict):
        refuse("malformed")
    if client.get("crossOrigin") is True or "topOrigin" in client:
        refuse("cross_origin")
    return _decode(client.get("challenge"))


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        refuse("malformed")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        refuse("malformed")
