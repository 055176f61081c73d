"""Where the vault's parts meet: what one of them gives, the others hold to."""

import asyncio

import psycopg
import pyotp
import pytest

from noren_vault.backups import erase_again
from noren_vault.errors import BadRequest, GrantExpired, GrantRefused, PasswordRefused
from noren_vault.floors import Floors
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON
from tests.vault.conftest import Bench, ask

REN = {"handle": "ren", "role": "staff", "staff": "ren", "name": "連", "mail": "ren@staff.example.jp"}
NOBODY = "00000000-0000-4000-8000-000000000000"
EVE = {"name": "伊部", "mail": "eve@example.com"}


def test_it_lets_nobody_stand_where_a_member_will(bench: Bench, mail: Sink) -> None:
    """No outside key is one of the vault's own: else a member's invitation went to a planted address."""

    async def act(vault: Vault) -> None:
        [owner] = await joined(vault, mail, "aoi")
        for key in ("member:ren.salon", "backup:20261127T000000Z-00000000"):
            with pytest.raises(BadRequest):
                await ask(vault, "put", shop=SALON, key=key, fields=EVE)
            with pytest.raises(BadRequest):
                await ask(vault, "import", shop=SALON, rows=[{"key": key, "fields": EVE}])
        await ask(vault, "add_member", grant=owner["grant"], member=REN)
        assert mail.messages[-1]["To"] == REN["mail"]

    bench.run(act)


def test_it_takes_the_vaults_own_shop_from_nobody(bench: Bench) -> None:
    """Shop 0 holds the backups' canaries: nobody outside puts, keeps, mails or proves anybody there."""

    async def act(vault: Vault) -> None:
        for method, params in (
            ("put", {"key": "k", "fields": EVE}),
            ("import", {"rows": [{"key": "k", "fields": EVE}]}),
            ("keep", {"person": NOBODY}),
            ("prove_begin", {"person": NOBODY, "session": "s"}),
            ("prove_finish", {"person": NOBODY, "code": "123456", "session": "s"}),
            ("own_begin", {"mail": EVE["mail"], "session": "s"}),
        ):
            with pytest.raises(BadRequest, match="shop"):
                await ask(vault, method, shop=0, **params)

    bench.run(act)


def test_it_ends_an_open_sign_in_with_the_password(bench: Bench, mail: Sink) -> None:
    """Who had the old password and waits before the second factor is out when the password is another one."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        begun = await ask(vault, "totp_begin", grant=signed["grant"])
        phone = pyotp.TOTP(begun["secret"])
        await ask(vault, "totp_finish", grant=signed["grant"], code=phone.generate_otp(bench.clock // 30_000))
        ticket = (await check(vault, "aoi"))["second"]
        await ask(vault, "password_set", grant=signed["grant"], password=OTHER, old=PASSWORD)
        bench.clock += 30_000
        with pytest.raises(PasswordRefused):
            await ask(vault, "totp_check", second=ticket, code=phone.generate_otp(bench.clock // 30_000))
        bench.clock += 30_000
        fresh = (await check(vault, "aoi", OTHER))["second"]
        code = phone.generate_otp(bench.clock // 30_000)
        assert (await ask(vault, "totp_check", second=fresh, code=code))["grant"]

    bench.run(act)


def test_it_counts_who_joined_by_password_as_joined(bench: Bench, mail: Sink) -> None:
    """In the list, as an owner who is written to, as a second person, and as the owner who stays."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        told = (await ask(vault, "members", grant=aoi["grant"]))["members"]
        assert [one["joined"] for one in told] == [True, True]
        assert len((await ask(vault, "owners", shop=SALON))["persons"]) == 2
        assert (await ask(vault, "budget", grant=aoi["grant"]))["next"] == "second_person"
        before = len(mail.messages)
        people = [
            {"handle": one, "role": "owner", "staff": one, "name": one, "mail": f"{one}@staff.example.jp"}
            for one in ("aoi", "mei")
        ]
        bench.clock += 30 * 24 * 3_600_000
        again = await ask(vault, "found_shop", shop=SALON, slug="salon", members=people)
        assert [one["mail"] for one in again["invited"]] == ["joined", "joined"]
        assert len(mail.messages) == before
        aoi = await check(vault, "aoi")
        ended = await ask(vault, "end_member", grant=aoi["grant"], handle="aoi.salon")
        assert ended["member"]["role"] is None

    bench.run(act)


def test_it_refuses_a_broken_grant_and_nobody_elses_with_it(bench: Bench, mail: Sink) -> None:
    """Grants that come at once are read together; one that is none must not take the others down."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        for broken in (f"{SALON}.\x00.x", f"{SALON}.{'0' * 17}.x", f"{SALON}.é.x"):
            answers = await asyncio.gather(
                ask(vault, "whoami", grant=broken),
                ask(vault, "whoami", grant=aoi["grant"]),
                return_exceptions=True,
            )
            assert isinstance(answers[0], GrantExpired)
            assert isinstance(answers[1], dict)

    bench.run(act)


def test_it_calls_a_text_with_a_null_a_bad_request(bench: Bench, mail: Sink) -> None:
    """PostgreSQL holds no U+0000: it is the asker's fault, and not the database that does not answer."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        for method, params in (
            ("end_member", {"grant": aoi["grant"], "handle": "a\x00.salon"}),
            ("decide_second", {"grant": aoi["grant"], "request": "\x00", "approve": True}),
            ("decide_message", {"shop": SALON, "message_key": "\x00", "decision": "leave"}),
            ("search", {"grant": aoi["grant"], "query": "\x00"}),
            ("scope", {"since": 0, "until": 1, "actor": "\x00"}),
        ):
            with pytest.raises(BadRequest):
                await ask(vault, method, **params)

    bench.run(act)


def test_it_records_who_was_right_and_works_there_no_more(bench: Bench, mail: Sink) -> None:
    """The right password of somebody whose membership has ended opens nothing, and is on record."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        await ask(vault, "end_member", grant=aoi["grant"], handle="mei.salon")
        with pytest.raises(GrantRefused):
            await check(vault, "mei")
        last = [entry for _, entry in vault.record.ledger.entries()][-1]
        assert (last.kind, last.note, last.actor, last.shop) == ("refused", "membership", "mei.salon", SALON)
        assert last.credential.startswith("pw-")

    bench.run(act)


def test_it_destroys_what_signs_in_with_who_is_erased_again(bench: Bench, mail: Sink) -> None:
    """An older database that was put back brings back nobody's mail or password either."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        person = (await ask(vault, "put", shop=SALON, key="x", fields=EVE))["person"]
        await ask(vault, "keep", shop=SALON, person=person)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.actor SET person = %s WHERE handle = 'aoi.salon'", [person])
            least = Floors()
            least.erase(SALON, person)
            parts = vault.records._database, vault.records._people
            assert await erase_again(*parts, vault.record, least) == 1
            rows = connection.execute(
                "SELECT (SELECT count(*) FROM keystore.signin_mail), (SELECT count(*) FROM vault.password)"
            ).fetchone()
        assert rows == (1, 1)
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi")
        assert await check(vault, "mei")

    bench.run(act)


def test_it_takes_no_endless_staff_key(bench: Bench, mail: Sink) -> None:
    """A staff key is a short one: it lies in clear, and goes out with each sign-in."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        for staff in ("x" * 201, "a\x00", 7):
            with pytest.raises(BadRequest):
                await ask(vault, "add_member", grant=aoi["grant"], member=REN | {"staff": staff})

    bench.run(act)
