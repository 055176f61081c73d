"""Scenario 3: the app's host is taken over, live. Its script takes what it gets until it is refused."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault.budgets import LIMITS
from noren_vault.rights import Role
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, Player, customers

Held = set[tuple[UUID, str]]
WAYS = ((Purpose.TODAY, ["name", "kana"]), (Purpose.CUSTOMER, ["mail", "phone"]))


def _drain(player: Player, everybody: list[UUID], held: Held) -> None:
    """Take names, then addresses, ten persons at a time, and by search, until each way is refused."""
    for purpose, fields in WAYS:
        for start in itertools.count(0, 10):
            assert start < len(everybody), "nothing stops it"
            try:
                told = people.reveal(player.grant, purpose, everybody[start : start + 10], fields)
            except errors.BudgetExceeded:
                break
            held.update((one, name) for one, values in told.persons.items() for name in values)
    for number in itertools.count(1000):
        try:
            found = people.search(player.grant, f"hanako{number}@example.jp")
        except errors.BudgetExceeded:
            return
        held.update((one, name) for one, values in found.persons.items() for name in values)


def test_it_names_exactly_whom_a_drain_got_and_stops_it(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Every live session is drained: the ledger's set is the thief's, caps hold, one command ends it."""
    begun = datetime.now(UTC) - timedelta(minutes=1)
    everybody = customers(SALON, 1000, 2 * LIMITS[Role.MANAGER].hour)
    held: dict[str, Held] = {}
    for player in (fresh_cast.staff, fresh_cast.manager):
        mine: Held = set()
        _drain(player, everybody, mine)
        held[player.handle] = mine
    for handle, mine in held.items():
        found = people.scope(since=begun, until=datetime.now(UTC), actor=handle)
        told = {
            (one.person, name)
            for one in found.persons
            for name in one.fields
            if one.state is people.ExposureState.EXPOSED
        }
        assert told == mine
    for player, role in ((fresh_cast.staff, Role.STAFF), (fresh_cast.manager, Role.MANAGER)):
        names = {person for person, name in held[player.handle] if name == "name"}
        assert 0 < len(names) <= LIMITS[role].hour
    assert people.end_grants("shop", SALON) >= 3
    for player in (fresh_cast.staff, fresh_cast.manager, fresh_cast.owner):
        with pytest.raises(errors.GrantExpired):
            people.reveal(player.grant, Purpose.TODAY, everybody[:1], ["name"])
