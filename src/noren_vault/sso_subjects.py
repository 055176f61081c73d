"""Who is whom at a provider: bound by issuer and subject, never by a mail address.

A mail is what the provider says somebody's is today, and may be another's tomorrow; a subject is nobody
else's, ever (OpenID Connect Core 1.0, 5.7).
"""

import json
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

import psycopg

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import SsoTaken
from noren_vault.keys import Keys

_FIND: Final = """
SELECT s.actor::text, a.handle, s.credential, m.role
FROM keystore.sso_subject s JOIN vault.actor a USING (actor)
LEFT JOIN vault.membership m ON m.shop_id = s.shop_id AND m.actor = s.actor AND m.ended_at IS NULL
WHERE s.shop_id = %s AND s.token = ANY(%s)
"""
_BIND: Final = b"""
INSERT INTO keystore.sso_subject (actor, shop_id, issuer, credential, token, sealed, pepper, bound_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (actor) DO UPDATE SET issuer = excluded.issuer, credential = excluded.credential,
    token = excluded.token, sealed = excluded.sealed, pepper = excluded.pepper, bound_at = excluded.bound_at
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """An account that a subject is bound to. `role` is None for who does not work there (any more)."""

    actor: str
    handle: str
    credential: str
    role: str | None


class Subjects:
    """Finds and binds."""

    def __init__(self, database: Database, keys: Keys, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._now = now

    async def find(self, shop: int, issuer: str, sub: str) -> Bound | None:
        """Give the account of the shop that is bound to this subject."""
        text = text_of(issuer, sub)
        tokens = [key.token(shop, text) for key in self._keys.peppers.values()]
        row = await self._database.row(_FIND, [shop, tokens])
        return None if row is None else Bound(*row)

    async def bind(
        self, connection: Connection, actor: str, shop: int, identity: tuple[str, str], credential: str
    ) -> None:
        """Bind an account in the caller's transaction, under `keys.steady`; what it was bound to is not.

        Raises SsoTaken: another account is bound to it.
        """
        there = await self.find(shop, *identity)
        if there is not None and there.actor != actor:
            raise SsoTaken
        text, key = text_of(*identity), self._keys.pepper
        sealed = key.seal(text.encode(), place(actor))
        try:
            await connection.execute(
                _BIND,
                [actor, shop, identity[0], credential, key.token(shop, text), sealed, key.id, self._now()],
            )
        except psycopg.errors.UniqueViolation:
            raise SsoTaken from None


def text_of(issuer: str, sub: str) -> str:
    """What is hashed and sealed: both, so that neither can be taken for the other."""
    return json.dumps([issuer, sub])


def place(actor: str) -> str:
    """Where an account's sealed subject belongs."""
    return f"sso-subject:{actor}"


def new_credential() -> str:
    """Give a binding's name in the record: of chance."""
    return f"oidc-{token_hex(12)}"
