"""What is known of the secrets themselves: how many there are, since when, last used. Never one of them.

A fact has `count`; `since`, when the oldest that is in use was made; `latest`, before which it was surely
made where `since` is not known; `used`; `kept`, how many old ones older backups still need. What is not known
is left out. The names are the app side's inventory's.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.providers import FileProvider, Kind
from noren_vault.settings import Settings

Fact = dict[str, Any]
_LIVES: Final = "revoked_at IS NULL AND expires_at > %(now)s"
_OPERATOR: Final = "SELECT FROM vault.membership m WHERE m.actor = p.actor AND m.shop_id = 0"
# Name, how many, since when the oldest, since when at the latest, last used.
_FACTS: Final = f"""
SELECT 'epoch-key', count(*), min(made_at), NULL::bigint, NULL::bigint FROM keystore.epoch
UNION ALL SELECT 'data-keys', count(*), min(keyed_at), NULL, NULL FROM keystore.person_key
UNION ALL SELECT 'index-key', count(*), min(made_at), NULL, NULL FROM vault.index_key
UNION ALL SELECT 'pepper', count(*), min(made_at), NULL, NULL FROM vault.pepper
UNION ALL SELECT 'backup-key', count(*), min(made_at), NULL, NULL FROM vault.backup_key
    WHERE destroyed_at IS NULL
UNION ALL SELECT 'api-keys', count(*), min(made_at), NULL, max(used_at) FROM vault.api_key WHERE {_LIVES}
UNION ALL SELECT 'sso-secrets', count(*), NULL, min(changed_at), NULL FROM vault.sso
UNION ALL SELECT 'operator-grants', count(*), min(issued_at), NULL, max(seen_at) FROM vault.access_grant
    WHERE shop_id = 0 AND {_LIVES}
UNION ALL SELECT 'grants', count(*), min(issued_at), NULL, max(seen_at) FROM vault.access_grant
    WHERE shop_id > 0 AND {_LIVES}
UNION ALL SELECT 'operator-passkeys', count(*), min(added_at), NULL, max(used_at) FROM vault.passkey p
    WHERE EXISTS ({_OPERATOR})
UNION ALL SELECT 'passkeys', count(*), min(added_at), NULL, max(used_at) FROM vault.passkey p
    WHERE NOT EXISTS ({_OPERATOR})
UNION ALL SELECT 'passwords', count(*), min(set_at), NULL, NULL FROM vault.password
UNION ALL SELECT 'second-factors', count(*), min(made_at), NULL, NULL FROM
    (SELECT made_at FROM vault.totp UNION ALL SELECT made_at FROM vault.recovery) f
UNION ALL SELECT 'one-time-links', count(*), min(made_at), NULL, NULL FROM
    (SELECT made_at, used_at, expires_at FROM vault.invite
     UNION ALL SELECT made_at, used_at, expires_at FROM vault.reset) l
    WHERE used_at IS NULL AND expires_at > %(now)s
UNION ALL SELECT 'inquiry-links', count(*), NULL, NULL, NULL FROM vault.inquiry_key
"""  # noqa: S608 - of constants
_SHOPS: Final = f"""
SELECT 'api-keys', shop_id, count(*), min(made_at), max(used_at) FROM vault.api_key WHERE {_LIVES}
    GROUP BY shop_id
UNION ALL SELECT 'sso-secrets', shop_id, 1, NULL, NULL FROM vault.sso ORDER BY 1, 2
"""  # noqa: S608 - of constants
_KEPT: Final = "SELECT kind, count(*) FROM vault.retired_key WHERE destroyed_at IS NULL GROUP BY kind"
_NAMED: Final = {"epoch": "epoch-key", "index": "index-key", "pepper": "pepper"}


class SecretFacts:
    """Looks them up; changes nothing."""

    def __init__(self, database: Database, provider: FileProvider, settings: Settings, now: Now) -> None:
        """Keep the parts. What lies in memory alone was made now."""
        self._database = database
        self._provider = provider
        self._settings = settings
        self._now = now
        self._began = now()

    async def all(self) -> dict[str, Fact]:
        """Give what is known, by the secret's name. What the supervisor saw at the start comes with it."""
        now = {"now": self._now()}
        found: dict[str, Fact] = {name: dict(fact) for name, fact in self._settings.seen.items()}
        for name, *row in await self._database.rows(_FACTS, now):
            found[name] = _known(dict(zip(("count", "since", "latest", "used"), row, strict=True)))
        for kind, kept in await self._database.rows(_KEPT):
            found[_NAMED[kind]]["kept"] = kept
        for name, *row in await self._database.rows(_SHOPS, now):
            one = _known(dict(zip(("shop", "count", "since", "used"), row, strict=True)))
            found[name].setdefault("shops", []).append(one)
        return found | self._set() | {"ledger-key": await asyncio.to_thread(self._ledger)}

    def _set(self) -> dict[str, Fact]:
        """Whether those that are set from outside are there; since when, nobody here knows."""
        there = {
            "smtp-password": bool(urlsplit(self._settings.smtp_url).password),
            "alarm-secret": self._settings.alarm is not None,
            "kms-credentials": self._settings.kms_key is not None,
        }
        told: dict[str, Fact] = {name: {"count": int(yes)} for name, yes in there.items()}
        # Of witnesses that there are, how many keys they keep is theirs to know.
        told["witness-key"] = {"count": 0} if self._settings.witnesses is None else {}
        return told | {"vault-memory": {"count": 1, "since": self._began}}

    def _ledger(self) -> Fact:
        """A file that was copied here is younger than its key."""
        stored = self._provider.stored(Kind.LEDGER)
        return {"count": len(stored), "latest": self._provider.made_at(stored[-1])}


def _known(fact: Fact) -> Fact:
    return {name: value for name, value in fact.items() if value is not None}
