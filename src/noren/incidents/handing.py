"""Handing a shop its pack: into its console, and a mail to its owners that it is there. The mail says nothing
of it.
"""

import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app

from noren import people
from noren.errors import NoSuchPerson
from noren.incidents.notice_jobs import QUEUE
from noren.messages import words
from noren.people import SendState, packs
from noren.shops.models import Shop
from noren.shops.tenancy import shop

_SUBJECT: Final = {
    "ja": "【{shop}】お客様のデータについての大切なお知らせ",
    "en": "{shop}: important, about your customers' data",
}
_TEXT: Final = {
    "ja": """{name} 様

お店のお客様のデータに関わる事故について、お渡しするものがあります。
何が起きたか、どなたのどの項目か、お店がいつまでに何をするかを、
管理画面の「データと安全」でご覧ください。
{link}

お読みになりましたら、そのページで「読みました」を押してください。
{shop}
""",
    "en": """Dear {name},

There is something for you about an incident that touches your customers' data:
what happened, whose data and which, and what your shop has to do by when.
Please read it in your console, under Data & safety.
{link}

Once you have read it, please say so on that page.
{shop}
""",
}


def hand(
    grant: str | None, incident: str, shop_id: int, said: str, question: dict[str, Any], *, now: datetime
) -> int:
    """Hand it over and write to the owners; give the record's number. Raises what `packs.hand` raises."""
    key = f"{now:%Y%m%d}-{secrets.token_hex(8)}"
    # The job first: no pack lies there of which nobody hears. What the vault refuses takes it back.
    with transaction.atomic():
        app.configure_task("noren.incidents.tasks.tell_of_pack", queue=QUEUE).defer(shop_id=shop_id, key=key)
        return packs.hand(grant, incident, shop_id, said, question)


def tell(shop_id: int, key: str) -> int:
    """Write to each owner, once by this key; give how many the mail server kept waiting."""
    with shop(shop_id):
        row = Shop.objects.get()
    spoken = "en" if words.language(row.locale) == "en" else "ja"
    values = {
        "shop": row.texts["name"].get(spoken) or next(iter(row.texts["name"].values())),
        "link": f"{settings.NOREN_ORIGIN}/console/safety",
    }
    states = [_send(shop_id, person, key, spoken, values) for person in people.owners(shop_id)]
    return states.count(SendState.DEFERRED)


def _send(shop_id: int, person: UUID, key: str, spoken: str, values: dict[str, str]) -> SendState:
    subject, text = _SUBJECT[spoken], _TEXT[spoken]
    try:
        return people.send(
            shop_id, person, f"{shop_id}:pack:{key}:{person}", subject=subject, text=text, values=values
        )
    except NoSuchPerson:
        return SendState.ALREADY
