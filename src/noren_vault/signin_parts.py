"""How the parts of signing in are put together: passkeys, passwords, mailed codes, customers' accounts."""

from noren_vault.addresses import Addresses
from noren_vault.alerts import Alerts
from noren_vault.choosing import Choosing
from noren_vault.courier import Courier
from noren_vault.customer_methods import CustomerMethods
from noren_vault.customers import Customers
from noren_vault.defence import Defence
from noren_vault.ending import Ending
from noren_vault.floors import Floors
from noren_vault.hashing import Hashing
from noren_vault.index import Index
from noren_vault.mailed_codes import MailedCodes
from noren_vault.members import Members
from noren_vault.own_password import OwnPassword
from noren_vault.owner_letters import OwnerLetters
from noren_vault.parts import Base
from noren_vault.passkey_rule import PasskeyRule
from noren_vault.password_signin import PasswordSignin
from noren_vault.passwords import Passwords
from noren_vault.post import Post
from noren_vault.proofs import Proofs
from noren_vault.pwned import Pwned
from noren_vault.resets import Resets
from noren_vault.revoking import Revoking
from noren_vault.second_factors import SecondFactors
from noren_vault.security_methods import SecurityMethods
from noren_vault.signin import SignIn
from noren_vault.signin_mails import SigninMails
from noren_vault.signin_methods import Act, SigninMethods
from noren_vault.sso import Sso
from noren_vault.sso_methods import SsoMethods
from noren_vault.sso_provider import Providers
from noren_vault.sso_required import Required
from noren_vault.sso_shops import SsoShops


def signin(base: Base, courier: Courier) -> SignIn:
    return SignIn(
        database=base.database,
        record=base.record,
        ceremonies=base.ceremonies,
        invites=base.invites,
        grants=base.grants,
        visits=base.visits,
        keys=base.held,
        required=Required(base.database, base.record, courier),
        blocked=base.blocked,
        now=base.now,
    )


async def defence(base: Base, courier: Courier) -> Defence:
    """With the counters that were kept."""
    letters = OwnerLetters(
        base.database,
        courier,
        base.record,
        SigninMails(base.database, base.held, base.people, base.now),
        base.settings.origin,
    )
    made = Defence(database=base.database, keys=base.held, record=base.record, letters=letters, now=base.now)
    await made.load()
    return made


def passwords(base: Base, signin: SignIn, post: Post, *, alerts: Alerts, defence: Defence) -> SigninMethods:
    database, held, now = base.database, base.held, base.now
    mails = SigninMails(database, held, base.people, now)
    kept = Passwords(database=database, keys=held, mails=mails, hashing=Hashing(), now=now)
    own = OwnPassword(
        passwords=kept, freshness=base.freshness, record=base.record, mails=mails, defence=defence
    )
    factors = SecondFactors(database, held, now)
    pwned = Pwned(base.settings.pwned, now)
    choosing = Choosing(mails=mails, factors=factors, pwned=pwned, host=base.settings.host)
    rule = PasskeyRule(database=database, record=base.record, now=now)
    reset = resets(base, post.courier, mails, kept, choosing)
    acts = PasswordSignin(
        database=database,
        keys=held,
        record=base.record,
        grants=base.grants,
        invites=base.invites,
        signin=signin,
        mails=mails,
        passwords=kept,
        factors=factors,
        freshness=base.freshness,
        own_password=own,
        choosing=choosing,
        resets=reset,
        rule=rule,
        defence=defence,
        tickets=base.tickets,
        mailed=MailedCodes(now),
        now=now,
    )
    return SigninMethods(
        acts,
        mails,
        post.messages,
        passwords=kept,
        own_password=own,
        alerts=alerts,
        resets=reset,
        rule=rule,
    )


def resets(
    base: Base, courier: Courier, mails: SigninMails, passwords: Passwords, choosing: Choosing
) -> Resets:
    return Resets(
        database=base.database,
        keys=base.held,
        record=base.record,
        grants=base.grants,
        invites=base.invites,
        courier=courier,
        mails=mails,
        passwords=passwords,
        choosing=choosing,
        origin=base.settings.origin,
        now=base.now,
    )


def accounts(
    base: Base, signin: SignIn, post: Post, *, defence: Defence, index: Index
) -> tuple[SigninMethods, SecurityMethods, Alerts]:
    database, now = base.database, base.now
    alerts = Alerts(database=database, courier=post.courier, origin=base.settings.origin, now=now)
    accounts = passwords(base, signin, post, alerts=alerts, defence=defence)
    security = SecurityMethods.of(
        database=database,
        keys=base.held,
        record=base.record,
        grants=base.grants,
        invites=base.invites,
        signin=signin,
        ceremonies=base.ceremonies,
        visits=base.visits,
        index=index,
        accounts=accounts,
        freshness=base.freshness,
        alerts=alerts,
        now=now,
    )
    return accounts, security, alerts


def ending(base: Base, accounts: SigninMethods, alerts: Alerts) -> dict[str, Act]:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    revoking = Revoking(
        database=database,
        record=record,
        grants=grants,
        passwords=accounts.passwords,
        invites=base.invites,
        alerts=alerts,
        now=now,
    )
    ending = Ending(database=database, record=record, grants=grants, now=now)
    return {**ending.acts, **revoking.acts}


def proofs(base: Base, courier: Courier, signin: SignIn) -> Proofs:
    return Proofs(
        database=base.database,
        people=base.people,
        record=base.record,
        courier=courier,
        signin=signin,
        keys=base.held,
        addresses=Addresses(base.database, base.record, base.now),
        grants=base.grants,
        mails=SigninMails(base.database, base.held, base.people, base.now),
        factors=SecondFactors(base.database, base.held, base.now),
        tickets=base.tickets,
        now=base.now,
    )


def customers(base: Base, least: Floors, proofs: Proofs) -> CustomerMethods:
    acts = Customers(
        database=base.database,
        people=base.people,
        record=base.record,
        grants=base.grants,
        least=least,
        freshness=base.freshness,
        now=base.now,
    )
    return CustomerMethods(acts, proofs)


def sso(base: Base, signin: SignIn, post: Post, members: Members, providers: Providers) -> SsoMethods:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    shops = SsoShops(
        database=database,
        keys=base.held,
        record=record,
        grants=grants,
        signin=signin,
        providers=providers,
        now=now,
    )
    acts = Sso(
        database=database,
        keys=base.held,
        record=record,
        grants=grants,
        invites=base.invites,
        signin=signin,
        members=members,
        messages=post.messages,
        shops=shops,
        providers=providers,
        origin=base.settings.origin,
        now=now,
    )
    return SsoMethods(acts, shops, grants, base.freshness)
