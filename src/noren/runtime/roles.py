"""The roles and the database of one side, made by the migrator's login on PostgreSQL 15 to 18.

The same way for the embedded cluster and for a given server. Where the login may not create
roles, the SQL is printed for a DBA, with passwords as SCRAM verifiers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from noren.runtime import doorkey
from noren.runtime.databases import Conninfo
from noren.runtime.env import StartRefused

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side needs: a database, an owner that cannot log in, and logins without rights of their own.

    `migrator` holds the connection words of the login that does this, with the database's name in them.
    """

    migrator: Conninfo
    owner: str
    logins: Mapping[str, str]  # name -> password

    @property
    def database(self) -> str:
        return self.migrator["dbname"]


def ensure(side: Side) -> None:
    """Create what is missing; do nothing where all is there. Raises StartRefused with the SQL for a DBA."""
    with _maintenance(side) as conn:
        _carry_out(conn, side, [*_roles(conn, side), *_database(conn, side)])
    with psycopg.connect(**doorkey.marked(side.migrator), autocommit=True) as conn:
        _carry_out(conn, side, _rights(conn, side))


def _maintenance(side: Side) -> Connection:
    """Connect to the side's database, or where there is none yet to the server's `postgres`."""
    try:
        return psycopg.connect(**doorkey.marked(side.migrator), autocommit=True)
    except psycopg.OperationalError as error:
        elsewhere = side.migrator | {"dbname": "postgres"}
        try:
            return psycopg.connect(**doorkey.marked(elsewhere), autocommit=True)
        except psycopg.OperationalError:
            raise StartRefused(f"The database {side.database} cannot be reached: {error}") from None


def _roles(conn: Connection, side: Side) -> list[sql.Composed]:
    have = {name for (name,) in conn.execute("SELECT rolname FROM pg_roles").fetchall()}
    owner = sql.Identifier(side.owner)
    wanted = []
    if side.owner not in have:
        wanted.append(sql.SQL("CREATE ROLE {} NOLOGIN").format(owner))
    if side.owner not in have or not _member(conn, side.owner):
        me = sql.Identifier(conn.info.user)
        wanted.append(sql.SQL("GRANT {} TO {}").format(owner, me))
    for login, password in side.logins.items():
        if login in have and _signs_in(side, login, password):
            continue
        verb = "ALTER" if login in have else "CREATE"
        words = sql.SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}}")  # verb: one of the two words above
        name, secret = sql.Identifier(login), sql.Literal(_verifier(conn, login, password))
        wanted.append(words.format(name, secret))
    return wanted


def _member(conn: Connection, owner: str) -> bool:
    """Whether we may become the owner. From 16 on its maker is a member that may not, until it says so."""
    asked = ("SET", "USAGE") if conn.info.server_version >= 160000 else ("MEMBER",)
    return all(_one(conn, "SELECT pg_has_role(%s::name, %s)", owner, right) for right in asked)


def _signs_in(side: Side, login: str, password: str) -> bool:
    """Whether the login's password is already ours; tried, since a verifier cannot be read."""
    words = side.migrator | {"user": login, "password": password}
    try:
        psycopg.connect(**doorkey.marked(words)).close()
    except psycopg.OperationalError:
        return False
    return True


def _verifier(conn: Connection, login: str, password: str) -> str:
    made = conn.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    return made.decode()


def _database(conn: Connection, side: Side) -> list[sql.Composed]:
    name, owner = sql.Identifier(side.database), sql.Identifier(side.owner)
    query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
    now = _one(conn, query, side.database)
    if now is None:
        return [sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, owner)]
    if now != side.owner:
        return [sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, owner)]
    return []


def _rights(conn: Connection, side: Side) -> list[sql.Composed]:
    name, owner = sql.Identifier(side.database), sql.Identifier(side.owner)
    wanted = []
    if not _one(conn, "SELECT has_schema_privilege(%s, 'public', 'CREATE')", side.owner):
        wanted.append(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner))
    open_to_all = """SELECT datacl IS NULL OR EXISTS (
        SELECT FROM aclexplode(datacl) WHERE grantee = 0) FROM pg_database WHERE datname = %s"""
    if _one(conn, open_to_all, side.database):
        wanted.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    # Judged by the list itself: as long as PUBLIC has the right, everybody seems to have it.
    granted = """SELECT rolname FROM pg_database, aclexplode(datacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE datname = %s AND privilege_type = 'CONNECT'"""
    have = {role for (role,) in conn.execute(granted, (side.database,)).fetchall()}
    connect = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
    return wanted + [connect.format(name, sql.Identifier(n)) for n in side.logins if n not in have]


def _carry_out(conn: Connection, side: Side, statements: list[sql.Composed]) -> None:
    try:
        for statement in statements:
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        text = "\n".join(f"  {statement.as_string(conn)};" for statement in statements)
        raise StartRefused(
            f"The login {conn.info.user} may not prepare the database {side.database} "
            f"({error.diag.message_primary}). Let a DBA run this there, then start again:\n{text}"
        ) from None


def _one(conn: Connection, query: str, *values: str) -> object:
    row = conn.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]
