"""A code by mail proves an address and makes a customer's grant; a changed address is unproved."""

import re
from email.message import EmailMessage
from uuid import UUID, uuid4

import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault import proofs
from noren_vault.errors import CodeRefused
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.cast import SALON, YOGA, Cast, customer, in_at_once, in_parallel, sql
from tests.vault.conftest import Bench, ask

MINUTE = 60_000


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def _codes(mail: Sink, address: str) -> list[str]:
    """The codes that were mailed to this address, oldest first."""
    found = [re.search(r": (\d{6})", _body(one)) for one in mail.messages if one["To"] == address]
    return [match[1] for match in found if match is not None]


def _code(mail: Sink, person: UUID, address: str) -> str:
    """Ask for a code and wait for it."""
    before = len(_codes(mail, address))
    people.prove_begin(SALON, person)
    wait_for(lambda: len(_codes(mail, address)) > before)
    return _codes(mail, address)[-1]


def test_it_gives_a_customer_her_own_data_and_nothing_else(cast: Cast, module_vault: VaultProcess) -> None:
    """Her grant opens and writes her own name, kana, mail and phone; nobody else's, and no list."""
    me, other = cast.customers[:2]
    signed = in_at_once(
        people.prove_finish(SALON, me, _code(cast.mail, me, customer(0)["mail"]), session="s1")
    )
    grant, own = signed.grant, ["name", "kana", "mail", "phone"]
    assert (signed.who.role, signed.who.shop_id, people.whoami(grant).person) == ("customer", SALON, me)
    assert people.reveal(grant, Purpose.OWN, [me, other], own).persons == {me: customer(0)}
    people.update(grant, me, {"phone": "090-9999-0000"})
    assert people.reveal(grant, Purpose.OWN, [me], ["phone"]).persons[me]["phone"] == "090-9999-0000"
    for act in (
        lambda: people.reveal(grant, Purpose.OWN, [other], own),
        lambda: people.update(grant, other, {"phone": "090-9999-0000"}),
    ):
        with pytest.raises(errors.NoSuchPerson):
            act()
    for purpose in (Purpose.TODAY, Purpose.CUSTOMER, Purpose.CHECK_IN):
        with pytest.raises(errors.PurposeRefused):
            people.reveal(grant, purpose, [me], ["name"])
    for act in (
        lambda: people.reveal(grant, Purpose.OWN, [me], ["note"]),
        lambda: people.update(grant, me, {"note": "x"}),
        lambda: people.search(grant, customer(1)["name"]),
    ):
        with pytest.raises(errors.PurposeRefused):
            act()
    for refused in (
        lambda: people.members(grant),
        lambda: people.narrow(grant, "staff", "today", []),
        lambda: people.ask_second(grant, reason="x", amount=1, minutes=1),
    ):
        with pytest.raises(errors.GrantRefused):
            refused()
    people.doctor()
    kinds = sql(
        module_vault,
        "SELECT kind, note FROM vault.ledger_entry WHERE actor = %s ORDER BY entry LIMIT 4",
        f"person:{me}",
    )
    assert kinds == [("prove", "proved"), ("signin", ""), ("bounce", "good"), ("intent", "")]


def test_it_debits_nobody_for_her_own_data(cast: Cast) -> None:
    """Who looks at herself uses no budget of the shop."""
    me = cast.customers[2]
    grant = in_at_once(people.prove_finish(SALON, me, _code(cast.mail, me, customer(2)["mail"]))).grant
    before = people.standing(cast.owner.grant).budget
    assert people.reveal(grant, Purpose.OWN, [me], ["name", "mail"]).budget.today == 0
    assert people.standing(cast.owner.grant).budget == before


def test_it_says_nothing_of_who_is_there(cast: Cast) -> None:
    """A person without an address, another shop's and nobody look the same, at the beginning and the end."""
    [silent] = people.import_rows(SALON, [people.Row("silent", {"name": "無口"})]).persons.values()
    told = len(cast.mail.messages)
    for shop, person in ((SALON, silent), (YOGA, cast.customers[3]), (SALON, uuid4()), (999, uuid4())):
        people.prove_begin(shop, person)
        with pytest.raises(errors.CodeRefused) as refusal:
            people.prove_finish(shop, person, "000000")
        assert refusal.value.facts == {}
    assert len(cast.mail.messages) == told


def test_it_takes_a_code_once(cast: Cast) -> None:
    """Twenty at the same time with the same right code: one grant."""
    me = cast.customers[4]
    code = _code(cast.mail, me, customer(4)["mail"])

    def finish(_: int) -> bool:
        try:
            people.prove_finish(SALON, me, code)
        except errors.CodeRefused:
            return False
        return True

    assert sum(in_parallel(20, finish)) == 1


def test_it_allows_five_tries(cast: Cast) -> None:
    """After five wrong ones the right code is refused as well; a wrong one tells nothing."""
    me = cast.customers[5]
    code = _code(cast.mail, me, customer(5)["mail"])
    for number in range(proofs.TRIES):
        with pytest.raises(errors.CodeRefused):
            people.prove_finish(SALON, me, f"{(int(code) + number + 1) % 10**6:06d}")
    with pytest.raises(errors.CodeRefused):
        people.prove_finish(SALON, me, code)


def test_it_keeps_no_code(cast: Cast, module_vault: VaultProcess) -> None:
    """What is stored of a code is not it, nor a hash that a copy of the database could try."""
    me = cast.customers[6]
    code = _code(cast.mail, me, customer(6)["mail"])
    [(stored,)] = sql(module_vault, "SELECT hash FROM vault.code WHERE person = %s", me)
    assert code not in str(sql(module_vault, "SELECT * FROM vault.message, vault.code"))
    assert code not in str(sql(module_vault, "SELECT * FROM vault.ledger_entry"))
    assert len(stored) == 32


def test_it_names_nobody_to_a_changed_address(cast: Cast, module_vault: VaultProcess) -> None:
    """A changed address gets the neutral form until it is proved; the first one is the person's own word."""
    me, new = cast.customers[7], "new7@example.jp"

    def letter(key: str) -> str:
        people.send(
            SALON, me, key, subject="{name}", text="Dear {name}, {kana}!", neutral={"Dear {name},": "Hello"}
        )
        message = cast.mail.messages[-1]
        return f"{message['To']}|{message['Subject']}|{_body(message).strip()}"

    assert (
        letter("k1")
        == f"{customer(7)['mail']}|{customer(7)['name']}|Dear {customer(7)['name']}, {customer(7)['kana']}!"
    )
    people.update(cast.staff.grant, me, {"mail": new})
    assert letter("k2") == f"{new}||Hello !"
    people.prove_finish(SALON, me, _code(cast.mail, me, new))
    assert letter("k3").startswith(f"{new}|{customer(7)['name']}|Dear")
    people.doctor()
    fields = sql(
        module_vault,
        "SELECT fields FROM vault.ledger_entry WHERE kind = 'send' AND ref LIKE 'k_' ORDER BY entry",
    )
    assert fields == [(["kana", "mail", "name"],), (["mail"],), (["kana", "mail", "name"],)]


def test_it_counts_an_address_that_came_later_as_changed(cast: Cast) -> None:
    """Who had none and was given one by staff did not say it herself."""
    [silent] = people.import_rows(SALON, [people.Row("late", {"name": "遅い"})]).persons.values()
    people.update(cast.staff.grant, silent, {"mail": "late@example.jp"})
    people.send(SALON, silent, "late1", subject="s", text="[{name}]")
    assert _body(cast.mail.messages[-1]).strip() == "[]"


def test_it_believes_a_correction_while_she_books(cast: Cast) -> None:
    """A provisional person's second put is still her own word: the form was sent again."""
    fields = {"name": "花子", "mail": "typo@example.jp"}
    person = people.put(SALON, "hold:9", fields)
    assert people.put(SALON, "hold:9", {**fields, "mail": "right@example.jp"}) == person
    people.send(SALON, person, "p1", subject="s", text="[{name}]")
    assert (cast.mail.messages[-1]["To"], _body(cast.mail.messages[-1]).strip()) == (
        "right@example.jp",
        "[花子]",
    )


def test_it_ends_what_the_old_address_gave(cast: Cast) -> None:
    """When staff change the address, the old one's grant and code end; her own change keeps her own grant."""
    me, old = cast.customers[8], customer(8)["mail"]
    first = in_at_once(people.prove_finish(SALON, me, _code(cast.mail, me, old))).grant
    people.update(first, me, {"mail": "own8@example.jp"})
    assert people.whoami(first).role == "customer"
    people.update(cast.staff.grant, me, {"mail": "staff8@example.jp"})
    with pytest.raises(errors.GrantExpired):
        people.reveal(first, Purpose.OWN, [me], ["mail"])


async def _booked(vault: Vault) -> str:
    done = await ask(vault, "import", shop=SALON, rows=[{"key": "c", "fields": customer(0)}])
    return str(done["persons"]["c"])


async def _begin(vault: Vault, person: str) -> None:
    await ask(vault, "prove_begin", shop=SALON, person=person)
    await vault.proofs.stop()


def test_it_paces_codes(bench: Bench, mail: Sink) -> None:
    """One a minute and five an hour for a person, however often they are asked for."""
    address = customer(0)["mail"]

    async def act(vault: Vault) -> list[int]:
        person = await _booked(vault)
        counts = []
        for minutes in (0, 0.5, 1, 2, 3, 4, 5, 59, 60, 61):
            bench.clock = 1_790_000_000_000 + int(minutes * MINUTE)
            await _begin(vault, person)
            counts.append(len(_codes(mail, address)))
        return counts

    assert bench.run(act) == [1, 1, 2, 3, 4, 5, 5, 5, 6, 7]


@pytest.mark.parametrize("why", ["late", "changed", "erased", "restarted", "right"])
def test_it_refuses_a_code_that_is_over(bench: Bench, mail: Sink, why: str) -> None:
    """After ten minutes, for an address that changed, for an erased person, and after a restart."""
    known: list[str] = []

    async def begin(vault: Vault) -> None:
        known.append(await _booked(vault))
        await _begin(vault, known[0])
        if why == "changed":
            await vault._databases[0].run("UPDATE vault.code SET version = version + 1")
        if why == "erased":
            async with vault._databases[0].transaction() as connection:
                await vault.records._people.destroy(connection, SALON, known)
        bench.clock += proofs.CODE_LIFE_MS - (0 if why == "late" else 1)
        if why != "restarted":
            await finish(vault)

    async def finish(vault: Vault) -> None:
        code = _codes(mail, customer(0)["mail"])[-1]
        if why == "right":
            assert (await ask(vault, "prove_finish", shop=SALON, person=known[0], code=code))["grant"]
            return
        with pytest.raises(CodeRefused):
            await ask(vault, "prove_finish", shop=SALON, person=known[0], code=code)

    bench.run(begin)
    if why == "restarted":
        bench.run(finish)
