"""A letter before it has an addressee: a template whose holes are a person's, and what goes with it."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from noren_vault.errors import BadRequest
from noren_vault.fields import Value

PERSONAL: Final = ("name", "kana")
_HOLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_KEY: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,160}", re.ASCII)
_TYPE: Final = re.compile(r"([a-z]+)/([a-z0-9.+-]+)((?:; [a-z]+=[A-Za-z0-9-]+)*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter. The vault does not look into it.

    `params` are its type's: a calendar entry needs `method` there (RFC 6047).
    """

    name: str
    maintype: str
    subtype: str
    content: bytes
    params: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Attachment":
        """Read it from the wire. Raises BadRequest."""
        name, kind, content = given.get("name"), given.get("type"), given.get("content")
        match = _TYPE.fullmatch(kind) if isinstance(kind, str) else None
        if match is None or not isinstance(name, str) or not isinstance(content, str):
            raise BadRequest("an attachment is {name, type, content}")
        if match[1] in ("multipart", "message"):
            raise BadRequest("an attachment is one file")
        if not name or not name.isprintable() or "/" in name:
            raise BadRequest("an attachment's name is a file name")
        try:
            params = dict(part.split("=", 1) for part in match[3].split("; ")[1:])
            return cls(name, match[1], match[2], base64.b64decode(content, validate=True), params)
        except (binascii.Error, ValueError):
            raise BadRequest("an attachment's content is base64") from None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent; it names no channel and no address.

    `{name}` and `{kana}` are the person's, other holes are filled from `values`. `neutral` says which parts
    of the text stand otherwise in a letter that may not name the person ("Dear {name}," -> "Hello,"); a hole
    that is left then is filled with nothing. `leave`: where one post ends the list.
    """

    key: str
    subject: str
    text: str
    values: Mapping[str, str]
    attachments: Sequence[Attachment] = ()
    neutral: Mapping[str, str] = field(default_factory=dict)
    leave: str = ""

    def check(self) -> None:
        """Raise BadRequest when the letter cannot be made; nothing has been read then."""
        if not _KEY.fullmatch(self.key):
            raise BadRequest("a message key is a short id")
        known = {*self.values, *PERSONAL}
        if not {hole for text in (self.subject, self.text) for hole in _HOLE.findall(text)} <= known:
            raise BadRequest("a hole in the template has no value")
        if set(self.values) & set(PERSONAL):
            raise BadRequest("values hold nothing personal")

    def unnamed(self) -> "Letter":
        """The letter in its neutral form."""
        subject, text = self.subject, self.text
        for named, neutral in self.neutral.items():
            subject, text = subject.replace(named, neutral), text.replace(named, neutral)
        return replace(self, subject=subject, text=text)

    def fill(self, text: str, person: Mapping[str, Value]) -> str:
        """Fill the holes, once: what was filled in is not looked at again."""
        found = {**self.values, **{name: person[name].text if name in person else "" for name in PERSONAL}}
        return _HOLE.sub(lambda match: found[match[1]], text)
