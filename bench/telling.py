"""Telling people after a leak: how many a second, beside a bare loop of the same mails to the same server.

PERSONS=3000. The dry run is measured on them, too. 100,000 in two hours are 13.9 a second.
"""

import asyncio
import os
import smtplib
import time
from email.policy import SMTP
from typing import Any

import psycopg

from bench import measure
from bench.year import House, card, house, stage
from noren.incidents.telling_words import HOUSE
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.vault import Vault
from tests.servers import Sink

PERSONS = int(os.environ.get("PERSONS", "3000"))
LEAST = 100_000 / 7_200
_AGREED = b"UPDATE vault.telling SET state = 'agreed', decided_at = 0, entry = 0, a_minute = 6000"


async def _ask(vault: Vault, method: str, **params: Any) -> dict[str, Any]:
    return (await vault.methods.answer(Request(method, Params(params)), Peer(uid=0, admin=True))).ok


def main() -> None:
    with stage() as (server, mail, folder):
        now = int(time.time() * 1000)
        with house(server, mail, folder, now) as place:
            asyncio.run(_tell(place, mail))


async def _tell(place: House, mail: Sink) -> None:
    vault = await Vault.open(place.configured, lambda: place.clock)
    try:
        for start in range(0, PERSONS, 500):
            rows = [{"key": f"c{n}", "fields": card(n)} for n in range(start, min(start + 500, PERSONS))]
            await _ask(vault, "import", shop=1, rows=rows)
        incident = (await _ask(vault, "open_incident", words="{}"))["incident"]
        at = place.clock / 1000
        question = {"store": ["vault", "keys"], "since": at - 60, "until": at + 60}
        asked = {"question": question, "notice": "2026-leak", "words": HOUSE, "shops": {"1": "青葉サロン"}}
        began = time.perf_counter()
        made = await _ask(vault, "make_telling", incident=incident, **asked)
        measure.figure(f"telling_{PERSONS}_made", time.perf_counter() - began, "s")
        if made["by"] != {"waiting": PERSONS}:
            raise SystemExit(f"not everybody is in it: {made['by']}")
        with psycopg.connect(place.database_url, autocommit=True) as connection:
            connection.execute(_AGREED)
        ours = await _ours(vault)
    finally:
        await vault.close()
    if len({str(one["To"]) for one in mail.messages}) != PERSONS or len(mail.messages) != PERSONS:
        raise SystemExit("not everybody was told once: it measures nothing")
    bare = await asyncio.to_thread(_bare, mail)
    measure.figure("telling_bare_smtp", bare, "mails/s")
    measure.figure("telling_told", ours, "mails/s", limit=f">={LEAST:.1f}", ratio=ours / bare)
    measure.figure("telling_100000_would_take", 100_000 / ours / 60, "min", limit="<=120")


async def _ours(vault: Vault) -> float:
    """As fast as it goes, without the pace."""
    began = time.perf_counter()
    while await vault.aftermath.tellings.mails.send(2):
        pass
    return PERSONS / (time.perf_counter() - began)


def _bare(mail: Sink) -> float:
    """The same mails on one connection, one after the other, and nothing else."""
    mails = [(str(one["To"]), one.as_bytes(policy=SMTP)) for one in mail.messages]
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", mail.port) as client:
        for to, data in mails:
            client.sendmail("bounce@example.jp", to, data)
    return len(mails) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
