"""What every console page begins with: the shop of whoever is signed in."""

from noren.accounts.access import StaffRequest
from noren.errors import ShopUnknown
from noren.shops import directory
from noren.web import shopfront


def face_of(request: StaffRequest) -> shopfront.Face:
    face = shopfront.face(request.shop_id, directory.slug(request.shop_id))
    if face is None:
        raise ShopUnknown
    return face
