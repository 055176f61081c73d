"""Keys rotated while the vault serves, and killed at any moment: all stay readable, the old key goes."""

import contextlib
import threading
import time
from uuid import UUID

import psycopg
import pytest

from noren import errors, people
from noren.people import KeyRotation, Purpose, Row
from noren_vault.backup_keys import DAY_MS
from noren_vault.providers import FileProvider, Kind
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.vault import Vault
from tests.servers import VaultProcess, wait_for
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, sql
from tests.vault.conftest import Bench, ask

MANY = 300
ADMIN = Path("admin", "uid:0")
_STATES = {
    "epoch": "SELECT epoch, substring(wrapped FROM 6 FOR 4) FROM keystore.person_key",
    "data": "SELECT substring(wrapped FROM 1 FOR 4), wrapped FROM keystore.person_key",
    "index": "SELECT index_key, token FROM vault.blind",
}


@pytest.fixture
def crowd(fresh_cast: Cast) -> list[UUID]:
    """So many customers that a rotation takes a while, one changed and one provisional."""
    persons = customers(SALON, 1000, MANY)
    people.update(fresh_cast.owner.grant, persons[0], {"mail": "moved@example.jp", "phone": ""})
    people.put(SALON, "half-way", customer(5000))
    return persons


def _newest() -> KeyRotation:
    return people.keys().rotations[0]


def _done(entry: int) -> KeyRotation:
    """Wait until the rotation has ended and is on record, through restarts of the vault."""

    def over() -> bool:
        with contextlib.suppress(errors.VaultUnavailable):
            found = next(one for one in people.keys().rotations if one.entries[0] == entry)
            return len(found.entries) == 2
        return False

    wait_for(over, 120)
    return next(one for one in people.keys().rotations if one.entries[0] == entry)


def _all_readable(cast: Cast, persons: list[UUID]) -> None:
    """Everybody opens, is found by her phone, and is known by her key."""
    grant = cast.owner.sign_in().grant
    for start in range(0, 100, 50):
        some = persons[start : start + 50]
        assert len(people.reveal(grant, Purpose.CUSTOMER, some, ["name", "mail", "phone"]).persons) == 50
    assert list(people.search(grant, "moved@example.jp").persons) == [persons[0]]
    assert list(people.search(grant, customer(1077)["phone"]).persons) == [persons[77]]
    again = people.import_rows(SALON, [Row("c1077", customer(1077))])
    assert again.persons == {"c1077": persons[77]}
    assert all(one.ok for one in people.doctor())


def _under(vault: VaultProcess, what: str) -> set[tuple[bytes, bytes]]:
    return {(bytes(a), bytes(b)) for a, b in sql(vault, _STATES[what])}


@pytest.mark.parametrize("what", ["epoch", "data", "index"])
def test_it_rotates_through_kills(
    fresh_cast: Cast, crowd: list[UUID], vault: VaultProcess, what: str
) -> None:
    """Killed near its begin, middle and end, it goes on; when it is done nothing is under an old key."""
    before = _under(vault, what)
    entry, cut = people.rotate_keys(what), []
    for share in (0.0, 0.4, 0.9):
        wait_for(lambda share=share: _newest().done >= share * MANY or _newest().ended is not None)  # type: ignore[misc]
        cut.append(_newest().ended is None)
        vault.kill()
        vault.start()
        assert people.reveal(fresh_cast.staff.grant, Purpose.DAY, crowd[:1], ["name"]).persons
    assert cut[:2] == [True, True]
    told = _done(entry)
    after = _under(vault, what)
    assert not before & after
    if what != "data":
        assert {one for one, _ in after} == {bytes.fromhex(told.key)}
    assert (told.left, told.ended is not None) == (0, True)
    assert told.done >= MANY
    _all_readable(fresh_cast, crowd)
    person = people.put(SALON, "half-way", customer(5000))
    assert sql(vault, "SELECT count(*) FROM vault.person WHERE state = 'provisional'") == [(1,)]
    people.keep(SALON, person)


@pytest.mark.parametrize("what", ["epoch", "index"])
def test_it_keeps_the_retired_key_for_backups_and_takes_it_out_of_use(
    fresh_cast: Cast, vault: VaultProcess, what: str
) -> None:
    """The old key's file stays until its day; nothing can be put under it any more; `--now` ends it."""
    [old] = [one for one in people.keys().keys if one.kind == what]
    _done(people.rotate_keys(what))
    states = {one.id: one.state for one in people.keys().keys if one.kind == what}
    assert sorted(states.values()) == ["in use", "retired"]
    assert states[old.id] == "retired"
    assert list(vault.keys.glob(f"{what}-0001-{old.id}.key"))
    with pytest.raises(psycopg.Error):
        _put_back(vault, what, old.id)
    assert people.retire_keys() == 0
    assert people.retire_keys(old.id) == 1
    assert not list(vault.keys.glob(f"{what}-0001-*.key"))
    assert {one.id: one.state for one in people.keys().keys}[old.id] == "destroyed"
    with pytest.raises(errors.NoSuchKey):
        people.retire_keys(old.id)
    vault.kill()
    vault.start()
    assert people.reveal(fresh_cast.staff.grant, Purpose.DAY, fresh_cast.customers[:3], ["name"]).persons


def _put_back(vault: VaultProcess, what: str, key: str) -> None:
    """What somebody with the database would do: bring a row back under the retired key."""
    raw = bytes.fromhex(key)
    if what == "index":
        sql(vault, "UPDATE vault.blind SET index_key = %s", raw)
    else:
        sql(
            vault,
            "UPDATE keystore.person_key SET epoch = %s, wrapped = overlay(wrapped PLACING %s FROM 6)",
            raw,
            raw,
        )


def test_it_lets_nobody_wait_and_nobody_be_lost(
    fresh_cast: Cast, crowd: list[UUID], vault: VaultProcess
) -> None:
    """During all three rotations people are put, changed, searched and revealed; none fails, none is lost."""
    put: dict[str, UUID] = {}
    faults: list[Exception] = []
    over = threading.Event()

    def act(number: int) -> None:
        grant, turn = fresh_cast.owner.grant, 0
        while not over.is_set():
            turn += 1
            # Forty persons each, in two classes of fields: within the staff's budget, however long it takes.
            key, person = f"w{number}-{turn}", crowd[number * 40 + turn % 40]
            try:
                put[key] = people.put(SALON, key, customer(6000 + number * 1000 + turn))
                people.update(grant, person, {"note": f"覚書 {turn}"})
                people.reveal(fresh_cast.staff.grant, Purpose.DAY, [person], ["name", "note"])
                assert people.put(SALON, key, customer(6000 + number * 1000 + turn)) == put[key]
            except Exception as fault:  # noqa: BLE001 - told below
                faults.append(fault)
                return
            time.sleep(0.01)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for what in ("epoch", "index", "data"):
            _done(people.rotate_keys(what))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not faults
    for key, person in put.items():
        people.keep(SALON, person)
        assert people.put(SALON, key, {"name": "x"}) == person
    assert sql(vault, "SELECT count(DISTINCT epoch) FROM keystore.person_key") == [(1,)]
    assert sql(vault, "SELECT count(DISTINCT index_key) FROM vault.blind") == [(1,)]
    assert all(one.ok for one in people.doctor())


def test_it_goes_one_at_a_time_and_only_for_administrators(
    fresh_cast: Cast, crowd: list[UUID], vault: VaultProcess
) -> None:
    """A second rotation is refused while one goes on."""
    entry = people.rotate_keys("epoch")
    with pytest.raises(errors.KeysBusy):
        people.rotate_keys("index")
    _done(entry)
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_ADMIN_UIDS": "4242"}
    vault.start()
    for act in (people.keys, lambda: people.rotate_keys("epoch"), people.retire_keys):
        with pytest.raises(errors.GrantRefused):
            act()


def test_it_finds_in_both_keys_until_all_are_done(fresh_cast: Cast, crowd: list[UUID]) -> None:
    """While tokens are computed anew, everybody is found at every moment."""
    entry = people.rotate_keys("index")
    seen: set[bool] = set()
    while len(seen) < 2:
        running = _newest().ended is None
        for number in (1001, 1150, 1299):
            assert list(people.search(fresh_cast.owner.grant, customer(number)["mail"]).persons) == [
                crowd[number - 1000]
            ]
        seen.add(running)
        if not running:
            break
    assert True in seen
    _done(entry)


# -- in this process, with the clock and the files in hand


async def _salon(vault: Vault) -> list[str]:
    rows = [{"key": f"k{number}", "fields": customer(number)} for number in range(60)]
    done = await ask(vault, "import", shop=YOGA, rows=rows, all_or_nothing=False, check=False)
    return list(done["persons"].values())


def _key_entries(vault: Vault) -> list[tuple[str, str]]:
    return [(entry.note, entry.ref) for _, entry in vault.record.ledger.entries() if entry.kind == "key"]


def test_it_records_begin_steps_retirement_and_end(bench: Bench) -> None:
    """The ledger holds: begun with the new key, coarse steps, the old key retired, done with the counts."""

    async def act(vault: Vault) -> tuple[int, list[tuple[str, str]]]:
        await _salon(vault)
        begun = await vault.keeping.rotation.begin(What.EPOCH, ADMIN)
        await vault.keeping.rotation.work()
        return begun, _key_entries(vault)

    begun, entries = bench.run(act)
    first, second = (one.id.hex() for one in FileProvider(bench.configured.keys).stored(Kind.EPOCH))
    notes = [note for note, _ in entries]
    assert notes[0] == "rotation_begin"
    assert notes[1:-2] == ["rotation_progress"] * len(notes[1:-2])
    assert notes[1:-2]
    assert entries[0][1] == f"epoch:{second}"
    assert entries[-2][0] == "retired"
    assert entries[-2][1].startswith(f"epoch:{first}/destroyed:")
    assert entries[-1] == ("rotation_done", f"epoch/entry:{begun}/persons:60/left:0")


def test_it_destroys_the_retired_key_on_its_day(bench: Bench) -> None:
    """Thirty-five days after the day of its retirement the file is destroyed, and that is on record."""

    async def retire(vault: Vault) -> None:
        await _salon(vault)
        await vault.keeping.rotation.begin(What.EPOCH, ADMIN)
        await vault.keeping.rotation.work()
        assert await vault.keeping.rotation.destroy_due() == 0

    bench.run(retire)
    provider = FileProvider(bench.configured.keys)
    first, second = provider.stored(Kind.EPOCH)
    bench.clock += 37 * DAY_MS

    async def due(vault: Vault) -> list[tuple[str, str]]:
        assert await vault.keeping.rotation.destroy_due() == 1
        return _key_entries(vault)

    assert bench.run(due)[-1] == ("destroyed", f"epoch:{first.id.hex()}")
    assert provider.stored(Kind.EPOCH) == [second]


def test_it_retires_no_key_under_which_a_damaged_record_lies(bench: Bench) -> None:
    """Who cannot be opened cannot be brought along: the rotation stays open, says how many, keeps the key."""

    async def act(vault: Vault) -> tuple[dict[str, object], list[str]]:
        persons = await _salon(vault)
        _damage(bench, persons[7])
        await vault.keeping.rotation.begin(What.EPOCH, ADMIN)
        await vault.keeping.rotation.work()
        await vault.keeping.rotation.work()
        [told] = (await ask(vault, "keys"))["rotations"]
        return told, [note for note, _ in _key_entries(vault)]

    told, notes = bench.run(act)
    assert (told["done"], told["left"], told["ended"]) == (59, 1, None)
    assert "retired" not in notes
    assert "rotation_done" not in notes


def _damage(bench: Bench, person: str) -> None:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE keystore.person_key SET wrapped = set_byte(wrapped, 30, get_byte(wrapped, 30) # 1) "
            "WHERE person = %s",
            [person],
        )


def test_it_tells_an_end_that_a_crash_left_unsaid(bench: Bench) -> None:
    """Ended in the database and not yet on record: the next start writes it down, once."""

    async def act(vault: Vault) -> None:
        await _salon(vault)
        await vault.keeping.rotation.begin(What.INDEX, ADMIN)
        await vault.keeping.rotation.work()

    bench.run(act)
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        connection.execute("UPDATE vault.rotation SET told = NULL")

    async def again(vault: Vault) -> list[str]:
        await vault.keeping.rotation.work()
        await vault.keeping.rotation.work()
        return [note for note, _ in _key_entries(vault)]

    assert bench.run(again)[-2:] == ["retired", "rotation_done"]
    assert bench.run(again).count("rotation_done") == 2


def test_it_uses_no_key_that_a_crash_left_unregistered(bench: Bench) -> None:
    """A key's file without its row in the table never sealed anything, and does not begin to."""
    bench.run(_salon)
    provider = FileProvider(bench.configured.keys)
    stray = provider.new(Kind.EPOCH)
    provider.make(stray)

    async def act(vault: Vault) -> str:
        await ask(vault, "put", shop=YOGA, key="x", fields=customer(99), session="")
        [one] = [key for key in (await ask(vault, "keys"))["keys"] if key["kind"] == "epoch"]
        return str(one["id"])

    assert bench.run(act) != stray.id.hex()


def test_it_seals_addresses_and_words_anew(bench: Bench) -> None:
    """Sign-ins' addresses, budgets' reasons and strangers' names follow the epoch's key, and open."""
    rows = {
        "SELECT sealed FROM vault.session": "s-1",
        "SELECT sealed FROM vault.allowance": "allowance:r-1",
        "SELECT sealed FROM vault.transfer": "transfer:0123456789abcdef",
        "SELECT sealed FROM vault.door": "door:pg-1:login",
    }

    async def act(vault: Vault) -> None:
        keys = vault.keeping.rotation._keys
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            sealed = keys.addresses.seal(b"192.0.2.7", "s-1")
            connection.execute("INSERT INTO vault.session VALUES ('s-1', %s, 0)", [sealed])
            sealed = keys.addresses.seal(b"192.0.2.7", "door:pg-1:login")
            connection.execute("INSERT INTO vault.door VALUES ('pg-1', 'login', %s, 0)", [sealed])
            sealed = keys.addresses.seal(b"192.0.2.7", "allowance:r-1")
            connection.execute(
                "WITH asking AS (INSERT INTO vault.actor (actor, handle, shop_id, person, made_at) "
                "VALUES (gen_random_uuid(), 'ren.salon', 1, gen_random_uuid(), 0) RETURNING actor) "
                "INSERT INTO vault.allowance SELECT 'r-1', 1, actor, %s, 1, 1, 'asked', 0, 0 FROM asking",
                [sealed],
            )
            sealed = keys.addresses.seal(b"192.0.2.7", "transfer:0123456789abcdef")
            connection.execute(
                "INSERT INTO vault.transfer (transfer, kind, shop_id, actor, reason, sealed, fields, "
                "persons, places, second, state, asked_at, expires_at) "
                "SELECT '0123456789abcdef', 'export', 1, actor, 'moving', %s, '{name}', "
                "1, 1, false, 'ready', 0, 0 FROM vault.actor",
                [sealed],
            )
        await vault.keeping.rotation.begin(What.EPOCH, ADMIN)
        await vault.keeping.rotation.work()
        for query, place in rows.items():
            with psycopg.connect(bench.configured.database_url) as connection:
                [[anew]] = connection.execute(query.encode()).fetchall()
            assert keys.addresses.open(bytes(anew), place) == b"192.0.2.7"
            assert bytes(anew)[1:5] == keys.epoch.id

    bench.run(act)
