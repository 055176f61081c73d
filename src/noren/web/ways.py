"""Where the steps of a booking are: on pages of their own, or in a frame of another site's page.

In a frame no cookie remembers the language: each address names it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from noren.web.language import NAMED


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two; `lang` is that of the frame."""

    framed: bool = False
    lang: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """What every address of this way carries."""
        return {NAMED: self.lang} if self.framed else {}

    def at(self, name: str, args: Sequence[object], said: Mapping[str, str] | None = None) -> str:
        """Return the address of the step."""
        path = reverse(f"embed_{name}" if self.framed else name, args=args)
        query = {**(said or {}), **self.kept}
        return f"{path}?{urlencode(query)}" if query else path

    def done(self, slug: str, token: str) -> str:
        """Return where a booking that was just made is shown."""
        return self.at("own", [slug, token]) if self.framed else self.at("own", [token]) + "?new"


OWN = Way()


def of(request: HttpRequest) -> Way:
    """Return the way of this request (frames.framed)."""
    found = getattr(request, "way", OWN)
    return found if isinstance(found, Way) else OWN
