"""What the ledger shows about the key side for a time: starts, acts on keys, foreign doors, repairs.

It is a statement about the record. A copy of the keys' files, made by somebody who had the host, leaves none.
"""

from typing import Any, Final

from noren_vault.database import Database

# Somebody was, or may have been, at the vault's own data beside its door.
TOUCHED: Final = ("door", "restore")
# A backup that was tried was laid out in a folder of its own, and nothing was put back.
_TRIED: Final = ("verified", "failed")
_MOST: Final = 200
# The first list is the partial index's: what says nothing of the key side.
_READ: Final = """
SELECT e.entry, e.at, e.kind, e.actor, e.note, e.ref FROM vault.ledger_entry e
WHERE e.at >= %(since)s AND e.at <= %(until)s AND e.entry < %(size)s
  AND e.kind NOT IN
    ('intent', 'outcome', 'put', 'update', 'erase', 'search', 'signin', 'signout', 'send', 'import')
  AND e.kind = ANY(%(kinds)s) AND NOT (e.kind = 'restore' AND e.note = ANY(%(tried)s)) AND e.kind <> 'door'
UNION ALL
-- A foreign session counts from its start to its end, whenever it was told of. One at the app's database is
-- not at the keys' side; an end or a reason is no session.
SELECT e.entry, e.at, e.kind, e.actor, e.note, e.ref FROM vault.ledger_entry e
WHERE e.kind = 'door' AND e.ref LIKE 'vault/%%' AND e.note NOT IN ('ended', 'explained')
  AND e.entry < %(size)s
  AND least(e.at - e.skew, substring(e.ref FROM '^vault/started:([0-9]+)$')::bigint) <= %(until)s
  AND (e.at BETWEEN %(since)s AND %(until)s OR NOT EXISTS (
    SELECT FROM vault.ledger_entry x WHERE x.kind = 'door' AND x.session = e.session AND x.note = 'ended'
      AND x.entry < %(size)s AND substring(x.ref FROM '^vault/ended:([0-9]+)$')::bigint < %(since)s))
ORDER BY 1
"""
_KINDS: Final = ("start", "key", "repair", *TOUCHED)


async def read(database: Database, *, since: int, until: int, size: int) -> dict[str, Any]:
    """Give the statement; `intact` is false when something on record speaks against it."""
    params = {"since": since, "until": until, "size": size, "kinds": list(_KINDS), "tried": list(_TRIED)}
    rows = await database.rows(_READ, params)
    counts = dict.fromkeys(_KINDS, 0)
    for row in rows:
        counts[row[2]] += 1
    return {
        "intact": not any(counts[kind] for kind in TOUCHED),
        "counts": counts,
        "builds": sorted({ref for _, _, kind, _, _, ref in rows if kind == "start"}),
        "entries": [
            {"entry": entry, "at": at / 1000, "kind": kind, "actor": actor, "note": note, "ref": ref}
            for entry, at, kind, actor, note, ref in rows[:_MOST]
        ],
        "left_off": max(0, len(rows) - _MOST),
    }
