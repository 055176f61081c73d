"""Whatever is a secret here stands in the inventory: each setting, file, kind of key, and table."""

import re
from pathlib import Path

from noren.incidents import secret_words
from noren.incidents.secret_list import (
    ALSO,
    BY_NAME,
    ONE_HOST,
    ONE_USER,
    OPEN_SETTINGS,
    OPENS,
    PLACES,
    SECRETS,
    STORES,
)
from noren.runtime import certs, env, secret_facts, secrets_file
from noren_vault.providers import Kind

ROOT = Path(__file__).parents[2]
AT = {where for one in SECRETS for where in one.at}
# Tables with words that are sealed, or hashes of what is no secret: keyed, or of a published text.
NO_SECRETS = frozenset(
    {
        *("vault.allowance", "vault.blind", "vault.defence", "vault.door", "vault.evidence", "vault.field"),
        *("vault.evidence_piece", "vault.incident_record", "vault.inquiry_line", "vault.notice_ask"),
        *("vault.passkey_word", "vault.path_block", "vault.person", "vault.power", "vault.power_review"),
        *(
            "vault.secret_note",
            "vault.session",
            "vault.sign",
            "vault.telling",
            "vault.transfer",
            "vault.transfer_rows",
        ),
        *("vault.transfer_rows", "keystore.former_mail", "keystore.signin_mail", "keystore.sso_subject"),
    }
)


def test_every_setting_is_open_or_a_secret() -> None:
    secret = {one for one in AT if one.startswith("NOREN_")}
    assert secret | OPEN_SETTINGS == set(env.NAMES)
    assert not secret & OPEN_SETTINGS


def test_every_made_secret_is_in_it() -> None:
    """Of both sides' files, and under the name by which its day is known."""
    sides = (
        ("app", secrets_file.APP, secret_facts.APP),
        ("vault", secrets_file.VAULT, secret_facts.VAULT),
    )
    for side, names, told in sides:
        assert set(names) == set(told)
        for name in names:
            assert f"{side}/secrets.json: {name}" in BY_NAME[told[name]].at
    assert {one for one in AT if "secrets.json" in one} == {
        f"{side}/secrets.json: {name}" for side, names, _ in sides for name in names
    }


def test_every_kind_of_key_is_in_it() -> None:
    assert {one for one in AT if one.startswith("keys/")} == {f"keys/{kind}-*" for kind in Kind}


def test_every_certificates_key_is_in_it() -> None:
    """What `noren certs` writes with a key in it: the authority's, the vault's, one for each part."""
    parts = {f"tls/{part}.pem" for part in ("web", "worker", "admin")}
    assert {one for one in AT if one.startswith("tls/")} == parts | {
        f"tls/{certs.CA_KEY}",
        f"tls/{certs.SERVER}",
    }


def test_every_table_of_secrets_is_in_it() -> None:
    """A column for ciphertext or for a hash is thought of: by it people sign in, or words lie sealed."""
    found, table = set(), ""
    for path in sorted((ROOT / "src/noren_vault/sql").glob("*.sql")):
        for line in path.read_text("utf-8").splitlines():
            if begun := re.match(r"(?:CREATE|ALTER) TABLE (?:IF NOT EXISTS )?([a-z_.]+)", line):
                table = begun[1]
            if re.match(r"\s+(?:ADD COLUMN )?(\w*hash|token|sealed|wrapped|public_key)\s+bytea", line):
                found.add(table)
    secret = {one for one in AT if one.startswith(("vault.", "keystore."))}
    assert found == secret | NO_SECRETS
    assert not secret & NO_SECRETS


def test_every_node_has_words_and_every_row_a_way() -> None:
    assert set(BY_NAME) == set(secret_words.SECRET)
    assert set(PLACES) == set(secret_words.PLACE)
    assert set(STORES) == set(secret_words.STORE)
    assert {one.how for one in SECRETS} | {"own", "pasted"} == set(secret_words.HOW)
    assert {one for one in SECRETS if one.how == "command"} <= {one for one in SECRETS if one.command}


def test_every_way_leads_from_and_to_something() -> None:
    """No name is misspelt; each store is opened by something; each secret lies somewhere or is opened."""
    rules = (*OPENS, *ONE_HOST, *ONE_USER)
    nodes = {*PLACES, *BY_NAME, *STORES}
    assert {name for needs, gives in rules for name in (*needs, gives)} <= nodes
    assert {place for one in SECRETS for place in one.lies} <= set(PLACES)
    assert set(ALSO) <= set(PLACES)
    opened = {gives for _, gives in OPENS}
    assert set(STORES) <= opened
    assert [one.name for one in SECRETS if not one.lies and one.name not in opened] == []
    assert len(BY_NAME) == len(SECRETS)
