"""The standing cast: a salon with owner, manager and staff, another shop's owner, and some customers."""

import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from noren import people
from noren.runtime import databases, env, migrate
from tests.servers import Sink, VaultProcess
from tests.vault.authenticator import Passkey

Result = TypeVar("Result")
SALON = 1
YOGA = 2


def token_in(message: EmailMessage) -> str:
    """The invitation's token in a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"/(?:console|operations)/join#(\S+)", body.get_content())
    assert found is not None
    return found[1]


def invitation_of(mail: Sink, address: str) -> str:
    """The newest invitation that was mailed to this address."""
    to_them = [message for message in mail.messages if message["To"] == address]
    return token_in(to_them[-1])


@dataclass
class Player:
    """Somebody with a passkey."""

    handle: str
    passkey: Passkey
    grant: str
    session: str

    def sign_in(self, session: str = "", address: str = "192.0.2.7", device: str = "") -> people.SignedIn:
        """Sign in anew; the grant at hand stays the old one."""
        options = people.signin_begin()
        return people.signin_finish(
            options["challenge"],
            self.passkey.get(options),
            session=session,
            address=address,
            device=device,
        )


def join(token: str, session: str | None = None) -> Player:
    """Enrol a passkey by an invitation."""
    passkey, name = Passkey(), session or secrets.token_hex(16)
    answer = passkey.create(people.register_begin(token))
    signed = people.register_finish(token, answer, session=name, address="192.0.2.1")
    return Player(signed.who.actor.handle, passkey, signed.grant, name)


def in_at_once(answer: people.SignedIn | people.Second) -> people.SignedIn:
    """A sign-in that asked for no second factor."""
    assert isinstance(answer, people.SignedIn)
    return answer


def member(handle: str, role: str) -> people.Member:
    return people.Member(
        handle=handle, role=role, staff=handle, name=f"{handle}さん", mail=f"{handle}@staff.example.jp"
    )


@dataclass
class Cast:
    """Everybody, signed in."""

    mail: Sink
    owner: Player
    manager: Player
    staff: Player
    outsider: Player
    customers: list[UUID] = field(default_factory=list)


def customer(number: int) -> dict[str, str]:
    """The fields of a customer; each value is marked by its number."""
    return {
        "name": f"山田 花子{number}",
        "kana": f"ヤマダ ハナコ{number}",
        "mail": f"hanako{number}@example.jp",
        "phone": f"090-1234-{number:04d}",
    }


def customers(shop: int, first: int, count: int) -> list[UUID]:
    """Import so many customers and give their ids in order."""
    rows = [people.Row(f"c{number}", customer(number)) for number in range(first, first + count)]
    done = people.import_rows(shop, rows)
    assert not done.bad
    return [done.persons[row.key] for row in rows]


def found(mail: Sink) -> Cast:
    """Found both shops and sign everybody in."""
    people.found_shop(
        SALON, "salon", [member("aoi", "owner"), member("mei", "manager"), member("ren", "staff")]
    )
    people.found_shop(YOGA, "yoga", [member("sora", "owner")])
    aoi, mei, ren, sora = (
        join(invitation_of(mail, f"{name}@staff.example.jp")) for name in ("aoi", "mei", "ren", "sora")
    )
    return Cast(mail, aoi, mei, ren, sora, customers(SALON, 0, 30))


def sql(vault: VaultProcess, query: str, *params: object) -> list[tuple[Any, ...]]:
    """Run a statement in the vault's database as the vault's own login."""
    with psycopg.connect(vault.database_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), params)
        return cursor.fetchall() if cursor.description else []


def as_owner(vault: VaultProcess, statement: str) -> None:
    """What whoever has the database's owner can do; the vault's own login may take nothing out."""
    side = migrate.vault_side(env.read())
    words = side.migrator | {"dbname": str(conninfo_to_dict(vault.database_url)["dbname"])}
    with psycopg.connect(databases.url(words, become=side.owner), autocommit=True) as connection:
        connection.execute(statement.encode())


def in_parallel(count: int, act: Callable[[int], Result], *, threads: int = 20) -> list[Result]:
    """Do something so many times from many threads at once."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(act, range(count)))
