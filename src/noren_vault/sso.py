"""Signing in by an organisation's own provider: OpenID Connect, code flow with PKCE.

The app leads the browser there and back; the vault makes state, nonce and verifier, fetches the token with
the shop's secret, and checks it. It ends where every sign-in ends: on record first, then a grant.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import urlencode, urlsplit

import structlog

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import (
    BadField,
    GrantRefused,
    NoSso,
    SsoAway,
    SsoNoGroup,
    SsoRefused,
    SsoUnknown,
    VaultError,
)
from noren_vault.grants import Grant, Grants
from noren_vault.invites import Invited, Invites
from noren_vault.keys import Keys
from noren_vault.members import Members
from noren_vault.messages import Messages
from noren_vault.record import Outcome, Path, Record, session_name
from noren_vault.rights import PLATFORM, SHOP_ROLES, Role
from noren_vault.signin import SignIn
from noren_vault.sso_provider import Providers
from noren_vault.sso_shops import Shop, SsoShops
from noren_vault.sso_subjects import Bound, Subjects, new_credential
from noren_vault.sso_tokens import ended, identity
from noren_vault.sso_ways import For, Way, Ways
from noren_vault.visits import Visit

BACK: Final = "/sso/back"
_SECONDS: Final = 15.0
_STILL: Final = b"SELECT 1 FROM keystore.sso_subject WHERE actor = %s AND credential = %s FOR SHARE"
_ORDER: Final = (*SHOP_ROLES, Role.OPERATOR)
_log = structlog.get_logger("sso")


@dataclass(frozen=True, slots=True)
class _Came:
    """Who came from a provider, checked. `who` is issuer and subject; no group gives no role."""

    there: Shop
    shop: int
    claims: Mapping[str, Any]
    visit: Visit
    asker: Path

    @property
    def who(self) -> tuple[str, str]:
        return self.there.issuer, str(self.claims["sub"])

    @property
    def role(self) -> Role | None:
        """Give the highest role that a group of hers has; None without any."""
        given = self.claims.get(self.there.claim)
        groups: Sequence[Any] = given if isinstance(given, list) else [given]
        roles = self.there.roles
        held = {roles[one] for one in groups if isinstance(one, str) and one in roles}
        return next((role for role in _ORDER if role in held), None)


class Sso:
    """The acts."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        grants: Grants,
        invites: Invites,
        signin: SignIn,
        members: Members,
        messages: Messages,
        shops: SsoShops,
        providers: Providers,
        origin: str,
        now: Now,
    ) -> None:
        """Keep the parts; `origin` is ours, to which the provider leads back."""
        self._database = database
        self._keys = keys
        self._record = record
        self._grants = grants
        self._invites = invites
        self._signin = signin
        self._members = members
        self._messages = messages
        self._shops = shops
        self._providers = providers
        self._subjects = Subjects(database, keys, now)
        self._ways = Ways(now)
        self._back = origin + BACK
        self._arriving = asyncio.Lock()
        self._now = now

    async def at(self, shop: int) -> dict[str, Any] | None:
        """Where a shop's people sign in, and whether they must; None: nowhere but here."""
        there = await self._shops.find(shop)
        if there is None:
            return None
        return {"host": urlsplit(there.issuer).netloc, "required": there.required}

    async def begin(self, shop: int, *, invite: object = None, grant: Grant | None = None) -> dict[str, str]:
        """Give the address to go to, and the flow that its browser keeps. Raises NoSso, SsoAway.

        With an invitation, to join by it; with a grant, to bind its account to who signs in there.
        """
        what, bound = For.SIGNIN, ""
        if grant is not None:
            what, shop, bound = For.LINK, grant.shop, grant.grant_id
        elif invite is not None:
            invited = await self._invites.check(invite)
            what, shop, bound = For.JOIN, invited.shop, invited.token_hash.hex()
        there = await self._there(shop)
        provider = await self._providers.of(there.issuer)
        way, flow = self._ways.make(what, shop, there.issuer, there.client_id, bound)
        query = {
            "response_type": "code",
            "response_mode": "query",
            "client_id": there.client_id,
            "redirect_uri": self._back,
            "scope": "openid profile email",
            "state": self._ways.derived("state", way),
            "nonce": self._ways.derived("nonce", way),
            "code_challenge": self._ways.challenge(way),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in provider.authorize else "?"
        host = urlsplit(provider.authorize).netloc
        return {"url": f"{provider.authorize}{mark}{urlencode(query)}", "flow": flow, "host": host}

    async def finish(
        self, flow: str, answer: Mapping[str, str], visit: Visit, asker: Path, *, grant: object = None
    ) -> dict[str, Any]:
        """Take what the provider answered: `state`, `code`, and `iss` where it says so. Once.

        Gives a sign-in; `first` for an operator, whose passkey comes next; `linked` for who bound herself.
        Raises SsoRefused, SsoAway, SsoUnknown, SsoNoGroup, SsoTaken, InviteRefused, GrantRefused.
        """
        shop = PLATFORM
        try:
            way = self._ways.take(flow, answer["state"])
            shop = way.shop
            there, claims = await self._claims(way, answer)
            came = _Came(there, shop, claims, visit, asker)
            if way.what is For.LINK:
                return await self._link(way, came, grant)
            if way.what is For.JOIN:
                return await self._join(way, came)
            return await self._enter(came)
        except SsoRefused as refusal:
            _log.warning("sso_refused", shop=shop, reason=str(refusal))
            await self._record.write("refused", asker, shop=shop, note="sso")
            raise

    async def logout(self, shop: int, token: str) -> int:
        """End the sign-ins of whom a provider says that she signed out there; gives their number.

        Back-Channel Logout 1.0. All of the subject's, whichever session it names. Raises SsoRefused.
        """
        there = await self._there(shop)
        async with _in_time():
            provider = await self._providers.of(there.issuer)
            key = await self._providers.key(provider, token)
        sub = ended(token, key, issuer=there.issuer, client_id=there.client_id, now=self._now() // 1000)
        bound = await self._subjects.find(shop, there.issuer, sub)
        return 0 if bound is None else await self._end(bound, shop, "sso_signed_out")

    # -- inside

    async def _there(self, shop: int) -> Shop:
        there = await self._shops.find(shop)
        if there is None:
            raise NoSso
        return there

    async def _claims(self, way: Way, answer: Mapping[str, str]) -> tuple[Shop, dict[str, Any]]:
        """Fetch the token and check it, with the settings as they are now. Raises SsoRefused, SsoAway."""
        there = await self._there(way.shop)
        if (there.issuer, there.client_id) != (way.issuer, way.client_id):
            raise SsoRefused("another provider meanwhile")
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self._back,
            "code_verifier": self._ways.derived("verifier", way),
        }
        async with _in_time():
            provider = await self._providers.of(there.issuer)
            given = answer.get("iss")  # RFC 9207: an answer of another provider's is not taken for this one's
            if (given is None and provider.tells_issuer) or (given is not None and given != there.issuer):
                raise SsoRefused("iss")
            token = await self._providers.token(provider, form, there.client_id, there.secret)
            key = await self._providers.key(provider, token)
        claims = identity(
            token,
            key,
            issuer=there.issuer,
            client_id=there.client_id,
            nonce=self._ways.derived("nonce", way),
            now=self._now() // 1000,
        )
        if there.domains and _domain(claims) not in there.domains:
            raise SsoRefused("domain")
        return there, claims

    async def _enter(self, came: _Came) -> dict[str, Any]:
        """Let in whom a subject is bound to, as what her groups say today."""
        shop, role = came.shop, came.role
        bound = await self._subjects.find(shop, *came.who)
        if bound is None and came.there.arrivals and role is not None and shop != PLATFORM:
            async with self._arriving:  # of two answers for one person the second finds her
                bound = await self._subjects.find(shop, *came.who)
                if bound is None:
                    bound = await self._arrive(came, role)
        if bound is None:
            await self._record.write("refused", came.asker, shop=shop, note="sso_unknown")
            raise SsoUnknown if role is not None else SsoNoGroup
        path = Path(bound.handle, bound.credential, session_name(came.visit.session))
        if role is None:
            await self._end(bound, shop, "sso_group")
            await self._refuse_group(shop, path)
        if shop == PLATFORM:
            if bound.role != role:
                await self._record.write("refused", path, shop=shop, note="membership")
                raise GrantRefused("is no operator any more")
            return {"first": await self._signin.vouched(bound.actor, bound.credential, came.visit)}
        await self._follow(bound, shop, role, path)
        return await self._admit(bound.actor, came, bound.credential)

    async def _arrive(self, came: _Came, role: Role) -> Bound:
        """Add somebody by her group: a member of her own, whatever mail address she has."""
        mail, name = came.claims.get("email"), came.claims.get("name")
        if not isinstance(mail, str) or _unproved(came.claims):
            raise SsoRefused("no mail")
        named = name if isinstance(name, str) and name.strip() else mail.partition("@")[0]
        path = Path("", new_credential(), session_name(came.visit.session))
        try:
            actor, handle = await self._members.arrive(came.shop, role, named, mail, path)
        except BadField:
            raise SsoRefused("name or mail") from None
        await self._bind(actor, came, Path(handle, path.credential, path.session))
        return Bound(actor, handle, path.credential, role)

    async def _join(self, way: Way, came: _Came) -> dict[str, Any]:
        """Bind whom an invitation names, and use it up. Her role is the group's then; an owner stays one."""
        invited = await self._invites.named(bytes.fromhex(way.bound))
        if came.shop == PLATFORM:
            raise GrantRefused("operators have passkeys only")
        path = Path(invited.handle, new_credential(), session_name(came.visit.session))
        role = came.role or await self._refuse_group(came.shop, path)
        await self._bind(invited.actor, came, path, invited=invited)
        await self._messages.proved(came.shop, invited.actor)
        bound = await self._subjects.find(came.shop, *came.who)
        if bound is not None:
            await self._follow(bound, came.shop, role, path)
        return await self._admit(invited.actor, came, path.credential)

    async def _link(self, way: Way, came: _Came, grant: object) -> dict[str, Any]:
        """Bind the grant's own account: the very grant that began."""
        held = await self._grants.check(grant)
        if held.grant_id != way.bound:
            raise GrantRefused("another sign-in began this")
        path = Path(held.handle, new_credential(), held.session)
        if came.role is None:
            await self._refuse_group(came.shop, path)
        await self._bind(held.actor, came, path)
        return {"linked": True}

    async def _refuse_group(self, shop: int, path: Path) -> NoReturn:
        await self._record.write("refused", path, shop=shop, note="sso_group")
        raise SsoNoGroup

    async def _bind(
        self,
        actor: str,
        came: _Came,
        path: Path,
        *,
        invited: Invited | None = None,
    ) -> None:
        """Bind on record. What an earlier binding of the account gave ends. SsoTaken, InviteRefused."""
        entry = await self._record.write("register", path, shop=came.shop, note="sso")
        try:
            async with self._keys.steady.hold(), self._database.transaction() as connection:
                if invited is not None:
                    await self._invites.use(connection, invited)
                await connection.execute(
                    b"UPDATE vault.access_grant g SET revoked_at = %s FROM keystore.sso_subject s "
                    b"WHERE s.actor = %s AND g.actor = s.actor AND g.credential = s.credential "
                    b"AND g.revoked_at IS NULL",
                    [self._now(), actor],
                )
                await self._subjects.bind(connection, actor, came.shop, came.who, path.credential)
        except VaultError:
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise
        self._grants.changed(actor)

    async def _follow(self, bound: Bound, shop: int, role: Role, path: Path) -> None:
        """Give a member the role of her group, on record. An owner is made and unmade by owners only."""
        if bound.role in (None, role, Role.OWNER):
            return
        async with self._database.transaction() as connection:
            await connection.execute(b"SELECT 1 FROM vault.shop WHERE shop_id = %s FOR UPDATE", [shop])
            entry = await self._record.write("member", path, shop=shop, ref=bound.handle, note=f"role:{role}")
            await connection.execute(
                b"UPDATE vault.membership SET role = %s WHERE shop_id = %s AND actor = %s "
                b"AND ended_at IS NULL AND role <> 'owner'",
                [role, shop, bound.actor],
            )
        self._grants.changed(bound.actor)
        await self._record.outcome(entry, Outcome.DONE, path)

    async def _admit(self, actor: str, came: _Came, credential: str) -> dict[str, Any]:
        return await self._signin.admit(
            actor, credential, came.visit, came.shop, note="sso", still=(_STILL, SsoRefused)
        )

    async def _end(self, bound: Bound, shop: int, note: str) -> int:
        """End what an account's sign-ins by the provider gave. On record first; gives how many there were."""
        path = Path(bound.handle, bound.credential)
        entry = await self._record.write("signout", path, shop=shop, note=note)
        count = await self._database.run(
            "UPDATE vault.access_grant SET revoked_at = %s "
            "WHERE actor = %s AND credential = %s AND revoked_at IS NULL AND expires_at > %s",
            [self._now(), bound.actor, bound.credential, self._now()],
        )
        self._grants.changed(bound.actor)
        await self._record.outcome(entry, Outcome.DONE, path)
        return count


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Let everything that is asked of a provider have so long together. Raises SsoAway."""
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except TimeoutError:
        raise SsoAway("it takes too long") from None


def _domain(claims: Mapping[str, Any]) -> str:
    """Give the domain of the mail address that the provider does not say is unproved."""
    mail = claims.get("email")
    if not isinstance(mail, str) or _unproved(claims):
        return ""
    return mail.rpartition("@")[2].lower()


def _unproved(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that the mail address is not proved; some say it in letters."""
    return claims.get("email_verified") in (False, "false")
