"""The environment the tests run in: a data folder of their own and Django set up. Import this first."""

import os
import tempfile
from pathlib import Path

import django

from noren.runtime import env, folders, secrets_file, users
from noren.runtime.paths import Paths

# Short, since a unix socket's path holds 107 bytes; and not the user's own, since the vault's user enters it.
TOP = Path(tempfile.mkdtemp(prefix="nt-", dir="/tmp"))
TOP.chmod(0o755)
for _name in [name for name in os.environ if name in env.NAMES and not name.startswith("NOREN_TEST_")]:
    del os.environ[_name]
os.environ["NOREN_VAR"] = str(TOP / "var")
for _name in ("DATABASE_URL", "VAULT_DATABASE_URL"):
    if f"NOREN_TEST_{_name}" in os.environ:
        os.environ[f"NOREN_{_name}"] = os.environ[f"NOREN_TEST_{_name}"]
GIVEN = env.read()
PATHS = Paths.of(GIVEN)
folders.prepare(PATHS, users.sides())
secrets_file.ensure(PATHS.app_secrets, secrets_file.APP)
os.environ["DJANGO_SETTINGS_MODULE"] = "noren.runtime.settings"
django.setup()
