"""Defence of sign-in: what is counted of each try, and what is asked before it is looked at.

Nobody is locked out. What others do to an account holds up strangers only: who comes from a browser that the
account knows, or with a passkey, is not counted with them; a stranger solves a puzzle, and while an attack
goes on takes a mailed code besides. Tries are counted before they are looked at. docs/sign-in-defence.md has
the rules and the figures.

Whoever checks a password or a code of sign-in calls `before...`, and then `right`, `wrong` or `undo`.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault import levels, spelling
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import ChallengeNeeded, LedgerUnavailable, RecordDamaged, TooManyTries
from noren_vault.keys import Keys
from noren_vault.known_devices import KnownDevices
from noren_vault.levels import Need, Seen
from noren_vault.owner_letters import NEW_DEVICE, SECOND_FACTOR, OwnerLetters
from noren_vault.puzzles import LENIENT_BITS, Puzzles
from noren_vault.record import Path, Record
from noren_vault.tallies import SHORT_MS, Spread, Tally
from noren_vault.visits import Visit

_TOKEN_BYTES: Final = 16
_EVERYBODY: Final = b"everybody"
_KEEP_SECONDS: Final = 60.0
_PLACE: Final = "defence:counters"
_KEPT: Final = ("account", "address", "network", "device", "own", "second", "everybody", "right")
_log = structlog.get_logger("defence")


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try is counted under: keyed hashes, empty where nothing was said of it.

    `place` binds a challenge to the account, there or not.
    """

    place: bytes
    account: bytes = b""
    address: bytes = b""
    network: bytes = b""
    device: bytes = b""
    own: bytes = b""
    password: bytes = b""


@dataclass(frozen=True, slots=True)
class Standing:
    """A try that may be looked at. If it is right: with `code` a mailed code is due, with `told` a letter."""

    tried: Tried
    known: bool
    code: bool = False
    told: bool = False


class Defence:
    """Counts and asks. Only the vault's one event loop calls."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        letters: OwnerLetters,
        now: Now,
        puzzles: Puzzles | None = None,
    ) -> None:
        """Keep the parts; `load` brings the counters back."""
        self.devices = KnownDevices(database)
        self.letters = letters
        self.puzzles = Puzzles(now) if puzzles is None else puzzles
        self._database = database
        self._keys = keys
        self._record = record
        self._now = now
        self._key = secrets.token_bytes(32)
        self._password_key = secrets.token_bytes(32)
        self._tallies = {name: Tally() for name in _KEPT}
        self._spread = Spread()
        self._waited = Tally()
        self._attacked_until = 0
        self._kept: list[list[Any]] = []

    # -- passwords

    async def before(self, shop: int, mail: str, tokens: list[bytes], text: str, visit: Visit) -> Standing:
        """Let a password be checked, counted as wrong already. `tokens` are the mail's. ChallengeNeeded."""
        tried = self._tried(shop, mail, visit, text)
        known = await self.devices.of_mail(shop, tokens, visit.known, self._now())
        return await self._admit(tried, visit, known=known)

    def right(self, standing: Standing) -> None:
        """It was right: give the try back. What others tried stays counted, but for those in a row."""
        self.undo(standing)
        self._tallies["account"].end_row(standing.tried.account)
        self._spread.take_back(standing.tried.password, standing.tried.account)
        self._tallies["right"].add(_EVERYBODY, self._now())

    def trying_own(self, shop: int, mail: str) -> Standing:
        """Count the password of who is signed in already as wrong, with what strangers try on the account.

        She is asked for nothing: her grant ends with the fifth in a row.
        """
        standing = Standing(self._tried(shop, mail, Visit("")), known=False)
        self._count(standing.tried, self._now(), known=False)
        return standing

    def undo(self, standing: Standing) -> None:
        """It was not looked at, or was right: give the try back."""
        for name, key in self._counted(standing.tried, known=standing.known):
            self._tallies[name].give_back(key)

    # -- codes by mail, and whatever is asked for by an address

    async def before_code(self, shop: int, mail: str, visit: Visit) -> Standing:
        """Let a mailed code be checked, counted as wrong already. Raises ChallengeNeeded."""
        return await self._admit(self._tried(shop, mail, visit, account=False), visit, known=False)

    async def asked(self, shop: int, mail: str, visit: Visit) -> None:
        """Let somebody have a mail sent (a code, a reset): counted, right or not. Raises ChallengeNeeded."""
        await self._admit(self._tried(shop, mail, visit, account=False), visit, known=False, everybody=False)

    # -- second factors, after a right password

    async def before_second(self, actor: str, shop: int, visit: Visit) -> None:
        """Let a code be checked, counted as wrong already; after some a stranger waits. TooManyTries."""
        now = self._now()
        if await self.devices.of_actor(actor, shop, visit.known, now):
            return
        count = self._tallies["second"].of(self._token("second", actor), now)
        left = count.last + levels.second_wait(count) * 1000 - now
        if left > 0:
            raise TooManyTries(wait=-(-left // 1000))
        self.count_second(actor)

    def count_second(self, actor: str) -> None:
        """Count a code as wrong. One that cannot be guessed (a recovery code) waits for nothing."""
        self._tallies["second"].add(self._token("second", actor), self._now())

    async def wrong_second(self, actor: str, shop: int, path: Path, visit: Visit) -> None:
        """It was wrong: tell the owner of several."""
        now = self._now()
        if self._tallies["second"].of(self._token("second", actor), now).long >= levels.TELLING_SECONDS:
            await self.letters.tell(SECOND_FACTOR, actor, shop, path, device=visit.device, now=now)

    def right_second(self, actor: str) -> None:
        """It was right: those before it are forgotten."""
        self._tallies["second"].forget(self._token("second", actor))

    async def came_in(
        self, actor: str, shop: int, path: Path, visit: Visit, *, told: bool, mailed: bool = False
    ) -> None:
        """Somebody signed in by a password: tell the owner of it where that is due.

        `mailed`: she is told of this sign-in otherwise, and it is written down only.
        """
        if told:
            now = self._now()
            await self.letters.tell(
                NEW_DEVICE, actor, shop, path, device=visit.device, now=now, mailed=mailed
            )

    # -- what outlives a restart

    async def load(self) -> None:
        """Bring the counters back that were kept; where they cannot be read they begin anew."""
        row = await self._database.row("SELECT sealed FROM vault.defence")
        if row is None:
            return
        sealed = bytes(row[0])
        try:
            held = orjson.loads(self._keys.opens(sealed).open(sealed, _PLACE))
        except RecordDamaged:
            _log.exception("counters_unreadable")
            return
        self._key = bytes.fromhex(held["key"])
        for name in _KEPT:
            self._tallies[name].take(held["tallies"].get(name, []))

    async def keep(self) -> None:
        """Keep the counters, sealed, where they have changed since."""
        tallies = {name: tally.rows() for name, tally in self._tallies.items()}
        if list(tallies.values()) == self._kept:
            return
        plain = await asyncio.to_thread(orjson.dumps, {"key": self._key.hex(), "tallies": tallies})
        async with self._keys.steady.hold():
            sealed = self._keys.addresses.seal(plain, _PLACE)
            await self._database.run(
                "INSERT INTO vault.defence (name, sealed, kept_at) VALUES ('counters', %s, %s) "
                "ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at",
                [sealed, self._now()],
            )
        self._kept = list(tallies.values())

    async def keep_forever(self) -> None:
        """Keep them every minute."""
        while True:
            await asyncio.sleep(_KEEP_SECONDS)
            await self.keep_if_possible()

    async def keep_if_possible(self) -> None:
        """Keep them; without a database they are kept a minute later."""
        try:
            await self.keep()
        except (psycopg.Error, PoolTimeout) as fault:
            _log.error("counters_not_kept", fault=type(fault).__name__)

    # -- inside

    async def _admit(self, tried: Tried, visit: Visit, *, known: bool, everybody: bool = True) -> Standing:
        now = self._now()
        if known and not levels.OWN.reached(self._tallies["own"].of(tried.own, now)):
            self._count(tried, now, known=True)
            return Standing(tried, known=True)
        seen = self._seen(tried, now)
        need = levels.need(seen, least_bits=self.puzzles.least)
        if need.puzzle:
            self._challenge(tried, need, visit.proof, now)
        self._count(tried, now, known=False, everybody=everybody)
        began = not seen.attack and self._attacked(now)
        if tried.password:
            self._spread.add(tried.password, tried.account, now)
        if began:
            await self._sign_of_attack()
        told = seen.account.long >= levels.TELLING_WRONG
        return Standing(tried, known=False, code=need.code, told=told)

    def _challenge(self, tried: Tried, need: Need, proof: str, now: int) -> None:
        """Take a proof, or ask for one. Raises ChallengeNeeded."""
        answered = self.puzzles.read(tried.place, proof)
        solved = answered is not None and bool(answered.number)
        if answered is not None and (
            (solved and answered.bits >= need.bits - LENIENT_BITS)
            or (not solved and self._may_wait(tried, need, now))
        ):
            self.puzzles.use(answered)
            return
        # Asked in vain is counted for everybody: an attack is not over because nobody looks at it any more.
        self._tallies["everybody"].add(_EVERYBODY, now)
        challenge = self.puzzles.make(tried.place, need.bits, need.wait)
        raise ChallengeNeeded(challenge=challenge, bits=need.bits, wait=need.wait)

    def _may_wait(self, tried: Tried, need: Need, now: int) -> bool:
        """Whether who waited may go on: one a wait for an account and for a network, few for everybody."""
        if not need.wait or self._waited.of(_EVERYBODY, now).short >= levels.MOST_WAITED:
            return False
        keys = [key for key in (tried.place, tried.network) if key]
        if any(now < self._waited.of(key, now).last + need.wait * 1000 for key in keys):
            return False
        for key in (*keys, _EVERYBODY):
            self._waited.add(key, now)
        return True

    def _seen(self, tried: Tried, now: int) -> Seen:
        tallies = self._tallies
        return Seen(
            account=tallies["account"].of(tried.account, now),
            address=tallies["address"].of(tried.address, now),
            network=tallies["network"].of(tried.network, now),
            device=tallies["device"].of(tried.device, now),
            attack=self._attacked(now),
            sprayed=self._spread.of(tried.password, tried.account, now) if tried.password else 0,
        )

    def _count(self, tried: Tried, now: int, *, known: bool, everybody: bool = True) -> None:
        for name, key in self._counted(tried, known=known):
            if everybody or name != "everybody":
                self._tallies[name].add(key, now)

    @staticmethod
    def _counted(tried: Tried, *, known: bool) -> list[tuple[str, bytes]]:
        """Under which names a try is counted: an account's own browser with nobody else's."""
        if known:
            return [("own", tried.own)]
        return [
            ("account", tried.account),
            ("address", tried.address),
            ("network", tried.network),
            ("device", tried.device),
            ("everybody", _EVERYBODY),
        ]

    def _attacked(self, now: int) -> bool:
        """Whether sign-in as a whole is under attack: until so long after it last looked like one."""
        wrong, right = (self._tallies[name].of(_EVERYBODY, now) for name in ("everybody", "right"))
        if levels.attacked(wrong, right):
            self._attacked_until = now + SHORT_MS
        return now < self._attacked_until

    async def _sign_of_attack(self) -> None:
        """Write it down when sign-in as a whole has come under attack."""
        _log.warning("signin_attacked")
        with suppress(LedgerUnavailable):
            await self._record.write("sign", Path("vault"), note="attack")

    def _tried(self, shop: int, mail: str, visit: Visit, text: str = "", *, account: bool = True) -> Tried:
        place = self._token("account", f"{shop}\x00{spelling.mail(mail)}")
        address, network = _addresses(visit.address)
        written = unicodedata.normalize("NFC", text).encode(errors="replace")
        return Tried(
            place=place,
            account=place if account else b"",
            address=self._maybe("address", address),
            network=self._maybe("network", network),
            device=self._maybe("device", visit.device),
            own=self._token("own", f"{place.hex()}\x00{visit.known}"),
            password=hmac.digest(self._password_key, written, "sha256")[: _TOKEN_BYTES // 2] if text else b"",
        )

    def _maybe(self, kind: str, text: str) -> bytes:
        return self._token(kind, text) if text else b""

    def _token(self, kind: str, text: str) -> bytes:
        written = f"{kind}\x00{text}".encode(errors="replace")
        return hmac.new(self._key, written, hashlib.sha256).digest()[:_TOKEN_BYTES]


def _addresses(text: str) -> tuple[str, str]:
    """Give the address and its network (/24, /48); of what is no address, nothing."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "", ""
    address = getattr(address, "ipv4_mapped", None) or address
    length = 24 if address.version == 4 else 48
    return str(address), str(ipaddress.ip_network((address, length), strict=False))
