"""What an operator asks for, as it came over the wire and as it is stored. Decides nothing."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import fields
from noren_vault.database import Row
from noren_vault.errors import BadRequest
from noren_vault.keys import Keys
from noren_vault.protocol import Params
from noren_vault.rights import INVITING, OF_A_SHOP, ONCE, What

MOST_MINUTES: Final = 60
MOST_OF_GLASS: Final = 15
MOST_DAYS: Final = 90
LONGEST: Final = 300
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_HANDLE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\.(?:operator|auditor)", re.ASCII)

FIND: Final = """
SELECT w.power, w.what, w.shop_id, w.actor::text, a.handle, w.sealed, w.about, w.minutes, w.days, w.glass,
       w.state, w.asked_at, w.expires_at, d.handle, w.decided_at, w.until, w.entered_at, e.handle, w.ended_at,
       v.sealed, r.handle, v.at
FROM vault.power w JOIN vault.actor a USING (actor)
LEFT JOIN vault.actor d ON d.actor = w.decided_by LEFT JOIN vault.actor e ON e.actor = w.ended_by
LEFT JOIN vault.power_review v ON v.power = w.power LEFT JOIN vault.actor r ON r.actor = v.actor
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for. `about` is a handle; `mail` and `days` are an invitation's."""

    what: What
    shop: int
    words: str
    minutes: int
    about: str = ""
    mail: str = ""
    days: int = 0

    @classmethod
    def of(cls, params: Params) -> "Ask":
        """Read it from the wire. Raises BadRequest, BadField."""
        try:
            what = What(params.text("what", most=40))
        except ValueError:
            raise BadRequest(f"what is one of {', '.join(What)}") from None
        words = params.text("words", most=LONGEST).strip()
        if not words:
            raise BadRequest("a reason is given in words")
        shop = params.shop() if what in OF_A_SHOP else 0
        minutes = 0 if what in ONCE else params.number("minutes", most=MOST_MINUTES)
        if not minutes and what not in ONCE:
            raise BadRequest(f"a power runs for 1 to {MOST_MINUTES} minutes")
        if what not in ONCE:
            return cls(what, shop, words, minutes)
        about = params.text("about", most=50)
        if what not in INVITING:
            if not _HANDLE.fullmatch(about):
                raise BadRequest("an operator's or an auditor's handle")
            return cls(what, shop, words, minutes, about)
        return cls(what, shop, words, minutes, *_invited(params, what, about))

    @property
    def deed(self) -> str:
        """Binds a fresh passkey's answer to all of it."""
        told = json.dumps([self.what, self.shop, self.words, self.minutes, self.about, self.mail, self.days])
        return f"glass:{hashlib.sha256(told.encode()).hexdigest()}"

    def seal(self, keys: Keys, power: str) -> bytes:
        """Seal what may stand in no record. The caller holds the keys."""
        return keys.addresses.seal(json.dumps([self.words, self.mail]).encode(), place(power))


def _invited(params: Params, what: What, name: str) -> tuple[str, str, int]:
    """Handle, mail and days of an invitation."""
    if not _NAME.fullmatch(name):
        raise BadRequest("a name is a short key")
    mail = fields.checked({"mail": params.text("mail", most=300)}, required=("mail",))["mail"].text
    if what is What.INVITE_OPERATOR:
        return f"{name}.operator", mail, 0
    days = params.number("days", most=MOST_DAYS)
    if not days:
        raise BadRequest(f"an auditor is invited for 1 to {MOST_DAYS} days")
    return f"{name}.auditor", mail, days


@dataclass(frozen=True, slots=True)
class Power:
    """One as it stands. Instants in milliseconds; who decided, ended and reviewed by their handles."""

    id: str
    what: What
    shop: int
    actor: str
    handle: str
    sealed: bytes
    about: str
    minutes: int
    days: int
    glass: bool
    state: str
    asked_at: int
    expires_at: int
    decider: str | None
    decided_at: int | None
    until: int | None
    entered_at: int | None
    ender: str | None
    ended_at: int | None
    review: bytes | None
    reviewer: str | None
    reviewed_at: int | None

    @classmethod
    def of(cls, row: Row) -> "Power":
        """Read a row of FIND."""
        told = list(row)
        told[1], told[5] = What(told[1]), bytes(told[5])
        told[19] = None if told[19] is None else bytes(told[19])
        return cls(*told)

    @property
    def ref(self) -> str:
        """How entries name it."""
        return f"power:{self.id}"

    def standing(self, now: int) -> str:
        """The state as it is now: what nobody has written down yet has ended all the same."""
        if self.state == "running" and now >= (self.until or 0):
            return "over"
        return "lapsed" if self.state == "asked" and now >= self.expires_at else self.state

    def opened(self, keys: Keys) -> tuple[str, str]:
        """Open the words, and an invitation's mail."""
        words, mail = json.loads(keys.opens(self.sealed).open(self.sealed, place(self.id)))
        return str(words), str(mail)

    def reviewed(self, keys: Keys) -> str:
        """Open the words of the review, if there is one."""
        if self.review is None:
            return ""
        return keys.opens(self.review).open(self.review, review_place(self.id)).decode()

    def to_wire(self, now: int, *, own: bool, keys: Keys | None) -> dict[str, Any]:
        """The shape of the answer; without keys none of the words. Instants are POSIX seconds."""
        words, mail = ("", "") if keys is None else self.opened(keys)
        return {
            "power": self.id,
            "what": self.what,
            "shop": self.shop or None,
            "handle": self.handle,
            "words": words,
            "about": self.about,
            "mail": mail,
            "minutes": self.minutes,
            "days": self.days,
            "glass": self.glass,
            "state": self.standing(now),
            "asked": self.asked_at / 1000,
            "expires": self.expires_at / 1000,
            "decider": self.decider,
            "decided": _seconds(self.decided_at),
            "until": _seconds(self.until),
            "entered": _seconds(self.entered_at),
            "ender": self.ender,
            "ended": _seconds(self.ended_at),
            "reviewer": self.reviewer,
            "reviewed": _seconds(self.reviewed_at),
            "review": "" if keys is None else self.reviewed(keys),
            "own": own,
        }


def _seconds(at: int | None) -> float | None:
    return None if at is None else at / 1000


def place(power: str) -> str:
    """Binds the sealed words to their power."""
    return f"power:{power}"


def review_place(power: str) -> str:
    """Binds a review's words to their power."""
    return f"power_review:{power}"
