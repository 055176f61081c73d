"""By which provider a shop's people sign in: an owner's settings, confirmed by a passkey, on record.

The platform's own (shop 0, its operators) are an administrator's, from the shell. Every change ends what
sign-ins by the provider gave: who may come in, and as what, is asked of the provider anew.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import GrantRefused, NoSso, SsoNotTried, SsoSetting
from noren_vault.grants import Grant, Grants, shop_mark
from noren_vault.keys import Keys
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM, SHOP_ROLES, Role
from noren_vault.signin import SignIn
from noren_vault.sso_provider import Providers

# No group makes an owner. An operator's group opens the way of those who are operators already.
_SHOPS: Final = tuple(role for role in SHOP_ROLES if role is not Role.OWNER)
_PLATFORMS: Final = (Role.OPERATOR,)
_DOMAIN: Final = re.compile(r"(?=.{3,200}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.ASCII)
_CLAIM: Final = re.compile(r"[A-Za-z0-9._:/-]{1,100}", re.ASCII)
_PRINTED: Final = re.compile(r"[\x21-\x7e]{1,300}", re.ASCII)
_MOST: Final = 50
_LONGEST_GROUP: Final = 200
_LONGEST_SECRET: Final = 500
_FIND: Final = """
SELECT issuer, client_id, sealed, claim, roles, domains, arrivals, required FROM vault.sso WHERE shop_id = %s
"""
_PUT: Final = b"""
INSERT INTO vault.sso
    (shop_id, issuer, client_id, sealed, claim, roles, domains, arrivals, required, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (shop_id) DO UPDATE SET issuer = excluded.issuer, client_id = excluded.client_id,
    sealed = excluded.sealed, claim = excluded.claim, roles = excluded.roles, domains = excluded.domains,
    arrivals = excluded.arrivals, required = excluded.required, changed_at = excluded.changed_at
"""
# All that came by the provider; where it is required, all that came otherwise, but an owner's by passkey (the
# glass is broken already) and an operator's, whose passkey is never enough from then on.
_END: Final = b"""
UPDATE vault.access_grant g SET revoked_at = %(now)s FROM vault.actor a
WHERE a.actor = g.actor AND g.shop_id = %(shop)s AND g.revoked_at IS NULL AND g.grant_id <> %(but)s
  AND (starts_with(g.credential, 'oidc-') OR (%(required)s AND a.kind = 'member'
    AND NOT (starts_with(g.credential, 'pk-') AND EXISTS (SELECT 1 FROM vault.membership m
      WHERE m.shop_id = g.shop_id AND m.actor = g.actor AND m.ended_at IS NULL AND m.role = 'owner'))))
"""
_TRIED: Final = "SELECT 1 FROM keystore.sso_subject WHERE shop_id = %s AND issuer = %s LIMIT 1"


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop's settings. `secret` is in clear here, and in no answer and no log."""

    issuer: str
    client_id: str
    secret: str
    claim: str
    roles: Mapping[str, str]
    domains: tuple[str, ...]
    arrivals: bool
    required: bool

    def __repr__(self) -> str:
        return f"<Shop at {self.issuer}>"

    def to_wire(self) -> dict[str, Any]:
        """What an owner is shown: all but the secret."""
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "claim": self.claim,
            "roles": dict(self.roles),
            "domains": list(self.domains),
            "arrivals": self.arrivals,
            "required": self.required,
        }

    @property
    def deed(self) -> str:
        """What a passkey's answer is bound to: these very settings, the secret among them."""
        told = json.dumps([self.to_wire(), self.secret], sort_keys=True)
        return f"sso:{hashlib.sha256(told.encode()).hexdigest()}"


class SsoShops:
    """Reads and changes the settings."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        grants: Grants,
        signin: SignIn,
        providers: Providers,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._record = record
        self._grants = grants
        self._signin = signin
        self._providers = providers
        self._now = now

    async def find(self, shop: int) -> Shop | None:
        """Give a shop's settings, or None where nobody signs in by a provider."""
        row = await self._database.row(_FIND, [shop])
        if row is None:
            return None
        sealed = bytes(row[2])
        secret = self._keys.opens(sealed).open(sealed, place(shop)).decode()
        return Shop(row[0], row[1], secret, row[3], row[4], tuple(row[5]), row[6], row[7])

    async def told(self, grant: Grant) -> dict[str, Any] | None:
        """Give what the owner of the grant's shop is shown. Raises GrantRefused."""
        found = await self.find(_owner(grant).shop)
        return None if found is None else found.to_wire()

    async def begin(self, grant: Grant, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Options for confirming these settings by passkey; none at all: to sign in by no provider."""
        read = await self._read(_owner(grant).shop, wanted)
        return await self._signin.fresh_begin(grant, deed=_deed(read))

    async def finish(self, grant: Grant, wanted: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        """Check the passkey's answer and take the settings. Raises SsoNotTried, PasskeyRefused."""
        read = await self._read(_owner(grant).shop, wanted)
        path = await self._signin.fresh_finish(grant, response, deed=_deed(read))
        await self._change(grant.shop, read, path, but=grant.grant_id)

    async def platform(self, wanted: Mapping[str, Any], path: Path) -> None:
        """Take the platform's settings, from an administrator's shell. Raises SsoNotTried."""
        await self._change(PLATFORM, await self._read(PLATFORM, wanted), path, but="")

    # -- inside

    async def _change(self, shop: int, read: Shop | None, path: Path, *, but: str) -> None:
        """On record, then in one transaction with the end of what is not to go on."""
        if read is not None and read.required:
            await self._tried(shop, read)
        note = "sso:ended" if read is None else "sso:required" if read.required else "sso:set"
        entry = await self._record.write("right", path, shop=shop, note=note)
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            if read is None:
                await connection.execute(b"DELETE FROM vault.sso WHERE shop_id = %s", [shop])
            else:
                sealed = self._keys.addresses.seal(read.secret.encode(), place(shop))
                told = [read.issuer, read.client_id, sealed, read.claim, json.dumps(dict(read.roles))]
                flags = [list(read.domains), read.arrivals, read.required, self._now()]
                await connection.execute(_PUT, [shop, *told, *flags])
            required = read is not None and read.required
            await connection.execute(
                _END, {"now": self._now(), "shop": shop, "but": but, "required": required}
            )
        self._grants.changed(shop_mark(shop))
        await self._record.outcome(entry, Outcome.DONE, path)

    async def _tried(self, shop: int, read: Shop) -> None:
        """Raise SsoNotTried unless somebody came in by this provider, as it is set up already.

        So the row is there by which sign-ins under way and the requiring wait for each other.
        """
        there = await self.find(shop)
        row = await self._database.row(_TRIED, [shop, read.issuer])
        if there is None or (there.issuer, there.client_id) != (read.issuer, read.client_id) or row is None:
            raise SsoNotTried

    async def _read(self, shop: int, wanted: Mapping[str, Any]) -> Shop | None:
        """Read the settings from the wire; without a secret the one that is there stays, at the same issuer.

        Raises SsoSetting, NoSso (nothing is there to keep it from).
        """
        if not wanted:
            return None
        read = _settings(wanted, _PLATFORMS if shop == PLATFORM else _SHOPS)
        if not self._providers.fits(read.issuer):
            raise SsoSetting("an https address on the internet", field="issuer")
        if read.secret:
            return read
        there = await self.find(shop)
        if there is None or (there.issuer, there.client_id) != (read.issuer, read.client_id):
            raise NoSso("another provider needs another secret")
        return replace(read, secret=there.secret)


def place(shop: int) -> str:
    """Where a shop's sealed secret belongs."""
    return f"sso:{shop}"


def _owner(grant: Grant) -> Grant:
    if grant.role is not Role.OWNER:
        raise GrantRefused("an owner says how the shop's people sign in")
    return grant


def _deed(read: Shop | None) -> str:
    return "sso:ended" if read is None else read.deed


def _settings(wanted: Mapping[str, Any], roles: tuple[Role, ...]) -> Shop:
    """Raises SsoSetting."""
    texts = {name: wanted.get(name, "") for name in ("issuer", "client_id", "secret", "claim")}
    groups, domains = wanted.get("roles"), wanted.get("domains", [])
    secret = texts["secret"]
    checks = {
        "issuer": _matches(_PRINTED, texts["issuer"]),
        "client_id": _matches(_PRINTED, texts["client_id"]),
        "secret": isinstance(secret, str) and len(secret) <= _LONGEST_SECRET and secret.isprintable(),
        "claim": _matches(_CLAIM, texts["claim"]),
        "roles": isinstance(groups, dict)
        and 0 < len(groups) <= _MOST
        and all(_group(one) and role in roles for one, role in groups.items()),
        "domains": isinstance(domains, list)
        and len(domains) <= _MOST
        and all(_matches(_DOMAIN, one) for one in domains),
        "arrivals": isinstance(wanted.get("arrivals", False), bool),
        "required": isinstance(wanted.get("required", False), bool),
    }
    for name, good in checks.items():
        if not good:
            raise SsoSetting(field=name)
    return Shop(
        **texts,
        roles=dict(sorted((groups or {}).items())),
        domains=tuple(sorted(domains)),
        arrivals=wanted.get("arrivals", False),
        required=wanted.get("required", False),
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _group(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _LONGEST_GROUP and name.isprintable()
