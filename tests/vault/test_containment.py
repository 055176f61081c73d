"""Facts of the ledger, holds and freezes: what an incident's members may do, and what it stops."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import Purpose, containment, incidents
from noren.people.containment import Fact
from noren_vault.errors import BadRequest
from noren_vault.record import Path as Way
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault import operators
from tests.vault.cast import SALON, YOGA, Cast, customers, sql
from tests.vault.conftest import START, Bench, ask
from tests.vault.operators import Platform


@pytest.fixture(scope="module")
def platform(cast: Cast, module_vault: VaultProcess, module_mail: Sink) -> Platform:
    assert cast
    return operators.found(module_vault, module_mail)


@pytest.fixture
def incident(platform: Platform) -> str:
    """An incident that both operators are members of."""
    opened = incidents.open_one(platform.first.grant, '{"title": "夜中の閲覧"}')
    incidents.change_member(platform.first.grant, opened, platform.second.handle, "in")
    return opened


def _facts(grant: str, incident: str, **named: str) -> tuple[list[Fact], bool]:
    now = datetime.now(UTC)
    paths = {kind: [value] for kind, value in named.items()}
    since, until = now - timedelta(hours=1), now + timedelta(minutes=1)
    return containment.facts(grant, incident, since=since, until=until, named=paths)


def _state(vault: VaultProcess, person: UUID) -> str:
    ((state,),) = sql(vault, "SELECT state FROM vault.person WHERE person = %s", person)
    return str(state)


# -- facts


def test_the_ledger_says_what_it_knows_of_a_door_and_of_a_key(bench: Bench) -> None:
    """A foreign session from its start to its end; a key's life. A part of an id names nothing."""

    async def act(vault: Vault) -> None:
        way = Way("", session="pg-vault-6789.1a2b")
        opened = (await ask(vault, "open_incident", words="{}"))["incident"]
        await vault.record.write("door", way, ref=f"vault/started:{bench.clock}", note="stranger")
        bench.clock += 120_000
        await vault.record.write("door", way, ref=f"vault/ended:{bench.clock}", note="ended")
        await vault.record.write("key", Way("vault"), ref="epoch:0a1b2c3d/retired", note="retired")
        seen = []
        for named in ({"door": way.session}, {"key": "0A1B2C3D"}, {"key": "0a1b"}, {"door": "pg-vault-6789"}):
            times = {"since": START / 1000 - 60, "until": bench.clock / 1000 + 60}
            told = await ask(vault, "incident_facts", incident=opened, **times, **named)
            seen.append([one["kind"] for one in told["lines"]])
        assert seen == [["door", "door"], ["key"], [], []]
        both = {"door": way.session, "key": "0a1b2c3d", "actor": "nobody.here"}
        told = await ask(vault, "incident_facts", incident=opened, **times, **both)
        assert [one["kind"] for one in told["lines"]] == ["key", "door", "door"]
        with pytest.raises(BadRequest):
            await ask(vault, "incident_facts", incident=opened, **times, store="host")

    bench.run(act)


def test_the_ledger_says_what_passed_by_a_path(platform: Platform, cast: Cast, incident: str) -> None:
    """How often, of how many persons, when and in which session; no person is named."""
    some = cast.customers[:3]
    for one in some:
        people.reveal(cast.manager.grant, Purpose.CUSTOMER, [one], ["name"])
    people.reveal(cast.manager.grant, Purpose.DAY, some, ["name"])
    lines, more = _facts(platform.second.grant, incident, actor=cast.manager.handle)
    assert not more
    cards = [one for one in lines if one.purpose == "customer"]
    days = [one for one in lines if one.purpose == "day"]
    # A turn of the minute in between makes two lines of one.
    assert (sum(one.entries for one in cards), max(one.persons for one in cards) <= 3) == (3, True)
    assert [(one.entries, one.persons, one.shop, one.failed) for one in days] == [(1, 3, SALON, 0)]
    assert {one.actor for one in lines} == {cast.manager.handle}
    assert "register" in {one.kind for one in lines} or "signin" in {one.kind for one in lines}
    assert not any(str(one) in str(lines) for one in some)


def test_it_is_told_to_members_and_on_record(
    platform: Platform, cast: Cast, incident: str, module_vault: VaultProcess
) -> None:
    """To others there is no incident, so no facts; a reading is an entry before it is told."""
    incidents.change_member(platform.first.grant, incident, platform.second.handle, "barred")
    for name in (incident, "0" * 16):
        with pytest.raises(errors.NoSuchIncident):
            _facts(platform.second.grant, name, actor=cast.staff.handle)
        with pytest.raises(errors.NoSuchIncident):
            containment.snapshot(platform.second.grant, name)
        with pytest.raises(errors.NoSuchIncident):
            containment.contained(platform.second.grant, name)
    with pytest.raises(errors.GrantRefused):
        _facts(cast.owner.grant, incident, actor=cast.staff.handle)
    _facts(platform.first.grant, incident, actor=cast.staff.handle)
    people.doctor()
    rows = sql(
        module_vault, "SELECT actor, ref FROM vault.ledger_entry WHERE note = 'facts:actor' ORDER BY entry"
    )
    assert rows[-1] == (platform.first.handle, cast.staff.handle)


def test_a_snapshot_names_who_is_signed_in(platform: Platform, cast: Cast, incident: str) -> None:
    """With the newest checkpoint, sessions by the names they have on the ledger, and who is connected."""
    taken = containment.snapshot(platform.first.grant, incident)
    assert taken.checkpoint.startswith("noren/")
    assert taken.grants >= 6
    assert cast.owner.handle in {actor for _, _, actor, _ in taken.named}
    assert all(session.startswith("s-") for session, _, _, _ in taken.named if session)
    assert sum(taken.connections.values()) >= 1


# -- holds


@pytest.mark.parametrize("whole", [True, False], ids=["the whole shop", "some persons"])
def test_nobody_who_is_held_is_erased(
    whole: bool, platform: Platform, cast: Cast, incident: str, module_vault: VaultProcess
) -> None:
    """Asked for by an administrator or the owner it waits, once, and happens by itself at the release."""
    held, free = customers(SALON, 700 + 10 * whole, 2)
    hold, number = containment.hold(
        platform.first.grant, incident, SALON, days=30, persons=None if whole else [held]
    )
    assert number == (0 if whole else 1)
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    for reason, grant in (("retention", None), ("asked", cast.owner.grant)):
        with pytest.raises(errors.ErasureHeld) as refusal:
            people.erase(SALON, held, reason, grant=grant)
        assert str(refusal.value.facts["day"]) == str(day)
        assert str(day) in refusal.value.words()
    assert _state(module_vault, held) == "kept"
    if not whole:
        assert people.erase(SALON, free, "asked").person == free
    ((one,), _) = containment.contained(platform.second.grant, incident)
    assert (one.hold, one.whole, one.waiting, one.ended) == (hold, whole, 1, None)
    assert containment.release_hold(platform.second.grant, incident, hold) == 1
    assert _state(module_vault, held) == "erased"
    assert containment.release_hold(platform.second.grant, incident, hold) == 0
    # Its certificate is there as for any other, and names who asked first and why.
    assert people.erase(SALON, held, "asked").reason == "retention"
    notes = sql(
        module_vault,
        "SELECT note FROM vault.ledger_entry WHERE ref = %s AND kind = 'incident'",
        f"person:{held}",
    )
    assert notes == [("erasure_waits:retention",)]


def test_two_holds_are_two(platform: Platform, incident: str, module_vault: VaultProcess) -> None:
    """What one releases the other still holds; another shop's hold holds nobody here."""
    [person] = customers(SALON, 740, 1)
    first, _ = containment.hold(platform.first.grant, incident, SALON, days=1, persons=[person])
    second, _ = containment.hold(platform.first.grant, incident, SALON, days=9, persons=[person])
    other, _ = containment.hold(platform.first.grant, incident, YOGA, days=9)
    with pytest.raises(errors.ErasureHeld):
        people.erase(SALON, person, "asked")
    assert containment.release_hold(platform.first.grant, incident, first) == 0
    assert _state(module_vault, person) == "kept"
    assert containment.release_hold(platform.first.grant, incident, second) == 1
    assert _state(module_vault, person) == "erased"
    assert containment.release_hold(platform.first.grant, incident, other) == 0
    with pytest.raises(errors.NoSuchHold):
        containment.release_hold(platform.first.grant, incident, "0" * 16)


def test_who_was_not_kept_is_held_with_the_shop(bench: Bench) -> None:
    """A booking that was broken off is evidence, too: the hour's end does not erase it while it is held."""

    async def act(vault: Vault) -> tuple[int, int]:
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[])
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "put", shop=SALON, key="broken-off", fields={"name": "仮の人"})
        hold = (await ask(vault, "hold", incident=incident, shop=SALON, days=1))["hold"]
        held = await vault.records.erase_unkept(bench.clock + 7_200_000)
        await ask(vault, "release_hold", incident=incident, hold=hold)
        return held, await vault.records.erase_unkept(bench.clock + 7_200_000)

    assert bench.run(act) == (0, 1)


def test_once_a_hold_is_set_nothing_of_it_is_erased(
    platform: Platform, incident: str, module_vault: VaultProcess
) -> None:
    """Erasures under way end before the hold is there; those that come later wait. None slips through."""
    some = customers(SALON, 760, 24)
    released: list[float] = []

    def erase(person: UUID) -> float:
        try:
            people.erase(SALON, person, "asked")
        except errors.ErasureHeld:
            return 0
        return time.monotonic()

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(erase, one) for one in some]
        hold, _ = containment.hold(platform.first.grant, incident, SALON, days=1)
        states = {one: _state(module_vault, one) for one in some}
        released = [one.result() for one in running]
    assert {one: _state(module_vault, one) for one in some} == states
    assert 0 in released, "all were erased before the hold: the race was none"
    containment.release_hold(platform.first.grant, incident, hold)
    assert {_state(module_vault, one) for one in some} == {"erased"}


# -- freezes


def _list(cast: Cast, some: list[UUID]) -> str:
    return people.ask_export(
        cast.owner.grant, reason="moving", words="引っ越し", fields=["name"], persons=some
    )


@pytest.mark.parametrize("shop", [SALON, None], ids=["its own", "every shop's"])
def test_frozen_no_list_leaves(shop: int | None, platform: Platform, cast: Cast, incident: str) -> None:
    """Neither is one asked for, nor does one that was begun go on; another operator thaws it."""
    some = cast.customers[:2]
    begun = _list(cast, some)
    people.open_export(cast.owner.grant, begun)
    freeze = containment.freeze_exports(platform.first.grant, incident, shop)
    for act in (
        lambda: _list(cast, some),
        lambda: people.open_export(cast.owner.grant, begun),
        lambda: people.export_piece(cast.owner.grant, begun, 0),
    ):
        with pytest.raises(errors.ExportsFrozen):
            act()
    with pytest.raises(errors.GrantRefused):
        containment.thaw_exports(platform.first.grant, incident, freeze)
    with pytest.raises(errors.NoSuchFreeze):
        containment.thaw_exports(platform.second.grant, incident, "0" * 16)
    containment.thaw_exports(platform.second.grant, incident, freeze)
    assert people.export_piece(cast.owner.grant, begun, 0)
    (_, (one,)) = containment.contained(platform.first.grant, incident)
    assert (one.shop, one.by, one.thawed_by) == (shop, platform.first.handle, platform.second.handle)


def test_another_shops_lists_are_not_frozen(platform: Platform, cast: Cast, incident: str) -> None:
    """A freeze is one shop's; an administrator's shell thaws it, too."""
    freeze = containment.freeze_exports(platform.first.grant, incident, YOGA)
    assert _list(cast, cast.customers[:2])
    containment.thaw_exports(None, incident, freeze)


def test_facts_of_every_kind_of_path_at_once_are_told(bench: Bench) -> None:
    """What was asked by is a short code in the record, however many kinds it names."""

    async def act(vault: Vault) -> None:
        opened = (await ask(vault, "open_incident", words="{}"))["incident"]
        named = dict.fromkeys(containment.PATHS, "0a1b2c3d") | {"address": "192.0.2.1"}
        times = {"since": START / 1000 - 60, "until": START / 1000 + 60}
        assert await ask(vault, "incident_facts", incident=opened, shop=SALON, **times, **named) == {
            "lines": [],
            "more": False,
        }

    bench.run(act)


def test_nobody_named_is_not_the_whole_shop(bench: Bench) -> None:
    """Whoever names persons and finds none of them holds nothing: a whole shop is held by naming none."""

    async def act(vault: Vault) -> None:
        opened = (await ask(vault, "open_incident", words="{}"))["incident"]
        with pytest.raises(BadRequest):
            await ask(vault, "hold", incident=opened, shop=SALON, days=1, persons=[])
        assert (await ask(vault, "incident_contained", incident=opened))["holds"] == []

    bench.run(act)
