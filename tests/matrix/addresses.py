"""Every address of the site, from Django's own table, with the rule of the view that serves it.

A new page needs a rule where it is written; a new kind of id in an address needs its samples in `cells`.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils.regex_helper import normalize

from noren.accounts.rules import Rule, rule_of

# A value of each parameter's shape, by which the table tells the view. Nobody's.
SHAPES: Mapping[str, str] = {
    "token": "t",
    "slug": "salon",
    "service_id": "1",
    "booking_id": "1",
    "block_id": "1",
    "staff_id": "1",
    "resource_id": "1",
    "deed": "check-in",
    "person": "00000000-0000-4000-8000-000000000000",
    "kept": "00000000-0000-4000-8000-000000000001",
    "transfer": "t",
    "work_id": "1",
    "many_id": "1",
    "change_id": "1",
    "handle": "ren.salon",
    "role": "reception",
    "step": "kind",
    "name": "pk-0",
    "what": "0123456789abcdef",
    "power": "0123456789abcdef",
    "incident": "0123456789abcdef",
    "pack": "0123456789abcdef",
    "record": "3",
    "law": "jp-appi",
    "principal": "1",
    "shop_id": "1",
    "level": "0",
    "form": "svg",
    "number": "000",
    "width": "1",
    "entry": "1",
    "about": "service-1",
    "photo_id": "1",
    "digest": "0123456789abcdef0123456789abcdef",
    "pixels": "480",
    "kind": "webp",
    "mail": "reminder",
    "notice": "2026-leak",
    "nth": "1",
    "version": "1",
    "draft": "1",
    "ask": "0123456789abcdef",
    "reader": "r",
    "inquiry": "0123456789abcdef",
    "link": "l",
    "secret": "epoch-key",
    "sign": "0123456789abcdef",
    "file": "0123456789abcdef",
    "telling": "0123456789abcdef",
    "way": "alone",
    "_0": "nothing",
}
# Where a part may be left out, the shorter address would be another one.
WITH: Mapping[str, str] = {"ledger/tile/": ".p/%(width)s"}


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the table: how it is written there, as a template, what its parameters are."""

    route: str
    template: str
    parameters: tuple[str, ...]

    def of(self, values: Mapping[str, str]) -> str:
        """Fill it."""
        return "/" + self.template % {name: values[name] for name in self.parameters}

    @property
    def view(self) -> Callable[..., Any]:
        """The view that serves it: of two that fit, the first."""
        return resolve(self.of(SHAPES)).func

    @property
    def rules(self) -> Mapping[str, Rule | None]:
        """The rule by method; `*` for all."""
        operations = _operations(self.view)
        if operations is None:
            return {"*": rule_of(self.view)}
        return {method: rule_of(one.view_func) for one in operations for method in one.methods}


def _operations(view: Callable[..., Any]) -> list[Any] | None:
    """Give the operations of a path of the API, one view for all methods; None for a plain view."""
    if not inspect.isfunction(view):
        return None
    path = inspect.getclosurevars(view).nonlocals.get("self")
    return getattr(path, "operations", None)


def every() -> list[Address]:
    """Each address once, in the table's order."""
    found: dict[str, Address] = {}
    for route, pattern in _walk(get_resolver().url_patterns, "", ""):
        template, parameters = _normal(pattern)
        for start, more in WITH.items():
            if template.startswith(start):
                template, parameters = template + more, (*parameters, "width")
        found.setdefault(template, Address(route or "/", template, parameters))
    return list(found.values())


def _walk(patterns: list[URLPattern | URLResolver], route: str, regex: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        # An inner pattern's own anchor stands in the middle of the whole.
        whole = regex + one.pattern.regex.pattern.removeprefix("^").removeprefix("\\A")
        written = route + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, written, whole)
        else:
            yield written, whole


def _normal(regex: str) -> tuple[str, tuple[str, ...]]:
    if regex.endswith(".+$"):
        return regex.removesuffix(".+$") + "%(_0)s", ("_0",)
    template, parameters = normalize(re.sub(r"\\Z|\\z|\$", "", regex))[0]
    return template, tuple(parameters)
