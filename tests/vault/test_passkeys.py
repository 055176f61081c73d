"""The ceremonies, against the published vectors and a passkey in software."""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from webauthn.helpers import parse_attestation_object

from noren_vault.errors import PasskeyRefused
from noren_vault.passkeys import LIFE_MS, Ceremonies, Challenges, Enrolled, Known, credential_name
from tests.vault.authenticator import Passkey, to_bytes, to_text

Json = dict[str, Any]
VECTORS = json.loads((Path(__file__).parent / "vectors" / "webauthn_l3.json").read_text())
ALL = {vector["id"].removeprefix("sctn-test-vectors-"): vector for vector in VECTORS["vectors"]}
FRAMED = ("none-es256-crossOrigin", "none-es256-topOrigin")
VERIFIED = 0x04
ACTOR = "33333333-3333-4333-8333-333333333333"
NOW = 1_790_000_000_000


class AnyChallenge(Challenges):
    """Takes the vectors' challenges, which nobody here made."""

    def take(self, kind: str, challenge: bytes) -> None:
        """Take it."""


def _ceremonies() -> Ceremonies:
    return Ceremonies(VECTORS["origin"], VECTORS["rp_id"], AnyChallenge(lambda: NOW))


def _hex(text: str) -> str:
    return to_text(bytes.fromhex(text))


def _registration(vector: Json) -> Json:
    told = vector["registration"]
    return {
        "id": _hex(told["credential_id"]),
        "rawId": _hex(told["credential_id"]),
        "type": "public-key",
        "response": {
            "clientDataJSON": _hex(told["clientDataJSON"]),
            "attestationObject": _hex(told["attestationObject"]),
        },
    }


def _authentication(vector: Json) -> Json:
    told = vector["authentication"]
    name = _hex(vector["registration"]["credential_id"])
    parts = ("clientDataJSON", "authenticatorData", "signature")
    return {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "response": {part: _hex(told[part]) for part in parts},
    }


def _flags(vector: Json, ceremony: str) -> int:
    if ceremony == "authentication":
        return bytes.fromhex(vector["authentication"]["authenticatorData"])[32]
    data = parse_attestation_object(bytes.fromhex(vector["registration"]["attestationObject"])).auth_data
    return VERIFIED if data.flags.uv else 0


def _known(vector: Json) -> Known:
    attestation = parse_attestation_object(bytes.fromhex(vector["registration"]["attestationObject"]))
    credential = attestation.auth_data.attested_credential_data
    assert credential is not None
    return Known(credential.credential_id, credential.credential_public_key, 0, ACTOR)


@pytest.mark.parametrize("name", [name for name in ALL if name not in FRAMED])
def test_it_checks_the_published_assertions(name: str) -> None:
    """Each published signature of an algorithm we offer verifies if the user was verified; else refused."""
    vector = ALL[name]
    challenge, known = _hex(vector["authentication"]["challenge"]), _known(vector)
    offered = {one["alg"] for one in Stage().creation_options()["pubKeyCredParams"]}
    if _flags(vector, "authentication") & VERIFIED and cbor2.loads(known.public_key)[3] in offered:
        assert not _ceremonies().assertion(challenge, _authentication(vector), known).regressed
    else:
        with pytest.raises(PasskeyRefused):
            _ceremonies().assertion(challenge, _authentication(vector), known)


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("none") and name not in FRAMED])
def test_it_checks_the_published_registrations(name: str) -> None:
    """Each published registration without attestation enrols where the user was verified."""
    vector = ALL[name]
    if _flags(vector, "registration"):
        enrolled = _ceremonies().enrol("x", _registration(vector))
        assert enrolled.credential_id.hex() == vector["registration"]["credential_id"]
    else:
        with pytest.raises(PasskeyRefused):
            _ceremonies().enrol("x", _registration(vector))


@pytest.mark.parametrize("name", FRAMED)
def test_it_refuses_answers_from_another_sites_frame(name: str) -> None:
    """A crossOrigin or topOrigin answer is refused, valid as its signature is."""
    vector = ALL[name]
    with pytest.raises(PasskeyRefused, match="cross_origin"):
        _ceremonies().enrol("x", _registration(vector))
    with pytest.raises(PasskeyRefused, match="cross_origin"):
        _ceremonies().assertion(
            _hex(vector["authentication"]["challenge"]), _authentication(vector), _known(vector)
        )


@pytest.mark.parametrize("part", ["authenticatorData", "signature"])
def test_it_refuses_a_changed_bit(part: str) -> None:
    """A published assertion with one bit turned is refused."""
    vector = ALL["packed-es256"]
    answer = _authentication(vector)
    changed = bytearray(to_bytes(answer["response"][part]))
    changed[-1] ^= 1
    answer["response"][part] = to_text(bytes(changed))
    with pytest.raises(PasskeyRefused):
        _ceremonies().assertion(_hex(vector["authentication"]["challenge"]), answer, _known(vector))


class Stage:
    """One origin, one passkey, a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.ceremonies = Ceremonies("http://localhost:8000", "localhost", Challenges(lambda: self.now))
        self.passkey = Passkey()

    def creation_options(self) -> Json:
        return self.ceremonies.creation_options("enrol:x", actor=bytes(16), handle="aoi.salon", existing=[])

    def enrol(self) -> Enrolled:
        return self.ceremonies.enrol("enrol:x", self.passkey.create(self.creation_options()))

    def known(self, sign_count: int = 0) -> Known:
        enrolled = self.enrol()
        return Known(enrolled.credential_id, enrolled.public_key, sign_count, "0" * 32)


def test_it_enrols_and_asserts() -> None:
    """A passkey that enrolled can sign in, and its options ask for a verified user."""
    stage = Stage()
    known = stage.known()
    options = stage.ceremonies.request_options()
    assert options["userVerification"] == "required"
    asserted = stage.ceremonies.assertion(options["challenge"], stage.passkey.get(options), known)
    assert (asserted.sign_count, asserted.regressed) == (0, False)


def test_it_asks_for_a_discoverable_credential() -> None:
    """Creation options demand a resident key, a verified user, no attestation, and no key twice."""
    options = Stage().ceremonies.creation_options("x", actor=bytes(16), handle="aoi.salon", existing=[b"old"])
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert [one["id"] for one in options["excludeCredentials"]] == [to_text(b"old")]


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "http://localhost:8001"},
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": 0x01},
        {"flags": 0x04},
        {"client": {"crossOrigin": True}},
        {"client": {"topOrigin": "https://evil.example"}},
        {"client": {"type": "webauthn.create"}},
        {"client": {"challenge": to_text(b"x" * 56)}},
    ],
)
def test_it_refuses_a_bent_answer(bent: Json) -> None:
    """Wrong origin, rpId, flags, frame, type or challenge: refused."""
    stage = Stage()
    known = stage.known()
    options = stage.ceremonies.request_options()
    for name, value in bent.items():
        setattr(stage.passkey, name, value)
    with pytest.raises(PasskeyRefused):
        stage.ceremonies.assertion(options["challenge"], stage.passkey.get(options), known)


def test_it_takes_a_challenge_once() -> None:
    """The same answer a second time is refused."""
    stage = Stage()
    known = stage.known()
    options = stage.ceremonies.request_options()
    answer = stage.passkey.get(options)
    stage.ceremonies.assertion(options["challenge"], answer, known)
    with pytest.raises(PasskeyRefused, match="challenge_used"):
        stage.ceremonies.assertion(options["challenge"], answer, known)


def test_it_takes_no_challenge_after_five_minutes() -> None:
    """A challenge that was answered too late is refused."""
    stage = Stage()
    known = stage.known()
    options = stage.ceremonies.request_options()
    stage.now += LIFE_MS
    with pytest.raises(PasskeyRefused, match="challenge_over"):
        stage.ceremonies.assertion(options["challenge"], stage.passkey.get(options), known)


def test_it_takes_no_challenge_of_another_ceremony() -> None:
    """A challenge made for enrolling does not sign in, and none of another process does."""
    stage, other = Stage(), Stage()
    known = stage.known()
    enrolling = stage.ceremonies.creation_options("enrol:x", actor=bytes(16), handle="a.b", existing=[])
    for options in (enrolling, other.ceremonies.request_options()):
        answer = stage.passkey.get({"challenge": options["challenge"]})
        with pytest.raises(PasskeyRefused, match="challenge_unknown"):
            stage.ceremonies.assertion(options["challenge"], answer, known)


def test_it_binds_the_answer_to_the_challenge_of_this_browser() -> None:
    """An answer to somebody else's challenge does not count as an answer to mine."""
    stage = Stage()
    known = stage.known()
    mine, theirs = stage.ceremonies.request_options(), stage.ceremonies.request_options()
    with pytest.raises(PasskeyRefused, match="challenge_of_another"):
        stage.ceremonies.assertion(mine["challenge"], stage.passkey.get(theirs), known)


@pytest.mark.parametrize(
    ("before", "now", "regressed"), [(0, 0, False), (4, 5, False), (5, 5, True), (5, 0, True)]
)
def test_it_flags_a_counter_that_did_not_rise(before: int, now: int, regressed: bool) -> None:
    """A counter that stands still or falls is flagged; synced passkeys stay at zero."""
    stage = Stage()
    known = stage.known(before)
    stage.passkey.count = now
    options = stage.ceremonies.request_options()
    asserted = stage.ceremonies.assertion(options["challenge"], stage.passkey.get(options), known)
    assert asserted.regressed is regressed


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"response": None},
        {"response": {}},
        {"response": {"clientDataJSON": "!!!"}},
        {"response": {"clientDataJSON": to_text(b"[]")}},
        {"response": {"clientDataJSON": to_text(b"\xff")}},
        {"response": {"clientDataJSON": to_text(b'{"challenge": 5}')}},
    ],
)
def test_it_refuses_what_is_no_answer(answer: Json) -> None:
    """Whatever a page may post, it is refused and not failed on."""
    stage = Stage()
    known = Known(b"x", b"y", 0, ACTOR)
    with pytest.raises(PasskeyRefused):
        stage.ceremonies.assertion(stage.ceremonies.request_options()["challenge"], answer, known)


def test_it_names_a_credential_without_its_id() -> None:
    """The name in the record does not tell the credential's id."""
    assert credential_name(b"x" * 32).startswith("pk-")
    assert "78787878" not in credential_name(b"x" * 32)
