"""Which columns hold ciphertext: each of them is to be thought of in a rotation."""

from typing import Any

import psycopg

from noren_vault.vault import Vault
from tests.vault.conftest import Bench

# Every column that holds ciphertext; a new one is added here when rotations bring it along.
SEALED = {
    ("keystore", "former_mail", "sealed"),
    ("keystore", "person_key", "wrapped"),
    ("keystore", "signin_mail", "sealed"),
    ("keystore", "sso_subject", "sealed"),
    ("vault", "allowance", "sealed"),
    ("vault", "api_key", "sealed"),
    ("vault", "defence", "sealed"),
    ("vault", "door", "sealed"),
    ("vault", "evidence", "sealed"),
    ("vault", "evidence_piece", "sealed"),
    ("vault", "field", "sealed"),
    ("vault", "incident_record", "sealed"),
    ("vault", "inquiry_key", "sealed"),
    ("vault", "inquiry_line", "sealed"),
    ("vault", "passkey_word", "sealed"),
    ("vault", "password", "sealed"),
    ("vault", "path_block", "sealed"),
    ("vault", "power", "sealed"),
    ("vault", "power_review", "sealed"),
    ("vault", "reader", "sealed"),
    ("vault", "recovery", "sealed"),
    ("vault", "secret_note", "sealed"),
    ("vault", "session", "sealed"),
    ("vault", "sign", "sealed"),
    ("vault", "sso", "sealed"),
    ("vault", "telling", "sealed"),
    ("vault", "totp", "sealed"),
    ("vault", "transfer", "sealed"),
    ("vault", "transfer_rows", "sealed"),
}


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_it_knows_every_column_that_is_sealed(bench: Bench) -> None:
    """A column for ciphertext that no rotation was thought of for does not come in unseen."""

    async def act(_: Vault) -> None:
        return

    bench.run(act)
    found = _rows(
        bench,
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        "WHERE table_schema IN ('vault', 'keystore') AND data_type = 'bytea' "
        "AND column_name ~ '(sealed|wrapped|cipher|secret$)'",
    )
    assert set(found) == SEALED
