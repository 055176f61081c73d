"""An execute wrapper for tests and development: SQL that names a shop's table must name `shop_id`."""

import re
from collections.abc import Callable
from typing import Any

from noren.shops.tenancy import tenant_tables


class QueryWithoutShop(AssertionError):
    """A statement reads or writes a shop's table and does not say `shop_id`. Row-level security would have
    shown it nothing; on a cluster it would have asked every machine.
    """


class ShopGuard:
    """Use with `connection.execute_wrapper(ShopGuard())`."""

    def __init__(self) -> None:
        self._tables = re.compile(r"\b(?:" + "|".join(sorted(tenant_tables())) + r")\b")

    def __call__(
        self, execute: Callable[..., Any], query: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if isinstance(query, str) and self._tables.search(query) and "shop_id" not in query:
            raise QueryWithoutShop(query)
        return execute(query, params, many, context)
