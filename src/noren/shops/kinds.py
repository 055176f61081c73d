"""What a shop of each kind begins with: a shop's file without its names, changed by whoever sets hers up."""

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

from noren.shops.reading import Values

KINDS: Final = ("salon", "classes", "rental", "stay", "clinic", "school")
MOST_PLACES: Final = 30


@lru_cache
def of(kind: str) -> Values:
    """Return a kind's file as it is read. Nobody changes it: compose copies what it takes."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of shop")
    return tomllib.loads((resources.files(__package__) / "kinds" / f"{kind}.toml").read_text("utf-8"))


def service(kind: str, key: str) -> Values:
    """Return the service of this key; of one that a shop adds, what it is made like: the kind's first."""
    there = of(kind)["services"]
    found = next((each for each in there if each["key"] == key), None)
    return dict(found or {name: value for name, value in there[0].items() if name not in ("about", "name")})


def minutes(given: Values) -> int:
    """How long a service takes."""
    return sum(int(each["minutes"]) for each in given["segments"])


def fewest(given: Values) -> int:
    """The fewest minutes to which it can be cut: its last segment gives way, to five of them."""
    return minutes(given) - int(given["segments"][-1]["minutes"]) + 5
