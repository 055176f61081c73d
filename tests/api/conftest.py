"""The API in front of a salon; the clock stands at noon of a Tuesday."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from noren import clock
from tests.api.salon import NOON, Salon, salon
from tests.environment import PATHS
from tests.servers import AppDatabase


@pytest.fixture
def house(app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Salon]:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    # WhiteNoise warns of a folder that `noren migrate` would have made.
    PATHS.static.mkdir(exist_ok=True)
    with override_settings(ROOT_URLCONF="tests.api.urls"):
        yield salon()
