"""What tests of tellings need: persons, a look at some of them, an incident, one that is agreed to."""

from dataclasses import dataclass
from typing import Any

from noren.incidents.telling_words import HOUSE
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import joined
from tests.vault.cast import SALON
from tests.vault.conftest import Bench, ask
from tests.vault.operators import Operator, two

NAMES = ("hanako", "taro", "yuki", "ken", "mai")


@dataclass
class Stage:
    """Two operators, an incident of theirs, a salon's customers by name, and the owner's grant."""

    first: Operator
    second: Operator
    incident: str
    persons: dict[str, str]
    owner: str


async def stage(bench: Bench, vault: Vault, mail: Sink) -> Stage:
    first, second = await two(vault, bench.configured.database_url, mail)
    [aoi] = await joined(vault, mail, "aoi")
    rows = [
        {"key": one, "fields": {"name": f"{one}さん", "phone": "090-1111-2222", "mail": f"{one}@kyaku.jp"}}
        for one in NAMES
    ]
    persons = (await ask(vault, "import", shop=SALON, rows=rows))["persons"]
    incident = (await ask(vault, "open_incident", grant=first.grant, words='{"title": "名簿"}'))["incident"]
    await ask(
        vault, "incident_member", grant=first.grant, incident=incident, handle=second.handle, standing="in"
    )
    named = {name: persons[name] for name in NAMES}
    return Stage(first, second, incident, named, aoi["grant"])


async def seen(vault: Vault, there: Stage, *names: str, fields: tuple[str, ...] = ("name", "phone")) -> None:
    """Somebody reads these with the owner's grant."""
    persons = [there.persons[one] for one in names]
    await ask(vault, "reveal", grant=there.owner, purpose="customer", persons=persons, fields=list(fields))


def wanted(bench: Bench, there: Stage, **more: Any) -> dict[str, Any]:
    """What the owner's handle has seen."""
    since, until = bench.clock / 1000 - 60, bench.clock / 1000 + 86_400
    question = {"actor": "aoi.salon", "since": since, "until": until, **more}
    return {
        "grant": there.first.grant,
        "incident": there.incident,
        "question": question,
        "notice": "2026-leak",
        "words": HOUSE,
        "shops": {str(SALON): "青葉サロン"},
    }


async def made(bench: Bench, vault: Vault, there: Stage, **more: Any) -> dict[str, Any]:
    return await ask(vault, "make_telling", **wanted(bench, there, **more))


async def agreed(vault: Vault, there: Stage, telling: str) -> None:
    """The second operator agrees with her passkey."""
    asked = {"grant": there.second.grant, "telling": telling}
    options = (await ask(vault, "telling_begin", **asked))["options"]
    await ask(vault, "telling_agree", **asked, response=there.second.passkey.get(options))


async def standing(vault: Vault, there: Stage, telling: str) -> dict[str, Any]:
    return await ask(vault, "telling", grant=there.first.grant, telling=telling)
