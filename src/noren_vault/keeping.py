"""The keeping of keys put together: rotation, backup keys, erasure, and the round that tends them."""

import asyncio
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.backup_keys import BackupKeys
from noren_vault.clock import Now
from noren_vault.erasure import Erasure
from noren_vault.errors import LedgerUnavailable, VaultUnavailable
from noren_vault.floors import Floors
from noren_vault.index import Index
from noren_vault.keys import Keyring, Keys
from noren_vault.people import People
from noren_vault.providers import FileProvider, KeysError
from noren_vault.record import Record
from noren_vault.rotation import Rotation
from noren_vault.settings import Settings

_EVERY_SECONDS: Final = 600.0
_log = structlog.get_logger("keeping")


def provider_of(settings: Settings) -> FileProvider:
    """Give who makes and unwraps the keys. Blocks; raises KeysError."""
    if settings.kms_key is None:
        if list(settings.keys.glob("*.kms")):
            raise KeysError(
                f"the keys in {settings.keys} are wrapped: NOREN_VAULT_KEY_PROVIDER is aws-kms here"
            )
        return FileProvider(settings.keys)
    # Nineteen megabytes of memory that a vault with its keys in files does without.
    from noren_vault.kms import KmsProvider  # noqa: PLC0415

    provider = KmsProvider(settings.keys, settings.kms_key, settings.kms_endpoint)
    provider.wrap_files()
    return provider


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the vault has of it."""

    rotation: Rotation
    backup_keys: BackupKeys
    erasure: Erasure
    provider: FileProvider

    @classmethod
    def of(
        cls,
        settings: Settings,
        ring: Keyring,
        *,
        keys: Keys,
        people: People,
        record: Record,
        index: Index,
        least: Floors,
        now: Now,
    ) -> "Keeping":
        """Give each part its parts."""
        database, days = ring.database, settings.backup_days
        backup_keys = BackupKeys(database, ring.provider, record, now, days=days)
        return cls(
            Rotation(database=database, ring=ring, keys=keys, record=record, now=now, days=days),
            backup_keys,
            Erasure(
                database=database,
                people=people,
                record=record,
                index=index,
                least=least,
                backup_keys=backup_keys,
                now=now,
            ),
            ring.provider,
        )

    async def tend_forever(self) -> None:
        """Carry rotations on, end erasures that a crash cut off, destroy the keys whose day has come."""
        await asyncio.gather(self.rotation.work_forever(), self._rounds())

    async def _rounds(self) -> None:
        while True:
            try:
                await self.erasure.settle()
                await self.backup_keys.destroy_due()
                await self.rotation.withdraw_peppers()
                await self.rotation.destroy_due()
            except (psycopg.Error, PoolTimeout, OSError) as fault:
                _log.error("cannot_tend", fault=type(fault).__name__)
            except (KeysError, LedgerUnavailable, VaultUnavailable) as refusal:
                _log.error("cannot_tend", fault=type(refusal).__name__, why=str(refusal))
            await asyncio.sleep(_EVERY_SECONDS)
