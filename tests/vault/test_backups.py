"""The vault's part in backups: an identity that dies with its key, a canary on record, the erased again."""

import hashlib

import psycopg
import pyrage
import pytest

from noren.runtime import databases, env
from noren_vault.backup_keys import DAY_MS
from noren_vault.backups import open_identity
from noren_vault.errors import BadRequest, GrantRefused, NoSuchPerson, RecordDamaged
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.providers import FileProvider, KeysError
from noren_vault.vault import Vault
from tests.vault.conftest import Bench, ask

ID = "20270110T180500Z-0a1b2c3d"
OTHER = "20270111T180500Z-0a1b2c3d"


def test_it_seals_an_identity_that_dies_with_its_key(bench: Bench) -> None:
    """It opens for its backup only, and for nobody once the day's key is destroyed."""

    async def begin(vault: Vault) -> dict[str, str]:
        return await ask(vault, "backup_begin", backup=ID)

    begun, provider = bench.run(begin), FileProvider(bench.configured.keys)
    key, sealed = bytes.fromhex(begun["key"]), bytes.fromhex(begun["sealed"])
    identity = pyrage.x25519.Identity.from_str(open_identity(provider, key, ID, sealed))
    assert str(identity.to_public()) == begun["recipient"]
    with pytest.raises(RecordDamaged):
        open_identity(provider, key, OTHER, sealed)
    bench.clock += 40 * DAY_MS

    async def tend(vault: Vault) -> int:
        return await vault.keeping.backup_keys.destroy_due()

    assert bench.run(tend) == 1
    with pytest.raises(KeysError, match="destroyed, or never there"):
        open_identity(provider, key, ID, sealed)


def test_it_reveals_a_canary_on_record_and_nobody_else(bench: Bench) -> None:
    """Each backup's is another; the entry comes first; a shop's customer is no canary."""

    async def act(vault: Vault) -> None:
        begun = [await ask(vault, "backup_begin", backup=one) for one in (ID, OTHER)]
        mails = [(await ask(vault, "backup_canary", person=one["canary"]["person"]))["mail"] for one in begun]
        assert len(set(mails)) == 2
        for one, mail in zip(begun, mails, strict=True):
            assert hashlib.sha256(mail.encode()).hexdigest() == one["canary"]["sha256"]
        await vault.record.settle()
        entries = [entry for _, entry in vault.record.ledger.entries()]
        intents = [entry for entry in entries if entry.kind == "intent"]
        assert [entry.persons for entry in intents] == [(one["canary"]["person"],) for one in begun]
        assert {(entry.purpose, entry.fields) for entry in intents} == {("canary", ("mail",))}
        customer = await ask(vault, "put", shop=7, key="k", fields={"name": "渡邉", "mail": "a@example.jp"})
        with pytest.raises(NoSuchPerson):
            await ask(vault, "backup_canary", person=customer["person"])

    bench.run(act)


@pytest.mark.parametrize("method", ["backup_begin", "backup_end", "backup_canary", "backup_restored"])
def test_it_answers_an_administrators_process_only(bench: Bench, method: str) -> None:
    """The app's user is refused, whatever it names."""

    async def act(vault: Vault) -> None:
        with pytest.raises(GrantRefused):
            await vault.methods.answer(Request(method, Params({"backup": ID})), Peer(uid=1, admin=False))

    bench.run(act)


def test_it_records_only_what_it_knows(bench: Bench) -> None:
    """A name that is no backup's, a manifest that is no hash and another word are refused."""

    async def act(vault: Vault) -> None:
        before = vault.record.ledger.size
        for method, params in (
            ("backup_begin", {"backup": "渡邉"}),
            ("backup_end", {"backup": ID, "manifest": "short"}),
            ("backup_restored", {"backup": ID, "told": "fine", "size": 1}),
        ):
            with pytest.raises(BadRequest):
                await ask(vault, method, **params)
        assert vault.record.ledger.size == before

    bench.run(act)


def _owner(bench: Bench) -> psycopg.Connection:
    name = databases.parse(bench.configured.database_url)["dbname"]
    connection = psycopg.connect(**databases.vault(env.read(), "migrator") | {"dbname": name})  # type: ignore[arg-type]
    connection.execute(f"SET ROLE {databases.VAULT_OWNER}".encode())
    return connection


def _fields(key: str) -> dict[str, str]:
    return {"name": "渡邉", "mail": f"{key}@example.jp"}


def test_it_erases_again_who_an_older_database_brings_back(bench: Bench) -> None:
    """Before anything is served, on record, and once: rows of the key store, fields and tokens are gone."""
    tables = ("keystore.person_key", "vault.field", "vault.blind")

    async def put(vault: Vault) -> list[str]:
        made = [await ask(vault, "put", shop=7, key=k, fields=_fields(k)) for k in ("a", "b")]
        for one in made:
            await ask(vault, "keep", shop=7, person=one["person"])
        return [one["person"] for one in made]

    async def erase(vault: Vault) -> None:
        await ask(vault, "erase", shop=7, person=gone, reason="asked")

    async def told(vault: Vault) -> list[tuple[str, tuple[str, ...]]]:
        await vault.index.reach(vault.record.ledger.size, 30)
        entries = [entry for _, entry in vault.record.ledger.entries()]
        return [(entry.note, entry.persons) for entry in entries if entry.kind == "restore"]

    gone, kept = bench.run(put)
    with _owner(bench) as owner:
        for table in tables:
            owner.execute(f"CREATE TABLE {table}_old AS SELECT * FROM {table}".encode())  # noqa: S608
    bench.run(erase)
    with _owner(bench) as owner:
        owner.execute(b"UPDATE vault.person SET state = 'kept' WHERE person = %s", [gone])
        for table in tables:
            owner.execute(f"INSERT INTO {table} SELECT * FROM {table}_old WHERE person = %s".encode(), [gone])  # noqa: S608
    assert bench.run(told) == [("erased_again", (gone,))]
    assert bench.run(told) == [("erased_again", (gone,))]
    with _owner(bench) as owner:
        left = [
            owner.execute(f"SELECT DISTINCT person::text FROM {table}".encode()).fetchall()  # noqa: S608
            for table in tables
        ]
        state = owner.execute(b"SELECT state FROM vault.person WHERE person = %s", [gone]).fetchone()
    assert left == [[(kept,)]] * 3
    assert state == ("erased",)
