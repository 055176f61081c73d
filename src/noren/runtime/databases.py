"""How each side's database is reached: by a given URL, or on the embedded cluster's socket."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from noren.runtime import doorkey, secrets_file
from noren.runtime.env import Env, Role
from noren.runtime.paths import Paths

# The names are the same on every server; roles are the whole server's, so one server carries one Noren.
APP_DATABASE = "noren"
APP_OWNER = "noren_owner"
APP_MIGRATOR = "noren_migrator"
APP_LOGINS = {"app_password": "noren_app", "worker_password": "noren_worker"}
VAULT_DATABASE = "noren_vault"
VAULT_OWNER = "noren_vault_owner"
VAULT_MIGRATOR = "noren_vault_migrator"
VAULT_LOGINS = {"vault_password": "noren_vault"}

Conninfo = dict[str, str]


def app(env: Env, role: Role | None = None) -> Conninfo:
    """Return psycopg's connection words for the app's database as `role` (default: NOREN_ROLE).

    The roles migrate and owner are the migrator's login; it becomes the owner by SET ROLE after connecting.
    Without a secrets file there is no password: the words are complete only where the system has been set up.
    """
    paths = Paths.of(env)
    secrets = secrets_file.read(paths.app_secrets)
    base = _base(env.database_url, str(paths.app_pg_socket_dir), APP_DATABASE)
    match role or env.role:
        case "web":
            return base | _login("noren_app", secrets.get("app_password"))
        case "worker":
            return base | _login("noren_worker", secrets.get("worker_password"))
        case "migrate" | "owner":
            if env.database_url is not None:
                return base
            return base | _login(APP_MIGRATOR, secrets.get("migrator_password"))


def vault(env: Env, login: Literal["migrator", "vault"]) -> Conninfo:
    """Return the words for the vault's database; only the supervisor and the vault's OS user can."""
    paths = Paths.of(env)
    secrets = secrets_file.read(paths.vault_secrets)
    base = _base(env.vault_database_url, str(paths.vault_pg_socket_dir), VAULT_DATABASE)
    if login == "vault":
        return base | _login("noren_vault", secrets.get("vault_password"))
    if env.vault_database_url is not None:
        return base
    return base | _login(VAULT_MIGRATOR, secrets.get("migrator_password"))


def django(words: Conninfo, role: Role) -> dict[str, Any]:
    """Return the words as an entry of Django's DATABASES."""
    own = ("dbname", "user", "password", "host", "port")
    options: dict[str, Any] = {name: value for name, value in words.items() if name not in own}
    if role in ("migrate", "owner"):
        options["assume_role"] = APP_OWNER
    else:
        # Connections add up over the processes: 2 web, 1 worker (docs/settings.md). A request waits five
        # seconds at most for one, and one that has ended is never given (noren.runtime.postgresql), so that a
        # restarted server costs no request. A pool that cannot connect tries at longer and longer intervals:
        # it shall give up and let the next request try, or a server that is back after a minute is found half
        # a minute later.
        options["pool"] = {
            "min_size": 1,
            "max_size": 8,
            "timeout": 5,
            "reconnect_timeout": 5,
            "connection_class": doorkey.MarkedConnection,
        }
        options.setdefault("options", "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s")
    return {
        "ENGINE": "noren.runtime.postgresql",
        "NAME": words["dbname"],
        "USER": words.get("user", ""),
        "PASSWORD": words.get("password", ""),
        "HOST": words.get("host", ""),
        "PORT": words.get("port", ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
    }


def url(conninfo: Mapping[str, str], *, become: str | None = None) -> str:
    """Return the words as a URL; `become` is the role that the session starts as."""
    rest = dict(conninfo)
    user, password = rest.pop("user", ""), rest.pop("password", "")
    database = rest.pop("dbname", "")
    if become is not None:
        rest["options"] = f"-c role={become}"
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return f"postgresql://{login}{'@' if login else ''}/{quote(database, safe='')}{query}"


def parse(text: str) -> Conninfo:
    """Return a URL's words as text values."""
    return {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}


def _base(given: str | None, socket_dir: str, database: str) -> Conninfo:
    if given is None:
        return {"host": socket_dir, "dbname": database}
    return {"dbname": database} | parse(given)


def _login(user: str, password: str | None) -> Conninfo:
    return {"user": user} | ({"password": password} if password else {})
