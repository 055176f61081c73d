"""What is in the house: each child's command, environment, user and sign of readiness."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import noren
from noren.runtime import child, databases, doorkey, migrate, postgres, secret_facts
from noren.runtime.env import Env, Role
from noren.runtime.keeper import Process, Spec
from noren.runtime.paths import Paths
from noren.runtime.users import OsUser, Sides

LEDGER_NOT_WHOLE = 3  # the vault's exit code
_WEB_WORKERS = 2
_WEB_THREADS = 4
# Open connections, in each web process and waiting for both: a keep-alive one counts while it says nothing,
# and a rush opens thousands at once. Who is beyond is told nothing and tries again a second later.
_WEB_CONNECTIONS = 2048
_WEB_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class House:
    """All that the supervisor starts, made of the settings."""

    env: Env
    paths: Paths
    sides: Sides

    # -- databases

    def app_cluster(self) -> postgres.Cluster:
        paths = self.paths
        return postgres.Cluster(paths.app_pg, paths.app_pg_socket_dir, self.sides.app, databases.APP_MIGRATOR)

    def vault_cluster(self) -> postgres.Cluster:
        paths = self.paths
        return postgres.Cluster(
            paths.vault_pg, paths.vault_pg_socket_dir, self.sides.vault, databases.VAULT_MIGRATOR
        )

    def clusters(self) -> list[Spec]:
        """Prepare and return the clusters that no given URL replaces."""
        specs = []
        if self.env.app_here and self.env.database_url is None:
            password = migrate.app_side(self.env).migrator["password"]
            specs.append(_cluster("app database", self.app_cluster(), password))
        if self.env.vault_here and self.env.vault_database_url is None:
            password = migrate.vault_side(self.env).migrator["password"]
            specs.append(_cluster("vault database", self.vault_cluster(), password))
        return specs

    # -- the vault's side

    def vault_environment(self) -> dict[str, str]:
        """Return the vault's whole environment."""
        peers = sorted({self.sides.app_uid, os.geteuid()} if self.env.app_here else {os.geteuid()})
        settings = {
            "NOREN_VAULT_SOCKET": str(self.paths.vault_socket),
            "NOREN_VAULT_DATABASE_URL": databases.url(databases.vault(self.env, "vault")),
            "NOREN_VAULT_KEYS": str(self.paths.keys),
            "NOREN_VAULT_LEDGER": str(self.paths.ledger),
            "NOREN_VAULT_ORIGIN": self.env.origin,
            "NOREN_VAULT_SMTP_URL": self.env.mail_server(),
            "NOREN_VAULT_MAIL_FROM": self.env.mail_from,
            "NOREN_VAULT_WITNESSES": "" if self.env.witnesses is None else str(self.env.witnesses),
            "NOREN_VAULT_WITNESS_MINUTES": str(self.env.witness_minutes),
            "NOREN_VAULT_SEARCH_MB": str(self.env.search_mb),
            "NOREN_VAULT_CANARY_DOMAIN": self.env.canary_domain,
            "NOREN_VAULT_PWNED": self.env.pwned,
            "NOREN_VAULT_SSO_PRIVATE": self.env.sso_private,
            "NOREN_VAULT_ALARM_URL": self.env.alarm_url,
            "NOREN_VAULT_ALARM_SECRET": self.env.alarm_secret,
            "NOREN_VAULT_ALARM_PRIVATE": self.env.alarm_private,
            "NOREN_VAULT_ALARM_MINUTES": str(self.env.alarm_minutes),
            # Who starts the system may ask what `noren scope` and its like ask; the app's user may not.
            "NOREN_VAULT_PEER_UIDS": ",".join(map(str, peers)),
            "NOREN_VAULT_ADMIN_UIDS": str(os.geteuid()),
            "NOREN_VAULT_SEEN": secret_facts.told_to_vault(self.env),
            **self.env.vault_keys(),
        }
        if key := doorkey.given_to_child(self.paths.door_keys, databases.VAULT_LOGINS.values()):
            settings["NOREN_VAULT_DOOR_KEY"] = key
        if self.env.bounce_domain is not None:
            settings["NOREN_VAULT_BOUNCES"] = f"{self.env.bounce_domain}:{self.env.bounce_port}"
        if self.env.vault_listen is not None:
            settings["NOREN_VAULT_LISTEN"] = self.env.vault_listen
            settings["NOREN_VAULT_TLS"] = str(self.paths.tls)
        return child.environment(settings, home=self.paths.vault)

    def vault(self) -> Spec:
        command = [sys.executable, "-m", "noren_vault", "serve"]
        launch = partial(_start, command, self.vault_environment(), self.sides.vault)
        return Spec("vault", launch, refusals=(LEDGER_NOT_WHOLE,))

    def vault_migration(self, output: int | IO[bytes]) -> Process:
        command, environ = migrate.vault_command(self.env)
        return _start(command, environ, self.sides.vault, output)

    # -- the app's side

    def app_environment(self, role: Role) -> dict[str, str]:
        """Return a child's settings on the app's side: the vault's database and the mail server stay out."""
        return migrate.app_environment(self.env, role)

    def migration(self, output: int | IO[bytes]) -> Process:
        """Start `noren migrate` for the app's side, as its user."""
        command = [sys.executable, "-m", "noren.cli", "migrate", "--only", "app"]
        return _start(command, self.app_environment("migrate"), self.sides.app, output)

    def import_examples(self, output: int | IO[bytes]) -> Process:
        """Start `noren shop import`, as our own user: the vault lets nobody else found a shop."""
        command = [sys.executable, "-m", "noren.cli", "shop", "import", *map(str, self.examples())]
        return _start(command, self.app_environment("web"), None, output)

    def web(self) -> Spec:
        command = [
            *(sys.executable, "-m", "granian", "noren.runtime.serve:application", "--interface", "wsgi"),
            *("--host", "127.0.0.1", "--port", str(self.env.port), "--workers", str(_WEB_WORKERS)),
            *("--blocking-threads", str(_WEB_THREADS)),
            *("--backpressure", str(_WEB_CONNECTIONS), "--backlog", str(_WEB_BACKLOG)),
            # A worker that starts hangs on SIGTERM without the first; a killed one stays away without the
            # second.
            *("--workers-kill-timeout", "3", "--respawn-failed-workers", "--respawn-interval", "0.5"),
            *("--http", "1", "--no-ws", "--log-level", "warning"),
        ]
        launch = partial(_start, command, self.app_environment("web"), self.sides.app)
        return Spec("web", launch, ready=partial(_answers, self.env.port))

    def worker(self) -> Spec:
        command = [sys.executable, "-m", "noren.runtime.worker"]
        # Asked to end while its database goes, it waits for the database in vain; a job that is cut off is
        # taken up by the next worker.
        launch = partial(
            _start, command, self.app_environment("worker"), self.sides.app, death=signal.SIGKILL
        )
        return Spec("worker", launch)

    def doors(self) -> Spec:
        """The watcher of both databases' sessions: as our own user, who may read both logs."""
        environ = self.app_environment("web")
        # It has the file of the keys; a child's setting would name the web's login alone.
        environ.pop("NOREN_DOOR_KEY", None)
        if self.env.vault_database_url is not None:
            environ["NOREN_VAULT_DATABASE_URL"] = self.env.vault_database_url
        command = [sys.executable, "-m", "noren.doors.watch"]
        return Spec("doors", partial(_start, command, environ, None))

    def catcher(self) -> Spec:
        command = [
            *(sys.executable, "-m", "noren.runtime.catcher", "--folder", str(self.paths.mail)),
            *("--smtp-port", str(self.env.catcher_smtp_port), "--http-port", str(self.env.mailbox_port)),
        ]
        environ = child.environment({}, home=self.paths.app)
        return Spec("mail catcher", partial(_start, command, environ, self.sides.app))

    # -- the first shops

    @property
    def founds(self) -> bool:
        """Whether a vault on another host lets this one found a shop: with an administrator's certificate."""
        return (self.paths.tls / "admin.pem").exists()

    def examples(self) -> list[Path]:
        """Return the demonstration's shops; there are none beside an installed package."""
        return sorted((source().parent / "examples").glob("*.toml"))


def source() -> Path:
    """Return the folder that holds our packages."""
    return Path(noren.__path__[0]).parent


def _start(
    command: list[str],
    environ: dict[str, str],
    user: OsUser | None,
    output: int | IO[bytes],
    death: signal.Signals = signal.SIGTERM,
) -> Process:
    return child.start(command, env=environ, user=user, stdout=output, death=death)


def _cluster(name: str, cluster: postgres.Cluster, password: str) -> Spec:
    cluster.prepare(password)

    async def ready(pid: int) -> bool:
        return cluster.ready(pid)

    return Spec(name, cluster.start, ready=ready, stop=postgres.STOP)


async def _answers(port: int, _pid: int) -> bool:
    """Whether the web server gives any HTTP answer: then a worker has loaded the app."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 ")
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
