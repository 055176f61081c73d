"""What every error has, and what can go wrong with any request."""

import re
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class NorenError(Exception):
    """The base: something a person or a program outside can understand and mend."""

    status: ClassVar[int] = 400
    message: ClassVar[str | Promise] = _("This cannot be done.")

    def __init__(self, **facts: Any) -> None:
        """`facts` are values without personal data that fill `message` and go with the answer."""
        super().__init__(self.code)
        self.facts = facts

    @property
    def code(self) -> str:
        """The class's name in snake case: SlotTaken is slot_taken."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def words(self) -> str:
        """The message in the active language, filled with the facts."""
        return str(self.message) % self.facts if self.facts else str(self.message)


class RequestUnreadable(NorenError):
    status = 400
    message = _("This request could not be understood.")


class RequestTooLarge(NorenError):
    """Facts: limit (bytes)."""

    status = 413
    message = _("This is more than we can take.")


class NothingHere(NorenError):
    status = 404
    message = _("There is nothing at this address.")


class OurFault(NorenError):
    status = 500
    message = _("Something went wrong on our side. It has been noted; please try again soon.")
