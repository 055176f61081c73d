"""The ledger's disk is full: the vault refuses with a reason, rings, and goes on when there is room."""

import errno
import logging
from functools import partial
from uuid import uuid4

import pytest

from noren_vault.errors import LedgerUnavailable
from noren_vault.grants import Grant
from noren_vault.ledger import Ledger
from noren_vault.rights import Purpose, Role
from noren_vault.vault import Vault
from tests.ledger.cast import FaultyDisk
from tests.vault.cast import customer
from tests.vault.conftest import Bench, ask

# Of a segment: a handful of entries fill it.
SMALL = 16 << 10


async def _until_refused(vault: Vault, grant: Grant, person: str) -> LedgerUnavailable:
    while True:
        try:
            await vault.records.reveal(grant, Purpose.TODAY, [person], ("name",))
        except LedgerUnavailable as refusal:
            return refusal


def test_it_reveals_nothing_and_rings_while_the_disk_is_full(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused with the reason `full`, in the log as critical, seen by health; with room again, told again."""
    disk = FaultyDisk()
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, disk=disk, segment_bytes=SMALL))

    async def act(vault: Vault) -> None:
        person = (await ask(vault, "put", shop=1, key="a", fields=customer(1)))["person"]
        grant = Grant("g", 1, str(uuid4()), "a.b", None, Role.OWNER, None, "c", "s", bench.clock + 1)
        disk.fail_always("reserve", errno.ENOSPC)
        with caplog.at_level(logging.CRITICAL):
            refusal = await _until_refused(vault, grant, person)
        assert refusal.facts["reason"] == "full"
        assert "the disk is full" in caplog.text
        health = await ask(vault, "health")
        assert (health["ledger"], health["reason"]) == (False, "full")
        disk.fault = None
        told = await vault.records.reveal(grant, Purpose.TODAY, [person], ("name",))
        assert told.persons == {person: {"name": customer(1)["name"]}}
        assert (await ask(vault, "health"))["ledger"] is True

    bench.run(act)
