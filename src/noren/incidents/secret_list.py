"""The secrets that an installation has, where each lies, and what can be reached with it. Data, no values.

Three kinds of nodes: places where secrets lie, secrets, and stores that they open. `OPENS` says "who has all
of these has that": what is sealed is reached by who has the key besides. A new setting, file, key or table
for a secret is put here; tests/house/test_secrets.py holds it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Secret:
    """One row. `lies`: places; `at`: files of the data folder, settings, tables, as they are called.

    `how` is a key of `secret_words.HOW`; `command` what is typed, where there is something to type.
    """

    name: str
    lies: tuple[str, ...]
    at: tuple[str, ...]
    how: str
    command: str = ""


# Where a leak may begin. `app-host` and `vault-host` are root there, or who started the system.
PLACES: Final = (
    *("app-host", "app-side", "vault-host", "vault-side", "operator-laptop", "staff-device", "shop-program"),
    *("backups", "mailbox", "proxy-log", "witness-host", "outside"),
    *("chat", "wiki", "ticket", "repository", "desk"),
)
# Where people say that one lies, too.
ALSO: Final = (
    "chat",
    "wiki",
    "ticket",
    "mailbox",
    "repository",
    "operator-laptop",
    "staff-device",
    "outside",
)
STORES: Final = (
    *("people", "people-of-shop", "app-database", "vault-tables", "wrapped-keys", "ledger", "own-pages"),
    *(
        "operators-pages",
        "administrator",
        "who-is-there",
        "sealed-words",
        "mail-as-us",
        "false-alarms",
        "unseen-doors",
    ),
    *("history", "witnessed-history"),
)

_APP_FILE: Final = "app/secrets.json"
_VAULT_FILE: Final = "vault/secrets.json"
SECRETS: Final = (
    # The app's side
    Secret("app-password", ("app-side",), (f"{_APP_FILE}: app_password",), "file"),
    Secret("worker-password", ("app-side",), (f"{_APP_FILE}: worker_password",), "file"),
    Secret(
        "app-migrator-password",
        ("app-side",),
        (f"{_APP_FILE}: migrator_password", "NOREN_DATABASE_URL"),
        "role",
        "ALTER ROLE noren_migrator PASSWORD ...",
    ),
    Secret("django-key", ("app-side",), (f"{_APP_FILE}: django_key",), "file"),
    Secret("link-key", ("app-side",), (f"{_APP_FILE}: link_key",), "links"),
    Secret("idempotency-key", ("app-side",), (f"{_APP_FILE}: idempotency_key",), "file"),
    Secret(
        "web-certificates",
        ("app-side",),
        ("tls/web.pem", "tls/worker.pem"),
        "certificate",
        "noren certs request",
    ),
    # The vault's side
    Secret("vault-password", ("vault-side",), (f"{_VAULT_FILE}: vault_password",), "file"),
    Secret(
        "vault-migrator-password",
        ("vault-side",),
        (f"{_VAULT_FILE}: migrator_password", "NOREN_VAULT_DATABASE_URL"),
        "role",
        "ALTER ROLE noren_vault_migrator PASSWORD ...",
    ),
    Secret("epoch-key", ("vault-side",), ("keys/epoch-*",), "command", "noren keys rotate epoch"),
    Secret("data-keys", (), ("keystore.person_key",), "command", "noren keys rotate data"),
    Secret("index-key", ("vault-side",), ("keys/index-*",), "command", "noren keys rotate index"),
    Secret("pepper", ("vault-side",), ("keys/pepper-*",), "command", "noren keys rotate pepper"),
    Secret("ledger-key", ("vault-side",), ("keys/ledger-*",), "never"),
    Secret("backup-key", ("vault-side",), ("keys/backup-*",), "daily"),
    Secret("smtp-password", ("vault-side",), ("NOREN_SMTP_URL",), "setting"),
    Secret("alarm-secret", ("vault-side",), ("NOREN_ALARM_SECRET",), "setting"),
    Secret("kms-credentials", ("vault-side",), ("AWS_*",), "setting"),
    Secret("vault-certificate", ("vault-side",), ("tls/server.pem",), "certificate", "noren certs init"),
    Secret("vault-memory", ("vault-side",), (), "restart"),
    Secret("sso-secrets", (), ("vault.sso",), "sso"),
    Secret("inquiry-links", (), ("vault.inquiry_key",), "one-by-one"),
    # Who starts the system
    Secret("door-keys", ("app-host", "vault-host"), ("run/door-keys.json", "NOREN_DOOR_KEY"), "restart"),
    Secret("backup-identities", ("app-host", "vault-host"), ("backup-keys/*",), "next-backup"),
    Secret("ca-key", ("vault-host",), ("tls/ca.key",), "authority", "noren certs init"),
    Secret(
        "admin-certificate", ("app-host",), ("tls/admin.pem",), "certificate", "noren certs request admin"
    ),
    # Those of people and of programs
    Secret("operator-passkeys", ("operator-laptop",), ("vault.passkey",), "enrol"),
    Secret(
        "operator-grants",
        ("operator-laptop",),
        ("vault.access_grant",),
        "end",
        "noren grants end --operators",
    ),
    Secret("passkeys", ("staff-device",), ("vault.passkey",), "enrol"),
    Secret("grants", ("staff-device",), ("vault.access_grant",), "end", "noren grants end --everybody"),
    Secret(
        "app-sessions",
        ("staff-device", "operator-laptop"),
        ("django_session",),
        "end",
        "noren grants end --everybody",
    ),
    Secret(
        "passwords",
        (),
        ("vault.password",),
        "reset",
        "noren resets begin --everybody",
    ),
    Secret(
        "second-factors", ("staff-device",), ("vault.totp", "vault.recovery", "vault.recovery_code"), "enrol"
    ),
    Secret(
        "one-time-links",
        ("mailbox",),
        ("vault.invite", "vault.reset", "vault.code", "vault.told", "vault.reader"),
        "itself",
    ),
    Secret("booking-links", ("mailbox", "proxy-log"), (), "one-by-one"),
    Secret("api-keys", ("shop-program",), ("vault.api_key",), "keys-of-shop"),
    Secret("device-marks", ("staff-device", "operator-laptop"), ("vault.known_device",), "itself"),
    Secret("witness-key", ("witness-host",), (), "witness"),
)
BY_NAME: Final = {one.name: one for one in SECRETS}

OPENS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("app-host",), "app-side"),
    (("vault-host",), "vault-side"),
    (("vault-host",), "administrator"),
    # What is signed in passes through the pages' process.
    (("app-side",), "grants"),
    (("app-side",), "operator-grants"),
    (("app-password",), "app-database"),
    (("worker-password",), "app-database"),
    (("app-migrator-password",), "app-database"),
    (("app-database",), "app-sessions"),
    (("app-database", "link-key"), "booking-links"),
    (("booking-links",), "own-pages"),
    (("vault-password",), "vault-tables"),
    (("vault-password",), "wrapped-keys"),
    (("vault-migrator-password",), "vault-tables"),
    (("vault-migrator-password",), "wrapped-keys"),
    (("wrapped-keys", "epoch-key"), "data-keys"),
    (("vault-tables", "data-keys"), "people"),
    (("vault-tables", "epoch-key"), "sso-secrets"),
    (("vault-tables", "epoch-key"), "inquiry-links"),
    (("vault-tables", "epoch-key"), "sealed-words"),
    (("vault-tables", "inquiry-links"), "sealed-words"),
    (("vault-tables", "index-key"), "who-is-there"),
    (("vault-tables", "pepper"), "passwords"),
    (("vault-tables", "pepper"), "second-factors"),
    (("backups", "backup-identities"), "app-database"),
    (("backups", "backup-identities"), "vault-tables"),
    (("backups", "backup-identities"), "ledger"),
    # `app.secrets.age`
    (("backups", "backup-identities"), "django-key"),
    (("backups", "backup-identities"), "link-key"),
    (("backups", "backup-identities"), "idempotency-key"),
    (("backups", "backup-key"), "wrapped-keys"),
    (("vault-side",), "ledger"),
    (("ledger-key",), "history"),
    (("ledger-key", "witness-key"), "witnessed-history"),
    (("smtp-password",), "mail-as-us"),
    (("alarm-secret",), "false-alarms"),
    (("door-keys",), "unseen-doors"),
    (("ca-key",), "vault-certificate"),
    (("ca-key",), "web-certificates"),
    (("ca-key",), "admin-certificate"),
    (("admin-certificate",), "administrator"),
    (("passwords",), "grants"),
    (("passkeys",), "grants"),
    (("sso-secrets",), "grants"),
    (("one-time-links",), "grants"),
    (("one-time-links",), "operator-grants"),
    (("operator-passkeys",), "operator-grants"),
    (("vault-memory",), "grants"),
    (("grants",), "people-of-shop"),
    (("api-keys",), "people-of-shop"),
    (("operator-grants",), "operators-pages"),
)
# On one machine who started the system has both sides; and as one user each side has the other.
ONE_HOST: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("app-host",), "vault-host"),
    (("vault-host",), "app-host"),
)
ONE_USER: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("app-side",), "app-host"),
    (("vault-side",), "vault-host"),
)

# Settings in which no secret is. Each new one is put here, or into a row above.
OPEN_SETTINGS: Final = frozenset(
    "NOREN_" + name
    for name in (
        *("VAR", "PORT", "ORIGIN", "VAULT_URL", "VAULT_LISTEN", "MAIL_FROM", "BOUNCE_DOMAIN", "WITNESSES"),
        *("WITNESS_MINUTES", "SEARCH_MB", "VAULT_KEY_PROVIDER", "VAULT_KMS_KEY", "VAULT_KMS_ENDPOINT"),
        *("VAULT_BACKUP_DAYS", "BACKUPS", "BACKUP_HOUR", "CANARY_DOMAIN", "PWNED", "SSO_PRIVATE", "DESK"),
        *("ALARM_URL", "ALARM_PRIVATE", "ALARM_MINUTES", "ROLE"),
        # Of the tests' own servers.
        *("TEST_DATABASE_URL", "TEST_VAULT_DATABASE_URL"),
    )
)
