"""A new pepper over all that people sign in with, through kills; the old one goes when nobody needs it."""

import contextlib
import secrets
from typing import Any
from uuid import uuid4

import psycopg
import pyotp
import pytest

from noren import errors, people
from noren.incidents.keys import keys as command
from noren.people import SignedIn
from noren_vault import sealing
from noren_vault.backup_keys import DAY_MS
from noren_vault.errors import PasswordRefused
from noren_vault.hashing import Cost, argon2id
from noren_vault.passwords import Stored
from noren_vault.providers import FileProvider, Kind
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.signin_mails import place
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, Cast, sql
from tests.vault.conftest import Bench, ask

MANY = 600
CHEAP = Cost(8, 1, 1)
ADMIN = Path("admin", "uid:0")
_ACCOUNT = """
WITH a AS (INSERT INTO vault.actor (actor, handle, shop_id, made_at) VALUES (%(a)s, %(h)s, 1, 0)),
m AS (INSERT INTO vault.membership (shop_id, actor, role, since) VALUES (1, %(a)s, 'staff', 0)),
p AS (INSERT INTO vault.password
      VALUES (%(a)s, %(c)s, 'argon2id', 8, 1, 1, %(salt)s, true, %(sealed)s, %(k)s, 0)),
l AS (INSERT INTO vault.password_layer VALUES (%(a)s, 0, %(k)s))
INSERT INTO keystore.signin_mail VALUES (%(a)s, 1, %(token)s, %(mail)s, %(k)s)
"""
_LAYERS = """
SELECT a.handle, array_agg(l.pepper ORDER BY l.place)
FROM vault.password_layer l JOIN vault.actor a USING (actor) GROUP BY 1
"""
_UNDER = """
SELECT 'mail', pepper, substring(sealed FROM 2 FOR 4) FROM keystore.signin_mail
UNION SELECT 'password', pepper, substring(sealed FROM 2 FOR 4) FROM vault.password
UNION SELECT 'totp', pepper, substring(sealed FROM 2 FOR 4) FROM vault.totp
UNION SELECT 'recovery', pepper, substring(sealed FROM 2 FOR 4) FROM vault.recovery
"""


def _insert(vault: VaultProcess, count: int) -> None:
    """So many accounts, each with a cheap hash of PASSWORD, sealed and noted as the vault does it."""
    [stored] = FileProvider(vault.keys).stored(Kind.PEPPER)
    key = sealing.pepper_key(stored.id, (vault.keys / f"{stored.name}.key").read_bytes())
    with psycopg.connect(vault.database_url, autocommit=True) as connection:
        for number in range(count):
            actor, salt, mail = str(uuid4()), secrets.token_bytes(32), f"many{number}@staff.example.jp"
            row = Stored(actor, CHEAP, salt, True, b"", key.id, (key.id,))
            hashed = key.layer(argon2id(PASSWORD.encode(), salt, CHEAP))
            connection.execute(
                _ACCOUNT,
                {
                    "a": actor,
                    "h": f"many{number}.salon",
                    "c": f"pw-{secrets.token_hex(12)}",
                    "salt": salt,
                    "sealed": key.seal(hashed, row.place(row.layers)),
                    "token": key.token(SALON, mail),
                    "mail": key.seal(mail.encode(), place(actor)),
                    "k": key.id,
                },
            )


def _enter(handle: str, password: str = PASSWORD) -> people.SignedIn | people.Second:
    return people.password_check(SALON, f"{handle}@staff.example.jp", password)


def _layers(vault: VaultProcess) -> dict[str, list[str]]:
    return {handle: [bytes(one).hex() for one in held] for handle, held in sql(vault, _LAYERS)}


def test_it_lays_a_new_pepper_over_everything_through_kills(
    fresh_cast: Cast, vault: VaultProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed at begin, middle and end it goes on; then all is under the new pepper, and everybody enters."""
    _insert(vault, MANY)
    grant = fresh_cast.owner.sign_in().grant
    people.password_set(grant, PASSWORD)
    seed = people.totp_begin(grant).secret
    people.totp_finish(grant, pyotp.TOTP(seed).now())
    codes = people.recovery_make(grant)
    old = next(one.id for one in people.keys().keys if one.kind == "pepper")
    entry, cut = people.rotate_keys("pepper"), []
    for number, share in enumerate((0.0, 0.4, 0.9)):
        wait_for(lambda share=share: _rotation().done >= share * 2 * MANY or _rotation().ended is not None)  # type: ignore[misc]
        cut.append(_rotation().ended is None)
        vault.kill()
        vault.start()
        assert _enter(f"many{number}")
        with pytest.raises(errors.PasswordRefused):
            _enter(f"many{number}", OTHER)
    assert cut[:2] == [True, True]
    wait_for(lambda: _rotation(2).entries[0] == entry, 120)
    told = _rotation()
    assert (told.what, told.left, told.ended is not None) == ("pepper", 0, True)
    assert told.done >= 2 * MANY
    under = {(kind, bytes(pepper).hex(), bytes(sealed).hex()) for kind, pepper, sealed in sql(vault, _UNDER)}
    assert under == {(kind, told.key, told.key) for kind in ("mail", "password", "totp", "recovery")}
    layers = _layers(vault)
    assert all(held[-1] == told.key for held in layers.values())
    assert layers["many300.salon"] == layers["aoi.salon"] == [old, told.key]
    for handle in ("many3", "many300", f"many{MANY - 1}"):
        assert isinstance(_enter(handle), SignedIn)
    assert _layers(vault)["many300.salon"] == [told.key]
    second = _enter("aoi")
    assert isinstance(second, people.Second)
    assert people.recovery_use(second.ticket, codes[0])[1] == 9
    assert all(one.ok for one in people.doctor())
    assert command(["list"]) == 0
    assert [
        line.split()[3:5] for line in capsys.readouterr().out.splitlines() if line.startswith("pepper")
    ] == [
        ["in", "use"],
        ["in", "use"],
    ]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        sql(vault, "DELETE FROM vault.pepper WHERE id = %s", bytes.fromhex(old))


def _rotation(told: int = 1) -> people.KeyRotation:
    """The newest rotation; with told=2 once its end is on record."""
    while True:
        with contextlib.suppress(errors.VaultUnavailable):
            one = people.keys().rotations[0]
            if len(one.entries) >= told:
                return one


def test_it_is_begun_from_the_command_line(fresh_cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """`noren keys rotate pepper` begins it and waits for its end."""
    assert command(["rotate", "pepper"]) == 0
    told = capsys.readouterr().out
    assert "Begun: entry" in told
    assert "done" in told
    assert "nothing left under old keys" in told


# -- in this process, with the clock and the files in hand


async def _rotate(vault: Vault) -> None:
    await vault.keeping.rotation.begin(What.PEPPER, ADMIN)
    await vault.keeping.rotation.work()


def _key_notes(vault: Vault) -> list[tuple[str, str]]:
    return [(entry.note, entry.ref) for _, entry in vault.record.ledger.entries() if entry.kind == "key"]


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_it_retires_the_old_pepper_when_the_last_has_signed_in(bench: Bench, mail: Sink) -> None:
    """While one password has it as a layer the old pepper stays; then it is retired, and later destroyed."""

    async def act(vault: Vault) -> list[tuple[str, str]]:
        await joined(vault, mail, "aoi", "mei")
        await _rotate(vault)
        assert await vault.keeping.rotation.withdraw_peppers() == 0
        await check(vault, "aoi")
        assert await vault.keeping.rotation.withdraw_peppers() == 0
        await check(vault, "mei")
        assert await vault.keeping.rotation.withdraw_peppers() == 1
        assert await vault.keeping.rotation.withdraw_peppers() == 0
        assert (await check(vault, "mei"))["grant"]
        return _key_notes(vault)

    notes = bench.run(act)
    provider = FileProvider(bench.configured.keys)
    old, new = provider.stored(Kind.PEPPER)
    assert notes[0] == ("rotation_begin", f"pepper:{new.id.hex()}")
    assert [note for note, _ in notes].count("rotation_done") == 1
    assert notes[-1][0] == "retired"
    assert notes[-1][1].startswith(f"pepper:{old.id.hex()}/destroyed:")
    bench.clock += 37 * DAY_MS

    async def due(vault: Vault) -> list[tuple[str, str]]:
        assert await vault.keeping.rotation.destroy_due() == 1
        assert (await check(vault, "aoi"))["grant"]
        return _key_notes(vault)

    assert bench.run(due)[-1] == ("destroyed", f"pepper:{old.id.hex()}")
    assert provider.stored(Kind.PEPPER) == [new]


def test_it_lays_one_layer_over_another(bench: Bench, mail: Sink) -> None:
    """Rotated three times without a sign-in: four layers, the right password holds, no other; then one."""

    async def act(vault: Vault) -> list[int]:
        await joined(vault, mail, "aoi")
        for _ in range(3):
            await _rotate(vault)
        counts = [len(_rows(bench, "SELECT 1 FROM vault.password_layer"))]
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi", OTHER)
        counts.append(len(_rows(bench, "SELECT 1 FROM vault.password_layer")))
        assert (await check(vault, "aoi"))["grant"]
        counts.append(len(_rows(bench, "SELECT 1 FROM vault.password_layer")))
        assert await vault.keeping.rotation.withdraw_peppers() == 3
        return counts

    assert bench.run(act) == [4, 4, 1]


def test_it_needs_every_pepper_of_the_layers(bench: Bench, mail: Sink) -> None:
    """What is stored then is HMAC under the new over HMAC under the old: neither alone makes it."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await _rotate(vault)

    bench.run(act)
    provider = FileProvider(bench.configured.keys)
    old, new = (sealing.pepper_key(one.id, provider.read(one)) for one in provider.stored(Kind.PEPPER))
    [(actor, memory, passes, lanes, salt, alone, sealed)] = _rows(
        bench, "SELECT actor::text, memory_kib, passes, lanes, salt, alone, sealed FROM vault.password"
    )
    cost = Cost(memory, passes, lanes)
    stored = Stored(actor, cost, bytes(salt), alone, bytes(sealed), new.id, (old.id, new.id))
    held = new.open(bytes(sealed), stored.place(stored.layers))
    hashed = argon2id(PASSWORD.encode(), bytes(salt), cost)
    assert held == new.layer(old.layer(hashed))
    assert held not in (new.layer(hashed), old.layer(hashed), old.layer(new.layer(hashed)), hashed)


def test_it_puts_what_is_new_under_the_new_pepper_alone(bench: Bench, mail: Sink) -> None:
    """A password set after the begin of a rotation needs no second layer, and one account is still one."""

    async def act(vault: Vault) -> list[tuple[Any, ...]]:
        [signed] = await joined(vault, mail, "aoi")
        await vault.keeping.rotation.begin(What.PEPPER, ADMIN)
        await ask(vault, "password_set", grant=signed["grant"], password=OTHER, old=PASSWORD)
        await vault.keeping.rotation.work()
        assert (await check(vault, "aoi", OTHER))["grant"]
        return _rows(
            bench,
            "SELECT count(*), bool_and(l.pepper = p.id) FROM vault.password_layer l, "
            "(SELECT id FROM vault.pepper ORDER BY number DESC LIMIT 1) p",
        )

    assert bench.run(act) == [(1, True)]


def test_it_stays_open_over_what_is_damaged(bench: Bench, mail: Sink) -> None:
    """A row that does not open cannot be brought along: the rotation stays open and says how many."""

    async def act(vault: Vault) -> dict[str, Any]:
        await joined(vault, mail, "aoi", "mei")
        _rows(
            bench,
            "UPDATE vault.password SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) "
            "WHERE actor = (SELECT actor FROM vault.actor WHERE handle = 'mei.salon')",
        )
        await _rotate(vault)
        await vault.keeping.rotation.work()
        [told] = (await ask(vault, "keys"))["rotations"]
        assert (await check(vault, "aoi"))["grant"]
        assert await vault.keeping.rotation.withdraw_peppers() == 0
        return dict(told)

    told = bench.run(act)
    assert (told["done"], told["left"], told["ended"]) == (3, 1, None)
