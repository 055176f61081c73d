"""What this room's tests share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection


@pytest.fixture
def django_queries() -> Iterator[list[str]]:
    """The text of each statement that Django sends."""
    seen: list[str] = []

    def watch(execute: Callable[..., Any], query: Any, params: Any, many: bool, context: Any) -> Any:
        seen.append(str(query))
        return execute(query, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen
