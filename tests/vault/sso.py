"""A salon whose people sign in by a provider, in a vault of the test's own process."""

from dataclasses import dataclass
from typing import Any

from noren_vault.vault import Vault
from tests.providers import CLIENT, SECRET, Published
from tests.servers import Sink
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, invitation_of
from tests.vault.conftest import ask

GROUPS = {"desk": "reception", "staff": "staff", "leads": "manager"}
Json = dict[str, Any]


@dataclass
class Somebody:
    """Who joined by a passkey."""

    passkey: Passkey
    grant: str

    async def sign_in(self, vault: Vault, **more: Any) -> Json:
        """Sign in anew by it."""
        options = (await ask(vault, "signin_begin"))["options"]
        answer = self.passkey.get(options)
        return await ask(
            vault, "signin_finish", challenge=options["challenge"], response=answer, session="s", **more
        )


async def joined(
    vault: Vault, mail: Sink, *roles: str, shop: int = SALON, slug: str = "salon"
) -> list[Somebody]:
    """Found the shop with one person of each role, all joined by passkeys."""
    people = [
        {"handle": one, "role": one, "staff": one, "name": one, "mail": f"{one}@{slug}.example.jp"}
        for one in roles
    ]
    await ask(vault, "found_shop", shop=shop, slug=slug, members=people)
    return [await join(vault, invitation_of(mail, f"{one}@{slug}.example.jp")) for one in roles]


async def join(vault: Vault, invite: str) -> Somebody:
    """Enrol a passkey by an invitation."""
    passkey = Passkey()
    answer = passkey.create((await ask(vault, "register_begin", invite=invite))["options"])
    ok = await ask(vault, "register_finish", invite=invite, response=answer, session="joining")
    return Somebody(passkey, ok["grant"])


def settings(issuer: str, **changed: Any) -> Json:
    """The settings of a shop at a provider."""
    good = {
        "issuer": issuer,
        "client_id": CLIENT,
        "secret": SECRET,
        "claim": "groups",
        "roles": GROUPS,
        "domains": [],
        "arrivals": True,
        "required": False,
    }
    return {**good, **changed}


async def set_up(vault: Vault, owner: Somebody, issuer: str, **changed: Any) -> None:
    """Let the owner set the shop's provider, confirmed by her passkey."""
    wanted = settings(issuer, **changed)
    await confirmed(vault, owner, wanted)


async def confirmed(vault: Vault, owner: Somebody, wanted: Json) -> None:
    options = (await ask(vault, "sso_set_begin", grant=owner.grant, sso=wanted))["options"]
    await ask(vault, "sso_set_finish", grant=owner.grant, sso=wanted, response=owner.passkey.get(options))


async def comes(vault: Vault, provider: Published, sub: str, shop: int = SALON, **more: Any) -> Json:
    """Go to the provider, sign in there as `sub`, and come back."""
    grant = {"grant": more["grant"]} if "grant" in more else {}
    invite = {"invite": more.pop("invite")} if "invite" in more else {}
    begun = await ask(vault, "sso_begin", shop=shop, **grant, **invite)
    answer = provider.signs_in(begun["url"], sub)
    return await ask(vault, "sso_finish", flow=begun["flow"], **answer, session="s-came", **more)


__all__ = ["SALON", "YOGA", "Somebody", "comes", "confirmed", "join", "joined", "set_up", "settings"]
