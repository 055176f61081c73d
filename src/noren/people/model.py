"""What the vault's answers are made of: values without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """Why somebody looks: a closed list; which role may use which for which fields, the vault knows."""

    TODAY = "today"
    DAY = "day"
    DAY_SHEET = "day_sheet"
    CUSTOMER = "customer"
    SEARCH = "search"
    CHECK_IN = "check_in"
    MESSAGE = "message"
    EXPORT = "export"
    SUPPORT = "support"
    OWN = "own"
    INCIDENT = "incident"
    MEMBERS = "members"


class SendState(StrEnum):
    """How a message stands. DEFERRED is to be tried again with the same key, after a while.

    FAILED is refused for good: no address, a shut one, a refusal. UNKNOWN is never sent again by itself.
    BOUNCED was taken, and came back.
    """

    SENT = "sent"
    ALREADY = "already"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"


class ExposureState(StrEnum):
    """EXPOSED: it was handed out, or lay readable. POSSIBLY: it was about to be handed out, and nothing on
    record says that it was not. NOT: it stands in what was asked about, and was surely not handed out.
    """

    EXPOSED = "exposed"
    POSSIBLY = "possibly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Budget:
    """What this credential's lineage has seen in 24 hours, and how much more it may see now.

    The unit is a person's class of data (identity, contact, note, answers, health, card), new in 24 hours.
    """

    today: int
    left: int


@dataclass(frozen=True, slots=True)
class Revealed:
    """Plaintext. Never stored, cached or logged on the app side; `entry` is its index in the ledger."""

    persons: dict[UUID, dict[str, str]]
    entry: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class Found(Revealed):
    """What a search tells: the first of `found` persons."""

    found: int


@dataclass(frozen=True, slots=True)
class Row:
    """One person of an import; `key` is the importer's own and makes a second run change nothing."""

    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why a row was not taken; `reason` is a code."""

    key: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    persons: dict[str, UUID]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Certified:
    """One entry of the ledger: its index, its canonical JSON, and the `.tlog-proof` that it is there."""

    index: int
    entry: str
    proof: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """That a person was erased, and the UTC day from which no backup can be read that held her."""

    shop_id: int
    person: UUID
    reason: str
    erased_at: datetime
    unreadable_from: date | None
    entries: tuple[Certified, ...]
    vkey: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its id. `kind` is epoch, index, pepper or backup; `state` in use, retired or destroyed."""

    kind: str
    number: int
    id: str
    state: str
    since: datetime
    destroyed: datetime | None


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """A rotation of epoch, data or index keys; `left` is what still lies under an old key."""

    what: str
    key: str
    begun: datetime
    ended: datetime | None
    total: int
    done: int
    left: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyList:
    """`rotations` has the newest first."""

    keys: tuple[Key, ...]
    rotations: tuple[KeyRotation, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Actor:
    id: UUID
    handle: str


@dataclass(frozen=True, slots=True)
class Membership:
    shop_id: int
    slug: str
    role: str
    staff: str | None


@dataclass(frozen=True, slots=True)
class Who:
    """Whose grant this is. An operator's `shop_id` is None, the `role` is "operator". `expires` is in UTC.

    A customer's `role` is "customer", and `person` is herself.
    """

    actor: Actor
    shop_id: int | None
    role: str
    staff: str | None
    expires: datetime
    memberships: tuple[Membership, ...]
    person: UUID | None = None
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Second:
    """A password, or a mailed code, was right; a second factor is asked for. `ticket` goes with its code.

    `way`: `code` (one-time or recovery code) or `mail` (a code was mailed, for `mailed_check`).
    """

    ticket: str
    way: str = "code"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`grant` belongs into the user's cookie `noren_grant` and nowhere else."""

    grant: str
    who: Who


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works for a shop. `handle` is the staff key (`aoi`) or whole (`aoi.salon`)."""

    handle: str
    role: str
    staff: str | None
    name: str
    mail: str


@dataclass(frozen=True, slots=True)
class Invited:
    """`mail` is the state of the invitation's mail; `joined` when a passkey exists already.

    `invite` is the link's token where it was asked for, to be shown once and kept nowhere.
    """

    handle: str
    mail: str
    invite: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """One field of one person: between when, and how surely."""

    field: str
    first: datetime
    last: datetime
    state: ExposureState


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who works for a shop, as the vault has it: `role` None once ended, `joined` with a passkey.

    `person` is the member's own data in this shop; `invited` until when an unused link holds; `seen` the last
    sign-in to this shop.
    """

    actor: UUID
    handle: str
    role: str | None
    staff: str | None
    joined: bool = True
    person: UUID | None = None
    since: datetime | None = None
    ended: datetime | None = None
    invited: datetime | None = None
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """What the platform allows a role for a purpose (`most`), and what the shop left of it (`fields`)."""

    role: str
    purpose: str
    most: tuple[str, ...]
    fields: tuple[str, ...]


class Step(StrEnum):
    """What would widen a budget next."""

    STEP_UP = "step_up"
    SECOND_PERSON = "second_person"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked a second person for; `until` is when it is over, or an approval's end. `own`: hers.

    `state`: asked, approved, declined, over.
    """

    request: str
    handle: str
    role: str | None
    reason: str = field(repr=False)
    amount: int
    minutes: int
    state: str
    asked: datetime
    until: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands, what would widen it next, and the requests this grant may see."""

    budget: Budget
    next: Step
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was seen of one person of one shop, by all that was asked about together. `seen` says it by field.

    A field `presence` means that nothing was told but that the person is there.
    """

    person: UUID
    shop_id: int
    seen: tuple[Seen, ...]
    first: datetime
    last: datetime
    purposes: tuple[str, ...]
    state: ExposureState
    entries: tuple[int, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields' names."""
        return tuple(one.field for one in self.seen)


@dataclass(frozen=True, slots=True)
class Way:
    """By which way it passed: what the entries say of their "who", and how many there are."""

    actor: str
    credential: str
    session: str
    process: str
    kind: str
    first: datetime
    last: datetime
    entries: int


@dataclass(frozen=True, slots=True)
class Store:
    """What was taken as it lay. `form`: readable, cipher, keys or ids; `persons` counts them by shop.

    `unbounded`: what happened with it later cannot be told. `keys`: which kinds of keys in the same hand fit.
    """

    name: str
    since: datetime
    until: datetime
    form: str
    persons: Mapping[int, int]
    unbounded: bool
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountData:
    """One thing of an account that lay in a store: what it signs in with, or what came of its signing in.

    `kind`: passkey, password, totp, recovery, mail_index, address, reason, door, invitation, other;
    `form`: clear, hashed, readable, guessable (a password's hash with its key) or cipher; `key` the kind of
    key that it lies under. `entries` are empty for what only the vault's tables of today say.
    """

    store: str
    shop_id: int
    actor: str
    person: UUID | None
    kind: str
    credential: str
    form: str
    key: str
    first: datetime
    last: datetime
    state: ExposureState
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeySideEntry:
    """An entry that says something of the vault's keys or of a door beside its own."""

    entry: int
    at: datetime
    kind: str
    actor: str
    note: str
    ref: str


@dataclass(frozen=True, slots=True)
class KeySide:
    """What the ledger shows about the key side for the time. `intact`: nothing on record is against it."""

    intact: bool
    counts: Mapping[str, int]
    builds: tuple[str, ...]
    entries: tuple[KeySideEntry, ...]
    left_off: int


@dataclass(frozen=True, slots=True)
class Untouched:
    """Whom an answer leaves out in one shop: how many had rows and are not exposed, and of each field of how
    many who had it it is not.
    """

    persons: int
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """The answer to "whose data": `entries` counts the ledger's entries that say so.

    `persons` are exposed or possibly; `spared` stand in it and are not; everybody else does not stand in it.
    `accounts` are their things in the stores. `ways` are those by which it passed (the thousand with most
    entries); `asked` is the question as it was
    put to the entries, addresses and devices turned into sessions (`unsure`: those that may have been opened
    from there).
    `head_size` and `head_root` (hex) name the tree it was answered from; `checkpoint` is its signed note;
    `proofs` holds a tlog-proof text for each entry asked for. `canaries` are ids among both that are nobody:
    a proof needs them, and who counts people takes `exposed_people` and `spared_people`.
    """

    asked: Mapping[str, tuple[str, ...]]
    persons: tuple[Exposure, ...]
    spared: tuple[Exposure, ...]
    ways: tuple[Way, ...]
    stores: tuple[Store, ...]
    keyside: KeySide | None
    entries: int
    head_size: int
    head_root: str
    checkpoint: str
    complete: bool
    proofs: dict[int, str]
    accounts: tuple[AccountData, ...] = ()
    untouched: Mapping[int, Untouched] = field(default_factory=dict)
    canaries: frozenset[UUID] = frozenset()

    @property
    def exposed_people(self) -> tuple[Exposure, ...]:
        """Those of `persons` who are somebody."""
        return tuple(one for one in self.persons if one.person not in self.canaries)

    @property
    def spared_people(self) -> tuple[Exposure, ...]:
        """Those of `spared` who are somebody."""
        return tuple(one for one in self.spared if one.person not in self.canaries)


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness: up to which size it has cosigned, when, and why not further (a code, or empty)."""

    name: str
    size: int
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """How far the ledger is witnessed. `wanted`: a quorum is set. `entries` are not witnessed, the first of
    them for `seconds`; `late`: that was alarmed about. `forked`: witnesses that know another history.
    """

    wanted: bool
    entries: int
    seconds: int
    late: bool
    forked: tuple[str, ...]
    witnesses: tuple[Witness, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves an answer. `bounds`: the entries [first, last) of the time, if one was asked for."""

    bounds: tuple[int, int] | None
    outcomes: tuple[int, ...]
    entries: tuple[str, ...]
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """`ledger` is false while the ledger cannot be written; `reason` is its code, or empty."""

    ledger: bool
    reason: str
    size: int
    indexed: int
    build: str
    witnessed: Witnessed


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the vault's doctor."""

    check: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Build:
    """A build of the vault (32 hex digits of its SHA-256): its first and last entry, how many it wrote."""

    build: str
    first: int
    last: int
    entries: int
