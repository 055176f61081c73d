"""The task that has the ledger witnessed: never on the way of an append, and never what stops one.

Every few seconds at most the newest head goes to all witnesses at once. Who does not answer is left alone for
a while; what nobody has witnessed for too long is alarmed about, and all goes on.
"""

import asyncio
import base64
import hashlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault import tasks
from noren_vault.clock import Now
from noren_vault.errors import LedgerUnavailable
from noren_vault.ledger import Head, Ledger, LedgerDamaged, ProofInvalid
from noren_vault.ledger.checkpoint import open_head
from noren_vault.ledger.errors import CheckpointInvalid, NoteInvalid
from noren_vault.ledger.note import Verifier
from noren_vault.ledger.tiles import replace_file
from noren_vault.record import Path, Record
from noren_vault.witnesses.cosigner import Cosignature
from noren_vault.witnesses.line import Line, NoAnswer
from noren_vault.witnesses.policy import Member, Policy
from noren_vault.witnesses.store import Kept, Store

EVERY_SECONDS: Final = 2.0
AT_START_SECONDS: Final = 4.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_FAULTS: Final = (psycopg.Error, PoolTimeout, ProofInvalid, LedgerDamaged, OSError)
_log = structlog.get_logger("witnesses")


@dataclass(frozen=True, slots=True)
class Seen:
    """How it stands with one witness: the size it has cosigned, when (milliseconds), and why not more."""

    name: str
    size: int = 0
    at: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tail:
    """What no quorum has witnessed: so many entries, the first so old. `late`: it was alarmed about."""

    entries: int
    seconds: int
    late: bool


class _Asked:
    """One witness, as the task knows it."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.line = Line(member.url)
        self.seen = Seen(member.cosigner.name)
        self.failures = 0
        self.rests_until = 0.0

    def failed(self, why: str, at: float) -> None:
        """Leave it alone for a while, longer each time."""
        if why != self.seen.why:
            _log.warning("witness_does_not_sign", witness=self.seen.name, why=why)
        self.seen = replace(self.seen, why=why)
        self.failures += 1
        self.rests_until = at + min(EVERY_SECONDS * 2**self.failures, LONGEST_PAUSE_SECONDS)


class Watch:
    """Of the vault's loop: `known` before the ledger is opened, `start` after, `stop` before it closes."""

    def __init__(self, policy: Policy, store: Store, now: Now, *, minutes: int) -> None:
        """Keep the parts. `minutes`: how old the tail may become before it is alarmed about."""
        self._policy = policy
        self._store = store
        self._now = now
        self._longest = minutes * 60_000
        self._asked = [_Asked(one) for one in policy.witnesses.values() if one.url]
        self._cosigned: Head | None = None
        self._signed: dict[str, Cosignature] = {}  # of the present head, by the name in the policy
        self._present: Head | None = None
        self._first: tuple[int, int] = (-1, 0)  # index and time of the first entry that nobody has witnessed
        self._late = False
        self._forks: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._ledger: Ledger | None = None

    # -- before the ledger is opened

    async def known(self, verifier: Verifier) -> list[Head]:
        """The heads that the ledger must at least hold: those stored, and those that witnesses remember.

        Asked for a few seconds at most: who does not answer then stops nothing.
        """
        kept = await self._store.witnesses()
        self._cosigned = await self._store.cosigned()
        for one in self._asked:
            if (found := kept.get(one.seen.name)) is not None:
                one.seen = Seen(one.seen.name, found.head.size, found.at)
        heads = [one.head for one in kept.values()] + ([self._cosigned] if self._cosigned else [])
        asked = await asyncio.gather(*(self._remembered(one, verifier) for one in self._asked))
        for one, head in zip(self._asked, asked, strict=True):
            if head is not None:
                _log.info("witness_remembers", witness=one.seen.name, size=head.size)
                heads.append(head)
        return heads

    async def _remembered(self, one: _Asked, verifier: Verifier) -> Head | None:
        """What a witness shows of this ledger. Only a head that our own key signed counts against us."""
        name = hashlib.sha256(verifier.name.encode()).hexdigest()
        try:
            reply = await one.line.ask(f"/{name}/checkpoint", seconds=AT_START_SECONDS)
            if reply.status != 200:
                return None
            return open_head(reply.text, [verifier], verifier.name)
        except NoAnswer as error:
            _log.warning("witness_does_not_answer", witness=one.seen.name, why=str(error))
        except (NoteInvalid, CheckpointInvalid) as error:
            _log.error("witness_shows_nothing_of_ours", witness=one.seen.name, why=str(error))
        return None

    # -- while it is open

    def start(self, record: Record) -> None:
        """Begin. Publishes what was cosigned before."""
        self._ledger = ledger = record.ledger
        if self._cosigned is not None and not self._still_enough(self._cosigned):
            self._cosigned = None
        if self._cosigned is not None:
            ledger.cosigned(self._cosigned)
        if self._asked:
            self._task = asyncio.create_task(self._go_round(ledger, record))

    async def stop(self) -> None:
        """End the task."""
        if self._task is not None:
            await tasks.end(self._task)
        for one in self._asked:
            one.line.stop()

    @property
    def cosigned(self) -> Head | None:
        """The newest head that met the quorum, with its witnesses' signatures."""
        return self._cosigned

    def tail(self) -> Tail:
        """What no quorum has witnessed, as of the last look."""
        size = 0 if self._ledger is None else self._ledger.size
        entries = size - (0 if self._cosigned is None else self._cosigned.size)
        if not self._policy.demands or entries <= 0:
            return Tail(0, 0, late=False)
        return Tail(
            entries, max(self._now() - self._first[1], 0) // 1000 if self._first[1] else 0, self._late
        )

    def to_wire(self) -> dict[str, Any]:
        """What health tells: whether a quorum is wanted, the tail, each witness."""
        seen = [asdict(one.seen) for one in self._asked]
        forked = sorted(self._forks)
        return {"wanted": self._policy.demands, "witnesses": seen, "forked": forked} | asdict(self.tail())

    def _still_enough(self, head: Head) -> bool:
        """Whether what was cosigned under an older policy meets the present one."""
        lines = head.signed.rpartition("\n\n")[2]
        found = {name: one.cosigner.found(_text(head), lines) for name, one in self._policy.witnesses.items()}
        return self._policy.demands and self._policy.met([name for name, one in found.items() if one])

    async def _go_round(self, ledger: Ledger, record: Record) -> None:
        while True:
            try:
                await self._submit(ledger, record)
                await self._look_at_tail(ledger, record)
            except _FAULTS as fault:
                _log.error("cannot_be_witnessed", fault=type(fault).__name__)
            except LedgerUnavailable:
                _log.critical("alarm_not_recorded", alarm="unwitnessed", reason=record.refused)
            except Exception as fault:  # noqa: BLE001 -- whatever a witness sends must not end the task: it would be silent then
                _log.critical("fault", fault=type(fault).__name__)
            await asyncio.sleep(EVERY_SECONDS)

    async def _submit(self, ledger: Ledger, record: Record) -> None:
        """Have the newest head cosigned by all who have not signed it and do not rest."""
        head, at = ledger.head(), asyncio.get_running_loop().time()
        if head.size == 0:
            return
        if self._present is None or self._present.size != head.size:
            self._present, self._signed = head, {}
        due = [one for one in self._asked if one.member.name not in self._signed and one.rests_until <= at]
        if not due:
            return
        await asyncio.gather(*(self._ask(one, ledger, record, head) for one in due))
        newer = self._cosigned is None or self._cosigned.size < head.size
        more = self._cosigned is not None and self._cosigned.size == head.size
        if self._signed and self._policy.demands and self._policy.met(self._signed) and (newer or more):
            signed = head.signed + "".join(one.line for one in self._signed.values())
            self._cosigned = replace(head, signed=signed)
            await self._store.publish(self._cosigned)
            ledger.cosigned(self._cosigned)

    async def _ask(self, one: _Asked, ledger: Ledger, record: Record, head: Head) -> None:
        """Ask one witness; once more when it remembers another size than we thought."""
        old, loop = one.seen.size, asyncio.get_running_loop()
        try:
            for _ in range(2):
                proof = await asyncio.to_thread(ledger.consistency, min(old, head.size), head)
                reply = await one.line.ask("/add-checkpoint", _request(min(old, head.size), proof, head))
                told = reply.text.strip()
                if reply.status != 409 or not told.isascii() or not told.isdecimal() or len(told) > 19:
                    break
                if (old := int(told)) > head.size:
                    break
            if reply.status == 200:
                await self._took(one, head, one.member.cosigner.found(_text(head), reply.text))
                return
            if reply.status in (409, 422):
                await self._compare(one, ledger, record)
            one.failed(f"status_{reply.status}", loop.time())
        except NoAnswer as error:
            one.failed(str(error), loop.time())
        except NoteInvalid:
            one.failed("wrong_signature", loop.time())

    async def _took(self, one: _Asked, head: Head, cosignature: Cosignature | None) -> None:
        if cosignature is None:
            raise NoteInvalid("the witness did not sign")
        kept = Kept(replace(head, signed=head.signed + cosignature.line), self._now())
        await self._store.keep(one.seen.name, kept)
        one.seen, one.failures = Seen(one.seen.name, head.size, kept.at), 0
        self._signed[one.member.name] = cosignature

    async def _compare(self, one: _Asked, ledger: Ledger, record: Record) -> None:
        """A witness says that our head does not continue what it knows. If our own key signed that: a fork.

        Both heads are written beside the ledger: together they prove it to anybody. The witness's is stored,
        so that the next start stops.
        """
        verifier = Verifier.from_vkey(ledger.vkey())
        theirs = await self._remembered(one, verifier)
        if theirs is None:
            return
        with suppress(ProofInvalid):
            if await asyncio.to_thread(ledger.root, theirs.size) == theirs.root:
                return
        first = one.seen.name not in self._forks
        self._forks.add(one.seen.name)
        _log.critical("ledger_forked", witness=one.seen.name, theirs=theirs.size, ours=ledger.size)
        await self._store.keep(one.seen.name, Kept(theirs, self._now()))
        if first:
            name = hashlib.sha256(one.seen.name.encode()).hexdigest()[:16]
            for whose, head in (("theirs", theirs), ("ours", ledger.head())):
                path = ledger.folder / f"fork-{name}-{whose}"
                await asyncio.to_thread(replace_file, path, head.signed.encode())
            await record.write("witness", Path("vault"), note="forked", ref=f"size:{theirs.size}")

    async def _look_at_tail(self, ledger: Ledger, record: Record) -> None:
        """Alarm once when the tail has become too old, and say so once when it is witnessed again."""
        first = 0 if self._cosigned is None else self._cosigned.size
        if self._policy.demands and ledger.size > first and self._first[0] != first:
            found = await asyncio.to_thread(lambda: next(ledger.entries(first, first + 1), None))
            self._first = (first, 0 if found is None else found[1].time)
        behind = self._policy.demands and ledger.size > first and self._first[0] == first
        late = behind and self._now() - self._first[1] > self._longest
        if late == self._late:
            return
        self._late, tail = late, ledger.size - first
        if late:
            _log.critical("ledger_not_witnessed", entries=tail, minutes=self._longest // 60_000)
        await record.write(
            "witness", Path("vault"), note="behind" if late else "caught_up", ref=f"size:{first}"
        )


def _request(old: int, proof: list[bytes], head: Head) -> bytes:
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{lines}\n{head.signed}".encode()


def _text(head: Head) -> str:
    return head.signed.rpartition("\n\n")[0] + "\n"
