"""The vocabulary of what can go wrong: each error's code, its HTTP status, its words.

`message` is for a person (Japanese: the catalogue), `code` for a program. Our own misuse is a RuntimeError.
"""

# ruff: noqa: F403 - whoever raises or catches one imports it from here, by its name

from noren.errors.base import *
from noren.errors.entrance import *
from noren.errors.people import *
from noren.errors.times import *
