"""Two operators and an auditor, each with two passkeys, and what they ask of each other."""

import secrets
from dataclasses import dataclass
from typing import Any

import cbor2
import psycopg

from noren import people
from noren.people import powers
from noren.people.powers import Ask
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Player, invitation_of, join
from tests.vault.conftest import ask as asked_of

WHY = "予約表が開かないとの問い合わせ"


def second_passkey(database_url: str, handle: str) -> Passkey:
    """Enrol another passkey of an actor, as the page of the security settings does."""
    passkey = Passkey()
    numbers = passkey.key.public_key().public_numbers()
    public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO vault.passkey "
            "(credential_id, name, actor, public_key, sign_count, backed_up, added_at) "
            "SELECT %s, %s, actor, %s, 0, false, 0 FROM vault.actor WHERE handle = %s",
            [passkey.credential_id, f"pk-{secrets.token_hex(12)}", cbor2.dumps(public), handle],
        )
    return passkey


@dataclass
class Platform:
    """The first operator, the second, an auditor; each by the way there is."""

    first: Player
    second: Player
    auditor: Player


def support(minutes: int = 30, shop: int = SALON, what: str = "support_shop") -> Ask:
    return Ask(what=what, shop_id=shop, words=WHY, minutes=minutes)


def broken(player: Player, ask: Ask) -> str:
    """Break the glass."""
    return powers.break_glass(player.grant, ask, player.passkey.get(powers.glass_begin(player.grant, ask)))


def agreed(player: Player, power: str) -> None:
    """Agree with a fresh passkey."""
    powers.lend_finish(player.grant, power, player.passkey.get(powers.lend_begin(player.grant, power)))


def lent(asker: Player, other: Player, ask: Ask) -> str:
    """Ask, agree, enter; gives the power."""
    power = powers.ask_power(asker.grant, ask)
    agreed(other, power)
    powers.enter_power(asker.grant, power)
    return power


def found(vault: VaultProcess, mail: Sink) -> Platform:
    """The second operator by broken glass, as there was only one; the auditor by both."""
    first = join(people.invite_operator(mail="first@operators.example.jp"))
    second_passkey(vault.database_url, first.handle)
    broken(first, Ask(what="invite_operator", words="二人目", about="kei", mail="kei@operators.example.jp"))
    second = join(invitation_of(mail, "kei@operators.example.jp"))
    second_passkey(vault.database_url, second.handle)
    ask = Ask(what="invite_auditor", words="監査", about="audit", mail="audit@auditors.example.jp", days=30)
    agreed(second, powers.ask_power(first.grant, ask))
    auditor = join(invitation_of(mail, "audit@auditors.example.jp"))
    return Platform(first, second, auditor)


# -- the same on a bench


@dataclass
class Operator:
    """An operator of a vault in this process."""

    handle: str
    grant: str
    passkey: Passkey


async def enrolled(vault: Vault, token: str, database_url: str) -> Operator:
    """Join by an invitation, with a second passkey."""
    passkey = Passkey()
    options = (await asked_of(vault, "register_begin", invite=token))["options"]
    done = await asked_of(vault, "register_finish", invite=token, response=passkey.create(options))
    handle = done["actor"]["handle"]
    second_passkey(database_url, handle)
    return Operator(handle, done["grant"], passkey)


async def two(vault: Vault, database_url: str, mail: Sink) -> tuple[Operator, Operator]:
    """The first operator, and one she invited by broken glass."""
    token = (await asked_of(vault, "invite_operator"))["token"]
    first = await enrolled(vault, token, database_url)
    wanted: dict[str, Any] = {
        "grant": first.grant,
        "what": "invite_operator",
        "words": "二人目",
        "about": "kei",
        "mail": "kei@operators.example.jp",
    }
    options = (await asked_of(vault, "glass_begin", **wanted))["options"]
    await asked_of(vault, "break_glass", **wanted, response=first.passkey.get(options))
    await vault.powers.stop()
    second = await enrolled(vault, invitation_of(mail, "kei@operators.example.jp"), database_url)
    return first, second


async def lend(vault: Vault, asker: Operator, other: Operator, **wanted: Any) -> str:
    """Ask, agree, enter; gives the power."""
    given = {
        "grant": asker.grant,
        "what": "support_shop",
        "shop": SALON,
        "words": WHY,
        "minutes": 30,
    } | wanted
    power = str((await asked_of(vault, "ask_power", **given))["power"])
    options = (await asked_of(vault, "lend_begin", grant=other.grant, power=power))["options"]
    response = other.passkey.get(options)
    await asked_of(vault, "lend_finish", grant=other.grant, power=power, response=response)
    await asked_of(vault, "enter_power", grant=asker.grant, power=power)
    return power
