"""Settings: all or nothing, and no unknown ones."""

import pytest

from noren_vault import settings
from noren_vault.settings import SettingsError

GOOD = {
    "NOREN_VAULT_SOCKET": "/run/v.sock",
    "NOREN_VAULT_DATABASE_URL": "postgresql://x",
    "NOREN_VAULT_KEYS": "/keys",
    "NOREN_VAULT_LEDGER": "/ledger",
    "NOREN_VAULT_ORIGIN": "https://book.example.jp/",
    "NOREN_VAULT_SMTP_URL": "smtp+starttls://u:p@mail.example.jp:587",
    "NOREN_VAULT_MAIL_FROM": "Noren <noren@example.jp>",
    "NOREN_VAULT_PEER_UIDS": "1000, 1001",
    "NOREN_VAULT_ADMIN_UIDS": "0",
}


def test_it_reads_them_all() -> None:
    """A whole set of settings is read; the origin's host is the rpId."""
    read = settings.read(GOOD | {"PATH": "/bin"})
    assert (read.origin, read.host) == ("https://book.example.jp", "book.example.jp")
    assert (read.peer_uids, read.admin_uids) == (frozenset({1000, 1001}), frozenset({0}))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_it_misses_each(name: str) -> None:
    """Each setting is needed, and its absence named."""
    with pytest.raises(SettingsError, match=name):
        settings.read({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    "bad",
    [
        {"NOREN_VAULT_LEDGER_OFF": "1"},
        {"NOREN_VAULT_ORIGIN": "http://book.example.jp"},
        {"NOREN_VAULT_ORIGIN": "book.example.jp"},
        {"NOREN_VAULT_ORIGIN": "https://book.example.jp/path"},
        {"NOREN_VAULT_SMTP_URL": "http://mail.example.jp"},
        {"NOREN_VAULT_SMTP_URL": "smtp://user:secret@mail.example.jp"},
        {"NOREN_VAULT_BOUNCES": "bounce.example.jp"},
        {"NOREN_VAULT_BOUNCES": "a b:8003"},
        {"NOREN_VAULT_BOUNCES": "bounce.example.jp:70000"},
        {"NOREN_VAULT_PEER_UIDS": "root"},
        {"NOREN_VAULT_ADMIN_UIDS": "-1"},
        {"NOREN_VAULT_KEY_PROVIDER": "usb"},
        {"NOREN_VAULT_KMS_KEY": "alias/x", "NOREN_VAULT_KEY_PROVIDER": "aws-kms"},
        {"NOREN_VAULT_KMS_KEY": "", "NOREN_VAULT_KEY_PROVIDER": "aws-kms"},
        {"NOREN_VAULT_BACKUP_DAYS": "0"},
        {"NOREN_VAULT_BACKUP_DAYS": "many"},
        {"NOREN_VAULT_PWNED": "http://pwned.example.jp"},
        {"NOREN_VAULT_PWNED": "https://pwned.example.jp/?x=1"},
        {"NOREN_VAULT_PWNED": "pwned.example.jp"},
    ],
)
def test_it_refuses_what_cannot_be(bad: dict[str, str]) -> None:
    """An unknown name, a plain http origin, a number that is none: the start is refused with the name."""
    with pytest.raises(SettingsError, match=next(iter(bad))):
        settings.read(GOOD | bad)


def test_it_reads_where_the_keys_are() -> None:
    """Files and 35 days by default; a master key by its ARN."""
    assert (settings.read(GOOD).kms_key, settings.read(GOOD).backup_days) == (None, 35)
    arn = "arn:aws:kms:ap-northeast-1:123456789012:key/0d9a3ad5-0000-4000-8000-000000000000"
    more = {"NOREN_VAULT_KEY_PROVIDER": "aws-kms", "NOREN_VAULT_KMS_KEY": arn, "NOREN_VAULT_BACKUP_DAYS": "7"}
    assert (settings.read(GOOD | more).kms_key, settings.read(GOOD | more).backup_days) == (arn, 7)


def test_it_has_no_switch_for_the_ledger() -> None:
    """No setting's name speaks of turning anything off."""
    assert not [
        name for name in settings.NAMES if any(word in name for word in ("OFF", "DISABLE", "SKIP", "DEBUG"))
    ]


def test_it_listens_nowhere_unless_told() -> None:
    """Without the setting there is the socket alone; with it, an address and the certificates' folder."""
    assert settings.read(GOOD).listen is None
    told = settings.read(GOOD | {"NOREN_VAULT_LISTEN": "[fd00::2]:7443", "NOREN_VAULT_TLS": "/tls"}).listen
    assert told is not None
    assert (told.host, told.port, str(told.certificates)) == ("fd00::2", 7443, "/tls")


@pytest.mark.parametrize("address", ["7443", "10.0.0.2", "10.0.0.2:x", "10.0.0.2:99999", "a:1/b", "me@a:1"])
def test_it_listens_on_no_address_that_is_none(address: str) -> None:
    """What is no address and port stops the start; so does an address without certificates."""
    with pytest.raises(SettingsError, match="NOREN_VAULT_LISTEN"):
        settings.read(GOOD | {"NOREN_VAULT_LISTEN": address, "NOREN_VAULT_TLS": "/tls"})
    with pytest.raises(SettingsError, match="NOREN_VAULT_TLS"):
        settings.read(GOOD | {"NOREN_VAULT_LISTEN": "10.0.0.2:7443"})


def test_an_alarm_goes_over_https_and_is_signed() -> None:
    """Without a secret of its own, or over plain http to elsewhere, the vault does not start."""
    good = {
        "NOREN_VAULT_ALARM_URL": "https://alarm.example.jp/in",
        "NOREN_VAULT_ALARM_SECRET": "whsec_" + "A" * 32,
    }
    alarm = settings.read(GOOD | good).alarm
    assert alarm is not None
    assert (alarm.url, alarm.secret) == ("https://alarm.example.jp/in", bytes(24))
    assert settings.read(GOOD).alarm is None
    for name, bad in (
        ("URL", "http://alarm.example.jp/in"),
        ("URL", "http://localhost:1/in"),
        ("URL", "https://user@alarm.example.jp/in"),
        ("SECRET", "whsec_AAAA"),
        ("SECRET", "A" * 32),
    ):
        with pytest.raises(SettingsError, match=f"NOREN_VAULT_ALARM_{name}"):
            settings.read(GOOD | good | {f"NOREN_VAULT_ALARM_{name}": bad})
    local = good | {
        "NOREN_VAULT_ALARM_URL": "http://localhost:1/in",
        "NOREN_VAULT_ALARM_PRIVATE": "localhost",
    }
    assert settings.read(GOOD | local).alarm is not None
