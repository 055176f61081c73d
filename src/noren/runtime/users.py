"""The operating system's users: started by root, app and vault run as two that cannot read each other."""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from noren.runtime.env import StartRefused

APP_NAME = "noren-app"
VAULT_NAME = "noren-vault"


@dataclass(frozen=True, slots=True)
class OsUser:
    """A user that a child runs as, by number."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Who the two sides run as. `None` is the user who started us: then the processes alone are apart."""

    app: OsUser | None
    vault: OsUser | None

    @property
    def separate(self) -> bool:
        return self.app is not None

    @property
    def app_uid(self) -> int:
        return os.geteuid() if self.app is None else self.app.uid


def sides() -> Sides:
    """Return the two users, made where they are missing, when we are root; else the one who started us."""
    if os.geteuid() != 0:
        return Sides(None, None)
    return Sides(_user(APP_NAME), _user(VAULT_NAME))


def _user(name: str) -> OsUser:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        _add(name)
        found = pwd.getpwnam(name)
    return OsUser(name, found.pw_uid, found.pw_gid)


def _add(name: str) -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise StartRefused(
            f"Started by root, but the user {name} is missing and there is no useradd to make it. "
            "Make system users noren-app and noren-vault without a shell, or start as an ordinary user."
        )
    shell = "/usr/sbin/nologin" if Path("/usr/sbin/nologin").exists() else "/bin/false"
    words = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell]
    done = subprocess.run([useradd, *words, name], capture_output=True, text=True, check=False)
    # Two starts at once may both try: the loser's user is there all the same.
    if done.returncode not in (0, 9):
        raise StartRefused(f"The system user {name} could not be made: {done.stderr.strip()}")


def own(path: Path, user: OsUser | None, mode: int) -> None:
    """Make the folder where it is missing, and give it to the user with exactly this mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        os.chown(path, user.uid, user.gid)
    path.chmod(mode)


def check_reach(user: OsUser | None, places: tuple[Path, ...]) -> None:
    """Refuse the start, with the mend, when the user cannot run our Python or read a place it needs."""
    if user is None:
        return
    code = "import sys, os; [os.listdir(p) if os.path.isdir(p) else open(p).close() for p in sys.argv[1:]]"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, places)],
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            cwd="/",
            env={"LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        why = done.stderr.strip().splitlines()[-1] if done.returncode else ""
    except PermissionError as error:
        why = str(error)
    if why:
        raise StartRefused(
            f"The user {user.name}, as whom root starts a part of the system, cannot use "
            f"{sys.executable} and {', '.join(map(str, places))} ({why}). Put the checkout and the "
            "data folder where every user may go, such as /srv/noren, and make its .venv with a Python "
            "outside /root (make venv does); or start as an ordinary user."
        )
