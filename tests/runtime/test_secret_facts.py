"""What the files say of secrets: when each was made, what is not known, and never one of them."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from noren.runtime import authority, certs, doorkey, env, secret_facts, secrets_file
from noren.runtime.env import Env
from noren.runtime.paths import Paths


@pytest.fixture
def house(tmp_path: Path) -> Env:
    """A data folder as a first start leaves it."""
    paths = Paths(tmp_path)
    for folder in (paths.app, paths.vault, paths.run, paths.backup_keys, paths.tls):
        folder.mkdir()
    secrets_file.ensure(paths.app_secrets, secrets_file.APP)
    secrets_file.ensure(paths.vault_secrets, secrets_file.VAULT)
    doorkey.make(paths.door_keys)
    return replace(env.read({}), var=tmp_path)


def test_it_tells_when_each_was_made(house: Env) -> None:
    """One that was taken out of the file and made again is newer, the others are as old as before."""
    path = Paths.of(house).app_secrets
    values = secrets_file.read(path)
    values |= {name: "2020-01-01T00:00:00+00:00" for name in values if name.endswith(".made")}
    del values["link_key"]
    path.write_text(json.dumps(values))
    secrets_file.ensure(path, secrets_file.APP)
    found = secret_facts.seen(house)
    assert found["app-password"] == {"count": 1, "since": 1_577_836_800_000}
    assert found["link-key"]["since"] > 1_577_836_800_000
    assert found["door-keys"]["count"] == 1


def test_it_says_at_the_latest_where_nobody_wrote_down_when(house: Env) -> None:
    """A file of an older version: no secret in it is younger than the file."""
    path = Paths.of(house).app_secrets
    kept = {name: value for name, value in secrets_file.read(path).items() if not name.endswith(".made")}
    path.write_text(json.dumps(kept))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert secret_facts.seen(house)["django-key"] == {"count": 1, "latest": 1_600_000_000_000}


def test_it_does_not_know_when_a_given_password_was_made(house: Env) -> None:
    given = replace(house, database_url="postgresql://dba:geheim@db/noren")
    assert secret_facts.seen(given)["app-migrator-password"] == {"count": 1}


def test_it_reads_a_certificates_day(house: Env) -> None:
    tls, now = Paths.of(house).tls, datetime.now(UTC).replace(microsecond=0)
    assert secret_facts.seen(house)["ca-key"] == {"count": 0}
    made = authority.Authority.make(now)
    (tls / certs.CA_KEY).write_bytes(authority.key_text(made.key))
    (tls / certs.CA).write_bytes(authority.text(made.certificate))
    fact = secret_facts.seen(house)["ca-key"]
    assert 0 <= now.timestamp() * 1000 - fact["since"] <= 600_000


def test_what_it_may_not_read_it_leaves_out(house: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not known is not none: the web process does not say that there are no keys of the vault's side."""

    def refused(path: Path) -> dict[str, str]:
        raise PermissionError(13, "not yours", str(path))

    monkeypatch.setattr(secrets_file, "read", refused)
    found = secret_facts.seen(house)
    assert "vault-password" not in found
    assert "door-keys" in found


def test_no_secret_is_in_it(house: Env) -> None:
    told = secret_facts.told_to_vault(house)
    paths = Paths.of(house)
    values = secrets_file.read(paths.app_secrets) | secrets_file.read(paths.vault_secrets)
    assert set(secret_facts.APP) | set(secret_facts.VAULT) == {
        name for name in values if not name.endswith(".made")
    }
    assert not [value for name, value in values.items() if not name.endswith(".made") and value in told]
    assert all(set(fact) <= {"count", "since", "latest"} for fact in json.loads(told).values())
