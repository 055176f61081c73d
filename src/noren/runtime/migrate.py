"""`noren migrate`: roles, databases, tables, grants and static files, on both sides; safe to run again."""

import argparse
import os
import subprocess
import sys

import django
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from noren.runtime import child, databases, doorkey, env, folders, roles, secrets_file, users
from noren.runtime.env import Env, Role, StartRefused
from noren.runtime.paths import Paths

# The tables of no shop that a library made; each room's own migrations grant what is theirs.
_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LIBRARY_GRANTS = {
    "django_session": _ROWS,
    "django_content_type": ("SELECT",),
    "procrastinate_jobs": _ROWS,
    "procrastinate_events": _ROWS,
    "procrastinate_periodic_defers": _ROWS,
    "procrastinate_workers": _ROWS,
}


def app_side(given: Env) -> roles.Side:
    """Return what the app's database needs. Makes the secrets where they are missing."""
    secrets = secrets_file.ensure(
        Paths.of(given).app_secrets, secrets_file.APP, folders.owner(users.sides().app)
    )
    logins = {login: secrets[name] for name, login in databases.APP_LOGINS.items()}
    return roles.Side(databases.app(given, "migrate"), databases.APP_OWNER, logins)


def vault_side(given: Env) -> roles.Side:
    """Return what the vault's database needs. Makes the secrets where they are missing."""
    secrets = secrets_file.ensure(
        Paths.of(given).vault_secrets, secrets_file.VAULT, folders.owner(users.sides().vault)
    )
    logins = {login: secrets[name] for name, login in databases.VAULT_LOGINS.items()}
    return roles.Side(databases.vault(given, "migrator"), databases.VAULT_OWNER, logins)


def app_tables() -> None:
    """Bring the app's tables to this version, as the owner, and grant what the libraries' tables need."""
    call_command("migrate", interactive=False, verbosity=0)
    logins = sql.SQL(", ").join(map(sql.Identifier, databases.APP_LOGINS.values()))
    with connection.cursor() as cursor:
        for table, rights in _LIBRARY_GRANTS.items():
            words = sql.SQL("GRANT {} ON {} TO {}").format(
                sql.SQL(", ").join(map(sql.SQL, rights)), sql.Identifier(table), logins
            )
            cursor.execute(words)
        cursor.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(logins))


def app_environment(given: Env, role: Role) -> dict[str, str]:
    """Return a child's settings on the app's side: the vault's database and the mail server stay out."""
    paths = Paths.of(given)
    settings = {
        "NOREN_VAR": str(paths.var),
        "NOREN_PORT": str(given.port),
        "NOREN_ORIGIN": given.origin,
        "NOREN_ROLE": role,
        "DJANGO_SETTINGS_MODULE": "noren.runtime.settings",
    }
    if given.database_url is not None:
        settings["NOREN_DATABASE_URL"] = given.database_url
    if given.vault_url is not None:
        settings["NOREN_VAULT_URL"] = given.vault_url
    # Preparing the roles tries each of the logins.
    logins = {
        databases.app(given, role).get("user", ""),
        *(databases.APP_LOGINS.values() if role == "migrate" else ()),
    }
    if keys := doorkey.given_to_child(paths.door_keys, sorted(logins)):
        settings["NOREN_DOOR_KEY"] = keys
    return child.environment(settings, home=paths.app)


def static_files(given: Env, app: users.OsUser | None) -> None:
    """Gather the pages' files, as the app's user: in its folder root must not follow links."""
    if app is None:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        return
    done = subprocess.run(
        [sys.executable, "-m", "django", "collectstatic", "--no-input", "--verbosity", "0", "--clear"],
        env=app_environment(given, "migrate"),
        user=app.uid,
        group=app.gid,
        extra_groups=[],
        check=False,
    )
    if done.returncode != 0:
        raise StartRefused("The pages' files could not be gathered; see above.")


def vault_command(given: Env) -> tuple[list[str], dict[str, str]]:
    """Return the command that brings the vault's tables to this version, and its environment."""
    url = databases.url(databases.vault(given, "migrator"), become=databases.VAULT_OWNER)
    settings = {"NOREN_VAULT_DATABASE_URL": url}
    login = databases.vault(given, "migrator").get("user", "")
    if key := doorkey.given_to_child(Paths.of(given).door_keys, [login]):
        settings["NOREN_VAULT_DOOR_KEY"] = key
    environ = child.environment(settings, home=Paths.of(given).vault)
    return [sys.executable, "-m", "noren_vault", "migrate"], environ


def main(argv: list[str]) -> int:
    """Prepare the app's database, the vault's, or both. The servers must be running."""
    parser = argparse.ArgumentParser(prog="noren migrate", description=__doc__)
    parser.add_argument("--only", choices=("app", "vault"), help="one side (default: both)")
    only = parser.parse_args(argv).only
    given = env.read()
    if only != "vault" and given.app_here:
        os.environ.update({"NOREN_ROLE": "migrate", "DJANGO_SETTINGS_MODULE": "noren.runtime.settings"})
        roles.ensure(app_side(given))
        django.setup()
        app_tables()
        static_files(given, users.sides().app)
    if only != "app" and given.vault_here:
        roles.ensure(vault_side(given))
        command, environ = vault_command(given)
        if subprocess.run(command, env=environ, check=False).returncode != 0:
            raise StartRefused("The vault's database could not be brought to this version; see above.")
    return 0
