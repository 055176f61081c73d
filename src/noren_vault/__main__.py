"""`python -m noren_vault serve | migrate | build | backup-identity KEY BACKUP`: the process from outside.

Exit codes: 0 ended as asked, 2 set up wrongly, 3 the ledger is not whole, 1 anything else.
"""

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import psycopg
import structlog
import uvloop
from psycopg_pool import PoolTimeout

from noren_vault import migrations, settings
from noren_vault.backups import open_identity
from noren_vault.clock import Clock
from noren_vault.errors import RecordDamaged
from noren_vault.keeping import provider_of
from noren_vault.ledger import LedgerDamaged, LedgerError, LedgerForked, LedgerShort
from noren_vault.migrations import MigrationError
from noren_vault.network import Network, holds
from noren_vault.providers import KeysError, KeysUnavailable
from noren_vault.server import Server, ServerError
from noren_vault.settings import Listen, SettingsError
from noren_vault.tasks import end
from noren_vault.tls import TlsError, Trust
from noren_vault.vault import Vault, build_hash
from noren_vault.witnesses import PolicyError

OK: Final = 0
FAILED: Final = 1
MISCONFIGURED: Final = 2
NOT_WHOLE: Final = 3
_PR_SET_DUMPABLE: Final = 4
_USAGE: Final = "usage: python -m noren_vault serve | migrate | build | backup-identity KEY BACKUP"
_log = structlog.get_logger("main")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    os.umask(0o022)
    _configure_logs()
    try:
        return _run(given)
    except (SettingsError, KeysError, MigrationError, PolicyError, TlsError) as refusal:
        # Who unwraps the keys may be there at the next try.
        return _say(str(refusal), FAILED if isinstance(refusal, KeysUnavailable) else MISCONFIGURED)
    except (LedgerShort, LedgerForked, LedgerDamaged) as refusal:
        return _say(f"the ledger is not whole: {refusal}. Nothing is served before it is.", NOT_WHOLE)
    except (LedgerError, ServerError) as refusal:
        return _say(str(refusal), FAILED)
    except (psycopg.Error, PoolTimeout) as fault:
        return _say(f"the database cannot be used: {type(fault).__name__}: {fault}", FAILED)


def _run(given: Sequence[str]) -> int:
    if given == ["serve"]:
        _leave_no_core()
        # A thread that opens or searches many hands over after a millisecond, not five: reveals go on.
        sys.setswitchinterval(0.001)
        # A fifth less work for each request than on asyncio's own loop (bench/reveal.py).
        return uvloop.run(_serve())
    if given == ["migrate"]:
        return _migrate()
    if given == ["build"]:
        return _build()
    if given[:1] == ["backup-identity"]:
        return _backup_identity(given[1:])
    return _say(_USAGE, MISCONFIGURED)


async def _serve() -> int:
    configured, clock = settings.read(), Clock()
    trust = None if configured.listen is None else Trust(configured.listen.certificates)
    vault = await Vault.open(configured, clock)
    server = Server(
        vault.methods,
        vault.record,
        peers=configured.peer_uids,
        admins=configured.admin_uids,
        holds=(lambda _: True) if trust is None else holds(trust, clock),
    )
    network: Network | None = None
    tasks = [asyncio.create_task(act) for act in _forever(vault)]
    poisoned = asyncio.create_task(vault.record.ledger.poisoned())
    try:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        if vault.returns is not None:
            await vault.returns.start()
        await server.start(configured.socket)
        if configured.listen is not None and trust is not None:
            network = await _listen(configured.listen, trust, server, clock)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        asked = asyncio.create_task(ended.wait())
        await asyncio.wait({asked, poisoned}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        return _after_doubt() if poisoned.done() else OK
    finally:
        if vault.returns is not None:
            await vault.returns.stop()
        if network is not None:
            await network.stop()
        await server.stop()
        poisoned.cancel()
        for task in tasks:
            await end(task)
        await vault.close()


def _forever(vault: Vault) -> tuple[Coroutine[Any, Any, None], ...]:
    """What goes on as long as it serves."""
    return (
        vault.erase_forever(),
        vault.keeping.tend_forever(),
        vault.forced.mail_forever(),
        vault.aftermath.tellings.mails.send_forever(),
        vault.defence.keep_forever(),
    )


def _leave_no_core() -> None:
    """Keys and people's data are in this memory: no core dump of it, and no look into it by our own user.

    prctl(2): a process that is not dumpable cannot be attached to either; a core that is piped to a program
    (core(5)) does not heed the limit.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


async def _listen(listen: Listen, trust: Trust, server: Server, clock: Clock) -> Network:
    network = Network(trust, server, clock, listen.certificates)
    port = await network.start(listen.host, listen.port)
    _log.info("listening", host=listen.host, port=port)
    return network


def _after_doubt() -> int:
    """Stop on doubt: the next start walks the files as every start does, and tells what they hold."""
    _log.critical("ledger_poisoned", then="the process ends; its supervisor starts it again")
    return FAILED


def _migrate() -> int:
    for name in migrations.migrate(settings.database_url()):
        _log.info("migrated", name=name)
    return OK


def _build() -> int:
    """Print which software this is, for the list of published builds."""
    sys.stdout.write(f"{build_hash()}\n")
    return OK


def _backup_identity(words: Sequence[str]) -> int:
    """Open the identity of a backup's wrapped keys: its sealed form comes in as hex, it goes out as text."""
    try:
        key, backup = words
        key_id, sealed = bytes.fromhex(key), bytes.fromhex(sys.stdin.read().strip())
        identity = open_identity(provider_of(settings.read()), key_id, backup, sealed)
    except (ValueError, RecordDamaged):
        return _say("the sealed identity is not this backup's", MISCONFIGURED)
    sys.stdout.write(f"{identity}\n")
    return OK


def _say(words: str, code: int) -> int:
    sys.stderr.write(f"noren-vault: {words}\n")
    return code


def _configure_logs() -> None:
    """One JSON object a line on the error stream; ours and the libraries' alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


if __name__ == "__main__":
    sys.exit(main())
