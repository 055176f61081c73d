"""`noren certs`: keys stay where they are made, and only what was asked for is signed."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from noren.cli import main
from noren.people import tls
from noren.runtime import authority, certs, env
from noren.runtime.authority import Authority
from noren.runtime.env import StartRefused

Noren = Callable[..., str]


@pytest.fixture
def noren(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Noren:
    """Run `noren certs WORDS` on one of two hosts; gives what it printed."""
    tmp_path.chmod(0o755)

    def run(host: str, *words: object) -> str:
        monkeypatch.setenv("NOREN_VAR", str(tmp_path / host))
        capsys.readouterr()
        code = main(["certs", *map(str, words)])
        said = capsys.readouterr()
        return said.out if code == 0 else f"refused: {said.err}"

    return run


@pytest.fixture
def signed(noren: Noren, tmp_path: Path) -> Path:
    """The vault's host and the app's, with certificates; gives the file that was installed."""
    noren("vault", "init", "--host", "vault.internal", "--host", "10.0.0.2")
    (tmp_path / "req").write_text(noren("app", "request"))
    (tmp_path / "crt").write_text(noren("vault", "sign", tmp_path / "req", "--admin"))
    assert "admin: " in noren("app", "install", tmp_path / "crt")
    return tmp_path / "crt"


def _in_use(tmp_path: Path, name: str) -> str:
    return authority.serial(authority.certificate_of((tmp_path / "app" / "tls" / name).read_bytes()))


def test_it_keeps_each_key_on_its_own_host(signed: Path, tmp_path: Path) -> None:
    travelled = (tmp_path / "req").read_text() + signed.read_text()
    assert "PRIVATE" not in travelled
    assert {path.name for path in (tmp_path / "app" / "tls").iterdir()} == {
        *("ca.pem", "web.pem", "worker.pem", "admin.pem")
    }
    assert not (tmp_path / "vault" / "tls" / "web.pem").exists()


def test_it_keeps_each_key_from_others(signed: Path, tmp_path: Path) -> None:
    private = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()]
    assert {path.name for path in private} == {"ca.key", "server.pem", "web.pem", "worker.pem", "admin.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    if os.geteuid() == 0:
        mine = {path.name for path in private if path.stat().st_uid == 0}
        assert mine == {"ca.key", "admin.pem"}


def test_it_signs_no_administrator_unasked(noren: Noren, tmp_path: Path) -> None:
    noren("vault", "init", "--host", "vault.internal")
    (tmp_path / "req").write_text(noren("app", "request"))
    assert "Give --admin" in noren("vault", "sign", tmp_path / "req")
    assert not (tmp_path / "vault" / "tls" / "issued").exists()
    (tmp_path / "req").write_text(noren("app", "request", "web", "worker"))
    assert noren("vault", "sign", tmp_path / "req").count("BEGIN CERTIFICATE") == 3


def test_it_signs_for_known_parts_only(noren: Noren, tmp_path: Path) -> None:
    noren("vault", "init", "--host", "vault.internal")
    key = authority.new_key()
    for asked in (authority.text(authority.request(key, "king")), b"no request", b""):
        (tmp_path / "req").write_bytes(asked)
        assert noren("vault", "sign", tmp_path / "req").startswith("refused: ")
    assert "The parts are" in noren("app", "request", "king")
    assert "No such file" in noren("vault", "sign", tmp_path / "none")


def test_it_signs_nothing_without_the_authority(noren: Noren, tmp_path: Path) -> None:
    (tmp_path / "req").write_text(noren("app", "request", "web"))
    assert "ca.key is not here" in noren("vault", "sign", tmp_path / "req")


def test_it_uses_the_old_key_until_the_new_certificate_is_in(
    noren: Noren, signed: Path, tmp_path: Path
) -> None:
    before = _in_use(tmp_path, "web.pem")
    (tmp_path / "req").write_text(noren("app", "request", "web"))
    assert _in_use(tmp_path, "web.pem") == before
    (tmp_path / "crt").write_text(noren("vault", "sign", tmp_path / "req"))
    noren("app", "install", tmp_path / "crt")
    assert _in_use(tmp_path, "web.pem") != before


def test_it_installs_what_fits_or_nothing(noren: Noren, signed: Path, tmp_path: Path) -> None:
    before = _in_use(tmp_path, "web.pem")
    assert "web.key is not here" in noren("app", "install", signed)
    noren("app", "request")
    assert "is for another key" in noren("app", "install", signed)
    other = Authority.make(datetime.now(UTC))
    web = authority.key_of((tmp_path / "app" / "tls" / "web.key").read_bytes())
    ours = Authority.of(*((tmp_path / "vault" / "tls" / name).read_bytes() for name in ("ca.key", "ca.pem")))
    made = ours.for_part(web.public_key(), "web", datetime.now(UTC))
    (tmp_path / "crt").write_bytes(authority.text(made) + authority.text(other.certificate))
    assert "is not of the authority" in noren("app", "install", tmp_path / "crt")
    assert _in_use(tmp_path, "web.pem") == before


def test_it_renews_the_vaults_own_for_the_same_hosts(noren: Noren, signed: Path, tmp_path: Path) -> None:
    said = noren("vault", "init")
    assert "vault.internal, 10.0.0.2" in said
    folder = tmp_path / "vault" / "tls"
    assert (folder / "ca.pem").read_bytes() == (tmp_path / "app" / "tls" / "ca.pem").read_bytes()


def test_it_asks_for_a_name_the_first_time(noren: Noren) -> None:
    assert "Give --host" in noren("vault", "init")


def test_it_revokes_and_shows(noren: Noren, signed: Path, tmp_path: Path) -> None:
    web, worker = _in_use(tmp_path, "web.pem"), _in_use(tmp_path, "worker.pem")
    for _ in range(2):
        noren("vault", "revoke", web.upper())
    assert (tmp_path / "vault" / "tls" / "revoked").read_text() == f"{web}\n"
    shown = noren("vault", "show").splitlines()
    assert next(line for line in shown if web in line).endswith(" revoked")
    assert not next(line for line in shown if worker in line).endswith(" revoked")
    assert "A serial is" in noren("vault", "revoke", "urn:noren:web")


def test_it_outlives_no_authority() -> None:
    now = datetime.now(UTC)
    house = Authority.make(now, days=10)
    made = house.for_part(authority.new_key().public_key(), "web", now)
    assert made.not_valid_after_utc == house.certificate.not_valid_after_utc


def test_it_refuses_a_start_without_certificates(noren: Noren, signed: Path, tmp_path: Path) -> None:
    listen = env.read({"NOREN_VAR": str(tmp_path / "none"), "NOREN_VAULT_LISTEN": "10.0.0.2:7443"})
    url = {"NOREN_VAULT_URL": "tls://vault.internal:7443"}
    with pytest.raises(StartRefused, match=r"ca.pem, server.pem are not in"):
        certs.check(listen)
    with pytest.raises(StartRefused, match=r"ca.pem, web.pem, worker.pem are not in"):
        certs.check(env.read(url | {"NOREN_VAR": str(tmp_path / "none")}))
    certs.check(env.read(url | {"NOREN_VAR": str(tmp_path / "app")}))
    certs.check(env.read({"NOREN_VAR": str(tmp_path / "none")}))


def test_it_says_when_each_ends(signed: Path, tmp_path: Path) -> None:
    ends = {one.name: one.ends for one in tls.endings(tmp_path / "app" / "tls")}
    year = datetime.now(UTC) + timedelta(days=365)
    assert set(ends) == {"ca.pem", "web.pem", "worker.pem", "admin.pem"}
    assert abs(ends["web.pem"] - year) < timedelta(hours=1)
