"""Signing in by mail and password, and setting up what one signs in with. Each step is on record first.

Whoever changes what an account signs in with has just shown who she is (`freshness`), or holds an invitation
to it: a cookie that was stolen does not do. Operators have passkeys only.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from noren_vault import password_rules as rules
from noren_vault.choosing import Choosing
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.defence import Defence, Standing
from noren_vault.errors import (
    BadPassword,
    Busy,
    CodeRefused,
    FreshSignInNeeded,
    GrantRefused,
    NoSecondFactor,
    PasskeyRequired,
    PasswordRefused,
    ResetRequired,
)
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.invites import Invites
from noren_vault.keys import Keys
from noren_vault.mailed_codes import LIFE_MS as MAILED_MS
from noren_vault.mailed_codes import MailedCodes
from noren_vault.own_password import OwnPassword
from noren_vault.passkey_rule import PasskeyRule
from noren_vault.passwords import Checked, Passwords, credential_name
from noren_vault.record import Path, Record, session_name
from noren_vault.resets import Resets
from noren_vault.rights import PLATFORM, Role
from noren_vault.second_factors import SecondFactors
from noren_vault.signin import CODE, SignIn
from noren_vault.signin_mails import SigninMails
from noren_vault.tickets import LIFE_MS as TICKET_MS
from noren_vault.tickets import Ticket, Tickets
from noren_vault.visits import Visit


class PasswordSignin:
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
        mails: SigninMails,
        passwords: Passwords,
        factors: SecondFactors,
        freshness: Freshness,
        own_password: OwnPassword,
        choosing: Choosing,
        resets: Resets,
        rule: PasskeyRule,
        defence: Defence,
        tickets: Tickets,
        mailed: MailedCodes,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._record = record
        self._grants = grants
        self._invites = invites
        self._signin = signin
        self._mails = mails
        self._passwords = passwords
        self._factors = factors
        self._freshness = freshness
        self._own_password = own_password
        self._choosing = choosing
        self._resets = resets
        self._rule = rule
        self._defence = defence
        self._tickets = tickets
        self._mailed = mailed
        self._now = now

    async def grant(self, token: object) -> Grant:
        """Give a shop's grant. Raises as `Grants.of_shop`."""
        return await self._grants.of_shop(token)

    async def fresh(self, token: object) -> Grant:
        """Give a shop's grant whose holder has shown just now who she is. Raises FreshSignInNeeded, too."""
        grant = await self.grant(token)
        await self._freshness.check(grant)
        return grant

    # -- passwords

    async def set(self, grant: Grant, text: str, words: list[str], old: str | None) -> None:
        """Set the account's password and end its other sessions, by the old one or a fresh passkey.

        For a customer, who may have neither, it is enough that she came in just now. Raises FreshSignInNeeded
        (none of them), OwnPasswordRefused, BadPassword, MailTaken, MailUnproved, Busy.
        """
        await self._signin.required.refuse(grant.shop, grant.path)
        if old is None:
            shown = await self._freshness.shown(grant)
            if not (shown.by_passkey or (shown.fresh and grant.role is Role.CUSTOMER)):
                raise FreshSignInNeeded("neither the old password nor a fresh passkey")
        if old is not None:
            await self._own_password.check(grant, old)
        await self._choosing.check(grant.actor, text, words)
        await self._mails.note(grant.actor)
        fresh, credential = await self._passwords.hashed(grant.actor, text), credential_name()
        path = Path(grant.handle, credential, grant.session)
        await self._record.write("register", path, shop=grant.shop, note="password")
        async with self._writing() as connection:
            await self._passwords.store(connection, fresh, credential)
            await self._grants.end_of(connection, grant.actor, grant.shop, but=grant.grant_id)
        self._grants.changed(grant.actor)

    async def join(self, invite: object, text: str, words: list[str], visit: Visit) -> dict[str, Any]:
        """Set the password of whom an invitation names, use it up, and sign in.

        Raises InviteRefused and PasskeyRequired, too.
        """
        invited = await self._invites.check(invite)
        if invited.shop == PLATFORM:
            raise GrantRefused("operators have passkeys only")
        await self._signin.required.refuse(
            invited.shop, Path(invited.handle, "", session_name(visit.session))
        )
        enrolled = await self._rule.asks(invited.shop, invited.actor)
        if invited.passkey_only or enrolled is not None:
            raise PasskeyRequired(enrolled=bool(enrolled), mailed=False)
        await self._choosing.check(invited.actor, text, words)
        await self._mails.note(invited.actor)
        fresh, credential = await self._passwords.hashed(invited.actor, text), credential_name()
        path = Path(invited.handle, credential, session_name(visit.session))
        await self._record.write("register", path, shop=invited.shop, note="password")
        async with self._writing() as connection:
            await self._invites.use(connection, invited)
            await self._passwords.store(connection, fresh, credential)
        return await self._signin.admit(invited.actor, credential, visit, invited.shop, note="password")

    async def check(
        self, shop: int, mail: str, text: str, visit: Visit, *, kind: str = "member"
    ) -> dict[str, Any]:
        """Check mail and password: a grant, or a ticket `second` where a second factor is asked for.

        With `way` `mail` the ticket is for the code that was mailed (`mailed_check`).
        Raises PasswordRefused, ChallengeNeeded, Busy, GrantRefused (does not work there any more),
        ResetRequired (another one must be set: a link was mailed), PasskeyRequired (the shop takes no
        password of this role).
        """
        standing = await self._defence.before(shop, mail, self._mails.tokens(shop, mail), text, visit)
        try:
            found = await self._passwords.check(shop, mail, text, kind)
        except Busy:
            self._defence.undo(standing)
            raise
        path = Path(found.handle, found.credential, session_name(visit.session))
        if not found.right:
            await self._record.write("refused", path, shop=shop, note="password")
            raise PasswordRefused
        self._defence.right(standing)
        await self._still_good(found, text, shop, path)
        if found.second_factor:
            return await self._second(found, path, shop, standing)
        if not found.alone:
            await self._record.write("refused", path, shop=shop, note="second_factor_gone")
            raise PasswordRefused
        await self._passkey_asked(found.actor, shop, path)
        if standing.code:
            return await self._mail_code(found, path, shop, visit, standing)
        done = await self._signin.admit(found.actor, found.credential, visit, shop, note="password")
        await self._defence.came_in(found.actor, shop, path, visit, told=standing.told)
        return done

    async def mailed_check(self, second: str, code: str, visit: Visit) -> dict[str, Any]:
        """Finish a sign-in with the code that was mailed for it. Raises CodeRefused, PasskeyRequired."""
        ticket = self._tickets.read(second, session_name(visit.session))
        try:
            self._mailed.take(ticket.id, code)
        except CodeRefused:
            await self._refused(ticket, "mailed")
            raise
        return await self._admit(ticket, visit, "mailed")

    # -- second factors

    async def totp_begin(self, grant: Grant) -> dict[str, Any]:
        """Make a seed and tell it; one that is on stays on until a code of the new one came."""
        await self._registered(grant, "totp_begun")
        secret, uri = await self._factors.begin(grant.actor, grant.handle)
        return {"secret": secret, "uri": uri}

    async def totp_finish(self, grant: Grant, code: str) -> None:
        """Ask for codes of the seed from now on. Raises CodeRefused."""
        step = await self._factors.begun(grant.actor, code)
        await self._registered(grant, "totp")
        async with self._database.transaction() as connection:
            await self._factors.turn_on(connection, grant.actor, step)

    async def totp_end(self, grant: Grant) -> None:
        """Ask for no code any more. Raises BadPassword where the password is too short to stand alone."""
        if not await self._passwords.alone(grant.actor):
            raise BadPassword(reason=str(rules.Reason.TOO_SHORT), least=rules.LEAST_ALONE, most=rules.MOST)
        await self._registered(grant, "totp_ended")
        async with self._database.transaction() as connection:
            await self._factors.turn_off(connection, grant.actor)

    async def totp_check(self, second: str, code: str, visit: Visit) -> dict[str, Any]:
        """Finish a sign-in with a one-time code. Raises CodeRefused."""
        ticket = self._tickets.read(second, session_name(visit.session))
        await self._defence.before_second(ticket.actor, ticket.shop, visit)
        try:
            await self._factors.check(ticket.actor, code)
        except CodeRefused:
            await self._wrong(ticket, "totp", visit)
            raise
        self._defence.right_second(ticket.actor)
        return await self._admit(ticket, visit, "totp")

    async def recovery_make(self, grant: Grant) -> list[str]:
        """Make ten recovery codes in place of the old ones, and tell them. Raises NoSecondFactor."""
        if not await self._factors.is_on(grant.actor):
            raise NoSecondFactor
        await self._registered(grant, "recovery_codes")
        async with self._writing() as connection:
            return await self._factors.make(connection, grant.actor)

    async def recovery_use(self, second: str, code: str, visit: Visit) -> dict[str, Any]:
        """Finish a sign-in with a recovery code; `codes_left` says how many there still are. CodeRefused."""
        ticket = self._tickets.read(second, session_name(visit.session))
        self._defence.count_second(ticket.actor)
        try:
            left = await self._factors.recover(ticket.actor, code)
        except CodeRefused:
            await self._wrong(ticket, "recovery", visit)
            raise
        self._defence.right_second(ticket.actor)
        # Its own mail says so already (`Alerts.changed`): one of a new device would be a second one.
        done = await self._admit(ticket, visit, "recovery", mailed=True)
        return {**done, "codes_left": left}

    # -- inside

    async def _still_good(self, found: Checked, text: str, shop: int, path: Path) -> None:
        """Raise ResetRequired where a right password is over, and have the link mailed that leads on."""
        breached = not found.must_reset and await self._choosing.breached(text)
        if not (found.must_reset or breached):
            return
        await self._record.write("refused", path, shop=shop, note="breached" if breached else "must_reset")
        if breached:  # so that it stays so while the service is away
            async with self._database.transaction() as connection:
                await self._passwords.require_reset(connection, found.actor)
        self._resets.mail_link(found.actor, path)
        raise ResetRequired(breached=breached)

    async def _passkey_asked(self, actor: str, shop: int, path: Path) -> None:
        """Raise PasskeyRequired where all of it was right and the shop asks for a passkey."""
        enrolled = await self._rule.asks(shop, actor)
        if enrolled is None:
            return
        await self._record.write("refused", path, shop=shop, note="passkey_required")
        if not enrolled:
            self._resets.mail_passkey(actor, path)
        raise PasskeyRequired(enrolled=enrolled, mailed=not enrolled)

    async def _registered(self, grant: Grant, note: str) -> None:
        await self._record.write("register", grant.path, shop=grant.shop, note=note)

    async def _refused(self, ticket: Ticket, note: str) -> None:
        path = Path(ticket.handle, ticket.credential, ticket.session)
        await self._record.write("refused", path, shop=ticket.shop, note=note)

    async def _wrong(self, ticket: Ticket, note: str, visit: Visit) -> None:
        """A wrong code after a right password: on record, counted, and after some the owner is told."""
        await self._refused(ticket, note)
        path = Path(ticket.handle, ticket.credential, ticket.session)
        await self._defence.wrong_second(ticket.actor, ticket.shop, path, visit)

    async def _second(self, found: Checked, path: Path, shop: int, standing: Standing) -> dict[str, Any]:
        await self._record.write("refused", path, shop=shop, note="second_factor")
        return {"second": self._ticket(found, path, shop, told=standing.told)}

    async def _mail_code(
        self, found: Checked, path: Path, shop: int, visit: Visit, standing: Standing
    ) -> dict[str, Any]:
        """A stranger's right password while an attack goes on: a code goes to the account's owner."""
        await self._record.write("refused", path, shop=shop, note="mailed_code")
        text = self._ticket(found, path, shop, told=standing.told, life=MAILED_MS)
        code = self._mailed.make(self._tickets.read(text, path.session).id, found.actor)
        if code is not None:
            self._defence.letters.code(found.actor, code, path, device=visit.device, now=self._now())
        return {"second": text, "way": "mail"}

    def _ticket(self, found: Checked, path: Path, shop: int, *, told: bool, life: int = TICKET_MS) -> str:
        return self._tickets.make(
            actor=found.actor,
            handle=found.handle,
            credential=found.credential,
            shop=shop,
            session=path.session,
            told=told,
            life=life,
        )

    async def _admit(
        self, ticket: Ticket, visit: Visit, second: str, *, mailed: bool = False
    ) -> dict[str, Any]:
        self._tickets.use(ticket)
        path = Path(ticket.handle, ticket.credential, ticket.session)
        await self._passkey_asked(ticket.actor, ticket.shop, path)
        note = f"{'code' if ticket.credential == CODE else 'password'}_{second}"
        done = await self._signin.admit(ticket.actor, ticket.credential, visit, ticket.shop, note=note)
        await self._defence.came_in(ticket.actor, ticket.shop, path, visit, told=ticket.told, mailed=mailed)
        return done

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """A transaction in which the newest pepper stays the newest."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection
