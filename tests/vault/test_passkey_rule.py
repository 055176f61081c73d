"""A shop that asks its people for passkeys: whose passwords it takes no more, and how they come to one."""

from typing import Any

import pytest

from noren_vault.errors import (
    BadRequest,
    CodeRefused,
    FreshSignInNeeded,
    GrantRefused,
    InviteRefused,
    PasskeyRequired,
)
from noren_vault.password_signin import FRESH_MS
from noren_vault.resets import LIFE_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.authenticator import Passkey
from tests.vault.cast import invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import passkey_tokens, settled, with_codes

REN = {"handle": "ren", "role": "staff", "staff": "ren", "name": "蓮", "mail": "ren@staff.example.jp"}


async def staffed(vault: Vault, mail: Sink) -> tuple[dict[str, Any], dict[str, Any]]:
    """Aoi, an owner, and Ren of the staff, each with a password."""
    [aoi] = await joined(vault, mail, "aoi")
    await ask(vault, "add_member", grant=aoi["grant"], member=REN)
    ren = await ask(vault, "password_set", invite=invitation_of(mail, REN["mail"]), password=PASSWORD)
    return aoi, ren


def test_it_takes_no_password_of_the_roles_it_names(bench: Bench, mail: Sink) -> None:
    """From the next sign-in on, and of no others; open sessions go on, and the owner can take it back."""

    async def act(vault: Vault) -> None:
        aoi, ren = await staffed(vault, mail)
        assert await ask(vault, "passkey_rule", grant=aoi["grant"]) == {"roles": []}
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        assert await ask(vault, "passkey_rule", grant=aoi["grant"]) == {"roles": ["staff"]}
        with pytest.raises(PasskeyRequired):
            await check(vault, "ren")
        assert "grant" in await check(vault, "aoi")
        assert await ask(vault, "whoami", grant=ren["grant"])
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=[])
        assert "grant" in await check(vault, "ren")
        rights = [one for _, one in vault.record.ledger.entries() if one.kind == "right"]
        assert [(one.note, one.ref, one.actor) for one in rights] == [
            ("passkeys", "staff", "aoi.salon"),
            ("passkeys", "", "aoi.salon"),
        ]
        await settled(vault)

    bench.run(act)


def test_it_leads_to_a_passkey_by_mail(bench: Bench, mail: Sink) -> None:
    """All right, and no passkey: a link to the account's own mail makes one, once, within an hour."""

    async def act(vault: Vault) -> None:
        aoi, _ = await staffed(vault, mail)
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        with pytest.raises(PasskeyRequired) as caught:
            await check(vault, "ren")
        assert caught.value.facts == {"enrolled": False, "mailed": True}
        await settled(vault)
        [token] = passkey_tokens(mail, REN["mail"])
        with pytest.raises(PasskeyRequired):
            await ask(vault, "password_set", invite=token, password=OTHER)
        # Not by it either once the shop asks no more: it adds a passkey and nothing else.
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=[])
        with pytest.raises(PasskeyRequired):
            await ask(vault, "password_set", invite=token, password=OTHER)
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        bench.clock += LIFE_MS - 1
        options = (await ask(vault, "register_begin", invite=token))["options"]
        passkey = Passkey()
        signed = await ask(vault, "register_finish", invite=token, response=passkey.create(options))
        assert signed["actor"]["handle"] == "ren.salon"
        with pytest.raises(PasskeyRequired) as caught:
            await check(vault, "ren")
        assert caught.value.facts == {"enrolled": True, "mailed": False}
        await settled(vault)
        assert len(passkey_tokens(mail, REN["mail"])) == 1
        with pytest.raises(InviteRefused):
            await ask(vault, "register_begin", invite=token)

    bench.run(act)


def test_it_ends_that_link_after_an_hour(bench: Bench, mail: Sink) -> None:
    """A link of an hour ago makes no passkey; another try with the password brings another."""

    async def act(vault: Vault) -> None:
        aoi, _ = await staffed(vault, mail)
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        for number in range(2):
            with pytest.raises(PasskeyRequired):
                await check(vault, "ren")
            await settled(vault)
            assert len(passkey_tokens(mail, REN["mail"])) == number + 1
            bench.clock += LIFE_MS
            with pytest.raises(InviteRefused):
                await ask(vault, "register_begin", invite=passkey_tokens(mail, REN["mail"])[-1])

    bench.run(act)


def test_it_mails_a_link_after_the_second_factor_only(bench: Bench, mail: Sink) -> None:
    """With one-time codes on, the password alone brings a ticket; only the code brings the link."""

    async def act(vault: Vault) -> None:
        aoi, ren = await staffed(vault, mail)
        totp = await with_codes(vault, bench, ren["grant"])
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        second = (await check(vault, "ren"))["second"]
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=second, code="x")
        await settled(vault)
        assert not passkey_tokens(mail, REN["mail"])
        bench.clock += 30_000
        code = totp.generate_otp(bench.clock // 30_000)
        with pytest.raises(PasskeyRequired):
            await ask(vault, "totp_check", second=second, code=code)
        await settled(vault)
        assert len(passkey_tokens(mail, REN["mail"])) == 1

    bench.run(act)


def test_it_lets_nobody_join_by_a_password_there(bench: Bench, mail: Sink) -> None:
    """An invitation to a role it names makes a passkey, and no password."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["staff"])
        await ask(vault, "add_member", grant=aoi["grant"], member=REN)
        invite = invitation_of(mail, REN["mail"])
        with pytest.raises(PasskeyRequired) as caught:
            await ask(vault, "password_set", invite=invite, password=PASSWORD)
        assert caught.value.facts == {"enrolled": False, "mailed": False}
        options = (await ask(vault, "register_begin", invite=invite))["options"]
        assert await ask(vault, "register_finish", invite=invite, response=Passkey().create(options))

    bench.run(act)


def test_it_is_an_owners_word(bench: Bench, mail: Sink) -> None:
    """Staff neither read nor change it, a manager reads it, and an owner changes it just after signing in."""

    async def act(vault: Vault) -> None:
        aoi, ren = await staffed(vault, mail)
        for method in ("passkey_rule", "require_passkeys"):
            with pytest.raises(GrantRefused):
                await ask(vault, method, grant=ren["grant"], roles=[])
        await ask(vault, "change_member", grant=aoi["grant"], handle="ren.salon", role="manager")
        assert await ask(vault, "passkey_rule", grant=ren["grant"]) == {"roles": []}
        with pytest.raises(GrantRefused):
            await ask(vault, "require_passkeys", grant=ren["grant"], roles=["owner"])
        for wrong in (["operator"], ["customer"], [7], "owner"):
            with pytest.raises(BadRequest):
                await ask(vault, "require_passkeys", grant=aoi["grant"], roles=wrong)
        bench.clock += FRESH_MS
        with pytest.raises(FreshSignInNeeded):
            await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["owner"])

    bench.run(act)
