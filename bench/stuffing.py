"""Credential stuffing at a real vault: what gets in, past which defence, and what honest people notice of it.

PAIRS=10000 pairs of mail and password from elsewhere are tried once each, one of a hundred is true, from
addresses and browsers all over; meanwhile honest people sign in, some after two mistakes. Once without any
defence, then with parts of it, then with all, by an attacker who solves no puzzle and by one who solves all.
SEED=7. The hash costs nothing here (the product's is measured beside it), and puzzles have few bits: what
they would cost is counted.
"""

import asyncio
import os
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from bench import measure
from bench.year import house, stage
from noren_vault import levels
from noren_vault.defence import Defence, Standing, Tried
from noren_vault.errors import ChallengeNeeded, PasswordRefused
from noren_vault.hashing import COST, SALT_BYTES, argon2id
from noren_vault.levels import Bound, Need
from noren_vault.puzzles import LEAST_BITS, Puzzles, solve, zero_bits
from noren_vault.settings import Settings
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.cast import SALON, invitation_of
from tests.vault.conftest import ask

FEW_BITS: Final = 3
_MS_A_TRY: Final = 180
_NEVER: Final = Bound(10**9, 10**9)
_BOUNDS: Final = ("ACCOUNT", "ADDRESS", "NETWORK", "DEVICE", "EVERYBODY")
_CODES: Final = ("ACCOUNT_CODE", "ADDRESS_CODE", "NETWORK_CODE")
_BEGIN: Final = 1_790_000_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """Which defence stands, and whether the attacker solves puzzles. `parts`: the bounds that hold."""

    name: str
    parts: Sequence[str] = _BOUNDS
    solves: bool = False
    codes: bool = True
    none: bool = False


CASES: Final = (
    Case("none", none=True),
    Case("account_only", ("ACCOUNT",)),
    Case("address_and_network", ("ADDRESS", "NETWORK")),
    Case("browser", ("DEVICE",)),
    Case("all"),
    Case("all_but_codes_solving", solves=True, codes=False),
    Case("all_solving", solves=True),
)


@dataclass(slots=True)
class Account:
    """Somebody who works at the shop."""

    handle: str
    password: str
    own: str = ""

    @property
    def mail(self) -> str:
        return f"{self.handle}@staff.example.jp"


@dataclass(slots=True)
class World:
    """One run: the vault, its clock, what was counted."""

    vault: Vault
    mail: Sink
    chance: random.Random
    clock: list[int]
    seen: Counter[str] = field(default_factory=Counter)

    async def check(self, mail: str, password: str, **more: Any) -> dict[str, Any]:
        return await ask(self.vault, "password_check", shop=SALON, mail=mail, password=password, **more)


def main() -> None:
    """Run each case on a fresh vault and print what came of it."""
    pairs, seed = int(os.environ.get("PAIRS", "10000")), int(os.environ.get("SEED", "7"))
    with stage() as (server, mail, folder):
        for number, case in enumerate(CASES):
            place = folder / str(number)
            place.mkdir()
            with house(server, mail, place, _BEGIN) as home:
                seen = asyncio.run(run(home.configured, mail, case, pairs=pairs, seed=seed))
            _tell(case, seen)
    salt = bytes(SALT_BYTES)
    measure.figure("stuffing_hash_of_the_product", _ms(lambda: argon2id(b"words", salt, COST)), "ms")
    # On average as many hashes as the bits say, on one core of this machine.
    one = _ms(lambda: zero_bits("a" * 64), 20_000)
    measure.figure("stuffing_puzzle_on_a_core", one * 2**LEAST_BITS, "ms")


async def run(settings: Settings, mail: Sink, case: Case, *, pairs: int, seed: int) -> Counter[str]:
    """Let everybody try; gives what was counted."""
    chance, clock = random.Random(seed), [_BEGIN]
    made = Puzzles.__init__

    def with_few(self: Puzzles, now: Any) -> None:
        made(self, now, least=FEW_BITS)

    with mock.patch.object(Puzzles, "__init__", with_few):
        vault = await Vault.open(settings, lambda: clock[0])
    try:
        hashing_of(vault)._work = _cheap  # noqa: SLF001 - the hash is measured beside this
        world = World(vault, mail, chance, clock)
        victims, honest = await _accounts(world, pairs // 100, pairs // 60)
        with standing(case):
            await _all(world, case, pairs, victims, honest)
        return world.seen
    finally:
        await vault.close()


@contextmanager
def standing(case: Case) -> Iterator[None]:
    """Let only these parts of the defence stand."""
    changed: dict[str, Any] = {name: _NEVER for name in _BOUNDS if name not in case.parts}
    if "EVERYBODY" not in case.parts:
        changed |= {"attacked": lambda *_: False}
    if case.parts != _BOUNDS:
        changed |= {"SPRAYED": 10**9, "SPRAYED_CODE": 10**9} | dict.fromkeys(_CODES, _NEVER)
    if not case.parts:
        changed |= {"MOST_IN_A_ROW": 10**9}
    if not case.codes:
        changed |= {"need": _without_codes(levels.need)}
    with mock.patch.multiple(levels, **changed) if changed else mock.patch.object(levels, "OWN", levels.OWN):
        if not case.none:
            yield
            return
        with mock.patch.object(Defence, "before", _nothing):
            yield


def hashing_of(vault: Vault) -> Any:
    """The part of a vault that hashes."""
    act: Any = vault.methods._methods["password_check"]  # noqa: SLF001 - as its tests do
    return act.args[0].__self__._acts._passwords._hashing  # noqa: SLF001


# -- who is there


async def _accounts(world: World, victims: int, honest: int) -> tuple[list[Account], list[Account]]:
    """Join: the victims' passwords have leaked elsewhere, those of the others have not."""
    made = [Account(f"m{one}", _words(world.chance)) for one in range(victims + honest)]
    members = [
        {"handle": one.handle, "role": "owner", "staff": None, "name": one.handle, "mail": one.mail}
        for one in made
    ]
    await ask(world.vault, "found_shop", shop=SALON, slug="salon", members=members)
    for one in made:
        one.own = secrets.token_urlsafe(32)
        invite = invitation_of(world.mail, one.mail)
        await ask(world.vault, "password_set", invite=invite, password=one.password, known=one.own)
    world.mail.messages.clear()
    return made[:victims], made[victims:]


async def _all(world: World, case: Case, pairs: int, victims: list[Account], honest: list[Account]) -> None:
    """The pairs in any order, and between each twenty somebody honest."""
    tried: list[tuple[str, str, bool]] = [(one.mail, one.password, True) for one in victims]
    everybody = [*victims, *honest]
    for number in range(pairs - len(victims)):
        # A third of the mails are somebody's here, with a password from elsewhere.
        known = world.chance.random() < 1 / 3
        mail = world.chance.choice(everybody).mail if known else f"nobody{number}@example.jp"
        tried.append((mail, _words(world.chance), False))
    world.chance.shuffle(tried)
    for number, (mail, password, true) in enumerate(tried):
        world.clock[0] += _MS_A_TRY
        await _stuff(world, case, mail, password, true=true)
        if number % 20 == 0:
            await _honest(world, honest[(number // 20) % len(honest)], number // 20)


async def _stuff(world: World, case: Case, mail: str, password: str, *, true: bool) -> None:
    """One pair, from somewhere."""
    network, seen = world.chance.randrange(500), world.seen
    place: dict[str, Any] = {
        "address": f"10.{network // 250}.{network % 250}.{world.chance.randrange(4)}",
        "device": f"Mozilla/5.0 Chrome/{world.chance.randrange(40)}",
    }
    seen["tried"] += 1
    for _ in range(3):
        try:
            answer = await world.check(mail, password, **place)
        except PasswordRefused:
            seen["looked_at"] += 1
            return
        except ChallengeNeeded as asked:
            seen["challenged"] += 1
            if not case.solves:
                return
            bits = asked.facts["bits"]
            seen["hashes"] += 2 ** (bits - FEW_BITS + LEAST_BITS)
            place["proof"] = solve(asked.facts["challenge"], bits)
            continue
        seen["looked_at"] += 1
        seen["stopped_by_code" if "second" in answer else "in"] += true
        return


async def _honest(world: World, who: Account, number: int) -> None:
    """Seven of ten from their own browser; one of five after two mistakes; puzzles are solved, mails read."""
    own, seen = number % 10 < 7, world.seen
    place: dict[str, Any] = {"address": f"203.0.{number % 250}.9", "device": "Mozilla/5.0 Firefox/140.0"}
    place |= {"known": who.own} if own else {}
    kind = "own" if own else "new"
    seen[f"honest_{kind}"] += 1
    mistakes = 2 if number % 5 == 3 else 0
    asked = False
    for _ in range(8):
        password = who.password if not mistakes else "what was it again"
        try:
            answer = await world.check(who.mail, password, **place)
        except PasswordRefused:
            mistakes -= 1
            place.pop("proof", None)
        except ChallengeNeeded as needed:
            asked = True
            place["proof"] = solve(needed.facts["challenge"], needed.facts["bits"])
        else:
            seen[f"honest_{kind}_challenged"] += asked
            if "second" in answer:
                seen[f"honest_{kind}_code"] += 1
                await world.vault.defence.letters.stop()
                answer = await ask(
                    world.vault, "mailed_check", second=answer["second"], code=_code(world.mail, who.mail)
                )
            seen["honest_in"] += "grant" in answer
            return
    seen["honest_refused"] += 1


def _code(mail: Sink, address: str) -> str:
    for message in reversed(mail.messages):
        if message["To"] == address and (body := message.get_body(("plain",))) is not None:
            found = re.search(r"Your code to sign in is (\d{6})", body.get_content())
            if found is not None:
                return found[1]
    raise RuntimeError("no code was mailed")


# -- parts taken out, and figures


async def _nothing(*_: Any, **__: Any) -> Standing:
    return Standing(Tried(b""), known=True)


def _without_codes(need: Callable[..., Need]) -> Callable[..., Need]:
    def asked(*given: Any, **named: Any) -> Need:
        found = need(*given, **named)
        return Need(found.puzzle, found.bits, found.wait, code=False)

    return asked


def _cheap(password: bytes, salt: bytes, _: Any) -> bytes:
    return (password + salt * 2)[:32].ljust(32, b"\x00")


def _words(chance: random.Random) -> str:
    return " ".join(f"{chance.randrange(10**6):06d}" for _ in range(3))


def _tell(case: Case, seen: Counter[str]) -> None:
    name = f"stuffing_{case.name}"
    measure.figure(f"{name}_got_in", seen["in"], "accounts", ratio=seen["in"] / max(1, seen["tried"] / 100))
    measure.figure(f"{name}_looked_at", seen["looked_at"], "pairs", ratio=seen["looked_at"] / seen["tried"])
    measure.figure(f"{name}_stopped_by_code", seen["stopped_by_code"], "accounts")
    measure.figure(f"{name}_hashes_a_pair", seen["hashes"] / seen["tried"], "hashes")
    for kind in ("own", "new"):
        people = seen[f"honest_{kind}"]
        for what in ("challenged", "code"):
            count = seen[f"honest_{kind}_{what}"]
            measure.figure(f"{name}_honest_{kind}_{what}", count, "people", ratio=count / people)
    measure.figure(f"{name}_honest_refused", seen["honest_refused"], "people", limit="0")


def _ms(deed: Callable[[], object], times: int = 5) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        deed()
    return (time.perf_counter() - begin) / times * 1000


if __name__ == "__main__":
    main()
