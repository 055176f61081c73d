"""Pictures for the tests of photos: drawn here, with what a camera writes beside the pixels."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, ImageDraw, ImageFilter, PngImagePlugin

# Stands wherever a file can hold words; in nothing that is shown.
SECRET = "Hidden-Place-35.6586"
NORTH = (35.0, 39.0, 31.0)


def picture(width: int = 2000, height: int = 1500) -> Image.Image:
    """Some sky over some ground."""
    size = (width, height)
    down = Image.linear_gradient("L").resize(size)
    round_about = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (down, round_about, Image.linear_gradient("L").rotate(90).resize(size)))


def scene(number: int, width: int, height: int) -> Image.Image:
    """A room with things in it, and the grain that a camera sees: as heavy as a photo is."""
    chance = random.Random(number)
    image = picture(width, height)
    draw = ImageDraw.Draw(image)
    for _each in range(160):
        across, down = chance.randrange(width), chance.randrange(height)
        size = chance.randrange(width // 60, width // 7)
        colour = tuple(chance.randrange(40, 240) for _part in range(3))
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((across, down, across + size, down + chance.randrange(size // 2, 2 * size)), fill=colour)
    grain = Image.effect_noise((width, height), 24).convert("RGB")
    return Image.blend(image.filter(ImageFilter.GaussianBlur(width / 1500)), grain, 0.12)


def halves(width: int = 800, height: int = 600) -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", (width, height), (220, 20, 20))
    image.paste((20, 20, 220), (width // 2, 0, width, height))
    return image


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(kind: str = "JPEG", *, image: Image.Image | None = None, turn: int = 1) -> bytes:
    """A photo as a telephone makes it: where it was taken, by what, and how it was held (`turn`)."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = SECRET
    exif[ExifTags.Base.Orientation] = turn
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = NORTH
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if kind != "PNG":
        options["xmp"] = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
    if kind == "JPEG":
        options["comment"] = SECRET
    if kind == "PNG":
        words = PngImagePlugin.PngInfo()
        words.add_text("Location", SECRET)
        options["pnginfo"] = words
    return saved(image or picture(), kind, **options)


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of some kilobytes that would be gigabytes of pixels."""
    rows = zlib.compress(b"\0" * 5_000_000, 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
