"""Packs: handed over by a member of the incident, read by who may change the shop, and by no other."""

import json

import pytest

from noren import errors, people
from noren.people import incidents, packs
from tests.servers import Sink, VaultProcess
from tests.vault import operators
from tests.vault.cast import SALON, YOGA, Cast, as_owner
from tests.vault.operators import Platform

WORDS = json.dumps({"happened": "名簿が見られた"})


@pytest.fixture
def platform(fresh_cast: Cast, vault: VaultProcess, mail: Sink) -> Platform:
    assert fresh_cast
    return operators.found(vault, mail)


def _handed(platform: Platform, shop: int) -> tuple[str, int]:
    """A pack of all that a suspected actor did."""
    incident = incidents.open_one(platform.first.grant, "夜中の閲覧")
    size = people.health().size
    question = {"since": 1, "until": 4_000_000_000, "size": size, "actor": ["suspect.salon"]}
    return incident, packs.hand(platform.first.grant, incident, shop, WORDS, question)


def test_a_shop_reads_its_own(platform: Platform, fresh_cast: Cast) -> None:
    """It has its words, and neither the question nor the rest of the book; it is confirmed once."""
    owner, shop = fresh_cast.owner.grant, SALON
    assert packs.all_of(owner) == []
    incident, number = _handed(platform, shop)
    (pack,) = packs.all_of(owner)
    assert (pack.incident, pack.number, pack.read, pack.reader) == (incident, number, None, "")
    assert json.loads(pack.words) == {"happened": "名簿が見られた", "shop": shop}
    assert packs.persons(owner, incident) == []
    with pytest.raises(errors.NoSuchIncident):
        packs.confirm(owner, incident, number + 1)
    assert packs.confirm(owner, incident, number) == packs.confirm(owner, incident, number)
    (pack,) = packs.all_of(owner)
    assert pack.read is not None
    assert pack.reader == people.whoami(owner).actor.handle
    kinds = [one.kind for one in incidents.read(platform.first.grant, incident).records]
    assert kinds == ["opened", "handed", "read"]


def test_one_that_does_not_open_hides_no_other(
    platform: Platform, fresh_cast: Cast, vault: VaultProcess
) -> None:
    """Neither the shop's others, nor those of other shops."""
    spoiled, _ = _handed(platform, SALON)
    other, _ = _handed(platform, SALON)
    _handed(platform, YOGA)
    spoil = "UPDATE vault.incident_record SET sealed = '\\x00' WHERE kind = 'handed' AND incident = "
    as_owner(vault, f"{spoil}'{spoiled}'")
    assert [one.incident for one in packs.all_of(fresh_cast.owner.grant)] == [other]


def test_to_others_there_is_none(platform: Platform, fresh_cast: Cast) -> None:
    """Another shop's pack is as one that never was; who may not change the shop is refused."""
    owner, shop = fresh_cast.owner.grant, SALON
    incident, number = _handed(platform, YOGA)
    assert packs.all_of(owner) == []
    for name in (incident, "0" * 16, "none"):
        with pytest.raises(errors.NoSuchIncident):
            packs.persons(owner, name)
        with pytest.raises(errors.NoSuchIncident):
            packs.confirm(owner, name, number)
        with pytest.raises(errors.NoSuchIncident):
            packs.hand(platform.second.grant, name, shop, WORDS, {"since": 1, "until": 2, "size": 1})
    for grant in (platform.first.grant, platform.auditor.grant, fresh_cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            packs.all_of(grant)
    with pytest.raises(errors.GrantRefused):
        packs.hand(owner, incident, shop, WORDS, {"since": 1, "until": 2, "size": 1})


def test_its_kinds_are_the_vaults_own(platform: Platform) -> None:
    """Nobody writes by hand that a pack was handed over or read; a pack without a size is none."""
    incident = incidents.open_one(platform.first.grant, "夜中の閲覧")
    for kind in ("handed", "read"):
        with pytest.raises(RuntimeError, match="add_to_incident"):
            incidents.add(platform.first.grant, incident, kind, WORDS)
    with pytest.raises(RuntimeError, match="hand_pack"):
        packs.hand(platform.first.grant, incident, 1, WORDS, {"since": 1, "until": 2})
