"""The cast on a vault of its module, and a vault in the test's own process, whose clock the test turns."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from noren.runtime import databases, env
from noren_vault import settings
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.record import Outcome
from noren_vault.vault import Vault
from tests.servers import Server, Sink, VaultProcess
from tests.vault import cast as casting
from tests.vault.cast import Cast

Result = TypeVar("Result")
START = 1_790_000_000_000


@pytest.fixture(scope="module")
def cast(module_vault: VaultProcess, module_mail: Sink) -> Cast:
    """Everybody, on this module's vault."""
    return casting.found(module_mail)


@pytest.fixture
def fresh_cast(vault: VaultProcess, mail: Sink) -> Cast:
    """Everybody, on a vault of this test's own."""
    return casting.found(mail)


@dataclass
class Bench:
    """A place for vaults in this process: the same database, keys and ledger each time it is opened."""

    configured: settings.Settings
    clock: int = START

    def run(self, act: Callable[[Vault], Coroutine[Any, Any, Result]]) -> Result:
        """Open the vault, do something, close it."""

        async def opened() -> Result:
            vault = await Vault.open(self.configured, lambda: self.clock)
            try:
                return await act(vault)
            finally:
                await vault.close()

        return asyncio.run(opened())


async def ask(vault: Vault, method: str, **params: Any) -> dict[str, Any]:
    """Call a method as an administrator's process, past the socket."""
    answer = await vault.methods.answer(Request(method, Params(params)), Peer(uid=0, admin=True))
    if answer.told is not None:
        await vault.record.outcome(answer.told.entry, Outcome.RELEASED, answer.told.path)
    return answer.ok


@pytest.fixture
def bench(vault_server: Server, mail: Sink, tmp_path: Path) -> Iterator[Bench]:
    """A vault that this test opens and closes itself, with a clock in its hand."""
    with vault_server.clone() as name:
        words = databases.vault(env.read(), "vault") | {"dbname": name}
        me = frozenset({os.geteuid()})
        yield Bench(
            settings.Settings(
                socket=tmp_path / "vault.sock",
                database_url=databases.url(words),
                keys=tmp_path / "keys",
                ledger=tmp_path / "ledger",
                origin="http://localhost:8000",
                smtp_url=mail.url,
                mail_from="Noren <noren@example.jp>",
                bounces=None,
                peer_uids=me,
                admin_uids=me,
            )
        )
