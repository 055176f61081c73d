"""What an incident needs, put together: book, signs, doors, containing, telling people, desk, inventory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from noren_vault.containment import Containment
from noren_vault.containment_methods import ContainmentMethods
from noren_vault.courier import Courier
from noren_vault.customer_methods import Act
from noren_vault.defence import Defence
from noren_vault.facts import Facts
from noren_vault.floors import Floors
from noren_vault.freezes import Freezes
from noren_vault.holds import Holds
from noren_vault.hook import Hook
from noren_vault.incident_methods import IncidentMethods, asker_of
from noren_vault.index import Index
from noren_vault.inquiries import Inquiries
from noren_vault.inquiry_desk import InquiryDesk
from noren_vault.inquiry_gate import InquiryGate
from noren_vault.inquiry_mails import InquiryMails
from noren_vault.inquiry_methods import InquiryMethods
from noren_vault.inventory import Inventory
from noren_vault.inventory_methods import InventoryMethods
from noren_vault.keeping import Keeping
from noren_vault.lifting import Lifting
from noren_vault.members import Members
from noren_vault.notice_methods import NoticeMethods
from noren_vault.own_exposure import OwnExposure
from noren_vault.pack_methods import PackMethods
from noren_vault.packs import Packs
from noren_vault.parts import Base, doors, evidence, incidents
from noren_vault.passed import Passed
from noren_vault.path_blocks import PathBlocks
from noren_vault.platform import Platform
from noren_vault.reports import Reports
from noren_vault.scope import Scope
from noren_vault.secret_facts import SecretFacts
from noren_vault.sign_bells import SignBells
from noren_vault.sign_methods import SignMethods
from noren_vault.signin import SignIn
from noren_vault.signs import Signs
from noren_vault.telling_mails import TellingMails
from noren_vault.telling_methods import TellingMethods
from noren_vault.tellings import Tellings


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The acts, and what the vault's own loop needs of them."""

    acts: Mapping[str, Act]
    scope: Scope
    holds: Holds
    signs: SignMethods
    tellings: TellingMethods
    inquiries: InquiryMethods
    notices: NoticeMethods

    @property
    def tidies(self) -> tuple[Callable[[], Awaitable[Any]], ...]:
        """What lets go of what is over, one by one."""
        return self.inquiries.tidy, self.inquiries.mails.tidy, self.signs.reports.tidy, self.holds.ring

    async def stop(self) -> None:
        """Wait for what is being mailed."""
        await self.signs.signs.stop()
        await self.inquiries.stop()
        await self.notices.stop()


@dataclass(frozen=True, slots=True)
class Beside:
    """The parts of others that it speaks to."""

    courier: Courier
    defence: Defence
    index: Index
    least: Floors
    signin: SignIn
    members: Members
    keeping: Keeping
    notices: NoticeMethods


def aftermath(base: Base, beside: Beside) -> Aftermath:
    scope = Scope(database=base.database, record=base.record, index=beside.index, visits=base.visits)
    holds = Holds(database=base.database, record=base.record, incidents=incidents(base), now=base.now)
    books = _books(base, beside, holds) | _packs(base, scope).table
    signs = _signs(base, beside)
    tellings, inquiries = _tellings(base, beside, scope), _inquiries(base, beside)
    acts = books | signs.table | tellings.table | inquiries.table | doors(base, beside.index).table
    acts |= _inventory(base, beside).table
    return Aftermath(acts, scope, holds, signs, tellings, inquiries, beside.notices)


def _packs(base: Base, scope: Scope) -> PackMethods:
    packs = Packs(database=base.database, record=base.record, incidents=incidents(base), scope=scope)
    return PackMethods(base.grants, packs)


def _tellings(base: Base, beside: Beside, scope: Scope) -> TellingMethods:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    tellings = Tellings(
        database=database,
        record=record,
        keys=base.held,
        scope=scope,
        incidents=incidents(base),
        signin=beside.signin,
        platform=Platform(database=database, record=record, grants=grants, members=beside.members, now=now),
        bells=beside.notices.notices.bells,
        now=now,
    )
    mails = TellingMails(
        database=database, tellings=tellings, courier=beside.courier, origin=base.settings.origin, now=now
    )
    return TellingMethods(grants, tellings, mails, OwnExposure(database, record, beside.defence))


def _inquiries(base: Base, beside: Beside) -> InquiryMethods:
    database, record, now = base.database, base.record, base.now
    asked = Inquiries(
        database=database,
        keys=base.held,
        people=base.people,
        record=record,
        least=beside.least,
        now=now,
    )
    mails = InquiryMails(
        database=database, inquiries=asked, courier=beside.courier, origin=base.settings.origin, now=now
    )
    desk = InquiryDesk(inquiries=asked, mails=mails, database=database, record=record, now=now)
    return InquiryMethods(base.grants, asked, mails, desk, InquiryGate(beside.defence.puzzles, now))


def _inventory(base: Base, beside: Beside) -> InventoryMethods:
    database, now = base.database, base.now
    facts = SecretFacts(database, beside.keeping.provider, base.settings, now)
    inventory = Inventory(database=database, keys=base.held, record=base.record, facts=facts, now=now)
    return InventoryMethods(base.grants, inventory)


def _signs(base: Base, beside: Beside) -> SignMethods:
    database, record, keys, now = base.database, base.record, base.held, base.now
    books, origin = incidents(base), base.settings.origin
    signs = Signs(
        database=database,
        record=record,
        keys=keys,
        incidents=books,
        evidence=evidence(base),
        bells=SignBells(database, beside.courier, origin, now),
        hook=Hook(database, base.settings.alarm, origin, now),
        minutes=base.settings.alarm_minutes,
        now=now,
    )
    reports = Reports(
        database=database,
        record=record,
        keys=keys,
        people=base.people,
        signs=signs,
        defence=beside.defence,
        least=beside.least,
        now=now,
    )
    return SignMethods(base.grants, signs, reports)


def _books(base: Base, beside: Beside, holds: Holds) -> dict[str, Act]:
    books, database, record, now = incidents(base), base.database, base.record, base.now
    passed = Passed(database, base.visits)
    methods = IncidentMethods(base.grants, books, beside.index)
    more = ContainmentMethods(
        partial(asker_of, base.grants),
        incidents=books,
        containment=Containment(database=database, record=record, incidents=books, now=now),
        facts=Facts(database=database, record=record, index=beside.index, passed=passed),
        holds=holds,
        freezes=Freezes(database=database, record=record, incidents=books, now=now),
        blocks=PathBlocks(
            database=database,
            record=record,
            incidents=books,
            keys=base.held,
            grants=base.grants,
            blocked=base.blocked,
            now=now,
        ),
        lifting=Lifting(database=database, record=record, incidents=books, now=now),
        erasure=beside.keeping.erasure,
    )
    return methods.table | more.table
