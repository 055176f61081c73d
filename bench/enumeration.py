"""Whether the time of an answer tells if somebody is known: interleaved samples of known and unknown.

SAMPLES=2000 of each address in each of RUNS=3 runs, half of them known, through the real pages or the door's
functions, at a vault in a process of its own. The Mann-Whitney U test says how likely the two halves are of
one kind (p); it holds when p > 0.01 in two of three runs. `without` is the control: the same vault whose
answers leave as soon as they are ready. Bounds of the defence are set aside: what is asked of a stranger is
asked before anybody is looked up.
"""

import asyncio
import multiprocessing
import os
import re
import secrets
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from django.db import connection as app_connection
from django.test import Client, override_settings

from bench import measure
from bench.stuffing import Case, standing
from bench.year import House, house, stage
from noren import people
from noren.errors import NorenError
from noren.people import resets, wire
from noren_vault.even import STEP_SECONDS
from noren_vault.server import Server as Socket
from noren_vault.settings import Settings
from noren_vault.vault import Vault
from tests.api.salon import salon
from tests.environment import GIVEN, PATHS, TOP
from tests.servers import Sink, app_database, embedded, serve_app
from tests.vault.cast import invitation_of

SAMPLES: Final = int(os.environ.get("SAMPLES", "2000"))
RUNS: Final = int(os.environ.get("RUNS", "3"))
_AT_ONCE: Final = 4
_P: Final = 0.01
_BEGIN: Final = 1_790_000_000_000
_KNOWN: Final = {True: "aoi@staff.example.jp", False: "nobody@staff.example.jp"}
_CUSTOMER: Final = {True: "hanako@example.jp", False: "nobody@example.jp"}
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
# Whether it is known -> what the answer was: the same for both, whatever the case.
Deed = Callable[[bool], str]


def _page(address: str, known: bool, **more: str) -> str:
    answer = Client().post(address, {"mail": _CUSTOMER[known], **more})
    if answer.status_code not in {200, 403}:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return f"{answer.status_code} {sorted(answer.headers)} {_bare(answer.content.decode(), known)}"


def _bare(text: str, known: bool) -> str:
    """The page without what was typed into it and the tokens of its forms."""
    return _TOKEN.sub("", text.replace(_CUSTOMER[known], ""))


def _password(shop: int, known: bool) -> str:
    try:
        people.password_check(shop, _KNOWN[known], "none of anybody's words")
    except NorenError as refusal:
        return repr((refusal.code, refusal.facts))
    raise RuntimeError("let in")


def _reset_asked(shop: int, known: bool) -> str:
    resets.reset_begin(shop, _KNOWN[known])
    return "asked"


def deeds(shop: int, slug: str) -> dict[str, Deed]:
    """What is measured; one more address is one more line."""
    return {
        "password": partial(_password, shop),
        "reset_asked": partial(_reset_asked, shop),
        "code_asked": partial(_page, f"/{slug}/my-data/code"),
        "code_wrong": partial(_page, f"/{slug}/my-data/enter", code="000000"),
    }


def main() -> None:
    """Measure with the fixed moment, and without."""
    with (
        stage() as (server, mail, folder),
        embedded(PATHS, vault=False),
        serve_app(GIVEN) as apps,
        app_database(apps),
        override_settings(
            SECRET_KEY="s" * 50,
            LINK_KEY=b"l" * 32,
            IDEMPOTENCY_KEY=b"i" * 32,
            ALLOWED_HOSTS=["testserver"],
        ),
    ):
        made = salon()
        with house(server, mail, folder, _BEGIN) as home:
            for name, step in (("even", STEP_SECONDS), ("without", 0.0)):
                with serving(home, step):
                    if step:
                        _join(made.id, made.slug, mail)
                    for what, deed in deeds(made.id, made.slug).items():
                        _compare(f"enumeration_{name}_{what}", deed, held=bool(step))


@contextmanager
def serving(home: House, step: float) -> Iterator[None]:
    """The vault in a process of its own, as this process's."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(home.configured, step, there))
    process.start()
    try:
        here.recv()
        with override_settings(VAULT_SOCKET=home.configured.socket):
            yield
    finally:
        wire.close()
        here.send("end")
        process.join(60)


def _serve(configured: Settings, step: float, there: Connection) -> None:
    async def serve() -> None:
        vault = await Vault.open(configured, lambda: int(time.time() * 1000))
        me = frozenset({os.geteuid()})
        socket = Socket(vault.methods, vault.record, peers=me, admins=me, step=step)
        await socket.start(Path(configured.socket))
        there.send("ready")
        await asyncio.to_thread(there.recv)
        await socket.stop()
        await vault.close()

    with standing(Case("open", parts=())), suppress(EOFError):
        asyncio.run(serve())
    shutil.rmtree(TOP, ignore_errors=True)  # this process's own


def _join(shop: int, slug: str, mail: Sink) -> None:
    """Somebody who works there, by a password, and a customer."""
    member = people.Member(handle="aoi", role="owner", staff=None, name="葵", mail=_KNOWN[True])
    people.found_shop(shop, slug, [member])
    people.password_join(invitation_of(mail, _KNOWN[True]), secrets.token_urlsafe(20))
    people.import_rows(shop, [people.Row("one", {"name": "花子", "mail": _CUSTOMER[True]})])


def _compare(name: str, deed: Deed, *, held: bool) -> None:
    """Sample, in runs; say how far the halves are apart, and in how many runs nothing was to be told."""
    if len({deed(known) for known in (True, False)}) != 1:
        raise RuntimeError(f"{name}: the answers themselves tell")
    good = 0
    for run in range(RUNS):
        taken = _sampled(deed)
        p = mann_whitney(taken[True], taken[False])
        good += p > _P
        apart = statistics.median(taken[True]) - statistics.median(taken[False])
        measure.figure(f"{name}_p_{run + 1}", p, "p")
        measure.figure(f"{name}_apart_{run + 1}", apart * 1000, "ms")
    measure.figure(
        f"{name}_runs_that_tell_nothing", good, "runs", limit=f">={-(-RUNS * 2 // 3)}" if held else "-"
    )


def _sampled(deed: Deed) -> dict[bool, list[float]]:
    """Known and unknown in turn, some at once."""
    taken: dict[bool, list[float]] = {True: [], False: []}

    def one(number: int) -> None:
        # Which of two comes first changes by chance: no rhythm of the machine meets one of them only.
        known = bool(number % 2) ^ flips[number // 2]
        begin = time.perf_counter()
        deed(known)
        taken[known].append(time.perf_counter() - begin)

    def close() -> None:
        # Each of the threads, its own.
        all_here.wait()
        app_connection.close()

    all_here = threading.Barrier(_AT_ONCE)
    flips = [bool(secrets.randbits(1)) for _ in range(SAMPLES // 2 + 1)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(one, range(SAMPLES)))
        for _ in range(_AT_ONCE):
            pool.submit(close)
    return taken


def mann_whitney(one: list[float], other: list[float]) -> float:
    """The two-sided p of the Mann-Whitney U test, by its normal approximation (times hardly ever tie)."""
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks = sum(place for place, (_, of_one) in enumerate(ranked, 1) if of_one)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    sigma = (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * (1 - statistics.NormalDist().cdf(abs(u - n * m / 2) / sigma))


if __name__ == "__main__":
    main()
