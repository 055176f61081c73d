"""What a thief of the app's database knows of who signs in and how: nothing to try a password on."""

import hashlib
import unicodedata
from collections.abc import Iterator
from http.cookies import Morsel
from typing import Any

import pyotp
import pytest
from django.test import Client

from noren import people
from noren.accounts.session import cookie_name
from tests.api.salon import Salon
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.vault.cast import sql

MAIL, PASSWORD = "aoi@salon.example", "ひみつ caf\u00e9 umbrella 42"


def dump_of(app_db: AppDatabase) -> bytes:
    """Every row of every table of the app's database, in text and in binary."""
    whole = bytearray()
    with app_db.connect("owner") as connection:
        found = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(found) > 20
        for (table,) in found:
            for form in (b"text", b"binary"):
                words = b"COPY (SELECT * FROM " + table.encode() + b") TO STDOUT (FORMAT " + form + b")"
                with connection.cursor().copy(words) as copy:
                    whole += b"".join(copy)
    return bytes(whole)


def _forms(text: str) -> Iterator[bytes]:
    """A text in clear, and the hashes of it that need no key."""
    for form in {
        text,
        text.casefold(),
        unicodedata.normalize("NFD", text),
        unicodedata.normalize("NFKC", text),
    }:
        raw = form.encode()
        yield from (raw, form.encode("utf-16-le"))
        for name in ("md5", "sha1", "sha256", "sha512"):
            yield from (hashlib.new(name, raw).digest(), hashlib.new(name, raw).hexdigest().encode())


def _stored(vault: VaultProcess) -> Iterator[bytes]:
    """Everything by which the vault looks an account up or checks what somebody shows."""
    for query in (
        "SELECT token, sealed FROM keystore.signin_mail",
        "SELECT salt, sealed, convert_to(credential, 'UTF8') FROM vault.password",
        "SELECT sealed FROM vault.totp",
        "SELECT sealed FROM vault.recovery",
        "SELECT hash FROM vault.recovery_code",
    ):
        rows = sql(vault, query)
        assert rows
        for row in rows:
            for value in row:
                yield bytes(value)
                yield bytes(value).hex().encode()


@pytest.fixture
def signed_in(made: Salon, staff: Client, vault: VaultProcess, mail: Sink) -> tuple[Any, ...]:
    """Aoi has joined through the pages, and set up a password, one-time codes and recovery codes."""
    cookie = staff.cookies[cookie_name()]
    assert isinstance(cookie, Morsel)
    grant = cookie.value
    people.password_set(grant, PASSWORD)
    seed = people.totp_begin(grant).secret
    people.totp_finish(grant, pyotp.TOTP(seed).now())
    codes = people.recovery_make(grant)
    second = people.password_check(made.id, MAIL, PASSWORD, session="x")
    assert isinstance(second, people.Second)
    assert staff.get("/console/").status_code == 200
    return (MAIL, PASSWORD, seed, grant, grant.rsplit(".", 1)[1], second.ticket, *codes)


def test_it_can_look_nobody_up_and_check_no_password(
    signed_in: tuple[str, ...], app_db: AppDatabase, vault: VaultProcess
) -> None:
    """In the app's dump is no mail, no secret, no hash of one, and nothing of what the vault stores."""
    dump = dump_of(app_db)
    assert b"salon" in dump
    assert not [text for text in signed_in for form in _forms(text) if form in dump]
    assert not [value for value in _stored(vault) if value in dump]


def test_it_would_find_them(signed_in: tuple[str, ...], app_db: AppDatabase, vault: VaultProcess) -> None:
    """The control: a mail's plain hash, and a token of the vault's, written into any table are found."""
    token = next(_stored(vault))
    digest = hashlib.sha256(MAIL.encode()).hexdigest()
    with app_db.connect("owner") as connection:
        connection.execute("CREATE TABLE leak (mail text, token bytea)")
        connection.execute("INSERT INTO leak VALUES (%s, %s)", [digest, token])
        connection.commit()
    dump = dump_of(app_db)
    assert [form for form in _forms(MAIL) if form in dump]
    assert token in dump
