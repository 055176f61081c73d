"""The protocol's methods on keys and erasure: an administrator's; an operator rotates under a power,
an owner erases customers, a customer herself.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from noren_vault import merges, own_records
from noren_vault.database import Database
from noren_vault.erasure import Reason
from noren_vault.errors import BadRequest, GrantRefused, MergeRefused
from noren_vault.freshness import Freshness
from noren_vault.grants import Grants
from noren_vault.keeping import Keeping
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Path
from noren_vault.rights import Role
from noren_vault.rights import What as Power
from noren_vault.rotation import What

_KEYS: Final = """
SELECT 'epoch', number, id, 'in use', made_at, NULL::bigint FROM keystore.epoch
UNION ALL SELECT 'index', number, id, 'in use', made_at, NULL FROM vault.index_key
UNION ALL SELECT 'pepper', number, id, 'in use', made_at, NULL FROM vault.pepper
UNION ALL SELECT kind, number, id, CASE WHEN destroyed_at IS NULL THEN 'retired' ELSE 'destroyed' END,
    retired_at, coalesce(destroyed_at, destroy_at) FROM vault.retired_key
UNION ALL SELECT 'backup', number, id, CASE WHEN destroyed_at IS NULL THEN 'in use' ELSE 'destroyed' END,
    made_at, coalesce(destroyed_at, destroy_at) FROM vault.backup_key
ORDER BY 1, 2
"""


Act = Callable[[Params, Peer], Awaitable[dict[str, Any]]]


class KeyMethods:
    """Reads the params, checks who asks, calls one act."""

    def __init__(
        self,
        database: Database,
        keeping: Keeping,
        grants: Grants,
        freshness: Freshness,
    ) -> None:
        """Keep the acts."""
        self._database = database
        self._rotation = keeping.rotation
        self._backup_keys = keeping.backup_keys
        self._erasure = keeping.erasure
        self.acts: dict[str, Act] = {
            "keys": self.list,
            "rotate_keys": self.rotate,
            "retire_keys": self.retire,
            "erase": self.erase,
        }
        self._grants = grants
        self._freshness = freshness

    async def _joined_away(self, shop: int, person: str, hers: Sequence[str]) -> None:
        """Refuse where the shop has joined her record to one that is not hers to erase."""
        async with self._database.connection() as connection:
            if await merges.root_of(connection, shop, person) not in hers:
                raise MergeRefused("the shop erases it, or parts them first", reason="joined_away")

    async def list(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Tell every key by its id, and the rotations; instants are POSIX seconds."""
        await self._grants.may(params.raw.get("grant"), peer, Power.ROTATE_KEYS)
        rows = await self._database.rows(_KEYS)
        keys = [
            {
                "kind": kind,
                "number": number,
                "id": bytes(key_id).hex(),
                "state": state,
                "since": since / 1000,
                "destroyed": None if destroyed is None else destroyed / 1000,
            }
            for kind, number, key_id, state, since, destroyed in rows
        ]
        return {"keys": keys, "rotations": await self._rotation.status()}

    async def rotate(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Begin a rotation. Raises KeysBusy."""
        path = await self._grants.may(params.raw.get("grant"), peer, Power.ROTATE_KEYS)
        try:
            what = What(params.text("what"))
        except ValueError:
            raise BadRequest("epoch, data, index or pepper keys are rotated") from None
        return {"entry": await self._rotation.begin(what, path)}

    async def retire(self, params: Params, _peer: Peer) -> dict[str, Any]:
        """Destroy the keys whose day has come, or one retired key now. Raises NoSuchKey."""
        key = params.maybe_text("key")
        if key is not None:
            try:
                key_id = bytes.fromhex(key)
            except ValueError:
                raise BadRequest("a key's id is hexadecimal") from None
            await self._rotation.destroy(key_id)
            return {"destroyed": 1}
        return {"destroyed": await self._rotation.destroy_due() + await self._backup_keys.destroy_due()}

    async def erase(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Erase a customer and give the certificate. Raises GrantRefused, NoSuchPerson."""
        try:
            reason = Reason(params.text("reason"))
        except ValueError:
            raise BadRequest(f"reason is one of {', '.join(Reason)}") from None
        shop, person = params.number("shop"), params.person("person")
        path = await self._may_erase(params, peer, shop, person)
        return (await self._erasure.erase(shop, person, reason, path)).to_wire()

    async def _may_erase(self, params: Params, peer: Peer, shop: int, person: str) -> Path:
        """An administrator's process, the shop's owner, or the person herself: each record that is hers."""
        if params.raw.get("grant") is None:
            if not peer.admin:
                raise GrantRefused("an administrator's process, or a grant, erases")
            return peer.admin_path
        grant = await self._grants.of_shop(params.raw.get("grant"))
        if grant.shop == shop and grant.role is Role.CUSTOMER and grant.person is not None:
            await self._freshness.check(grant)
            hers = await own_records.of_account(self._database, shop, grant.person, own_records.MOST_RECORDS)
            if person == grant.person or person in hers:
                await self._joined_away(shop, person, [grant.person, *hers])
                return grant.path
        elif grant.shop == shop and grant.role is Role.OWNER:
            return grant.path
        raise GrantRefused("the shop's owner erases, or the person herself")
