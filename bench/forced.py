"""A forced reset of many accounts: until sessions and passwords are over, and how fast their people are told.

ACCOUNTS=100000. The accounts are rows, each with a password and a living grant; a few hundred of them are
people who can be written to, and are told as fast as the mail server takes it.
"""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from bench import measure
from bench.year import House, card, house, stage
from noren import people
from noren.errors import GrantExpired
from noren.people import forced
from noren_vault.grants import LIFE_MS
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.vault import Vault

ACCOUNTS = int(os.environ.get("ACCOUNTS", "100000"))
PEOPLE = 300
_ACTORS = b"""
INSERT INTO vault.actor (actor, handle, shop_id, person, made_at, kind)
SELECT gen_random_uuid(), 'a' || n || '.bench', 1, (%(persons)s::uuid[])[n], %(now)s, 'customer'
FROM generate_series(1, %(accounts)s) n
"""
_PASSWORDS = b"""
INSERT INTO vault.password
    (actor, credential, scheme, memory_kib, passes, lanes, salt, alone, sealed, pepper, set_at)
SELECT a.actor, 'pw-' || a.actor, 'argon2id', 19456, 2, 1, decode(repeat('00', 32), 'hex'), true,
    decode('01', 'hex') || p.id || decode(repeat('00', 60), 'hex'), p.id, %(now)s
FROM vault.actor a, (SELECT id FROM vault.pepper LIMIT 1) p
"""
_GRANTS = b"""
INSERT INTO vault.access_grant
    (grant_id, secret_hash, shop_id, actor, credential, session, issued_at, expires_at, seen_at)
SELECT substr(md5(a.handle), 1, 16), decode(repeat('00', 32), 'hex'), 1, a.actor, 'pw-' || a.actor, '',
    %(now)s, %(until)s, %(now)s
FROM vault.actor a
"""
# One that is held: a1's secret is "held".
_HELD = b"""
UPDATE vault.access_grant SET secret_hash = sha256('held')
WHERE grant_id = substr(md5('a1.bench'), 1, 16) RETURNING grant_id
"""
_ONLY_PEOPLE = b"""
UPDATE vault.forced_account f SET state = 'failed' FROM vault.actor a
WHERE a.actor = f.actor AND a.person IS NULL
"""


def main() -> None:
    with stage() as (server, mail, folder):
        now = int(time.time() * 1000)
        with house(server, mail, folder, now) as place:
            with place.simulated():
                people.found_shop(1, "bench", [people.Member("owner", "owner", None, "店主", "o@example.jp")])
                rows = [people.Row(f"c{number}", card(number)) for number in range(PEOPLE)]
                persons = [str(one) for one in people.import_rows(1, rows).persons.values()]
            held = _fill(place, persons, now)
            with place.simulated():
                _begin(held)
            mail.messages.clear()
            with psycopg.connect(place.database_url, autocommit=True) as connection:
                connection.execute(_ONLY_PEOPLE)
            asyncio.run(_mail(place))
            measure.figure("forced_mails_arrived", len(mail.messages), "mails")


def _fill(place: House, persons: list[str], now: int) -> str:
    """Make the accounts; give one's grant."""
    words: dict[str, Any] = {"persons": persons, "accounts": ACCOUNTS, "now": now, "until": now + LIFE_MS}
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        for statement in (_ACTORS, _PASSWORDS, _GRANTS):
            connection.execute(statement, words)
        connection.execute(b"ANALYZE vault.actor, vault.password, vault.access_grant")
        [grant_id] = connection.execute(_HELD).fetchone() or [""]
    return f"1.{grant_id}.held"


def _out(held: str) -> float:
    """When a grant that is used all the time is refused first."""
    while True:
        try:
            people.whoami(held)
        except GrantExpired:
            return time.perf_counter()
        time.sleep(0.02)


def _begin(held: str) -> None:
    people.whoami(held)
    with ThreadPoolExecutor(1) as beside:
        out = beside.submit(_out, held)
        start = time.perf_counter()
        begun = forced.begin("everybody", a_minute=6000)
        taken = time.perf_counter() - start
        gone = out.result(60) - start
    if begun.ended < ACCOUNTS or begun.passwords < ACCOUNTS:
        raise SystemExit("not every account was ended: it measures nothing")
    measure.figure(f"forced_{begun.accounts}_grants_ended", gone, "s", limit="<=5", ratio=gone / 5)
    measure.figure(f"forced_{begun.accounts}_passwords_over", taken, "s")
    start = time.perf_counter()
    forced.standing()
    measure.figure("forced_standing", (time.perf_counter() - start) * 1000, "ms")


async def _mail(place: House) -> None:
    vault = await Vault.open(place.configured, lambda: place.clock)
    start, told = time.perf_counter(), 0
    try:
        while told < PEOPLE:
            await vault.forced.mail(1)
            [one] = (await vault.forced.acts["forced_resets"](Params({}), Peer(os.geteuid(), admin=True)))[
                "resets"
            ]
            told = one["told"]
            if not one["waiting"]:
                break
    finally:
        taken = time.perf_counter() - start
        await vault.close()
    measure.figure("forced_told", told / taken, "mails/s")


if __name__ == "__main__":
    main()
