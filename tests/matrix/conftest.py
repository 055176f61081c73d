"""One world for all cells of a file: they disturb nobody, or are put back."""

from collections.abc import Iterator

import pytest

from tests.matrix.world import World, world
from tests.servers import AppDatabase, Sink, VaultProcess


@pytest.fixture(scope="module")
def everybody(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Iterator[World]:
    """Everybody, on this module's databases and vault."""
    assert module_app_db
    with world(module_mail, module_vault) as made:
        yield made
