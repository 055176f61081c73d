"""The stage of a drill: shops with people who do not exist, their members, and today's bookings.

Who made them up knows whose each value is: so the bytes in a thief's hand can be read as persons and fields,
without a word of Noren's.
"""

import contextlib
import email
import email.policy
import io
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from noren import clock
from noren.drill import made_up
from noren.drill.made_up import MadeUp
from noren.drill.report import Triple
from noren.runtime import throwaway
from noren.runtime.throwaway import Throwaway

if TYPE_CHECKING:
    from noren.drill.passkey import Passkey

PASSWORD: Final = "ひみつ-ではない-ひみつ-42"  # noqa: S105 - made up, for a system that lives a minute
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
_LATE: Final = 21
_WAIT_SECONDS: Final = 120.0
_SHOP: Final = """
slug = "{slug}"
zone = "{zone}"
locale = "ja"
currency = "JPY"
name = {{ ja = "訓練の店 {slug}", en = "The drill's {slug}" }}

[policy]
ja = "いつでも無料で取り消せます。"
en = "Cancelling is free at any time."

[contact]
phone = "03-0000-0000"
mail = "{slug}@example.jp"

[hours]
{hours}

[booking]
reminder_minutes = 0

[[staff]]
key = "aoi"
name = {{ ja = "葵", en = "Aoi" }}

[[staff]]
key = "mei"
name = {{ ja = "芽依", en = "Mei" }}

[[staff]]
key = "ren"
name = {{ ja = "蓮", en = "Ren" }}

[[services]]
key = "visit"
name = {{ ja = "ご来店", en = "A visit" }}
price = 5500
segments = [{{ minutes = 30, roles = ["staff"] }}]
needs = {{ staff = ["aoi", "mei", "ren"] }}
lead = {{ minutes = 0 }}
cancel = {{ minutes = 0 }}

[[members]]
handle = "aoi.{slug}"
role = "owner"
name = "青木 葵"
mail = "aoi.{slug}@example.jp"

[[members]]
handle = "mei.{slug}"
role = "manager"
name = "森 芽依"
mail = "mei.{slug}@example.jp"
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came: whom it is to, and its words."""

    to: str
    text: str


@dataclass
class Member:
    """Somebody who is signed in with a passkey."""

    handle: str
    mail: str
    passkey: "Passkey"
    grant: str
    session: str


@dataclass
class Shop:
    """One shop: its customers by person, who of them has a booking today, and what she reads then."""

    number: int
    slug: str
    members: dict[str, Member] = field(default_factory=dict)
    customers: dict[UUID, MadeUp] = field(default_factory=dict)
    today: list[UUID] = field(default_factory=list)
    languages: dict[UUID, str] = field(default_factory=dict)


@dataclass
class Stage:
    """All of it. `own` is a folder outside Noren, where the thieves keep their lists."""

    system: Throwaway
    seed: int
    shops: list[Shop] = field(default_factory=list)

    @property
    def own(self) -> Path:
        folder = self.system.top / "thief"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def held(self, loot: str) -> set[Triple]:
        """Read what came into a thief's hand as persons and fields: whose values are in it?"""
        return {
            (shop.number, person, name)
            for shop in self.shops
            for person, one in shop.customers.items()
            for name, value in one.fields.items()
            if value in loot
        }

    def mails(self) -> list[Mail]:
        """All that the mailbox holds, the oldest first."""
        files = sorted(self.system.paths.mail.glob("*.eml"))
        return [_mail(path.read_bytes()) for path in files]

    def texts(self, to: str) -> list[str]:
        """The words of the mails to an address."""
        return [one.text for one in self.mails() if to in one.to]

    def in_mail(self, to: str, shape: str) -> str:
        """Wait for a mail with this in it; gives the first group."""

        def found() -> str:
            matches = [re.search(shape, text) for text in self.texts(to)]
            return next((one[1] for one in reversed(matches) if one is not None), "")

        return until(found, f"a mail to {to}")


def _mail(content: bytes) -> Mail:
    read = email.message_from_bytes(content, policy=email.policy.default)
    body = read.get_body(("plain",))
    text = "" if body is None else str(body.get_content())
    return Mail(parseaddr(str(read["To"]))[1], text)


def until(found: Callable[[], str], what: str) -> str:
    """Wait until there is something; gives it. Raises RuntimeError when it takes too long."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not (got := found()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come within {_WAIT_SECONDS:.0f} seconds")
        time.sleep(0.05)
    return got


@contextlib.contextmanager
def stage(seed: int, keep: Path | None, counts: Mapping[str, int]) -> Iterator[Stage]:
    """Start a system, and put shops with so many customers in. Nothing of the app is loaded before that."""
    with throwaway.running(keep) as system:
        from noren.drill import cast  # noqa: PLC0415 - needs the system that this process is set for

        made = Stage(system, seed)
        crowd = iter(made_up.people(seed, sum(counts.values())))
        for slug, count in counts.items():
            made.shops.append(cast.found(made, slug, [next(crowd) for _ in range(count)]))
        yield made


def shop_file(slug: str, folder: Path) -> Path:
    """Write a shop's file: open at all hours, in a zone where it is not about to be tomorrow."""
    late = clock.now().astimezone(ZoneInfo("Asia/Tokyo")).hour >= _LATE
    hours = "\n".join(f'{day} = "00:00-24:00"' for day in _DAYS)
    path = folder / f"{slug}.toml"
    zone = "Asia/Dubai" if late else "Asia/Tokyo"
    path.write_text(_SHOP.format(slug=slug, zone=zone, hours=hours), encoding="utf-8")
    return path


def minute() -> datetime:
    """Give the minute that it is."""
    return clock.now().astimezone(UTC).replace(second=0, microsecond=0)


def session() -> str:
    """A name for a sign-in, as the pages make it."""
    return secrets.token_urlsafe(16)


def quietly() -> contextlib.redirect_stdout[io.StringIO]:
    """Commands speak to a terminal; a drill's own words are its report."""
    return contextlib.redirect_stdout(io.StringIO())
