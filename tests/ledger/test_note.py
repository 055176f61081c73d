"""Signed notes against the published vectors."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_vault.ledger.errors import NoteInvalid
from noren_vault.ledger.note import Signer, Verifier, open_note
from tests.ledger.cast import KEY, ORIGIN, OTHER_KEY, VKEY

VECTORS: Any = json.loads((Path(__file__).parent / "vectors" / "signed_note.json").read_text())
TEXT = "one line\n"


def note_of(vector: dict[str, Any]) -> bytes:
    """The note's bytes; those that are not UTF-8 are published as base64."""
    return (
        base64.b64decode(vector["note_base64"]) if "note_base64" in vector else str(vector["note"]).encode()
    )


def verifiers(vector: dict[str, Any]) -> list[Verifier]:
    """The keys that the vector knows."""
    return [Verifier.from_vkey(key) for key in vector["vkeys"]]


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: str(vector["expect"]))
def test_it_opens_the_published_notes(vector: dict[str, Any]) -> None:
    """Each valid vector opens with as many verified names as it has known keys."""
    found = open_note(note_of(vector), verifiers(vector))
    assert len(found.verified) == len(vector["vkeys"])
    assert note_of(vector).decode().startswith(found.text + "\n")


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: str(vector["expect"]))
def test_it_rejects_the_published_bad_notes(vector: dict[str, Any]) -> None:
    """Each invalid vector is rejected."""
    with pytest.raises(NoteInvalid):
        open_note(note_of(vector), verifiers(vector))


@pytest.mark.parametrize(
    "vkey", [*VECTORS["bad_vkeys"], "", "name", "name+00000000", f"{VKEY}x", f"x{VKEY}", "a b+1+AQ=="]
)
def test_it_rejects_bad_public_keys(vkey: str) -> None:
    """A public key with a wrong length, type, id, name or shape is rejected."""
    with pytest.raises(NoteInvalid):
        Verifier.from_vkey(vkey)


def test_it_signs_as_the_published_key_does() -> None:
    """The published private key makes exactly the published note."""
    raw = VECTORS["test_private_keys"]["PeterNeumann"].split("+", 4)[4]
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(base64.b64decode(raw)[1:]))
    published = VECTORS["valid"][0]
    assert signer.verifier.vkey() == published["vkeys"][0]
    assert signer.sign(published["note"].split("\n\n")[0] + "\n") == published["note"]


def test_it_splits_at_the_last_empty_line() -> None:
    """A text may hold empty lines itself."""
    text = "first\n\nsecond\n"
    assert open_note(Signer(ORIGIN, KEY).sign(text).encode(), [Verifier.from_vkey(VKEY)]).text == text


def test_it_ignores_unknown_signers_and_names_them() -> None:
    """A signature by a key that nobody knows neither helps nor hurts."""
    note = Signer(ORIGIN, KEY).sign(TEXT) + Signer("stranger", OTHER_KEY).sign(TEXT).split("\n\n")[1]
    found = open_note(note.encode(), [Verifier.from_vkey(VKEY)])
    assert (found.verified, found.unknown) == ((ORIGIN,), ("stranger",))


def test_it_rejects_a_wrong_signature_by_a_known_key_even_beside_a_right_one() -> None:
    """One known key that does not fit spoils the note."""
    right = Signer(ORIGIN, KEY)
    wrong = right.sign("another text\n").split("\n\n")[1]
    with pytest.raises(NoteInvalid, match="does not fit"):
        open_note((right.sign(TEXT) + wrong).encode(), [right.verifier])


def test_it_accepts_sixteen_signatures() -> None:
    """The specification demands that sixteen signatures are accepted."""
    note = Signer(ORIGIN, KEY).sign(TEXT)
    note += "".join(Signer(f"witness{at}", OTHER_KEY).sign(TEXT).split("\n\n")[1] for at in range(15))
    assert open_note(note.encode(), [Verifier.from_vkey(VKEY)]).verified == (ORIGIN,)


def test_it_does_not_sign_a_text_without_a_final_newline() -> None:
    """The text under a signature ends in a newline."""
    with pytest.raises(NoteInvalid):
        Signer(ORIGIN, KEY).sign("no newline")


def test_it_never_shows_the_private_key() -> None:
    """The signer's repr holds nothing of its key."""
    assert KEY.private_bytes_raw().hex() not in repr(Signer(ORIGIN, KEY))


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "wide\u3000space"])
def test_it_refuses_names_that_cannot_stand_in_a_signature_line(name: str) -> None:
    """A key's name is not empty and holds neither spaces nor plus."""
    with pytest.raises(NoteInvalid):
        Signer(name, KEY)
