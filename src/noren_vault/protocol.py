"""The wire: frames of JSON, and reading a request's params without trusting them.

A frame is four bytes of length (big-endian) and that many bytes of UTF-8 JSON; a request has at most 8 MiB,
an answer (whose data a leak touched) may be longer.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from noren_vault.errors import BadRequest, VaultError

LARGEST_FRAME: Final = 8 * 1024 * 1024
_LONGEST_TEXT: Final = 10_000
_MOST_PERSONS: Final = 500
_CANONICAL: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Read one frame; None at the end of the stream. Raises BadRequest for one that is too long."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > LARGEST_FRAME:
            raise BadRequest("a frame longer than 8 MiB")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):  # over a network also: no route, no TLS, no sign of life
        return None


def to_frame(answer: Mapping[str, Any]) -> bytes:
    """Make the frame of an answer."""
    data = orjson.dumps(answer)
    return len(data).to_bytes(4, "big") + data


def error_answer(error: VaultError) -> dict[str, Any]:
    """The shape of a refusal. The words say what kind, never whose."""
    doc = (type(error).__doc__ or "").split("\n", 1)[0]
    return {"error": {"code": error.code, "message": str(error) or doc, "facts": error.facts}}


@dataclass(frozen=True, slots=True)
class Request:
    """A method's name and its params."""

    method: str
    params: "Params"

    @classmethod
    def of(cls, frame: bytes) -> "Request":
        """Read a frame. Raises BadRequest."""
        try:
            raw = orjson.loads(frame)
        except ValueError:
            raise BadRequest("not JSON") from None
        if not isinstance(raw, dict) or raw.get("v") != 1:
            raise BadRequest("only version 1 of the protocol is known")
        method, params = raw.get("method"), raw.get("params")
        if not isinstance(method, str) or not isinstance(params, dict):
            raise BadRequest("a request is {v, method, params}")
        return cls(method, Params(params))


class Params:
    """A request's params; each reader raises BadRequest for what is not of its kind."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Keep what came over the wire."""
        self.raw = raw

    def number(self, name: str, *, most: int = (1 << 53) - 1) -> int:
        """Read a whole number from 0."""
        value = self.raw.get(name)
        if type(value) is not int or not 0 <= value <= most:
            raise BadRequest(f"{name} is a whole number from 0 to {most}")
        return value

    def shop(self) -> int:
        """Read the shop; 0 is no shop but the vault's own, and nobody's outside."""
        if not (shop := self.number("shop")):
            raise BadRequest("shop is a whole number from 1")
        return shop

    def maybe_number(self, name: str) -> int | None:
        """Read a whole number, or None where it is left out."""
        return None if self.raw.get(name) is None else self.number(name)

    def text(self, name: str, default: str | None = None, *, most: int = _LONGEST_TEXT) -> str:
        """Read a text; without a default it may not be empty."""
        value = self.raw.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or len(value) > most or (default is None and not value):
            raise BadRequest(f"{name} is a text of at most {most} characters")
        if "\x00" in value:  # PostgreSQL holds none: it would answer with a fault of the database
            raise BadRequest(f"{name} has a character that no text has")
        return value

    def said(self, name: str, default: str | None = None, *, most: int = _LONGEST_TEXT) -> dict[str, Any]:
        """Read a text that is an object in JSON."""
        try:
            value = json.loads(self.text(name, default, most=most))
        except (ValueError, RecursionError):
            raise BadRequest(f"{name} is JSON") from None
        if not isinstance(value, dict):
            raise BadRequest(f"{name} is an object in JSON")
        return value

    def maybe_text(self, name: str) -> str | None:
        """Read a text, or None where it is left out."""
        return self.text(name) if self.raw.get(name) is not None else None

    def flag(self, name: str) -> bool:
        """Read a truth value; left out is false."""
        value = self.raw.get(name, False)
        if not isinstance(value, bool):
            raise BadRequest(f"{name} is true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """Read an object."""
        value = self.raw.get(name)
        if not isinstance(value, dict):
            raise BadRequest(f"{name} is an object")
        return value

    def items(self, name: str) -> list[Any]:
        """Read a list."""
        value = self.raw.get(name)
        if not isinstance(value, list):
            raise BadRequest(f"{name} is a list")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """Read an object whose values are texts; left out is empty."""
        value = self.raw.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise BadRequest(f"{name} is an object of texts")
        return value

    def person(self, name: str) -> str:
        """Read a person's id, in the one spelling it has in the record."""
        return _uuid(self.raw.get(name))

    def persons(self, name: str, *, most: int = _MOST_PERSONS) -> list[str]:
        """Read a list of persons' ids, not empty."""
        found = [_uuid(one) for one in self.items(name)]
        if not 0 < len(found) <= most:
            raise BadRequest(f"{name} names 1 to {most} persons")
        return found


def _uuid(value: object) -> str:
    if isinstance(value, str) and _CANONICAL.fullmatch(value):
        return value
    try:
        return str(UUID(value if isinstance(value, str) else ""))
    except ValueError:
        raise BadRequest("a person is a UUID") from None
