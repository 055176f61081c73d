"""`noren erase`: erase a customer for good, and print the certificate."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from noren import people
from noren.booking import relink
from noren.errors import ErasureHeld
from noren.people import Certificate
from noren.shops import directory

REASONS: Final = ("asked", "retention", "mistake")


def erase(words: Sequence[str]) -> int:
    """Erase one customer of a shop. Her bookings keep the opaque id, which then stands for nobody; their
    links are no longer valid.
    """
    parser = argparse.ArgumentParser(prog="noren erase", description=erase.__doc__)
    parser.add_argument("shop", metavar="SHOP", help="the shop's short name")
    parser.add_argument("person", metavar="PERSON", type=UUID, help="the customer's id")
    parser.add_argument("--reason", choices=REASONS, default="asked", help="why (asked, unless given)")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path(), help="where the files go")
    asked = parser.parse_args(words)
    shop_id = directory.shop_id(asked.shop)
    try:
        certificate = people.erase(shop_id, asked.person, asked.reason)
    except ErasureHeld:
        # It waits in the vault, and happens there; what was mailed to her opens nothing any more.
        relink.revoke_all(shop_id, asked.person)
        raise
    for person in {asked.person, certificate.person}:
        relink.revoke_all(shop_id, person)
    sys.stdout.write(keep(certificate, asked.out))
    return 0


def keep(certificate: Certificate, folder: Path) -> str:
    """Write certificate, entries and proofs into a folder of their own; gives the certificate's text."""
    for path, text in files(certificate, folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return text


def files(certificate: Certificate, folder: Path) -> dict[Path, str]:
    """Return the files that prove an erasure, in a folder of their own; the certificate's text comes last."""
    ours = folder / f"erased-{certificate.person}"
    made = {}
    for one in certificate.entries:
        made[ours / f"{one.index}.entry"] = one.entry
        made[ours / f"{one.index}.tlog-proof"] = one.proof
    made[ours / "vkey"] = f"{certificate.vkey}\n"
    made[ours / "certificate.txt"] = as_text(certificate, ours)
    return made


def as_text(certificate: Certificate, folder: Path) -> str:
    """Say what was erased when, and how an outsider checks it without us."""
    erased, done = certificate.entries
    day = certificate.unreadable_from
    backups = (
        "no day was named for the backups" if day is None else f"unrecoverable from backups from {day} on"
    )
    return f"""\
Certificate of erasure

shop        {certificate.shop_id}
person      {certificate.person}
reason      {certificate.reason}
erased      {certificate.erased_at:%Y-%m-%dT%H:%M:%SZ}: data key, fields and search tokens destroyed
backups     {backups}: the key that seals
            the last copy of the data key is destroyed on that day, which the ledger will say
entries     {erased.index} (the erasure, naming that day), {done.index} (that it was done)
ledger      {certificate.vkey}

To check it without us, with the ledger's public key from a place that you trust:

    noren-verify --key VKEY --proof {folder}/{erased.index}.tlog-proof --entry {folder}/{erased.index}.entry
    noren-verify --key VKEY --proof {folder}/{done.index}.tlog-proof --entry {folder}/{done.index}.entry
"""
