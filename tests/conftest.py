"""Fixtures: real databases cloned from a template, a real vault, a real SMTP sink.

Two clusters are started once a run, when the first test asks; with NOREN_TEST_DATABASE_URL and
NOREN_TEST_VAULT_DATABASE_URL the servers named there are used instead (the login
needs CREATEROLE and CREATEDB).
"""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import hypothesis
import pytest
from django.test.utils import setup_test_environment, teardown_test_environment

from tests import nursery
from tests.environment import GIVEN, PATHS, TOP
from tests.servers import (
    AppDatabase,
    Server,
    Sink,
    VaultProcess,
    app_database,
    embedded,
    serve_app,
    serve_vault,
    sink,
    vault_process,
)
from tests.workers import ByFile

if TYPE_CHECKING:
    from xdist.remote import Producer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--first-case",
        action="store_true",
        help="of a test with parameters only the first: the others ask the same of another version's server",
    )


def pytest_configure() -> None:
    # A busy machine takes as long as it takes; what is slow is measured in bench/.
    slow = hypothesis.HealthCheck.too_slow
    hypothesis.settings.register_profile("noren", deadline=None, suppress_health_check=[slow])
    hypothesis.settings.load_profile("noren")
    setup_test_environment()


def pytest_unconfigure() -> None:
    teardown_test_environment()
    nursery.end()
    shutil.rmtree(TOP, ignore_errors=True)


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what speaks to a server that may be given, so that `-m database` chooses it."""
    for item in items:
        if {"app_server", "vault_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.database)
    if config.getoption("first_case"):
        tests: dict[str, pytest.Item] = {}
        for item in items:
            tests.setdefault(item.nodeid.partition("[")[0], item)
        items[:] = tests.values()


@pytest.fixture(scope="session")
def app_server() -> Iterator[Server]:
    """The server of the app's databases."""
    with nullcontext() if GIVEN.database_url else embedded(PATHS, vault=False):  # noqa: SIM117 - in order
        with serve_app(GIVEN) as server:
            yield server


@pytest.fixture(scope="session")
def vault_server() -> Iterator[Server]:
    """The server of the vault's databases."""
    with nullcontext() if GIVEN.vault_database_url else embedded(PATHS, vault=True):  # noqa: SIM117
        with serve_vault(GIVEN) as server:
            yield server


@pytest.fixture
def app_db(app_server: Server) -> Iterator[AppDatabase]:
    """A fresh app database for this test, with real commits, as role noren_app."""
    with app_database(app_server) as database:
        yield database


@pytest.fixture(scope="module")
def module_app_db(app_server: Server) -> Iterator[AppDatabase]:
    """One app database for the tests of a module that do not disturb each other (not with app_db)."""
    with app_database(app_server) as database:
        yield database


@pytest.fixture
def mail() -> Iterator[Sink]:
    """The SMTP server to which this test's vault sends."""
    with sink() as kept:
        yield kept


@pytest.fixture(scope="module")
def module_mail() -> Iterator[Sink]:
    """The SMTP server of module_vault."""
    with sink() as kept:
        yield kept


@pytest.fixture
def vault(vault_server: Server, mail: Sink) -> Iterator[VaultProcess]:
    """The real vault process, fresh, for this test."""
    with vault_process(vault_server, mail, TOP, GIVEN.origin) as process:
        yield process


@pytest.fixture(scope="module")
def module_vault(vault_server: Server, module_mail: Sink) -> Iterator[VaultProcess]:
    """One vault process for the tests of a module that do not disturb each other."""
    with vault_process(vault_server, module_mail, TOP, GIVEN.origin) as process:
        yield process
