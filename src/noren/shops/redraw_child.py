"""Draws one photo anew, as a process that does nothing else: a file by stdin, other files by stdout.

Only pixels pass. Places, names, profiles, thumbnails, further frames, and whatever else a file can hold, end
with this process; so does a fault that the file finds in a decoder.
"""

import ctypes
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from PIL import (
    AvifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from noren.runtime import child
from noren.shops.redraw import MOST_PIXELS, File, Kind, Reason

# Read by these and by no other decoder; each is there from the start. An MPO is a JPEG with more behind it.
_PLUGINS: Final = (AvifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
_FORMATS: Final = ("AVIF", "JPEG", "PNG", "WEBP")
_LIMITS: Final = {
    # The largest photos that are taken need up to four fifths of it (tests/shops/test_redraw.py).
    resource.RLIMIT_AS: (768 << 20, 768 << 20),
    # At the first it is told, at the second killed.
    resource.RLIMIT_CPU: (10, 11),
    # No file at all can be written, a pipe can.
    resource.RLIMIT_FSIZE: (0, 0),
    # Nothing can be opened any more, neither file nor socket; what stands open goes on.
    resource.RLIMIT_NOFILE: (0, 0),
    # No other process or thread; root is not held by this one.
    resource.RLIMIT_NPROC: (0, 0),
    resource.RLIMIT_CORE: (0, 0),
}
# landlock_create_ruleset and landlock_restrict_self, which have these numbers on every processor; all uses of
# files that its first version knows; PR_SET_NO_NEW_PRIVS.
_CREATE_RULES, _KEEP_RULES, _EVERY_USE_OF_FILES, _NO_NEW_PRIVILEGES = 444, 446, (1 << 13) - 1, 38
# From good to bearable: the first that weighs little enough is taken.
_QUALITIES: Final = {Kind.AVIF: (60, 50, 40, 30, 20), Kind.WEBP: (80, 70, 55, 40, 25)}
_OPTIONS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.AVIF: {"speed": 7, "max_threads": 1},
    Kind.WEBP: {"method": 4},
}


class Refused(Exception):
    """The file is no photo that can be shown."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def confine() -> None:
    """Give up all that drawing does not need, for good."""
    # In a container the command line may be the first process of all, which is nobody's heir.
    if os.getppid() != 1:
        child.die_with_parent(signal.SIGKILL)
    # What would be loaded at the first photo is loaded now.
    Image.preinit()
    _shut_in()
    for limit, most in _LIMITS.items():
        resource.setrlimit(limit, most)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _shut_in() -> None:
    """Run no program, and reach into no other process of the same user. Only where Linux has Landlock."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    none_of = (ctypes.c_uint64 * 1)(_EVERY_USE_OF_FILES)
    rules = libc.syscall(_CREATE_RULES, none_of, ctypes.c_size_t(ctypes.sizeof(none_of)), 0)
    if rules < 0:
        return
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.syscall(_KEEP_RULES, rules, 0):
        raise OSError(ctypes.get_errno(), "Landlock")
    os.close(rules)


def drawn(raw: bytes, ratio: tuple[int, int], widths: list[tuple[int, int]]) -> Iterator[File]:
    """Draw the photo in each width, from the smallest. Raises Refused."""
    image = _pixels(raw, widths[-1][0])
    across, down = ratio
    own = min(image.width, image.height * across // down)
    if own < widths[0][0]:
        raise Refused(Reason.TOO_SMALL)
    for kind in Kind:
        for number, (wanted, most) in enumerate(widths):
            width = min(wanted, own)
            if number and width == widths[number - 1][0]:
                break
            size = (width, max(1, round(width * down / across)))
            data = _encoded(ImageOps.fit(image, size, Image.Resampling.LANCZOS), kind, most)
            # What is too heavy even so is left out; the smallest is always there.
            if number == 0 or len(data) <= most:
                yield File(kind, *size, data)
            if width == own:
                break


def _pixels(raw: bytes, widest: int) -> Image.Image:
    """Read the first frame's pixels, upright, in sRGB, on white, with nothing beside them."""
    with Image.open(io.BytesIO(raw), formats=_FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Refused(Reason.TOO_MANY_PIXELS)
        # A JPEG is decoded smaller at once; anything else is made smaller before it is copied about.
        image.draft(None, (2 * widest, 2 * widest))
        image.load()
        smaller: Image.Image = image
        factor = min(image.width, image.height) // (2 * widest)
        if factor > 1 and image.mode in ("RGB", "L", "CMYK", "RGBA"):
            smaller = image.reduce(factor)
        upright = ImageOps.exif_transpose(_coloured(smaller))
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    return clean


def _coloured(image: Image.Image) -> Image.Image:
    """Colours as a screen shows them: the photo's own profile applied, what can be seen through white."""
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        image = image.convert("L")
    if image.mode not in ("RGB", "L", "CMYK"):
        whole = image.convert("RGBA")
        image = Image.new("RGB", whole.size, "white")
        image.paste(whole, mask=whole.getchannel("A"))
        image.info = whole.info
    if profile:
        # A profile that is broken, or of other colours than the photo's: the numbers are taken as they are.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            screen = ImageCms.createProfile("sRGB")
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, own, screen, outputMode="RGB")
            if made is not None:
                return made
    return image.convert("RGB")


def _encoded(image: Image.Image, kind: Kind, most: int) -> bytes:
    data = b""
    for quality in _QUALITIES[kind]:
        out = io.BytesIO()
        image.save(out, format=kind.upper(), quality=quality, **_OPTIONS[kind])
        data = out.getvalue()
        if len(data) <= most:
            break
    return data


def main() -> int:
    """Read a file, write files: a line of JSON that says how long they are, then one after the other."""
    confine()
    wanted = json.loads(sys.argv[1])
    raw = sys.stdin.buffer.read()
    files: list[File] = []
    said: dict[str, Any]
    try:
        files += drawn(raw, wanted["ratio"], wanted["widths"])
        said = {
            "files": [
                {"kind": each.kind, "width": each.width, "height": each.height, "bytes": len(each.data)}
                for each in files
            ]
        }
    except Refused as refusal:
        said = {"refused": refusal.reason}
    except (MemoryError, Image.DecompressionBombError):
        files, said = [], {"refused": Reason.TOO_MANY_PIXELS}
    except Exception:  # noqa: BLE001 - a decoder may raise anything at what it was not made for
        files, said = [], {"refused": Reason.UNREADABLE}
    out = sys.stdout.buffer
    out.write(json.dumps(said).encode() + b"\n")
    for each in files:
        out.write(each.data)
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
