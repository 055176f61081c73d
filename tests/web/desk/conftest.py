"""The console's tests: one salon, one vault and one sign-in for all of a module's."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from noren import clock, people
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.web.conftest import last_from_noon, owner
from tests.web.desk.test_budget import Person


@pytest.fixture(scope="module")
def made(module_app_db: AppDatabase) -> Iterator[Salon]:
    assert module_app_db
    keys = override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, SECRET_KEY="s" * 50)
    with keys, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOON)
        yield salon()


@pytest.fixture(scope="module")
def staff(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> Iterator[Client]:
    assert module_vault
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        yield owner(made, module_mail)


@pytest.fixture(scope="module")
def three(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> Iterator[dict[str, Person]]:
    """The owner, the manager, and somebody at reception."""
    assert module_vault
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        roles = {"aoi": "owner", "mei": "manager", "ren": "staff"}
        members = [
            people.Member(name, role, name, name, f"{name}@salon.example") for name, role in roles.items()
        ]
        people.found_shop(made.id, made.slug, members)
        invited = {message["To"]: message.get_content() for message in module_mail.messages}
        links = {name: invited[f"{name}@salon.example"].partition("/join#")[2].split()[0] for name in roles}
        yield {name: Person(link) for name, link in links.items()}
