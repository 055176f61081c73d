"""Checkpoints: the published texts, and what a strict reader demands beyond them."""

import json
from pathlib import Path
from typing import Any

import pytest

from noren_vault.ledger.checkpoint import Checkpoint, open_head, parse_checkpoint, sign_head
from noren_vault.ledger.errors import CheckpointInvalid, NoteInvalid
from noren_vault.ledger.note import Signer, Verifier
from tests.ledger.cast import KEY, ORIGIN, OTHER_KEY, VKEY

VECTORS: Any = json.loads((Path(__file__).parent / "vectors" / "checkpoint_parse.json").read_text())
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize("text", VECTORS["invalid"])
def test_it_rejects_the_published_bad_checkpoints(text: str) -> None:
    """Each published invalid text is rejected."""
    with pytest.raises(CheckpointInvalid):
        parse_checkpoint(text)


@pytest.mark.parametrize("text", VECTORS["valid"])
def test_it_demands_32_bytes_where_the_published_parser_does_not(text: str) -> None:
    """The published valid texts have placeholder roots; with a real root each is read, as it stands it is
    not.
    """
    with pytest.raises(CheckpointInvalid, match="32 bytes"):
        parse_checkpoint(text)
    lines = text.split("\n")
    lines[2] = ROOT
    found = parse_checkpoint("\n".join(lines))
    assert (found.origin, found.size, found.extensions) == (lines[0], int(lines[1]), tuple(lines[3:-1]))


@pytest.mark.parametrize(
    "text",
    [
        f"log\n007\n{ROOT}\n",
        f"log\n+7\n{ROOT}\n",
        f"log\n٧\n{ROOT}\n",
        f"log\n7\n{ROOT}\n\n",
        f"log\n7\n{ROOT}",
        f"log\n7\n {ROOT}\n",
        f"log\n9223372036854775808\n{ROOT}\n",
        "",
        "\n\n\n",
    ],
)
def test_it_rejects_what_a_strict_reader_rejects(text: str) -> None:
    """Leading zeros, signs, foreign digits, empty lines, spaces and sizes beyond 63 bits are rejected."""
    with pytest.raises(CheckpointInvalid):
        parse_checkpoint(text)


def test_it_reads_back_what_it_writes() -> None:
    """Text and value are two forms of one thing."""
    checkpoint = Checkpoint(ORIGIN, 7, bytes(range(32)), ("extension",))
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_it_opens_a_head_that_this_key_signed_for_this_origin() -> None:
    """A signed head comes back as it was signed."""
    head = sign_head(Signer(ORIGIN, KEY), 7, bytes(32))
    assert open_head(head.signed, [Verifier.from_vkey(VKEY)], ORIGIN) == head


def test_it_rejects_a_head_of_another_origin_or_key() -> None:
    """A head by another key, or of another ledger, is not this ledger's head."""
    mine = Verifier.from_vkey(VKEY)
    with pytest.raises(NoteInvalid):
        open_head(sign_head(Signer(ORIGIN, OTHER_KEY), 7, bytes(32)).signed, [mine], ORIGIN)
    other = Signer("other.example/ledger", KEY)
    with pytest.raises(CheckpointInvalid):
        open_head(sign_head(other, 7, bytes(32)).signed, [other.verifier], ORIGIN)
