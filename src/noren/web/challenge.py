"""A challenge on a page: a form that is sent again once this device has solved a small puzzle.

A view catches ChallengeNeeded, gives `shown(refusal)` to its template as `challenge` and renders its form
again; the form includes `web/parts/challenge.html`. What comes back goes to the vault as `proof(request)`.
"""

import math
from typing import Final

from django.http import HttpRequest

from noren.errors import ChallengeNeeded

_LONGEST: Final = 200


def shown(refusal: ChallengeNeeded | None) -> dict[str, object] | None:
    """What the part of the page shows; None where no challenge is asked for."""
    if refusal is None:
        return None
    wait = int(refusal.facts["wait"])
    return {
        "text": refusal.facts["challenge"],
        "bits": int(refusal.facts["bits"]),
        "wait": wait,
        "minutes": math.ceil(wait / 60),
        "words": str(refusal.message),
    }


def proof(request: HttpRequest) -> str:
    """What the form brings back of it."""
    return request.POST.get("proof", "").replace("\x00", "")[:_LONGEST]
