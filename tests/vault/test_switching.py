"""Going over to another shop is no new sign-in: it shows nothing anew, and counts with the one before."""

import asyncio
from typing import Any

import pytest

from noren_vault import errors
from noren_vault.freshness import FRESH_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, invitation_of
from tests.vault.conftest import Bench, ask


def _member(handle: str, role: str = "owner") -> dict[str, Any]:
    return {
        "handle": handle,
        "role": role,
        "staff": None,
        "name": handle,
        "mail": f"{handle}@staff.example.jp",
    }


async def _enrol(vault: Vault, mail: Sink, handle: str) -> tuple[Passkey, str]:
    passkey, token = Passkey(), invitation_of(mail, f"{handle}@staff.example.jp")
    answer = passkey.create((await ask(vault, "register_begin", invite=token))["options"])
    signed = await ask(vault, "register_finish", invite=token, response=answer, session=handle)
    return passkey, str(signed["grant"])


async def _of_both(vault: Vault, mail: Sink) -> tuple[Passkey, str]:
    """Ren, who works for the salon and for the studio; her grant is the studio's."""
    members = [_member("aoi"), _member("ren", "manager")]
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=members)
    await ask(vault, "found_shop", shop=YOGA, slug="yoga", members=[_member("sora")])
    await _enrol(vault, mail, "aoi")
    _, sora = await _enrol(vault, mail, "sora")
    passkey, _ = await _enrol(vault, mail, "ren")
    await ask(vault, "add_member", grant=sora, member=_member("two", "manager"))
    token = invitation_of(mail, "two@staff.example.jp")
    options = (await ask(vault, "join_begin", invite=token))["options"]
    joined = await ask(vault, "join_finish", invite=token, response=passkey.get(options), session="came")
    return passkey, str(joined["grant"])


async def _over(vault: Vault, grant: str, shop: int, session: str) -> str:
    return str((await ask(vault, "enter_shop", grant=grant, shop=shop, session=session))["grant"])


async def _add(vault: Vault, grant: str) -> None:
    passkey = Passkey()
    options = (await ask(vault, "passkey_begin", grant=grant))["options"]
    await ask(vault, "passkey_finish", grant=grant, response=passkey.create(options))


def test_it_shows_nothing_anew(bench: Bench, mail: Sink) -> None:
    """Who has but a cookie and goes over, and back, may not change what the account signs in with."""

    async def act(vault: Vault) -> None:
        passkey, grant = await _of_both(vault, mail)
        began = (await ask(vault, "whoami", grant=grant))["expires"]
        bench.clock += FRESH_MS
        there = await _over(vault, grant, SALON, "over")
        assert not (await ask(vault, "confirm_state", grant=there))["fresh"]
        for method in ("passkey_begin", "totp_begin"):
            with pytest.raises(errors.FreshSignInNeeded):
                await ask(vault, method, grant=there)
        # What she showed before she went goes with her, and is over when it would have been.
        options = (await ask(vault, "confirm_begin", grant=there))["options"]
        await ask(vault, "confirm_finish", grant=there, response=passkey.get(options))
        bench.clock += FRESH_MS - 1
        back = await _over(vault, there, YOGA, "back")
        assert (await ask(vault, "confirm_state", grant=back))["fresh"]
        bench.clock += 1
        assert not (await ask(vault, "confirm_state", grant=back))["fresh"]
        assert (await ask(vault, "whoami", grant=back))["expires"] == began

    bench.run(act)


def test_this_wasnt_me_reaches_what_was_made_before_going_over(bench: Bench, mail: Sink) -> None:
    """Every passkey that the stranger made goes, before and after; both shops' owners are told."""

    async def act(vault: Vault) -> None:
        passkey, grant = await _of_both(vault, mail)
        await _add(vault, grant)
        there = await _over(vault, grant, SALON, "over")
        await _add(vault, there)
        options = (await ask(vault, "signin_begin"))["options"]
        asked = {"challenge": options["challenge"], "response": passkey.get(options), "shop": SALON}
        mine = str((await ask(vault, "signin_finish", **asked, session="mine"))["grant"])
        told = await ask(vault, "security", grant=mine)
        assert ("signin", "switched") in [(one["kind"], one["note"]) for one in told["events"]]
        assert len(told["passkeys"]) == 3
        # The session at hand came in with the same passkey, which goes as well.
        accused = there.split(".")[1]
        assert (await ask(vault, "not_me", grant=mine, id=accused))["passkeys"] == 3
        for owner in ("aoi", "sora"):
            while not _told(mail, f"{owner}@staff.example.jp"):  # noqa: ASYNC110 - an SMTP server writes it
                await asyncio.sleep(0.05)

    bench.run(act)


def _told(mail: Sink, address: str) -> bool:
    bodies = [one.get_body(("plain",)) for one in mail.messages if one["To"] == address]
    return any("has reported a sign-in" in body.get_content() for body in bodies if body is not None)
