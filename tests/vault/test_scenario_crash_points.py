"""Scenario 21: killed at each point between the asking and the outcome; no plaintext without an entry.

The points within the writing and the syncing of the entry are tests/vault/test_faults.py and
docs/ledger-failures.md.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from noren import errors, people
from noren.people import ExposureState, Purpose
from noren.runtime import child, users
from noren_verify.__main__ import main as verify
from tests.servers import VaultProcess, wait_for
from tests.vault import mortal
from tests.vault.cast import Cast, customer

# Whether the client got the name, and what the scope says of the person afterwards.
POINTS = {
    "before_the_entry": (False, None),
    "after_the_entry": (False, ExposureState.POSSIBLY),
    "after_the_opening": (False, ExposureState.POSSIBLY),
    "before_the_answer": (False, ExposureState.POSSIBLY),
    "after_the_answer": (True, ExposureState.POSSIBLY),
    "never": (True, ExposureState.EXPOSED),
}


def test_it_knows_every_point() -> None:
    """Each point at which the mortal vault can die is one of the tests."""
    assert POINTS.keys() == mortal.POINTS.keys()


@pytest.mark.parametrize("point", POINTS)
def test_it_tells_nothing_without_an_entry_wherever_it_is_killed(
    fresh_cast: Cast, vault: VaultProcess, point: str
) -> None:
    """What the client got is in the scope; what it may have got is possible; the ledger is whole."""
    told, state = POINTS[point]
    person, got = fresh_cast.customers[7], None
    vault.stop()
    _start_mortal(vault, point)
    try:
        got = people.reveal(fresh_cast.staff.grant, Purpose.TODAY, [person], ["name"]).persons
    except errors.VaultUnavailable:
        assert not told
    process = vault.process
    assert process is not None
    if point != "never":
        wait_for(lambda: process.poll() is not None)
        assert process.returncode == -9
    assert got == ({person: {"name": customer(7)["name"]}} if told else None)
    vault.stop()
    vault.start()
    now = datetime.now(UTC)
    found = people.scope(since=now - timedelta(hours=1), until=now, actor=fresh_cast.staff.handle)
    states = {one.person: one.state for one in found.persons}
    assert states == ({} if state is None else {person: state})
    assert verify([str(vault.ledger), "--key", str(vault.ledger / "vkey")]) == 0


def _start_mortal(vault: VaultProcess, point: str) -> None:
    """Start it as `VaultProcess.start` does, by another way in."""
    argv = [sys.executable, str(Path(mortal.__file__)), point, "serve"]
    environ = child.environment(vault.settings, home=vault.folder)
    with (vault.folder / "log").open("wb") as log:
        vault.process = child.start(argv, env=environ, user=users.sides().vault, stdout=log)
    wait_for(lambda: "ready" in vault.log.splitlines())
