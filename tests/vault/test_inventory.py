"""The inventory of secrets in the vault: facts that are true, notes that are sealed and on record."""

import json
from typing import Any

import psycopg
import pytest

from noren_vault.errors import BadRequest, NoSuchSecret
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.conftest import START, Bench, ask
from tests.vault.operators import two

HOUR = 3_600_000
WHERE = "設計の wiki、鍵の頁"


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


async def _entries(vault: Vault) -> list[tuple[str, str, str]]:
    size = vault.record.ledger.size
    return [
        (entry.actor, entry.ref.partition("/note:")[0], entry.note)
        for _, entry in vault.record.ledger.entries(0, size)
        if entry.ref.startswith("secret")
    ]


def test_notes_are_told_sealed_and_on_record(bench: Bench, mail: Sink) -> None:
    """A secret of elsewhere, a place, that it was made anew: each an entry first, no words in clear."""

    async def act(vault: Vault) -> None:
        one, two_ = await two(vault, bench.configured.database_url, mail)
        words = {"title": "DNS の管理画面", "how": "管理画面で替える"}
        made = await ask(
            vault, "note_secret", grant=one.grant, kind="row", reaches=["smtp-password"], words=words
        )
        secret = made["secret"]
        assert secret.startswith("own-")
        await ask(
            vault,
            "note_secret",
            grant=one.grant,
            secret=secret,
            kind="place",
            place="wiki",
            words={"text": WHERE},
        )
        await ask(
            vault,
            "note_secret",
            grant=two_.grant,
            secret=secret,
            kind="rotated",
            rotated_at=START - 5,
            words={"text": "漏れたので"},
        )
        told = await ask(vault, "secrets", grant=two_.grant)
        notes = {note["kind"]: note for note in told["notes"]}
        assert notes["row"]["words"] == words
        assert notes["row"]["reaches"] == ["smtp-password"]
        assert (notes["place"]["place"], notes["place"]["words"]) == ("wiki", {"text": WHERE})
        assert (notes["rotated"]["rotated_at"], notes["rotated"]["by"]) == (START - 5, "kei.operator")
        await ask(vault, "end_secret_note", grant=two_.grant, note=notes["place"]["note"])
        again = {note["kind"]: note for note in (await ask(vault, "secrets", grant=one.grant))["notes"]}
        assert again["place"]["gone_by"] == "kei.operator"
        with pytest.raises(NoSuchSecret):
            await ask(vault, "end_secret_note", grant=two_.grant, note=notes["place"]["note"])
        assert await _entries(vault) == [
            ("first.operator", f"secret:{secret}", "secret_row"),
            ("first.operator", f"secret:{secret}", "secret_place"),
            ("kei.operator", f"secret:{secret}", "secret_rotated"),
            ("kei.operator", "secrets", "inventory"),
            ("kei.operator", f"secret:{secret}", "secret_gone"),
            ("first.operator", "secrets", "inventory"),
        ]

    bench.run(act)
    stored = str(_rows(bench, "SELECT * FROM vault.secret_note"))
    assert "wiki" in stored
    assert WHERE not in stored
    assert "DNS" not in stored


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "secret"},
        {"kind": "row", "secret": "own-1"},
        {"kind": "place", "secret": "epoch-key"},
        {"kind": "rotated", "secret": "epoch-key"},
        {"kind": "rotated", "secret": "epoch-key", "rotated_at": START * 2},
        {"kind": "place", "secret": "Epoch Key", "place": "wiki"},
        {"kind": "place", "secret": "epoch-key", "place": "wiki", "words": {}},
        {"kind": "row", "reaches": [1]},
        {"kind": "row", "place": "Under the mat"},
        {"kind": "row", "words": {"text": "x" * 2_001}},
    ],
)
def test_it_takes_nothing_else(bench: Bench, wrong: dict[str, Any]) -> None:
    """What is no note is refused, and leaves nothing on the ledger."""

    async def act(vault: Vault) -> None:
        with pytest.raises(BadRequest):
            await ask(vault, "note_secret", **{"words": {"text": "x"}, **wrong})
        assert await _entries(vault) == []

    bench.run(act)


def test_a_note_is_about_a_secret_that_is_there(bench: Bench) -> None:
    """Of rows that people added, only one that is there still takes notes."""

    async def act(vault: Vault) -> None:
        about: dict[str, Any] = {"kind": "place", "place": "chat", "words": {"text": "x"}}
        with pytest.raises(NoSuchSecret):
            await ask(vault, "note_secret", secret="own-12345678", **about)
        made = await ask(vault, "note_secret", kind="row", words={"title": "x"})
        (row,) = (await ask(vault, "secrets"))["notes"]
        await ask(vault, "end_secret_note", note=row["note"])
        with pytest.raises(NoSuchSecret):
            await ask(vault, "note_secret", secret=made["secret"], **about)

    bench.run(act)


def test_its_facts_are_those_of_the_keys(bench: Bench) -> None:
    """Before a rotation the oldest key in use is the old one, after it the new one, and one is kept."""

    async def act(vault: Vault) -> None:
        before = (await ask(vault, "secrets"))["facts"]
        about: dict[str, Any] = {"secret": "epoch-key", "kind": "place", "place": "wiki"}
        await ask(vault, "note_secret", **about, words={"text": WHERE})
        (old,) = _rows(bench, "SELECT sealed FROM vault.secret_note")
        bench.clock += HOUR
        await vault.keeping.rotation.begin(What.EPOCH, Path("test"))
        await vault.keeping.rotation.work()
        told = await ask(vault, "secrets")
        after = told["facts"]
        # The words are under the new key, and as they were.
        assert [note["words"] for note in told["notes"]] == [{"text": WHERE}]
        (new,) = _rows(bench, "SELECT sealed FROM vault.secret_note")
        assert new[0][1:5] != old[0][1:5]
        assert before["epoch-key"]["since"] < after["epoch-key"]["since"]
        assert (before["epoch-key"]["count"], after["epoch-key"]["count"]) == (1, 1)
        assert after["epoch-key"]["kept"] == 1
        assert after["ledger-key"] == before["ledger-key"]
        assert after["api-keys"] == {"count": 0}
        assert after["alarm-secret"] == {"count": 0}
        assert "since" not in after["smtp-password"]
        assert not any(len(str(value)) > 20 for fact in after.values() for value in fact.values())
        assert json.loads(json.dumps(after)) == after

    bench.run(act)
