"""The parts of the vault put together, each given what it needs: nothing here decides anything."""

from dataclasses import dataclass

from noren_vault.allowances import Allowances
from noren_vault.api_keys import ApiKeys
from noren_vault.bells import Bells
from noren_vault.blocked import Blocked
from noren_vault.budgets import Budgets
from noren_vault.canaries import Canaries
from noren_vault.card import Card
from noren_vault.card_methods import CardMethods
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.defence import Defence
from noren_vault.doctor import Doctor
from noren_vault.door_methods import DoorMethods
from noren_vault.doors import Doors
from noren_vault.doubles import Doubles
from noren_vault.evidence import Evidence
from noren_vault.export_methods import ExportMethods
from noren_vault.exporting import Exporting
from noren_vault.floors import Floors
from noren_vault.forced import Forced
from noren_vault.freshness import Freshness
from noren_vault.grants import Grants
from noren_vault.importing import Importing
from noren_vault.incidents import Incidents
from noren_vault.index import Index
from noren_vault.invites import Invites
from noren_vault.keeping import Keeping
from noren_vault.keys import Keyring, Keys
from noren_vault.ledger import Ledger
from noren_vault.looks import Looks
from noren_vault.members import Members
from noren_vault.memberships import Memberships
from noren_vault.merging import Merging
from noren_vault.mydata import MyData
from noren_vault.mydata_methods import MyDataMethods
from noren_vault.naming import Investigations, Naming
from noren_vault.narrowing import Narrowing
from noren_vault.nonces import Nonces
from noren_vault.notice_bells import NoticeBells
from noren_vault.notice_methods import NoticeMethods
from noren_vault.notices import Notices
from noren_vault.passkeys import Ceremonies, Challenges
from noren_vault.passwords import Passwords
from noren_vault.people import People
from noren_vault.permits import Permits
from noren_vault.platform import Platform
from noren_vault.post import Post
from noren_vault.power_methods import PowerMethods
from noren_vault.powers import Powers
from noren_vault.proofs import Proofs
from noren_vault.readers import Readers
from noren_vault.record import Record
from noren_vault.records import Records
from noren_vault.reported import Reported
from noren_vault.rights_methods import RightsMethods
from noren_vault.search import Search
from noren_vault.settings import Settings
from noren_vault.several_shops import SeveralShops
from noren_vault.shop_methods import ShopMethods
from noren_vault.signin import SignIn
from noren_vault.telling_letters import TellingLetters
from noren_vault.tickets import Tickets
from noren_vault.trace import Trace
from noren_vault.transfers import Transfers
from noren_vault.undoing import Undoing
from noren_vault.visits import Visits
from noren_vault.witnesses import Watch


@dataclass(frozen=True, slots=True)
class Base:
    """What nearly every part is given."""

    settings: Settings
    database: Database
    held: Keys
    record: Record
    people: People
    grants: Grants
    invites: Invites
    visits: Visits
    ceremonies: Ceremonies
    tickets: Tickets
    freshness: Freshness
    blocked: Blocked
    now: Now


def base(
    settings: Settings, database: Database, held: Keys, record: Record, *, least: Floors, now: Now
) -> Base:
    grants = Grants(database, now)
    return Base(
        settings=settings,
        database=database,
        held=held,
        record=record,
        people=People(database, held, least),
        grants=grants,
        invites=Invites(database, now),
        visits=Visits(database, held),
        ceremonies=Ceremonies(settings.origin, settings.host, Challenges(now)),
        tickets=Tickets(now),
        freshness=Freshness(database, grants, now),
        blocked=Blocked(database, record, held, now),
        now=now,
    )


def records(base: Base, search: Search, budgets: Budgets, nonces: Nonces, least: Floors) -> Records:
    return Records(
        database=base.database,
        keys=base.held,
        people=base.people,
        search=search,
        record=base.record,
        grants=base.grants,
        budgets=budgets,
        nonces=nonces,
        least=least,
        freshness=base.freshness,
        now=base.now,
    )


def forced(base: Base, passwords: Passwords, courier: Courier) -> Forced:
    return Forced(
        database=base.database,
        record=base.record,
        grants=base.grants,
        passwords=passwords,
        courier=courier,
        origin=base.settings.origin,
        now=base.now,
    )


def members(base: Base, courier: Courier) -> Members:
    return Members(
        database=base.database,
        people=base.people,
        keys=base.held,
        record=base.record,
        invites=base.invites,
        courier=courier,
        origin=base.settings.origin,
        now=base.now,
    )


def powers(base: Base, signin: SignIn, members: Members, courier: Courier) -> tuple[Powers, PowerMethods]:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    platform = Platform(database=database, record=record, grants=grants, members=members, now=now)
    powers = Powers(
        database=database,
        record=record,
        grants=grants,
        signin=signin,
        keys=base.held,
        platform=platform,
        bells=Bells(database, courier, base.settings.origin, now),
        now=now,
    )
    return powers, PowerMethods(grants, powers, platform)


def notices(
    base: Base,
    signin: SignIn,
    members: Members,
    courier: Courier,
    more: tuple[Defence, Index, Floors],
) -> NoticeMethods:
    defence, index, least = more
    database, record, grants, now = base.database, base.record, base.grants, base.now
    notices = Notices(
        database=database,
        record=record,
        signin=signin,
        platform=Platform(database=database, record=record, grants=grants, members=members, now=now),
        index=index,
        bells=NoticeBells(database, courier, base.settings.origin, now),
        now=now,
    )
    readers = Readers(
        database=database,
        keys=base.held,
        people=base.people,
        record=record,
        courier=courier,
        least=least,
        origin=base.settings.origin,
        now=now,
    )
    return NoticeMethods(grants, notices, readers, defence)


def shops(base: Base, post: Post, signin: SignIn, members: Members) -> ShopMethods:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    return ShopMethods(
        grants=grants,
        members=members,
        permits=Permits(database=database, record=record, grants=grants, now=now),
        several=SeveralShops(
            database=database,
            record=record,
            invites=base.invites,
            grants=grants,
            signin=signin,
            keys=base.held,
            now=now,
        ),
        messages=post.messages,
    )


def rights(base: Base, budgets: Budgets, signin: SignIn, proofs: Proofs) -> RightsMethods:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    return RightsMethods(
        grants=grants,
        memberships=Memberships(database=database, record=record, grants=grants, now=now),
        narrowing=Narrowing(database=database, record=record, grants=grants, now=now),
        proofs=proofs,
        allowances=Allowances(
            database=database,
            record=record,
            counters=budgets,
            grants=grants,
            signin=signin,
            keys=base.held,
            now=now,
        ),
    )


def lists(
    base: Base, budgets: Budgets, signin: SignIn, index: Index, kept: tuple[Keeping, Floors]
) -> tuple[ExportMethods, Importing, Transfers]:
    database, record, people, grants, now = base.database, base.record, base.people, base.grants, base.now
    canaries = Canaries(database, people, base.held, base.settings.canaries_at, now)
    transfers = Transfers(
        database=database, record=record, grants=grants, signin=signin, keys=base.held, now=now
    )
    importing = Importing(database, people, base.held, record, now, transfers=transfers, flock=canaries)
    exporting = Exporting(
        database=database,
        people=people,
        record=record,
        grants=grants,
        budgets=budgets,
        transfers=transfers,
        canaries=canaries,
        now=now,
    )
    methods = ExportMethods(
        grants=grants,
        transfers=transfers,
        exporting=exporting,
        importing=importing,
        undoing=Undoing(
            database=database, people=people, record=record, least=kept[1], backup_keys=kept[0].backup_keys
        ),
        trace=Trace(database=database, canaries=canaries, record=record, index=index),
        letters=TellingLetters(database),
    )
    return methods, importing, transfers


def mydata(base: Base, proofs: Proofs, defence: Defence, index: Index, watch: Watch) -> MyDataMethods:
    database, record, now = base.database, base.record, base.now
    naming = Naming(database=database, record=record, now=now)
    return MyDataMethods(
        grants=base.grants,
        database=database,
        keys=base.held,
        proofs=proofs,
        defence=defence,
        mydata=MyData(database=database, record=record, index=index, naming=naming, watch=watch),
        naming=naming,
        investigations=Investigations(database=database, record=record, now=now),
        looks=Looks(database=database, record=record, index=index, now=now),
        now=now,
    )


def card(
    base: Base, search: Search, budgets: Budgets, least: Floors, keeping: Keeping
) -> tuple[CardMethods, Merging]:
    database, people, record, grants, now = base.database, base.people, base.record, base.grants, base.now
    merging = Merging(
        database=database,
        people=people,
        keys=base.held,
        record=record,
        grants=grants,
        least=least,
        backup_keys=keeping.backup_keys,
        now=now,
    )
    written = Card(database=database, people=people, keys=base.held, record=record, least=least, now=now)
    doubles = Doubles(database, people, search, record, budgets, now)
    return CardMethods(database, grants, written, doubles, merging), merging


def keeping(base: Base, ring: Keyring, index: Index, least: Floors) -> Keeping:
    return Keeping.of(
        base.settings,
        ring,
        keys=base.held,
        people=base.people,
        record=base.record,
        index=index,
        least=least,
        now=base.now,
    )


def api_keys(base: Base, records: Records) -> ApiKeys:
    return ApiKeys(
        database=base.database,
        record=base.record,
        grants=base.grants,
        records=records,
        keys=base.held,
        now=base.now,
    )


def doors(base: Base, index: Index) -> DoorMethods:
    database, record, keys = base.database, base.record, base.held
    return DoorMethods(
        base.grants, Doors(database=database, record=record, index=index, keys=keys, now=base.now)
    )


def incidents(base: Base) -> Incidents:
    return Incidents(database=base.database, record=base.record, keys=base.held, now=base.now)


def evidence(base: Base) -> Evidence:
    return Evidence(
        database=base.database, record=base.record, keys=base.held, incidents=incidents(base), now=base.now
    )


def doctor(base: Base, ledger: Ledger, index: Index, watch: Watch) -> Doctor:
    return Doctor(
        database=base.database,
        url=base.settings.database_url,
        keys=base.held,
        ledger=ledger,
        index=index,
        watch=watch,
        now=base.now,
        certificates=None if base.settings.listen is None else base.settings.listen.certificates,
        books=incidents(base),
        evidence=evidence(base),
        reported=Reported(base.database, base.record, base.held, evidence(base)),
    )
