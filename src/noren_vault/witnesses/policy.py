"""Who witnesses the ledger, and how many are enough: a file in the form of C2SP tlog-policy.

log     salon.example/ledger+...                          optional; must be this ledger's key
witness assoc  witness.example.org/w+...  https://witness.example.org
witness rival  rival.example/w+...        https://rival.example/w
group   both   all assoc rival
quorum  both
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from noren_vault.ledger.errors import NoteInvalid
from noren_vault.witnesses.cosigner import Cosigner

MOST: Final = 64
NONE: Final = "none"


class PolicyError(Exception):
    """The policy's file is not one; the words name the line."""


@dataclass(frozen=True, slots=True)
class Member:
    """A witness. `url` has no slash at its end; empty: its signatures count, and it is not asked."""

    name: str
    cosigner: Cosigner
    url: str


@dataclass(slots=True)
class Policy:
    """The file as read. Without a file nobody witnesses, and nobody has to."""

    witnesses: dict[str, Member] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NONE
    logs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path | None) -> "Policy":
        """Read the file. Raises PolicyError."""
        if path is None:
            return cls()
        try:
            return cls.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"the policy of witnesses {path} cannot be read: {type(error).__name__}"
            ) from None
        except PolicyError as error:
            raise PolicyError(f"{path}, {error}") from None

    @classmethod
    def read(cls, text: str) -> "Policy":
        """Read the file's text. Raises PolicyError."""
        policy, quorum = cls(), ""
        for at, line in enumerate(text.split("\n"), 1):
            words = line.replace("\t", " ").split()
            if not words or words[0].startswith("#"):
                continue
            try:
                if words[0] == "quorum" and len(words) == 2 and not quorum:
                    quorum = words[1]
                    policy._know(quorum, NONE)
                else:
                    policy._take(words)
            except (PolicyError, NoteInvalid) as error:
                raise PolicyError(f"line {at}: {error}") from None
        if not quorum:
            raise PolicyError("there is no quorum line")
        policy.quorum = quorum
        return policy

    def met(self, cosigned: Collection[str]) -> bool:
        """Say whether the signatures of these witnesses (by their names in the file) are enough."""
        return self.quorum == NONE or self._stands(self.quorum, cosigned)

    def is_of(self, vkey: str) -> None:
        """Raise PolicyError when the file names other ledgers and not this one."""
        if self.logs and vkey not in self.logs:
            raise PolicyError(f"the policy of witnesses is not for this ledger, whose key is {vkey}")

    @property
    def demands(self) -> bool:
        """Whether a checkpoint needs any witness."""
        return self.quorum != NONE

    def _stands(self, name: str, cosigned: Collection[str]) -> bool:
        if name in self.witnesses:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self._stands(one, cosigned) for one in members) >= least

    def _take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(vkey)
            case ["witness", name, vkey]:
                self._witness(name, vkey, "")
            case ["witness", name, vkey, url]:
                self._witness(name, vkey, url)
            case ["group", name, least, *members] if members:
                self._group(name, least, members)
            case _:
                raise PolicyError("log, witness, group or one quorum expected")

    def _witness(self, name: str, vkey: str, url: str) -> None:
        self._name(name)
        cosigner, parts = Cosigner(vkey), urlsplit(url)
        if any(
            one.cosigner.raw == cosigner.raw or one.cosigner.name == cosigner.name
            for one in self.witnesses.values()
        ):
            raise PolicyError("the same witness twice")
        if url and (
            parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment
        ):
            raise PolicyError("a witness's address begins with https:// or http://")
        self.witnesses[name] = Member(name, cosigner, url.rstrip("/"))

    def _group(self, name: str, least: str, members: list[str]) -> None:
        self._name(name)
        used = {one for _, others in self.groups.values() for one in others}
        for one in members:
            self._know(one)
            if one in used or members.count(one) > 1:
                raise PolicyError(f"{one} is a member twice")
        known = {"any": 1, "all": len(members)}
        count = known.get(least) or (int(least) if least.isascii() and least.isdecimal() else 0)
        if not 1 <= count <= len(members):
            raise PolicyError(f"a group needs any, all, or a number from 1 to {len(members)}")
        self.groups[name] = (count, tuple(members))

    def _name(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise PolicyError(f"the name {name} is taken")
        if len(self.witnesses) + len(self.groups) >= MOST:
            raise PolicyError(f"more than {MOST} witnesses and groups")

    def _know(self, name: str, *others: str) -> None:
        if name not in self.witnesses and name not in self.groups and name not in others:
            raise PolicyError(f"{name} is not defined before")
