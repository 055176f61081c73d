"""A shop of each kind, as somebody sets it up who takes all as it stands."""

from datetime import UTC, datetime
from typing import Any

from noren.booking import classes, founding
from noren.shops import kinds, setup
from noren.shops.models import Setup
from noren.shops.tenancy import shop

NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
"""A Tuesday, 9:00 in Tokyo."""
ABOUT = {
    "name": {"ja": "青葉", "en": "Aoba"},
    "address": {"ja": "東京都台東区谷中0-0-0"},
    "access": {},
    "phone": "03-0000-0000",
    "mail": "hello@aoba.example",
    "postcode": "110-0001",
}
LEGAL = {"seller": {"ja": "青葉"}, "person": {"ja": "青木"}}


def answers(kind: str) -> dict[str, Any]:
    """What somebody answers who takes all as it stands."""
    found = {step: setup.begun(step, kind) for step in setup.STEPS}
    staff = [{"ja": "葵", "en": "Aoi"}] if kinds.of(kind)["kind"]["staff"] else []
    return found | {
        "kind": kind,
        "about": ABOUT,
        "team": {"staff": staff, "places": 2},
        "words": {**found["words"], "legal": LEGAL},
    }


def founded(kind: str, **changed: Any) -> int:
    """Found it, with other answers where they are given."""
    shop_id = founding.found("aoba", locale="ja", zone="Asia/Tokyo", now=NOW)
    for step, given in (answers(kind) | changed).items():
        founding.answer(shop_id, step, given, now=NOW, by="staff:owner.aoba")
    return shop_id


def opened(shop_id: int) -> None:
    """Open it, its mail proved; with the dates of its classes."""
    classes.schedule(shop_id, now=NOW)
    with shop(shop_id):
        Setup.objects.update(mail_proved=ABOUT["mail"])
    founding.hang_out(shop_id, now=NOW, by="staff:owner.aoba")
