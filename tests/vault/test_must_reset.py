"""A right password that is over: it signs nobody in, and leads through a mailed link to another one."""

import asyncio

import pytest

from noren_vault.errors import GrantExpired, PasswordRefused, ResetRequired
from noren_vault.resets import APART_MS
from noren_vault.vault import Vault
from noren_vault.visits import Visit
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import AOI, NEW, forgot, notes, rows, settled, tokens, with_codes


async def require(vault: Vault, *actors: str) -> None:
    """Require a reset, as a run over many accounts does: in a transaction of its own."""
    passwords = vault.resets._passwords
    async with passwords._database.transaction() as connection:
        await passwords.require_reset(connection, *actors)


def test_it_leads_a_right_password_through_a_reset(bench: Bench, mail: Sink) -> None:
    """The right password is told so and brings a mail; a wrong one is told what it always is."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        await require(vault, aoi["actor"]["id"])
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi", OTHER)
        assert not tokens(mail)
        with pytest.raises(ResetRequired) as caught:
            await check(vault, "aoi")
        assert caught.value.facts == {"breached": False}
        await settled(vault)
        [token] = tokens(mail)
        assert notes(vault, "refused") == ["password", "must_reset"]
        assert "grant" in await check(vault, "mei")
        await ask(vault, "reset_finish", token=token, password=NEW)
        assert "grant" in await check(vault, "aoi", NEW)
        assert rows(bench, "SELECT must_reset_since FROM vault.account_state") == [(None,)]

    bench.run(act)


def test_it_asks_for_no_code_before(bench: Bench, mail: Sink) -> None:
    """Also where a second factor is on; and a ticket that was given before signs in no more."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        totp = await with_codes(vault, bench, aoi["grant"])
        second = (await check(vault, "aoi"))["second"]
        await require(vault, aoi["actor"]["id"])
        with pytest.raises(ResetRequired):
            await check(vault, "aoi")
        bench.clock += 30_000
        code = totp.generate_otp(bench.clock // 30_000)
        with pytest.raises(PasswordRefused):
            await ask(vault, "totp_check", second=second, code=code)
        await settled(vault)

    bench.run(act)


def test_it_mails_in_the_pace_of_links(bench: Bench, mail: Sink) -> None:
    """Who tries again and again gets one link a minute, and the same answer each time."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await require(vault, aoi["actor"]["id"])
        for _ in range(3):
            with pytest.raises(ResetRequired):
                await check(vault, "aoi")
        await settled(vault)
        assert len(tokens(mail)) == 1
        bench.clock += APART_MS
        await forgot(vault)
        assert len(tokens(mail)) == 2

    bench.run(act)


def test_it_leaves_passkeys_alone(bench: Bench, mail: Sink) -> None:
    """A passkey signs in all the same, and an account without a password has nothing to reset."""

    async def act(vault: Vault) -> None:
        member = {"handle": "aoi", "role": "owner", "staff": "aoi", "name": "葵", "mail": AOI}
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[member])
        token, passkey = invitation_of(mail, AOI), Passkey()
        options = (await ask(vault, "register_begin", invite=token))["options"]
        aoi = await ask(vault, "register_finish", invite=token, response=passkey.create(options))
        await require(vault, aoi["actor"]["id"])
        assert rows(bench, "SELECT * FROM vault.account_state") == []
        await ask(vault, "password_set", grant=aoi["grant"], password=PASSWORD)
        await require(vault, aoi["actor"]["id"])
        with pytest.raises(ResetRequired):
            await check(vault, "aoi")
        options = (await ask(vault, "signin_begin"))["options"]
        signed = await ask(
            vault, "signin_finish", challenge=options["challenge"], response=passkey.get(options)
        )
        await ask(vault, "password_set", grant=signed["grant"], password=OTHER)
        assert "grant" in await check(vault, "aoi", OTHER)
        await settled(vault)

    bench.run(act)


@pytest.mark.parametrize("held", [True, False], ids=["held", "not held"])
def test_it_lets_no_sign_in_come_between(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """A sign-in under way ends before the reset is required, and its grant with the others.

    The twin, without the lock, shows the race: a grant that nobody ended.
    """
    if not held:
        monkeypatch.setattr("noren_vault.passwords._HOLD", b"SELECT %s::uuid[]")

    async def act(vault: Vault) -> bool:
        [aoi] = await joined(vault, mail, "aoi")
        actor, signin, went_on = aoi["actor"]["id"], vault.methods._signin, asyncio.Event()
        inside, issue = asyncio.Event(), signin.issue

        async def slow(*given: object, **named: object) -> str:
            inside.set()
            await went_on.wait()
            return await issue(*given, **named)  # type: ignore[arg-type]

        async def end() -> None:
            passwords = vault.resets._passwords
            async with passwords._database.transaction() as connection:
                await passwords.require_reset(connection, actor)
                await connection.execute(
                    b"UPDATE vault.access_grant SET revoked_at = 1 WHERE actor = %s", [actor]
                )

        monkeypatch.setattr(signin, "issue", slow)
        entering = asyncio.create_task(
            signin.admit(actor, _credential(bench), Visit(""), SALON, note="password")
        )
        await inside.wait()
        ending = asyncio.create_task(end())
        done, _ = await asyncio.wait({ending}, timeout=0.5)
        assert bool(done) is not held
        went_on.set()
        signed = await entering
        await ending
        try:
            await ask(vault, "whoami", grant=signed["grant"])
        except GrantExpired:
            return True
        return False

    assert bench.run(act) is held


def _credential(bench: Bench) -> str:
    [(credential,)] = rows(bench, "SELECT credential FROM vault.password")
    return str(credential)
