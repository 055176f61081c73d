"""What every console page begins with: the shop of whoever is signed in; and what its forms end in."""

from noren.accounts.access import StaffRequest
from noren.errors import NotOpenYet, ShopUnknown
from noren.shops import directory
from noren.web import shopfront


class Unclear(ValueError):
    """What was sent cannot be taken; the message says how to mend it."""

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.status = status


def face_of(request: StaffRequest) -> shopfront.Face:
    face = shopfront.face(request.shop_id, directory.slug(request.shop_id))
    if face is None:
        raise ShopUnknown
    return face


def open_face_of(request: StaffRequest) -> shopfront.Face:
    """The same of a shop that is open. Raises NotOpenYet: before that its owner answers step by step."""
    face = face_of(request)
    if not face.published:
        raise NotOpenYet
    return face
