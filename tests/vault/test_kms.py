"""Keys wrapped by AWS KMS, against moto's server: unwrapped once, bound to names, clear when away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from moto.server import ThreadedMotoServer

from noren import errors, people
from noren.people import Purpose
from noren_vault.kms import KmsProvider
from noren_vault.providers import FileProvider, KeysError, KeysUnavailable, Kind
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, customer

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def key(aws: None, endpoint: str) -> str:
    """A new master key's ARN."""
    client: Any = Session().create_client("kms", region_name="ap-northeast-1", endpoint_url=endpoint)
    return str(client.create_key()["KeyMetadata"]["Arn"])


@pytest.fixture
def provider(tmp_path: Path, key: str, endpoint: str) -> KmsProvider:
    return KmsProvider(tmp_path / "keys", key, endpoint)


def test_it_keeps_ciphertext_and_unwraps_it(provider: KmsProvider, key: str, endpoint: str) -> None:
    """The file does not hold the key; another start unwraps the same one."""
    stored = provider.new(Kind.EPOCH)
    provider.make(stored)
    raw = provider.read(stored)
    assert len(raw) == 32
    [path] = provider.folder.iterdir()
    assert path.name == f"{stored.name}.kms"
    assert raw not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert KmsProvider(provider.folder, key, endpoint).read(stored) == raw


def test_it_binds_a_key_to_its_name(provider: KmsProvider) -> None:
    """One key's file in another's place, of the same kind or another, does not unwrap."""
    first = provider.new(Kind.EPOCH)
    provider.make(first)
    content = provider.folder.joinpath(f"{first.name}.kms").read_bytes()
    for kind in (Kind.EPOCH, Kind.INDEX):
        other = provider.new(kind)
        provider.make(other)
        provider.folder.joinpath(f"{other.name}.kms").write_bytes(content)
        with pytest.raises(KeysError, match="InvalidCiphertext"):
            provider.read(other)


def test_it_says_when_kms_is_away(tmp_path: Path, key: str) -> None:
    """Nobody listens: the words say so, and that it is not the key's fault."""
    provider = KmsProvider(tmp_path / "keys", key, "http://127.0.0.1:9")
    with pytest.raises(KeysUnavailable, match=r"AWS KMS cannot be asked \(EndpointConnectionError\)"):
        provider.make(provider.new(Kind.EPOCH))
    assert not list(provider.folder.iterdir())


def test_it_says_when_the_master_key_is_not_there(tmp_path: Path, key: str, endpoint: str) -> None:
    """A wrong key is a fault of the settings, not of the moment."""
    wrong = f"{key.rpartition('/')[0]}/00000000-0000-4000-8000-000000000000"
    provider = KmsProvider(tmp_path / "keys", wrong, endpoint)
    with pytest.raises(KeysError, match="AWS KMS refused generate_data_key: NotFoundException") as refusal:
        provider.make(provider.new(Kind.EPOCH))
    assert not isinstance(refusal.value, KeysUnavailable)


def test_it_wraps_what_lay_there_as_files(provider: KmsProvider) -> None:
    """Keys of the file provider become KMS's, the same ones; the plain files are gone."""
    plain = FileProvider(provider.folder)
    raws = {}
    for kind in (Kind.EPOCH, Kind.INDEX, Kind.LEDGER):
        stored = plain.new(kind)
        plain.make(stored)
        raws[stored] = plain.read(stored)
    for _ in range(2):
        provider.wrap_files()
        assert {stored: provider.read(stored) for stored in raws} == raws
    assert {path.suffix for path in provider.folder.iterdir()} == {".kms"}


def _calls(caplog: pytest.LogCaptureFixture) -> int:
    """How many requests moto's server has answered since the log was cleared."""
    return sum(1 for record in caplog.records if record.name == "werkzeug" and "POST" in record.getMessage())


def test_it_serves_a_whole_vault_and_asks_kms_at_the_start_only(
    fresh_cast: Cast, vault: VaultProcess, key: str, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A house moves to KMS: all people open, no reveal asks KMS, a rotation does; without it, no start."""
    vault.stop()
    vault.settings = {
        **vault.settings,
        **AWS,
        "NOREN_VAULT_KEY_PROVIDER": "aws-kms",
        "NOREN_VAULT_KMS_KEY": key,
        "NOREN_VAULT_KMS_ENDPOINT": endpoint,
    }
    vault.start()
    assert not list(vault.keys.glob("*.key"))
    caplog.set_level("INFO", "werkzeug")
    caplog.clear()
    for start in (0, 10, 20):
        some = fresh_cast.customers[start : start + 10]
        assert len(people.reveal(fresh_cast.staff.grant, Purpose.DAY, some, ["name"]).persons) == 10
    people.put(SALON, "new", customer(900))
    assert _calls(caplog) == 0
    people.rotate_keys("epoch")
    assert _calls(caplog) > 0
    assert len(list(vault.keys.glob("epoch-*.kms"))) == 2
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_KMS_ENDPOINT": "http://127.0.0.1:9"}
    process = vault.start(ready=False)
    assert process.returncode == 1
    assert "AWS KMS cannot be asked" in vault.log
    vault.settings = {**vault.settings, "NOREN_VAULT_KEY_PROVIDER": "file"}
    process = vault.start(ready=False)
    assert process.returncode == 2
    assert "aws-kms" in vault.log
    assert len(list(vault.keys.glob("*.kms"))) == 5


def test_it_changes_nothing_when_kms_is_away_later(
    fresh_cast: Cast, vault: VaultProcess, key: str, endpoint: str
) -> None:
    """KMS goes away under a running vault: reveals go on, a new key is refused in words."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    vault.stop()
    vault.settings = {
        **vault.settings,
        **AWS,
        "NOREN_VAULT_KEY_PROVIDER": "aws-kms",
        "NOREN_VAULT_KMS_KEY": key,
        "NOREN_VAULT_KMS_ENDPOINT": f"http://{host}:{port}",
    }
    vault.start()
    server.stop()
    assert people.reveal(fresh_cast.staff.grant, Purpose.DAY, fresh_cast.customers[:1], ["name"]).persons
    with pytest.raises(errors.KeyProviderAway):
        people.rotate_keys("epoch")
    assert people.keys().rotations == ()
