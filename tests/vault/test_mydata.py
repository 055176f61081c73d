"""My data: each person's own lines, held against what this test itself did, and their proofs offline."""

import pathlib

import pytest

import noren_verify
from noren import errors, people
from noren.people import Purpose
from noren_vault import lookups as rules
from noren_vault.errors import GrantRefused, InvestigationRefused, NoSuchEntry
from noren_vault.mydata import PAGE
from noren_vault.mydata_methods import NOBODY
from noren_vault.record import Path
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.cast import SALON, YOGA, Cast, customer, in_at_once, sql
from tests.vault.conftest import Bench, ask
from tests.vault.test_proofs import _codes

DAY = 86_400_000


def enter(mail: Sink, address: str, shop: int = SALON) -> str:
    """Come in by a mailed code, as the page does."""
    before = len(_codes(mail, address))
    people.own_begin(shop, address)
    wait_for(lambda: len(_codes(mail, address)) > before)
    return in_at_once(people.own_finish(shop, address, _codes(mail, address)[-1])).grant


def seen(grant: str) -> list[tuple[str, str, str, tuple[str, ...], str]]:
    """The lines, oldest first, without her own coming in."""
    told = [
        (one.kind, one.role, one.purpose, one.fields, one.state)
        for one in reversed(people.lookups(grant).lines)
    ]
    return [one for one in told if one[0] not in ("prove", "bounce")]


def test_it_tells_what_was_done_and_nothing_else(fresh_cast: Cast, mail: Sink) -> None:
    """Reveals, a search, a mail, a change, a refused and a failed look: one line each, by role, in order."""
    cast, (me, other) = fresh_cast, fresh_cast.customers[:2]
    people.reveal(cast.staff.grant, Purpose.TODAY, cast.customers[:5], ["name", "kana"])
    people.reveal(cast.manager.grant, Purpose.CUSTOMER, [me], ["name", "phone"])
    people.reveal(cast.manager.grant, Purpose.CUSTOMER, [other], ["name", "phone"])
    people.search(cast.owner.grant, customer(0)["phone"])
    people.send(SALON, me, "m1", subject="s", text="Dear {name}")
    people.update(cast.staff.grant, me, {"note": "x"})
    with pytest.raises(errors.PurposeRefused):
        people.reveal(cast.staff.grant, Purpose.INCIDENT, [me], ["name"])
    people.messages(cast.manager.grant, me)
    grant = enter(mail, customer(0)["mail"])
    people.reveal(grant, Purpose.OWN, [me], ["name"])
    told = seen(grant)
    assert told == [
        ("import", "import", "", ("kana", "mail", "name", "phone"), "exposed"),
        ("intent", "staff", "today", ("name", "kana"), "exposed"),
        ("intent", "manager", "customer", ("name", "phone"), "exposed"),
        ("search", "owner", "search", ("name", "kana"), "exposed"),
        ("send", "noren", "message", ("kana", "mail", "name"), "exposed"),
        ("update", "staff", "", ("note",), "exposed"),
        ("messages", "manager", "customer", (), "possibly"),
        # The code she came in by: her own letter.
        ("send", "noren", "message", ("kana", "mail", "name"), "exposed"),
        ("intent", "self", "own", ("name",), "exposed"),
    ]


def test_it_tells_that_a_refused_look_showed_nothing(fresh_cast: Cast, mail: Sink) -> None:
    """A look over the budget, and one whose answer failed, are told as not given."""
    cast, me = fresh_cast, fresh_cast.customers[0]
    grant = enter(mail, customer(0)["mail"])
    for _ in range(12):
        many = [me, *people.import_rows(SALON, _rows(99)).persons.values()]
        try:
            people.reveal(cast.staff.grant, Purpose.TODAY, many, ["name"])
        except errors.BudgetExceeded:
            break
    assert ("refused", "staff", "today", (), "not") in seen(grant)


_number = 1000


def _rows(count: int) -> list[people.Row]:
    global _number  # noqa: PLW0603 - other people each time, or the budget would not be used
    _number += count
    return [people.Row(f"x{one}", {"name": f"N{one}"}) for one in range(_number, _number + count)]


def test_it_gives_another_nothing_of_mine(fresh_cast: Cast, mail: Sink) -> None:
    """Another person's list and proofs hold no line that is mine alone; staff have no such list."""
    cast, (me, other) = fresh_cast, fresh_cast.customers[:2]
    mine = people.reveal(cast.staff.grant, Purpose.CUSTOMER, [me], ["name"]).entry
    together = people.reveal(cast.staff.grant, Purpose.TODAY, [me, other], ["name"]).entry
    theirs = enter(mail, customer(1)["mail"])
    entries = {one.entry for one in people.lookups(theirs).lines}
    assert together in entries
    assert mine not in entries
    people.lookup_proof(theirs, together)
    for entry in (mine, 10**9):
        with pytest.raises(errors.NoSuchEntry):
            people.lookup_proof(theirs, entry)
    for grant in (cast.owner.grant, cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            people.lookups(grant)
    with pytest.raises(errors.GrantExpired):
        people.lookups(f"{SALON}.0123456789abcdef.x")


def test_it_says_the_same_to_everybody(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """An address nobody has, another shop's and what is no address: no mail, one refusal, one entry."""
    told = len(mail.messages)
    for shop, address in ((SALON, "nobody@example.jp"), (YOGA, customer(0)["mail"]), (SALON, "no address")):
        people.own_begin(shop, address)
        with pytest.raises(errors.CodeRefused) as refusal:
            people.own_finish(shop, address, "000000")
        assert refusal.value.facts == {}
    people.doctor()
    assert len(mail.messages) == told
    kinds = sql(
        vault,
        "SELECT e.kind, e.note, count(*) FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry) "
        "WHERE p.person = %s GROUP BY 1, 2 ORDER BY 1",
        NOBODY,
    )
    assert kinds == [("prove", "asked", 3), ("refused", "code", 3)]
    assert fresh_cast


def test_it_reads_every_record_of_a_proved_address(fresh_cast: Cast, mail: Sink) -> None:
    """A second booking made a second record: one list. A changed address that is not proved adds none."""
    cast, address = fresh_cast, customer(3)["mail"]
    me, again = cast.customers[3], people.put(SALON, "hold:1", customer(3))
    people.keep(SALON, again)
    look = people.reveal(cast.staff.grant, Purpose.CUSTOMER, [again], ["phone"]).entry
    grant = enter(mail, address)
    page = people.lookups(grant)
    assert page.records == 2
    assert look in {one.entry for one in page.lines}
    own = people.whoami(grant).person
    assert own in (me, again)
    assert own is not None
    people.update(grant, own, {"mail": customer(4)["mail"]})
    after = people.lookups(grant)
    assert after.records == 2, "what she had stays; the new address is another's, and nothing has proved it"
    theirs = people.reveal(cast.staff.grant, Purpose.CUSTOMER, [cast.customers[4]], ["name"]).entry
    assert theirs not in {one.entry for one in people.lookups(grant).lines}


def test_it_holds_a_proof_for_the_version_that_was_proved(fresh_cast: Cast, mail: Sink) -> None:
    """Who proves her address while she books, and then types another's, reads nothing of the other's."""
    person = people.put(SALON, "hold:9", {"name": "N", "mail": "own@example.jp"})
    people.prove_begin(SALON, person)
    wait_for(lambda: bool(_codes(mail, "own@example.jp")))
    grant = in_at_once(people.prove_finish(SALON, person, _codes(mail, "own@example.jp")[-1])).grant
    assert people.put(SALON, "hold:9", {"name": "N", "mail": customer(5)["mail"]}) == person
    assert people.lookups(grant).records == 1
    assert fresh_cast


def test_it_leaves_her_own_reading_out_and_counts_it(
    fresh_cast: Cast, mail: Sink, vault: VaultProcess
) -> None:
    """Reading is on record, makes no line in the list, and is counted there."""
    grant = enter(mail, customer(0)["mail"])
    first = people.lookups(grant)
    second = people.lookups(grant)
    assert (first.readings, second.readings) == (1, 2)
    assert [one.entry for one in first.lines] == [one.entry for one in second.lines]
    people.lookup_proof(grant, first.lines[0].entry)
    people.doctor()
    notes = sql(
        vault,
        "SELECT note, purpose FROM vault.ledger_entry WHERE actor = %s AND kind = 'intent' ORDER BY entry",
        f"person:{fresh_cast.customers[0]}",
    )
    assert notes == [("lookups", "own"), ("lookups", "own"), ("lookups.proof", "own")]


def test_it_pages_by_a_bounded_number_and_says_what_it_covers(fresh_cast: Cast, mail: Sink) -> None:
    """Every look once, the newest first, and all entries from the ledger's first to the head."""
    cast, me = fresh_cast, fresh_cast.customers[0]
    made = [people.reveal(cast.staff.grant, Purpose.TODAY, [me], ["name"]).entry for _ in range(PAGE + 20)]
    grant = enter(mail, customer(0)["mail"])
    page = people.lookups(grant)
    assert len(page.lines) == PAGE
    assert page.since <= page.lines[-1].at <= page.lines[0].at <= page.until
    assert page.size > made[-1]
    assert page.next is not None
    rest = people.lookups(grant, page.next)
    assert rest.next is None
    got = [one.entry for one in (*page.lines, *rest.lines)]
    assert got == sorted(set(got), reverse=True)
    assert set(made) <= set(got)


def test_it_names_staff_only_when_the_owner_says_so(
    fresh_cast: Cast, mail: Sink, vault: VaultProcess
) -> None:
    """By role first; by staff key once the owner says so, on record; nobody else may say it."""
    cast, me = fresh_cast, fresh_cast.customers[0]
    people.reveal(cast.staff.grant, Purpose.TODAY, [me], ["name"])
    grant = enter(mail, customer(0)["mail"])

    def staff() -> set[str | None]:
        return {one.staff for one in people.lookups(grant).lines if one.role == "staff"}

    assert staff() == {None}
    for other in (cast.manager.grant, cast.staff.grant, grant, cast.outsider.grant):
        if other != cast.outsider.grant:
            with pytest.raises(errors.GrantRefused):
                people.name_staff(other, named=True)
    people.name_staff(cast.outsider.grant, named=True)
    assert staff() == {None}, "another shop's owner decides for her own"
    people.name_staff(cast.owner.grant, named=True)
    assert staff() == {"ren"}
    assert people.naming(cast.manager.grant)
    people.name_staff(cast.owner.grant, named=False)
    assert staff() == {None}
    people.doctor()
    assert sql(
        vault,
        "SELECT note FROM vault.ledger_entry WHERE kind = 'right' AND shop_id = %s ORDER BY entry",
        SALON,
    ) == [("names:on",), ("names:off",)]


def test_it_gives_a_proof_that_holds_offline(
    fresh_cast: Cast,
    mail: Sink,
    vault: VaultProcess,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file and the key alone: the entry when it names nobody else, its fingerprint when it does."""
    cast, me = fresh_cast, fresh_cast.customers[0]
    alone = people.reveal(cast.staff.grant, Purpose.CUSTOMER, [me], ["name"]).entry
    together = people.reveal(cast.staff.grant, Purpose.TODAY, cast.customers[:3], ["name"]).entry
    people.send(SALON, me, "m1", subject="s", text="t")
    grant = enter(mail, customer(0)["mail"])
    letter = next(one.entry for one in people.lookups(grant).lines if one.kind == "send")
    key = (vault.ledger / "vkey").read_text().strip()

    def checked(entry: int) -> tuple[int, str, str]:
        file = tmp_path / "kept.tlog-proof"
        file.write_text(people.lookup_proof(grant, entry))
        code = noren_verify.main(["--key", key, "--proof", str(file)])
        return code, capsys.readouterr().out, file.read_text()

    code, out, _ = checked(letter)
    assert code == 0, out
    assert f"entry {letter} is in the ledger" in out
    assert f'"persons":["{me}"]' in out
    for entry in (alone, together):
        code, out, text = checked(entry)
        assert code == 0
        assert "fingerprint" in out
        assert "ren.salon" not in text + out
    people.name_staff(cast.owner.grant, named=True)
    _, out, _ = checked(alone)
    assert '"actor":"ren.salon"' in out
    _, out, _ = checked(together)
    assert "fingerprint" in out, "the others' ids stay the others'"


def test_it_refuses_a_forged_proof(
    fresh_cast: Cast,
    mail: Sink,
    vault: VaultProcess,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another entry's bytes in the extra line lead to no signed root, nor does another entry beside it."""
    people.send(SALON, fresh_cast.customers[0], "m1", subject="s", text="t")
    grant = enter(mail, customer(0)["mail"])
    one, two = [line.entry for line in people.lookups(grant).lines if line.kind == "send"][:2]
    texts = [people.lookup_proof(grant, entry).split("\n") for entry in (one, two)]
    forged = "\n".join([texts[0][0], texts[1][1], *texts[0][2:]])
    (tmp_path / "p").write_text(forged)
    key = (vault.ledger / "vkey").read_text().strip()
    assert noren_verify.main(["--key", key, "--proof", str(tmp_path / "p")]) == 1
    (tmp_path / "p").write_text("\n".join(texts[0]))
    (tmp_path / "e").write_text("{}")
    assert (
        noren_verify.main(["--key", key, "--proof", str(tmp_path / "p"), "--entry", str(tmp_path / "e")]) == 1
    )
    (tmp_path / "p").write_text("\n".join([texts[0][0], *texts[0][2:]]))
    assert noren_verify.main(["--key", key, "--proof", str(tmp_path / "p")]) == 2
    capsys.readouterr()


async def _entered(vault: Vault, mail: Sink, address: str) -> str:
    await ask(vault, "own_begin", shop=SALON, mail=address)
    await vault.proofs.stop()
    done = await ask(vault, "own_finish", shop=SALON, mail=address, code=_codes(mail, address)[-1])
    return str(done["grant"])


async def _incidents(vault: Vault, grant: str) -> list[tuple[int, bool]]:
    told = await ask(vault, "lookups", grant=grant)
    return [(one["entry"], one["late"]) for one in told["lookups"] if one["purpose"] == "incident"]


async def _investigate(vault: Vault, person: str, purpose: str = "incident") -> int:
    path = Path("first.operator", "pk-1", "s-1")
    return await vault.record.write(
        "intent", path, shop=SALON, purpose=purpose, persons=[person], fields=["name"]
    )


def test_it_withholds_an_open_investigation_and_tells_it_later(bench: Bench, mail: Sink) -> None:
    """Before it: told at once. During: withheld, its proof too. Closed: told, with the mark."""

    async def act(vault: Vault) -> None:
        rows = [{"key": "c", "fields": customer(0)}]
        me = (await ask(vault, "import", shop=SALON, rows=rows))["persons"]["c"]
        grant = await _entered(vault, mail, customer(0)["mail"])
        before = await _investigate(vault, me)
        bench.clock += 1
        await ask(vault, "open_investigation", name="case-1", shop=0)
        during = await _investigate(vault, me)
        usual = await _investigate(vault, me, "customer")
        assert await _incidents(vault, grant) == [(before, False)]
        told = await ask(vault, "lookups", grant=grant)
        assert usual in {one["entry"] for one in told["lookups"]}, "only its own purpose is withheld"
        with pytest.raises(NoSuchEntry):
            await ask(vault, "lookup_proof", grant=grant, entry=during)
        bench.clock += 1
        await ask(vault, "close_investigation", name="case-1")
        assert await _incidents(vault, grant) == [(during, True), (before, False)]
        await ask(vault, "lookup_proof", grant=grant, entry=during)
        for method in ("open_investigation", "close_investigation"):
            for name in ("case-1", "Not A Code"):
                with pytest.raises(InvestigationRefused):
                    await ask(vault, method, name=name, shop=0)

    bench.run(act)


def test_it_withholds_for_ninety_days_at_most_and_in_its_shop_alone(bench: Bench, mail: Sink) -> None:
    """An investigation that nobody closes hides nothing for longer; another shop's hides nothing here."""

    async def act(vault: Vault) -> None:
        rows = [{"key": "c", "fields": customer(0)}]
        me = (await ask(vault, "import", shop=SALON, rows=rows))["persons"]["c"]
        await ask(vault, "open_investigation", name="elsewhere", shop=YOGA)
        elsewhere = await _investigate(vault, me)
        grant = await _entered(vault, mail, customer(0)["mail"])
        assert await _incidents(vault, grant) == [(elsewhere, False)]
        bench.clock += 1
        await ask(vault, "open_investigation", name="here", shop=SALON)
        here = await _investigate(vault, me)
        bench.clock += rules.LONGEST_MS - 1
        grant = await _entered(vault, mail, customer(0)["mail"])
        assert await _incidents(vault, grant) == [(elsewhere, False)]
        bench.clock += 1
        assert await _incidents(vault, grant) == [(here, True), (elsewhere, False)]

    bench.run(act)


def test_it_tells_nothing_after_erasure(bench: Bench, mail: Sink) -> None:
    """Who was erased has no grant any more and gets no code: the link from address to id is gone."""

    async def act(vault: Vault) -> None:
        rows = [{"key": "c", "fields": customer(0)}]
        me = (await ask(vault, "import", shop=SALON, rows=rows))["persons"]["c"]
        grant = await _entered(vault, mail, customer(0)["mail"])
        async with vault._databases[0].transaction() as connection:
            await vault.records._people.destroy(connection, SALON, [me])
        with pytest.raises(GrantRefused):
            await ask(vault, "lookups", grant=grant)
        told = len(mail.messages)
        bench.clock += DAY
        await ask(vault, "own_begin", shop=SALON, mail=customer(0)["mail"])
        await vault.proofs.stop()
        assert len(mail.messages) == told

    bench.run(act)


def test_it_tells_the_last_time_of_what_it_does_not_list(bench: Bench, mail: Sink) -> None:
    """The text that is searched, and backups: in general words, with the last time, and in no line."""

    async def act(vault: Vault) -> None:
        rows = [{"key": "c", "fields": customer(0)}]
        me = (await ask(vault, "import", shop=SALON, rows=rows))["persons"]["c"]
        grant = await _entered(vault, mail, customer(0)["mail"])
        first = await ask(vault, "lookups", grant=grant)
        assert first["untold"] == {"search_build": None, "backup": None}
        bench.clock += 1000
        for kind, shop in (("search_build", SALON), ("backup", 0), ("search_build", YOGA)):
            await vault.record.write(kind, Path("vault"), shop=shop, persons=[me] if shop == SALON else [])
            bench.clock += 1000
        told = await ask(vault, "lookups", grant=grant)
        at = (bench.clock - 3000) / 1000
        assert told["untold"] == {"search_build": at, "backup": at + 1}
        assert told["lookups"] == first["lookups"]

    bench.run(act)


@pytest.mark.parametrize(
    ("kind", "actor", "role"),
    [
        ("intent", "person:a", "self"),
        ("update", "person:b", "customer"),
        ("put", "app", "booking"),
        ("import", "app", "import"),
        ("send", "app", "noren"),
        ("erase", "vault", "noren"),
        ("intent", "first.operator", "operator"),
        ("send", "admin", "administrator"),
        ("intent", "gone.salon", "other"),
    ],
)
def test_it_tells_other_people_by_their_role(kind: str, actor: str, role: str) -> None:
    """Nobody's id and nobody's handle is in a line, whoever acted."""
    act = rules.Act(1, 1, kind, actor, "", (), "", "", late=False)
    line = act.to_wire(["a"], {}, named=True)
    assert line["role"] == role
    assert actor not in [value for name, value in line.items() if name not in ("role", "kind")]


@pytest.mark.parametrize(
    ("actor", "persons", "named", "given"),
    [
        ("app", ["a"], False, True),
        ("person:a", ["a"], False, True),
        ("person:b", ["a"], True, False),
        ("ren.salon", ["a"], False, False),
        ("ren.salon", ["a"], True, True),
        ("ren.salon", ["a", "b"], True, False),
        ("app", ["a", "b"], False, False),
        ("first.operator", ["a"], True, False),
    ],
)
def test_it_gives_an_entry_whole_when_it_names_nobody_else(
    actor: str, persons: list[str], named: bool, given: bool
) -> None:
    """A handle is nearly a name, and another's id tells who was on a list together."""
    assert rules.whole(actor, persons, ["a"], named=named) is given
