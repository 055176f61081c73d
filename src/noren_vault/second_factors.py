"""Second factors beside a password: one-time codes (TOTP, RFC 6238) and recovery codes.

A one-time code is used once: the newest step of which one was used is kept, and none up to it holds again.
Codes of the step before and after hold, too. After a hundred wrong ones in a row no code holds until a
recovery code is used or the seed is made anew (NIST SP 800-63B-4, section 3.2.2). A recovery code has 120
random bits: with 112 a keyed hash does, and no slow one is needed (ASVS 6.5.2).
"""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

import pyotp

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import CodeRefused, RecordDamaged
from noren_vault.keys import Keys

STEP_SECONDS: Final = 30
MOST_FAILURES: Final = 100
RECOVERY_CODES: Final = 10
_SEED_BYTES: Final = 20
_CODE_BYTES: Final = 15
_KEY_BYTES: Final = 32
# What people read for another sign; the alphabet has no 0, 1 and 8.
_READ: Final = str.maketrans({"0": "O", "1": "I", "8": "B"})
# The try is counted before it is looked at, so that no number of tries at once gets past the bound.
_TRY: Final = """
UPDATE vault.totp SET failures = failures + 1 WHERE actor = %s AND state = 'on' AND failures < %s
RETURNING sealed, pepper, last_step
"""
_RIGHT: Final = """
UPDATE vault.totp SET failures = 0, last_step = %s WHERE actor = %s AND state = 'on' AND last_step < %s
"""


def totp_place(actor: str) -> str:
    """Where an account's sealed seed belongs."""
    return f"totp:{actor}"


def recovery_place(actor: str) -> str:
    """Where the sealed key of an account's recovery codes belongs."""
    return f"recovery:{actor}"


def step_of(seed: bytes, code: str, now: int, after: int) -> int | None:
    """Give the step (RFC 6238's T, 30 s each) of which this is the code: by `now` (ms), after `after`."""
    totp, found = pyotp.TOTP(base64.b32encode(seed).decode()), None
    asked = "".join(unicodedata.normalize("NFKC", code).split()).encode(errors="replace")
    current = now // 1000 // STEP_SECONDS
    for step in (current - 1, current, current + 1):
        same = hmac.compare_digest(totp.generate_otp(step).encode(), asked)
        if same and step > after:
            found = step
    return found


class SecondFactors:
    """Sets up, checks, ends."""

    def __init__(self, database: Database, keys: Keys, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._now = now

    # -- one-time codes

    async def begin(self, actor: str, handle: str) -> tuple[str, str]:
        """Make a seed that is not asked for yet; gives it in base32, and as an `otpauth:` address."""
        seed = secrets.token_bytes(_SEED_BYTES)
        async with self._keys.steady.hold():
            key = self._keys.pepper
            await self._database.run(
                "INSERT INTO vault.totp (actor, state, sealed, pepper, made_at) "
                "VALUES (%s, 'begun', %s, %s, %s) ON CONFLICT (actor, state) DO UPDATE "
                "SET sealed = excluded.sealed, pepper = excluded.pepper, made_at = excluded.made_at",
                [actor, key.seal(seed, totp_place(actor)), key.id, self._now()],
            )
        text = base64.b32encode(seed).decode()
        return text, pyotp.TOTP(text).provisioning_uri(name=handle, issuer_name="Noren")

    async def begun(self, actor: str, code: str) -> int:
        """Give the step of a code of the seed that was begun. Raises CodeRefused."""
        row = await self._database.row(
            "SELECT sealed, pepper FROM vault.totp WHERE actor = %s AND state = 'begun'", [actor]
        )
        step = None if row is None else step_of(self._seed(actor, row[0], row[1]), code, self._now(), 0)
        if step is None:
            raise CodeRefused("not a code of the seed")
        return step

    async def turn_on(self, connection: Connection, actor: str, step: int) -> None:
        """Ask for its codes from now on, in the caller's transaction. Raises CodeRefused: it was done."""
        await connection.execute(b"DELETE FROM vault.totp WHERE actor = %s AND state = 'on'", [actor])
        cursor = await connection.execute(
            b"UPDATE vault.totp SET state = 'on', last_step = %s, failures = 0 "
            b"WHERE actor = %s AND state = 'begun'",
            [step, actor],
        )
        if cursor.rowcount != 1:
            raise CodeRefused("not begun")

    async def is_on(self, actor: str) -> bool:
        """Whether the account is asked for a code."""
        row = await self._database.row("SELECT 1 FROM vault.totp WHERE actor = %s AND state = 'on'", [actor])
        return row is not None

    async def turn_off(self, connection: Connection, actor: str) -> None:
        """Ask for no code any more, in the caller's transaction: seed and recovery codes are destroyed."""
        await connection.execute(b"DELETE FROM vault.totp WHERE actor = %s", [actor])
        await connection.execute(b"DELETE FROM vault.recovery WHERE actor = %s", [actor])

    async def check(self, actor: str, code: str) -> None:
        """Take a one-time code, once. Raises CodeRefused."""
        row = await self._database.row(_TRY, [actor, MOST_FAILURES])
        if row is None:
            raise CodeRefused("no second factor, or too many wrong codes")
        step = step_of(self._seed(actor, row[0], row[1]), code, self._now(), row[2])
        if step is None or await self._database.run(_RIGHT, [step, actor, step]) != 1:
            raise CodeRefused("not the code")

    # -- recovery codes

    async def make(self, connection: Connection, actor: str) -> list[str]:
        """Make ten codes in place of those there are, in the caller's transaction; they are told once."""
        codes = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode() for _ in range(RECOVERY_CODES)]
        key, raw = self._keys.pepper, secrets.token_bytes(_KEY_BYTES)
        await connection.execute(b"DELETE FROM vault.recovery WHERE actor = %s", [actor])
        await connection.execute(
            b"INSERT INTO vault.recovery (actor, sealed, pepper, made_at) VALUES (%s, %s, %s, %s)",
            [actor, key.seal(raw, recovery_place(actor)), key.id, self._now()],
        )
        await connection.execute(
            b"INSERT INTO vault.recovery_code (actor, hash) SELECT %s, h FROM unnest(%s::bytea[]) AS h",
            [actor, [_hash(raw, code) for code in codes]],
        )
        return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)).lower() for code in codes]

    async def recover(self, actor: str, code: str) -> int:
        """Take a recovery code, once; gives how many are left. Raises CodeRefused."""
        row = await self._database.row("SELECT sealed, pepper FROM vault.recovery WHERE actor = %s", [actor])
        if row is None:
            raise CodeRefused("no recovery codes")
        raw = self._opened(row[0], row[1], recovery_place(actor))
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"UPDATE vault.recovery_code SET used_at = %s "
                b"WHERE actor = %s AND hash = %s AND used_at IS NULL",
                [self._now(), actor, _hash(raw, code)],
            )
            if cursor.rowcount != 1:
                raise CodeRefused("not a code, or used")
            await connection.execute(b"UPDATE vault.totp SET failures = 0 WHERE actor = %s", [actor])
            left = await connection.execute(
                b"SELECT count(*) FROM vault.recovery_code WHERE actor = %s AND used_at IS NULL", [actor]
            )
            found = await left.fetchone()
        return 0 if found is None else int(found[0])

    # -- inside

    def _seed(self, actor: str, sealed: bytes, pepper: bytes) -> bytes:
        return self._opened(sealed, pepper, totp_place(actor))

    def _opened(self, sealed: bytes, pepper: bytes, place: str) -> bytes:
        key = self._keys.peppers.get(bytes(pepper))
        if key is None:
            raise RecordDamaged("decryption failed")
        return key.open(bytes(sealed), place)


def _hash(key: bytes, code: str) -> bytes:
    """What is stored of a recovery code: HMAC-SHA256 of it as it is meant, however it was typed."""
    typed = unicodedata.normalize("NFKC", code).upper().translate(_READ)
    meant = "".join(sign for sign in typed if sign.isascii() and sign.isalnum())
    return hmac.new(key, meant.encode(), hashlib.sha256).digest()
