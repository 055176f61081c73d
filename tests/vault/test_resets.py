"""Another password by a mailed link: who gets one, how often, and what ends with it."""

import asyncio
import secrets
from typing import Any

import psycopg
import pytest

from noren_vault import levels
from noren_vault.errors import (
    BadPassword,
    ChallengeNeeded,
    GrantExpired,
    LedgerUnavailable,
    OwnPasswordRefused,
    PasswordRefused,
    ResetRefused,
)
from noren_vault.puzzles import solve
from noren_vault.resets import APART_MS, LIFE_MS
from noren_vault.signin_mails import FORMER_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import (
    AOI,
    NEW,
    bodies,
    forgot,
    known_to,
    notes,
    rows,
    settled,
    tokens,
    until,
    with_codes,
)

CHANGED = "Your password was changed"


def changed(mail: Sink, address: str) -> int:
    """How many notices of a changed password went to an address."""
    return sum(CHANGED in str(message["Subject"]) for message in mail.messages if message["To"] == address)


def test_it_sets_another_password_by_the_mailed_link(bench: Bench, mail: Sink) -> None:
    """The link goes where the account signs in; the old password is over, the new one signs in."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await forgot(vault, " AOI@Staff.Example.jp ")
        [token] = tokens(mail)
        done = await ask(vault, "reset_finish", token=token, password=NEW)
        assert done == {"actor": aoi["actor"]["id"], "shop": SALON, "kind": "member"}
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi")
        assert "grant" in await check(vault, "aoi", NEW)
        assert notes(vault, "prove") == ["reset_asked", "reset_mailed"]
        assert notes(vault, "register") == ["password", "password_reset"]

    bench.run(act)


def test_it_signs_in_nobody_and_ends_every_grant(bench: Bench, mail: Sink) -> None:
    """What was signed in, by password or passkey, has ended; the answer holds no grant. Others stay in."""

    async def act(vault: Vault) -> None:
        aoi, mei = await joined(vault, mail, "aoi", "mei")
        again = await check(vault, "aoi")
        await forgot(vault)
        done = await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        assert "grant" not in done
        for one in (aoi, again):
            with pytest.raises(GrantExpired):
                await ask(vault, "whoami", grant=one["grant"])
        assert await ask(vault, "whoami", grant=mei["grant"])

    bench.run(act)


def test_it_keeps_the_second_factor(bench: Bench, mail: Sink) -> None:
    """After a reset the code is asked for as before; 8 characters are enough beside it."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        totp = await with_codes(vault, bench, aoi["grant"])
        await forgot(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[0], password="kayak.42")
        second = await check(vault, "aoi", "kayak.42")
        assert set(second) == {"second"}
        bench.clock += 30_000
        code = totp.generate_otp(bench.clock // 30_000)
        assert "grant" in await ask(vault, "totp_check", second=second["second"], code=code)

    bench.run(act)


def test_it_takes_a_link_once_and_for_an_hour(bench: Bench, mail: Sink) -> None:
    """Used, over, of chance, empty: one refusal, on record. A refused password leaves the link good."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await forgot(vault)
        [token] = tokens(mail)
        bench.clock += LIFE_MS - 1
        with pytest.raises(BadPassword):
            await ask(vault, "reset_finish", token=token, password="short")
        await ask(vault, "reset_finish", token=token, password=NEW)
        bench.clock += 1
        await forgot(vault)
        late = tokens(mail)[1]
        bench.clock += LIFE_MS
        for wrong in (token, late, "x" * 43, "", "x" * 5000, 7, None):
            with pytest.raises(ResetRefused):
                await ask(vault, "reset_finish", token=wrong, password=OTHER)
        assert notes(vault, "refused").count("reset") == 7
        assert "grant" in await check(vault, "aoi", NEW)

    bench.run(act)


def test_it_takes_a_link_once_however_many_try_at_once(bench: Bench, mail: Sink) -> None:
    """Of ten at the same moment one sets its password."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await forgot(vault)
        [token] = tokens(mail)
        tries = [ask(vault, "reset_finish", token=token, password=f"{NEW} {n}") for n in range(10)]
        ended = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, dict) for one in ended) == 1
        assert sum(isinstance(one, ResetRefused) for one in ended) == 9

    bench.run(act)


def test_it_takes_one_of_two_links_at_once(bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two links of one account at the same moment, and a change beside them: none waits in a ring."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await forgot(vault)
        bench.clock += APART_MS
        await forgot(vault)
        store = vault.resets._passwords.store

        async def slow(*given: Any) -> None:
            await asyncio.sleep(0.3)
            await store(*given)

        monkeypatch.setattr(vault.resets._passwords, "store", slow)
        tries = [ask(vault, "reset_finish", token=token, password=NEW) for token in tokens(mail)]
        change = ask(vault, "password_set", old=PASSWORD, grant=aoi["grant"], password=OTHER)
        ended = await asyncio.gather(*tries, change, return_exceptions=True)
        assert not [
            one
            for one in ended
            if not isinstance(one, dict | ResetRefused | GrantExpired | OwnPasswordRefused)
        ]
        assert sum(isinstance(one, ResetRefused) for one in ended[:2]) >= 1
        await settled(vault)

    bench.run(act)


def test_it_ends_open_links_with_any_new_password(bench: Bench, mail: Sink) -> None:
    """Who set another password otherwise, or by one link, is not overtaken by a link mailed before."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await forgot(vault)
        bench.clock += APART_MS
        await forgot(vault)
        first, second = tokens(mail)
        await ask(vault, "reset_finish", token=first, password=NEW)
        with pytest.raises(ResetRefused):
            await ask(vault, "reset_finish", token=second, password=OTHER)
        bench.clock += APART_MS
        await forgot(vault)
        aoi = await check(vault, "aoi", NEW)
        await ask(vault, "password_set", old=NEW, grant=aoi["grant"], password=OTHER)
        with pytest.raises(ResetRefused):
            await ask(vault, "reset_finish", token=tokens(mail)[2], password=NEW)

    bench.run(act)


def test_it_mails_nobody_else(bench: Bench, mail: Sink) -> None:
    """An unknown mail, another shop's, one whose membership ended: the same answer, and no mail."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        await ask(vault, "end_member", grant=aoi["grant"], handle="mei.salon")
        before = len(mail.messages)
        for typed, shop in (
            ("nobody@example.jp", SALON),
            (AOI, YOGA),
            ("mei@staff.example.jp", SALON),
            ("no address", SALON),
        ):
            await forgot(vault, typed, shop)
        assert len(mail.messages) == before
        assert notes(vault, "prove") == ["reset_asked"] * 4

    bench.run(act)


def test_it_makes_one_link_a_minute_and_five_an_hour(bench: Bench, mail: Sink) -> None:
    """More are asked for silently, also all at once; after an hour there is one again."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await asyncio.gather(*(ask(vault, "reset_begin", shop=SALON, mail=AOI) for _ in range(4)))
        await settled(vault)
        assert len(tokens(mail)) == 1
        bench.clock += APART_MS - 1
        await forgot(vault)
        assert len(tokens(mail)) == 1
        for _ in range(9):
            bench.clock += APART_MS
            await forgot(vault)
        assert len(tokens(mail)) == 5
        assert set(notes(vault, "refused")) == {"reset_pace"}
        bench.clock += 3_600_000
        await forgot(vault)
        assert len(tokens(mail)) == 6

    bench.run(act)


def test_it_asks_who_has_many_links_mailed(bench: Bench, mail: Sink) -> None:
    """Twenty asked for from one address: then a puzzle, whoever is asked about; from elsewhere nothing."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        here: dict[str, Any] = {"address": "192.0.2.5"}
        for number in range(levels.ADDRESS.short):
            await forgot(vault, f"nobody{number}@example.jp", **here)
        facts = []
        for typed in ("nobody@example.jp", AOI):
            with pytest.raises(ChallengeNeeded) as caught:
                await forgot(vault, typed, **here)
            facts.append(caught.value.facts)
        assert (facts[0]["bits"], facts[0]["wait"]) == (facts[1]["bits"], facts[1]["wait"])
        assert not tokens(mail)
        assert len(notes(vault, "prove")) == levels.ADDRESS.short
        await forgot(vault, proof=solve(facts[1]["challenge"], facts[1]["bits"]), **here)
        assert len(tokens(mail)) == 1
        bench.clock += APART_MS
        await forgot(vault, address="192.0.3.5")
        assert len(tokens(mail)) == 2

    bench.run(act)


def test_it_forgets_the_browsers_that_were_known(bench: Bench, mail: Sink) -> None:
    """Who had the old password had perhaps a browser, too; of another account none is forgotten."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        own = secrets.token_urlsafe(32)
        for one in ("aoi", "mei"):
            await check(vault, one, known=own)
        await forgot(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        assert known_to(bench) == ["mei.salon"]

    bench.run(act)


def test_it_tells_who_has_no_password(bench: Bench, mail: Sink) -> None:
    """An account with a passkey only is told so by mail, and gets no link: it has no weaker way in."""

    async def act(vault: Vault) -> None:
        member = {"handle": "aoi", "role": "owner", "staff": "aoi", "name": "葵", "mail": AOI}
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[member])
        token = invitation_of(mail, AOI)
        options = (await ask(vault, "register_begin", invite=token))["options"]
        await ask(vault, "register_finish", invite=token, response=Passkey().create(options))
        await forgot(vault)
        assert not tokens(mail)
        assert "your account has none" in bodies(mail, AOI)[-1]
        await forgot(vault)
        assert len(bodies(mail, AOI)) == 2

    bench.run(act)


# -- what is told, and where


def test_it_tells_the_address_that_was_lately_replaced(bench: Bench, mail: Sink) -> None:
    """A link goes to the mail of now; that the password changed is told the former one for 30 days, too."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        await ask(vault, "password_set", old=PASSWORD, grant=aoi["grant"], password=OTHER)
        # As a change of the account's own mail will leave it: Mei's field is now Aoi's.
        rows(
            bench,
            "UPDATE vault.actor SET person = (SELECT person FROM vault.actor WHERE handle = 'mei.salon') "
            "WHERE handle = 'aoi.salon'",
        )
        rows(
            bench,
            "DELETE FROM keystore.signin_mail USING vault.actor a "
            "WHERE a.actor = signin_mail.actor AND a.handle = 'mei.salon'",
        )
        await ask(vault, "password_set", old=OTHER, grant=aoi["grant"], password=PASSWORD)
        await forgot(vault)
        assert not tokens(mail)
        await forgot(vault, "mei@staff.example.jp")
        assert not tokens(mail)
        [token] = tokens(mail, "mei@staff.example.jp")
        await ask(vault, "reset_finish", token=token, password=NEW)
        await settled(vault)
        assert (changed(mail, AOI), changed(mail, "mei@staff.example.jp")) == (1, 1)
        bench.clock += FORMER_MS
        await forgot(vault, "mei@staff.example.jp")
        await ask(vault, "reset_finish", token=tokens(mail, "mei@staff.example.jp")[-1], password=OTHER)
        await settled(vault)
        assert (changed(mail, AOI), changed(mail, "mei@staff.example.jp")) == (1, 2)
        await vault.resets.tidy()
        assert rows(bench, "SELECT count(*) FROM keystore.former_mail") == [(0,)]
        assert rows(bench, "SELECT count(*) FROM vault.reset") == [(1,)]

    bench.run(act)


def test_it_mails_to_the_address_as_it_is_written(bench: Bench, mail: Sink) -> None:
    """Compared, capitals are small; mailed, the address is the person's own: some mailboxes mind."""
    written = "Aoi.Sato@Staff.example.jp"

    async def act(vault: Vault) -> None:
        member = {"handle": "aoi", "role": "owner", "staff": "aoi", "name": "葵", "mail": written}
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[member])
        await ask(vault, "password_set", invite=invitation_of(mail, written), password=PASSWORD)
        await forgot(vault, "AOI.sato@staff.example.jp")
        assert len(tokens(mail, written)) == 1
        assert {str(message["To"]) for message in mail.messages} == {written}

    bench.run(act)


def test_it_names_nobody_in_its_mails(bench: Bench, mail: Sink) -> None:
    """Neither name nor handle stands in a link's mail or in the notice; the link is of the set origin."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        before = len(mail.messages)
        await forgot(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        await settled(vault)
        assert len(mail.messages) == before + 2
        for body in bodies(mail, AOI)[-2:]:
            assert "aoi" not in body
            assert "{" not in body
            assert "http://localhost:8000/password/" in body

    bench.run(act)


def test_it_records_that_a_letter_went(bench: Bench, mail: Sink) -> None:
    """A link's mail is a `send` of the person's mail address, with its outcome, as any other."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await forgot(vault)
        [(person,)] = rows(bench, "SELECT person::text FROM vault.actor WHERE actor = %s", aoi["actor"]["id"])
        entries = dict(vault.record.ledger.entries())
        at, sent = next((at, one) for at, one in entries.items() if one.ref.startswith("reset:"))
        assert (sent.kind, sent.persons, sent.fields) == ("send", (person,), ("mail",))
        assert [one.note for one in entries.values() if one.kind == "outcome" and one.ref == str(at)] == [
            "sent"
        ]

    bench.run(act)


def test_it_tries_a_notice_again(bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not ready gets the notice later; the vault's end does not wait for that."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await forgot(vault)
        monkeypatch.setattr("noren_vault.resets._AGAIN", (0.05, 60.0))
        mail.refuse = "451 4.3.0 not now"
        await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        await until(lambda: bool(rows(bench, "SELECT 1 FROM vault.message WHERE state = 'deferred'")))
        mail.refuse = None
        await settled(vault)
        assert changed(mail, AOI) == 1
        await forgot(vault)

    bench.run(act)


def test_it_gives_the_same_answer_when_nothing_can_be_written(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a ledger asking is refused for known and unknown alike, and no password is set."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await forgot(vault)

        async def full(*_: object, **__: object) -> int:
            raise LedgerUnavailable("no room", reason="disk_full")

        with monkeypatch.context() as patch:
            patch.setattr(vault.record, "write", full)
            for typed in (AOI, "nobody@example.jp"):
                with pytest.raises(LedgerUnavailable):
                    await ask(vault, "reset_begin", shop=SALON, mail=typed)
            with pytest.raises(LedgerUnavailable):
                await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        assert "grant" in await check(vault, "aoi")

    bench.run(act)


def test_it_keeps_no_token(bench: Bench, mail: Sink) -> None:
    """In the vault's database is a hash of the link's token, which is of 256 bits, and no token."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await forgot(vault)
        [token] = tokens(mail)
        assert len(token) == 43
        for (table,) in rows(
            bench,
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace IN ('vault'::regnamespace, 'keystore'::regnamespace)",
        ):
            whole: list[Any] = rows(bench, f"SELECT t::text FROM {table} t")  # noqa: S608 - the catalogue's name
            assert not [row for (row,) in whole if token in row]

    bench.run(act)


def test_it_resets_a_customers_password(bench: Bench, mail: Sink) -> None:
    """An account of a customer with a password and a sign-in mail is reset in the same way."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        person = (
            await ask(vault, "put", shop=SALON, key="x", fields={"name": "客", "mail": "kyaku@example.jp"})
        )["person"]
        await ask(vault, "keep", shop=SALON, person=person)
        # As a customer's account will be: an actor of her own, found by its mail.
        rows(
            bench,
            "UPDATE vault.actor SET kind = 'customer', person = %s WHERE handle = 'aoi.salon'",
            person,
        )
        await forgot(vault)
        [token] = tokens(mail)
        assert (await ask(vault, "reset_finish", token=token, password=NEW))["kind"] == "customer"
        await settled(vault)
        assert (changed(mail, AOI), changed(mail, "kyaku@example.jp")) == (1, 1)
        bench.clock += APART_MS
        await forgot(vault)
        await ask(vault, "erase", shop=SALON, person=person, reason="asked")
        for table in ("vault.reset", "keystore.signin_mail", "vault.account_state", "vault.password"):
            query = f"SELECT count(*) FROM {table}"  # noqa: S608 - one of the above
            assert rows(bench, query) == [(0,)]
        with pytest.raises(ResetRefused):
            await ask(vault, "reset_finish", token=tokens(mail)[-1], password=OTHER)

    bench.run(act)


def test_it_holds_former_mails_in_a_rotation(bench: Bench, mail: Sink) -> None:
    """A new pepper comes under a former mail as under every other; the old one is withdrawn after it."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        [(pepper,)] = rows(bench, "SELECT pepper FROM keystore.signin_mail")
        for _ in range(3):
            rows(
                bench,
                "INSERT INTO keystore.former_mail (actor, until, sealed, pepper) "
                "SELECT actor, %s, overlay(sealed PLACING sealed FROM 1), pepper FROM keystore.signin_mail "
                "ON CONFLICT DO NOTHING",
                bench.clock + FORMER_MS,
            )
        task = asyncio.create_task(vault.keeping.rotation.work_forever())
        try:
            await ask(vault, "rotate_keys", what="pepper")
            left = "SELECT 1 FROM keystore.former_mail WHERE pepper = %s"
            await until(lambda: not rows(bench, left, pepper))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await vault.resets._mails.told(aoi["actor"]["id"]) == [AOI]
        with pytest.raises(psycopg.errors.CheckViolation):
            rows(bench, "UPDATE keystore.former_mail SET pepper = %s", pepper)

    bench.run(act)
