"""Secrets that lie at rest: one JSON file a side, 0600, made once with fresh values.

The inventory: `app/secrets.json` holds the app database's three passwords, Django's key, the key of booking
links and the key of idempotency hashes; `vault/secrets.json` the vault database's two passwords. Both lie in
a folder of mode 0700 that belongs to the side's OS user. Beside each stands when it was made.
"""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

APP = ("migrator_password", "app_password", "worker_password", "django_key", "link_key", "idempotency_key")
VAULT = ("migrator_password", "vault_password")


def made(name: str) -> str:
    """Return the name under which it stands when a secret was made (ISO 8601, UTC)."""
    return f"{name}.made"


def read(path: Path) -> dict[str, str]:
    """Return the secrets by name; empty where there is no file yet. Raises PermissionError for another's.

    Root reads here what lies in a side's own folder: a link that the side put there, to the other side's
    file, is not followed (OSError).
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    with os.fdopen(handle, encoding="utf-8") as file:
        values: dict[str, str] = json.load(file)
    return values


def ensure(path: Path, names: tuple[str, ...], owner: tuple[int, int] | None = None) -> dict[str, str]:
    """Return the secrets, making those that are missing: 32 random bytes each, as URL-safe text.

    `owner` is (uid, gid) of the side's OS user where it is not the caller. The file is replaced whole, so
    that a crash leaves the old one or the new one.
    """
    values = read(path)
    missing = [name for name in names if name not in values]
    if not missing:
        return values
    values |= {name: secrets.token_urlsafe(32) for name in missing}
    values |= {made(name): datetime.now(UTC).isoformat(timespec="seconds") for name in missing}
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(values, file, indent=1)
        file.flush()
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        os.fsync(file.fileno())
    fresh.replace(path)
    return values
