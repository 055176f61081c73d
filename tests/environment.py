"""The environment the tests run in: a data folder of their own and Django set up. Import this first."""

import os
import shutil
import tempfile
from pathlib import Path

import django

from noren.runtime import env, folders, secrets_file, users
from noren.runtime.paths import Paths

_MUCH = 8 << 30


def _place() -> str:
    """Where the tests' data lie: in memory where there is room; a database for each test is a thousand files.

    Benches measure a disk, and stay on it. Short, since a unix socket's path holds 107 bytes; and not the
    user's own, since the vault's user enters it.
    """
    memory = Path("/dev/shm")  # noqa: S108 - with a name of chance
    tested = "PYTEST_VERSION" in os.environ
    if tested and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _MUCH:
        return str(memory)
    return "/tmp"  # noqa: S108 - with a name of chance


TOP = Path(tempfile.mkdtemp(prefix="nt-", dir=_place()))
TOP.chmod(0o755)
for _name in [name for name in os.environ if name in env.NAMES and not name.startswith("NOREN_TEST_")]:
    del os.environ[_name]
os.environ["NOREN_VAR"] = str(TOP / "var")
for _name in ("DATABASE_URL", "VAULT_DATABASE_URL"):
    if f"NOREN_TEST_{_name}" in os.environ:
        os.environ[f"NOREN_{_name}"] = os.environ[f"NOREN_TEST_{_name}"]


def _take_secrets() -> None:
    """Make the secrets; a worker takes those of the run that started it.

    A given server's logins belong to all workers, and have one password each.
    """
    secrets_file.ensure(PATHS.app_secrets, secrets_file.APP)
    secrets_file.ensure(PATHS.vault_secrets, secrets_file.VAULT, folders.owner(users.sides().vault))
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["TESTS_VAR"] = str(PATHS.var)
        return
    first = Paths(Path(os.environ["TESTS_VAR"]))
    for mine, shared in ((PATHS.app_secrets, first.app_secrets), (PATHS.vault_secrets, first.vault_secrets)):
        # Into the file that is there: it stays its owner's, and closed to others.
        shutil.copyfile(shared, mine)


GIVEN = env.read()
PATHS = Paths.of(GIVEN)
folders.prepare(PATHS, users.sides())
_take_secrets()
os.environ["DJANGO_SETTINGS_MODULE"] = "noren.runtime.settings"
django.setup()
