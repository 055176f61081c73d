"""Accounts with passwords in a vault of the test's own process."""

from typing import Any

from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.cast import SALON, invitation_of
from tests.vault.conftest import ask

PASSWORD = "ひみつ caf\u00e9 umbrella 42"
OTHER = "quite another long sentence"


async def joined(vault: Vault, mail: Sink, *handles: str) -> list[dict[str, Any]]:
    """Found the salon with these people, each joined with PASSWORD; gives their sign-ins."""
    people = [
        {"handle": one, "role": "owner", "staff": one, "name": one, "mail": f"{one}@staff.example.jp"}
        for one in handles
    ]
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=people)
    return [
        await ask(
            vault, "password_set", invite=invitation_of(mail, f"{one}@staff.example.jp"), password=PASSWORD
        )
        for one in handles
    ]


async def check(vault: Vault, handle: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """Ask with mail and password."""
    mail = f"{handle}@staff.example.jp"
    return await ask(vault, "password_check", shop=SALON, mail=mail, password=password, **more)
