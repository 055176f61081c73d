"""What the files say of secrets that lie at rest: how many there are, since when. Never a secret, nor a hash.

A fact has `count`, and `since` (milliseconds since the epoch, UTC) where it is known when it was made, or
`latest` where only the file's own time is. What the caller may not read is left out: the web process sees
its own side's, who started the system sees all that are on this host.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from noren.runtime import authority, doorkey, secrets_file
from noren.runtime.env import Env, StartRefused
from noren.runtime.paths import Paths

Fact = dict[str, int]
# The inventory's names of what lies in the two files.
APP: Final = {
    "migrator_password": "app-migrator-password",
    "app_password": "app-password",
    "worker_password": "worker-password",
    "django_key": "django-key",
    "link_key": "link-key",
    "idempotency_key": "idempotency-key",
}
VAULT: Final = {"migrator_password": "vault-migrator-password", "vault_password": "vault-password"}
# Of certificates the newest pair is in use: of which file, which ones.
_CERTIFICATES: Final = {
    "ca-key": ("ca.key", "ca.pem"),
    "vault-certificate": ("server.pem", "server.pem"),
    "web-certificates": ("web.pem", "web.pem"),
    "admin-certificate": ("admin.pem", "admin.pem"),
}


def seen(given: Env) -> dict[str, Fact]:
    """Give what is known of those that lie on this host, by their names in the inventory."""
    paths = Paths.of(given)
    found: dict[str, Fact] = {}
    for looked in (_sides(given, paths), _keys(paths), _certificates(paths)):
        for name, look in looked:
            # What another user alone may read is not known, which is no "none".
            with suppress(PermissionError):
                found[name] = look()
    return found


def told_to_vault(given: Env) -> str:
    """Give the same as the setting by which the supervisor tells the vault what it saw at the start."""
    return json.dumps(seen(given), separators=(",", ":"))


Looks = Iterator[tuple[str, Callable[[], Fact]]]


def _sides(given: Env, paths: Paths) -> Looks:
    """The two files of made secrets. A given database's login is not ours: when it was made nobody knows."""
    sides = (
        (given.app_here, paths.app_secrets, APP, given.database_url),
        (given.vault_here, paths.vault_secrets, VAULT, given.vault_database_url),
    )
    for here, path, names, url in sides:
        for name, told in names.items() if here else ():
            if url is not None and name == "migrator_password":
                yield told, _one
            else:
                yield told, partial(_of_file, path, name)


def _of_file(path: Path, name: str) -> Fact:
    values = secrets_file.read(path)
    if name not in values:
        return {"count": 0}
    made = values.get(secrets_file.made(name))
    if made is None:
        return {"count": 1, "latest": _written(path)}
    return {"count": 1, "since": int(datetime.fromisoformat(made).timestamp() * 1000)}


def _keys(paths: Paths) -> Looks:
    """Those of who started the system: the marks of sessions, the identities of backups."""

    def doors() -> Fact:
        # The folder may be entered by all, the file be read by its owner.
        paths.door_keys.open("rb").close()
        keys = doorkey.read(paths.door_keys)
        return {"count": len(keys), "since": keys[-1][0] * 1000} if keys else {"count": 0}

    def identities() -> Fact:
        files = list(paths.backup_keys.iterdir())
        return {"count": len(files)} | ({"latest": min(map(_written, files))} if files else {})

    yield "door-keys", partial(_or_none, doors)
    yield "backup-identities", partial(_or_none, identities)


def _certificates(paths: Paths) -> Looks:
    """A certificate is made for a new key each time: it says when, some minutes early."""
    for name, (key, certificate) in _CERTIFICATES.items():
        yield name, partial(_certified, paths.tls / key, paths.tls / certificate)


def _certified(key: Path, certificate: Path) -> Fact:
    if not key.exists():
        return {"count": 0}
    with suppress(StartRefused):
        made = authority.certificate_of(certificate.read_bytes()).not_valid_before_utc
        return {"count": 1, "since": int(made.timestamp() * 1000)}
    return {"count": 1}


def _one() -> Fact:
    return {"count": 1}


def _or_none(look: Callable[[], Fact]) -> Fact:
    try:
        return look()
    except FileNotFoundError:
        return {"count": 0}


def _written(path: Path) -> int:
    return int(path.lstat().st_mtime * 1000)
