"""Settings: every one checked, the unknown refused, in words."""

from pathlib import Path

import pytest

from noren.runtime import env
from noren.runtime.env import StartRefused


def test_it_has_a_default_for_everything() -> None:
    given = env.read({})
    assert (given.port, given.origin, given.role) == (8000, "http://localhost:8000", "web")
    assert given.var == Path("var").resolve()
    assert given.development
    assert given.catches_mail
    assert given.mail_server() == "smtp://127.0.0.1:8002"


def test_it_derives_the_origin_from_the_port() -> None:
    assert env.read({"NOREN_PORT": "8100"}).origin == "http://localhost:8100"


def test_it_stops_at_an_unknown_name() -> None:
    with pytest.raises(StartRefused, match=r"NOREN_PROT.*Known are NOREN_VAR"):
        env.read({"NOREN_PROT": "8100"})


def test_it_leaves_other_peoples_names_alone() -> None:
    assert env.read({"PORT": "1", "PATH": "/bin"}).port == 8000


@pytest.mark.parametrize("url", ["http://pwned.example.jp", "pwned.example.jp", "ftp://pwned.example.jp"])
def test_it_asks_no_service_over_an_open_line(url: str) -> None:
    assert not env.read({}).pwned
    assert env.read({"NOREN_PWNED": "https://pwned.example.jp"}).pwned == "https://pwned.example.jp"
    with pytest.raises(StartRefused, match="NOREN_PWNED"):
        env.read({"NOREN_PWNED": url})


@pytest.mark.parametrize("port", ["0", "65534", "80a", "-1", "８０００", "1.5"])
def test_it_stops_at_a_port_that_is_none(port: str) -> None:
    with pytest.raises(StartRefused, match="NOREN_PORT"):
        env.read({"NOREN_PORT": port})


@pytest.mark.parametrize(
    "origin", ["http://book.example.jp", "http://192.168.1.4:8000", "http://localhost.jp"]
)
def test_it_stops_at_plain_http_away_from_this_machine(origin: str) -> None:
    with pytest.raises(StartRefused, match="plain http is for localhost only"):
        env.read({"NOREN_ORIGIN": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "book.example.jp",
        "https://",
        "https://a.jp/shops",
        "https://a.jp?x=1",
        "https://me@a.jp",
        "ftp://a.jp",
    ],
)
def test_it_stops_at_an_origin_that_is_more_or_less_than_one(origin: str) -> None:
    with pytest.raises(StartRefused, match="NOREN_ORIGIN"):
        env.read({"NOREN_ORIGIN": origin})


def test_it_takes_https_for_production() -> None:
    given = env.read(
        {"NOREN_ORIGIN": "https://Book.Example.JP/", "NOREN_SMTP_URL": "smtps://mail.example.jp"}
    )
    assert given.origin == "https://book.example.jp"
    assert given.secure
    assert not given.development
    assert given.mail_from == "noren@book.example.jp"


def test_it_wants_a_mail_server_in_production() -> None:
    with pytest.raises(StartRefused, match="NOREN_SMTP_URL is not set"):
        env.read({"NOREN_ORIGIN": "https://book.example.jp"}).mail_server()


def test_it_never_repeats_a_url_with_a_password() -> None:
    with pytest.raises(StartRefused) as refusal:
        env.read({"NOREN_DATABASE_URL": "mysql://me:secret@db/noren"})
    assert "secret" not in str(refusal.value)


def test_it_stops_at_an_unknown_role() -> None:
    with pytest.raises(StartRefused, match="web, worker, migrate, owner"):
        env.read({"NOREN_ROLE": "root"})


def test_it_ends_with_one_line_and_code_one() -> None:
    def refuse() -> None:
        raise StartRefused("no")

    with pytest.raises(SystemExit, match="noren: no"):
        env.or_exit(refuse)


KMS = "arn:aws:kms:ap-northeast-1:123456789012:key/1"


def test_it_tells_the_vault_of_its_keys() -> None:
    """Files by default; for AWS KMS the vault also gets AWS's own names, and no others."""
    assert env.read({}).vault_keys({"AWS_REGION": "x"}) == {
        "NOREN_VAULT_KEY_PROVIDER": "file",
        "NOREN_VAULT_BACKUP_DAYS": "35",
    }
    given = {
        "NOREN_VAULT_KEY_PROVIDER": "aws-kms",
        "NOREN_VAULT_KMS_KEY": KMS,
        "NOREN_VAULT_BACKUP_DAYS": "90",
    }
    told = env.read(given).vault_keys({**given, "AWS_PROFILE": "vault", "OTHER": "x"})
    assert told == {**given, "AWS_PROFILE": "vault"}


def test_it_knows_which_side_a_host_has() -> None:
    alone = env.read({})
    assert (alone.app_here, alone.vault_here) == (True, True)
    app = env.read({"NOREN_VAULT_URL": "tls://vault.internal:7443"})
    assert (app.app_here, app.vault_here) == (True, False)
    vault = env.read({"NOREN_VAULT_LISTEN": "[fd00::2]:7443"})
    assert (vault.app_here, vault.vault_here) == (False, True)


@pytest.mark.parametrize(
    "given",
    [
        {"NOREN_VAULT_KEY_PROVIDER": "usb"},
        {"NOREN_VAULT_BACKUP_DAYS": "0"},
        {"NOREN_VAULT_KMS_ENDPOINT": "ftp://x"},
    ],
)
def test_it_stops_at_keys_that_cannot_be(given: dict[str, str]) -> None:
    with pytest.raises(StartRefused, match=next(iter(given))):
        env.read(given)


def test_it_stops_without_a_master_key() -> None:
    with pytest.raises(StartRefused, match="NOREN_VAULT_KMS_KEY is not set"):
        env.read({"NOREN_VAULT_KEY_PROVIDER": "aws-kms"}).vault_keys({})


@pytest.mark.parametrize(
    "given",
    [
        {"NOREN_VAULT_URL": "unix:/run/vault.sock"},
        {"NOREN_VAULT_URL": "tls://vault.internal"},
        {"NOREN_VAULT_URL": "tls://vault.internal:0"},
        {"NOREN_VAULT_URL": "tls://me@vault.internal:7443"},
        {"NOREN_VAULT_URL": "tls://vault.internal:7443/x"},
        {"NOREN_VAULT_LISTEN": "7443"},
        {"NOREN_VAULT_LISTEN": "10.0.0.2:99999"},
        {"NOREN_VAULT_URL": "tls://a:1", "NOREN_VAULT_LISTEN": "10.0.0.2:7443"},
        {"NOREN_VAULT_URL": "tls://a:1", "NOREN_VAULT_DATABASE_URL": "postgresql://x"},
        {"NOREN_VAULT_LISTEN": "10.0.0.2:7443", "NOREN_DATABASE_URL": "postgresql://x"},
    ],
)
def test_it_stops_where_a_host_cannot_know_its_side(given: dict[str, str]) -> None:
    with pytest.raises(StartRefused, match="NOREN_VAULT_"):
        env.read(given)


def test_an_alarm_has_an_address_and_a_secret() -> None:
    secret = "whsec_" + "A" * 32
    given = {"NOREN_ALARM_URL": "https://alarm.example.jp/in", "NOREN_ALARM_SECRET": secret}
    assert env.read(given).alarm_url == "https://alarm.example.jp/in"
    assert (env.read({}).alarm_url, env.read({}).alarm_minutes) == ("", 15)
    for wrong in (
        {"NOREN_ALARM_URL": given["NOREN_ALARM_URL"]},
        {"NOREN_ALARM_SECRET": secret},
        given | {"NOREN_ALARM_URL": "http://alarm.example.jp/in"},
        given | {"NOREN_ALARM_SECRET": "short"},
        given | {"NOREN_ALARM_PRIVATE": "not a host"},
    ):
        with pytest.raises(StartRefused, match="NOREN_ALARM"):
            env.read(wrong)
