"""What a test of resets needs: the links that were mailed, codes of the bench's hour, and rows."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pyotp

from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.conftest import Bench, ask

AOI = "aoi@staff.example.jp"
NEW = "a new and rather long sentence"


async def settled(vault: Vault) -> None:
    """Wait until every mail that was due has been handed over."""
    while vault.resets._after:
        await vault.resets._after.settle()


def bodies(mail: Sink, address: str) -> list[str]:
    """What was mailed to an address, the oldest first."""
    found = [message.get_body(("plain",)) for message in mail.messages if message["To"] == address]
    return [body.get_content() for body in found if body is not None]


def tokens(mail: Sink, address: str = AOI) -> list[str]:
    """The tokens of the links by which another password is set."""
    return [
        found[1] for body in bodies(mail, address) if (found := re.search(r"/password/reset#(\S+)", body))
    ]


def passkey_tokens(mail: Sink, address: str = AOI) -> list[str]:
    """The tokens of the links by which a passkey is added; invitations are not among them."""
    return [
        found[1]
        for body in bodies(mail, address)
        if "make one on your device" in body and (found := re.search(r"/console/join#(\S+)", body))
    ]


def known_to(bench: Bench) -> list[str]:
    """Which accounts know a browser."""
    found = rows(
        bench,
        "SELECT DISTINCT a.handle FROM vault.known_device JOIN vault.actor a USING (actor) ORDER BY a.handle",
    )
    return [handle for (handle,) in found]


async def until(true: Callable[[], bool]) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - nobody tells when a row has changed
            await asyncio.sleep(0.02)


async def forgot(vault: Vault, mail: str = AOI, shop: int = 1, **more: Any) -> None:
    """Ask for a link, and wait until what follows from it is done."""
    assert await ask(vault, "reset_begin", shop=shop, mail=mail, **more) == {}
    await settled(vault)


async def with_codes(vault: Vault, bench: Bench, grant: str) -> pyotp.TOTP:
    """Turn one-time codes on."""
    totp = pyotp.TOTP((await ask(vault, "totp_begin", grant=grant))["secret"])
    await ask(vault, "totp_finish", grant=grant, code=totp.generate_otp(bench.clock // 30_000))
    return totp


def rows(bench: Bench, query: str, *params: object) -> list[tuple[Any, ...]]:
    """Run a statement in the bench's database."""
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), params)
        return cursor.fetchall() if cursor.description else []


def notes(vault: Vault, kind: str) -> list[str]:
    """The notes of all entries of a kind."""
    return [entry.note for _, entry in vault.record.ledger.entries() if entry.kind == kind]
