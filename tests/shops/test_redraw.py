"""A photo is drawn anew by a process that can do nothing else: real files, a real child, real limits."""

import io
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from noren.shops import redraw
from noren.shops.redraw import SQUARE, WIDE, File, Kind, NoPhoto, Reason
from tests.shops.pictures import NORTH, SECRET, bomb, halves, photo, picture, saved

KINDS = ("JPEG", "PNG", "WEBP", "AVIF")


def opened(file: File) -> Image.Image:
    image = Image.open(io.BytesIO(file.data))
    image.load()
    return image


def colour(file: File, across: int, down: int) -> str:
    found = opened(file).convert("RGB").getpixel((across, down))
    assert isinstance(found, tuple)
    red, _green, blue = found
    return "red" if red - blue > 80 else "blue" if blue - red > 80 else f"{found}"


def refused(raw: bytes) -> Reason:
    with pytest.raises(NoPhoto) as caught:
        redraw.redraw(raw, SQUARE)
    return caught.value.reason


def confined(code: str, raw: bytes = b"", *, seconds: float = redraw.SECONDS) -> tuple[int, bytes]:
    """Run other code under the child's own limits."""
    begin = "import os, socket\nfrom noren.shops import redraw_child; redraw_child.confine()\n"
    return redraw.ask((sys.executable, "-I", "-B", "-c", begin + code), raw, seconds=seconds)


# -- what comes out


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_nothing_beside_the_pixels(kind: str) -> None:
    raw = photo(kind)
    there = Image.open(io.BytesIO(raw)).getexif()
    assert SECRET.encode() in raw
    assert there.get_ifd(0x8825)[2] == NORTH
    for file in redraw.redraw(raw, WIDE):
        image = opened(file)
        assert SECRET.encode() not in file.data
        assert not image.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)


@pytest.mark.parametrize(("shape", "widths"), [(WIDE, [480, 960, 1600]), (SQUARE, [96, 240, 384])])
def test_it_makes_each_width_of_both_kinds(shape: redraw.Shape, widths: list[int]) -> None:
    files = redraw.redraw(photo(), shape)
    for kind in Kind:
        those = [file for file in files if file.kind is kind]
        assert [file.width for file in those] == widths
        for file, (_width, most) in zip(those, shape.widths, strict=True):
            assert len(file.data) <= most
            image = opened(file)
            assert (image.format or "").lower() == kind
            assert image.size == (file.width, file.height)
            assert file.height == round(file.width * shape.ratio[1] / shape.ratio[0])


def test_it_makes_nothing_larger_than_it_was() -> None:
    files = redraw.redraw(saved(picture(700, 700)), WIDE)
    assert {(file.width, file.height) for file in files} == {(480, 270), (700, 394)}


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_it_upright(kind: str) -> None:
    """Held to the right, the telephone wrote the top at the left: red becomes the upper half."""
    small = redraw.redraw(photo(kind, image=halves(), turn=6), SQUARE)[0]
    assert [colour(small, 48, 20), colour(small, 48, 76)] == ["red", "blue"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(saved(halves().convert("P"), "PNG"), id="palette"),
        pytest.param(saved(halves().convert("CMYK")), id="four colours"),
        pytest.param(saved(halves(), progressive=True), id="progressive"),
        pytest.param(saved(halves(), "MPO", save_all=True, append_images=[picture()]), id="two in one"),
        pytest.param(saved(halves(), icc_profile=b"no profile"), id="broken profile"),
        pytest.param(
            saved(halves(), icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
            id="profile",
        ),
        pytest.param(saved(halves(), "WEBP", save_all=True, append_images=[picture(800, 600)]), id="frames"),
    ],
)
def test_it_shows_the_colours_of_the_first_frame(raw: bytes) -> None:
    small = redraw.redraw(raw, SQUARE)[0]
    assert [colour(small, 20, 48), colour(small, 76, 48)] == ["red", "blue"]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_it_draws_what_is_no_photo_of_a_camera(mode: str) -> None:
    """What can be seen through is white."""
    image = Image.new(mode, (200, 200))
    middle = opened(redraw.redraw(saved(image, "PNG"), SQUARE)[0]).convert("L").getpixel((48, 48))
    assert middle == (0 if mode == "I;16" else 255)


def test_it_names_what_is_shown() -> None:
    one, other = redraw.redraw(photo(), SQUARE), redraw.redraw(photo(image=halves()), SQUARE)
    assert redraw.digest(one) == redraw.digest(redraw.redraw(photo(), SQUARE))
    assert redraw.digest(one) != redraw.digest(other)


# -- what does not come in


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"", Reason.UNREADABLE, id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNREADABLE, id="svg"),
        pytest.param(b"<!doctype html><script>alert(1)</script>", Reason.UNREADABLE, id="html"),
        pytest.param(saved(halves(), "GIF"), Reason.UNREADABLE, id="another kind"),
        pytest.param(photo()[:20_000], Reason.UNREADABLE, id="cut short"),
        pytest.param(photo("PNG")[:20_000], Reason.UNREADABLE, id="png cut short"),
        pytest.param(saved(picture(95, 400)), Reason.TOO_SMALL, id="small"),
        pytest.param(bomb(), Reason.TOO_MANY_PIXELS, id="bomb"),
        pytest.param(bomb(5001, 5000), Reason.TOO_MANY_PIXELS, id="a little too many"),
        pytest.param(bomb(5000, 5000), Reason.UNREADABLE, id="less than it says"),
        pytest.param(b"\xff" * (redraw.MOST_BYTES + 1), Reason.TOO_LARGE, id="huge"),
    ],
)
def test_it_says_why_it_takes_no_photo(raw: bytes, reason: Reason) -> None:
    assert refused(raw) is reason


def test_it_reads_a_jpeg_with_a_page_behind_it_as_a_photo_alone() -> None:
    page = b"<script>alert(1)</script>"
    assert not any(page in file.data for file in redraw.redraw(photo() + page, SQUARE))


# -- what the child may do


@pytest.mark.parametrize(("kind", "options"), [("PNG", {"compress_level": 1}), ("WEBP", {"method": 0})])
def test_it_draws_the_largest_photo_within_its_limits(kind: str, options: dict[str, int]) -> None:
    """What can be seen through costs the most: each pixel is copied with its fourth byte."""
    raw = saved(Image.new("RGBA", (5000, 5000), (10, 120, 90, 200)), kind, **options)
    assert redraw.redraw(raw, WIDE)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("x = bytearray(1 << 30)", id="memory"),
        pytest.param("open('/etc/hostname')", id="a file"),
        pytest.param("import os; os.close(0); os.open('/etc/hostname', os.O_RDONLY)", id="a file instead"),
        pytest.param("socket.socket(socket.AF_UNIX)", id="a socket"),
        pytest.param("socket.socket()", id="the network"),
    ],
)
def test_it_ends_a_child_that_wants_too_much(code: str) -> None:
    fine, _ = confined("pass")
    ended, _ = confined(code)
    assert (fine, ended) == (0, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_it_lets_a_child_reach_into_no_other_process() -> None:
    """Watching us needs no descriptor. Root may watch whom it likes, but for this."""
    watch = "import ctypes; print(ctypes.CDLL(None).ptrace(0x4206, os.getppid(), None, None))"
    free, _ = redraw.ask((sys.executable, "-I", "-c", f"import os; {watch}"), b"")
    assert free == 0
    _code, said = confined(watch)
    assert said == b"-1\n"


def test_it_lets_a_child_write_nothing(tmp_path: Path) -> None:
    """Neither to a file that it opens, nor to one that stood open."""
    file = tmp_path / "note"
    opens = f"os.open({str(file)!r}, os.O_WRONLY | os.O_CREAT)"
    assert confined(opens)[0] == 1
    assert not file.exists()
    begin = f"import os\nopened = {opens}\nfrom noren.shops import redraw_child; redraw_child.confine()\n"
    code, _ = redraw.ask((sys.executable, "-I", "-B", "-c", begin + "os.write(opened, b'x')"), b"")
    assert (code, file.read_bytes()) == (1, b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="the kernel holds no root to the number of its processes")
def test_it_lets_a_child_start_nothing() -> None:
    assert confined("os.fork()")[0] != 0


def test_it_ends_a_child_that_counts_for_ever() -> None:
    """The processor's seconds are counted by the kernel; here there are two of them."""
    soon = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"
    begun = time.monotonic()
    code, _ = confined(soon)
    assert code < 0
    assert time.monotonic() - begun < redraw.SECONDS


def test_it_ends_a_child_that_sleeps_and_all_that_it_started() -> None:
    forks = "import os, time; print(os.getpid(), flush=True); os.fork(); time.sleep(600)"
    begun = time.monotonic()
    code, said = redraw.ask((sys.executable, "-I", "-c", forks), b"", seconds=1)
    assert code < 0
    assert time.monotonic() - begun < 20
    assert said, "the other one held this pipe: it was read to its end, so both are gone"


def test_it_says_that_a_photo_for_which_there_was_no_time_may_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redraw, "ask", partial(redraw.ask, seconds=0.01))
    assert refused(photo()) is Reason.BUSY


def test_it_reads_no_more_of_a_child_than_a_photo_can_be() -> None:
    _code, said = redraw.ask((sys.executable, "-I", "-c", "while True: print('x' * 65536)"), b"", seconds=20)
    assert len(said) == redraw._MOST_OUT + 1


def test_it_bears_a_child_that_does_not_listen() -> None:
    assert redraw.ask((sys.executable, "-I", "-c", "raise SystemExit(3)"), b"x" * 5_000_000) == (3, b"")


def test_it_tells_the_child_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    told = (
        "import json, os; print(json.dumps([dict(os.environ), os.getcwd(), sorted(os.listdir('/dev/fd'))]))"
    )
    _code, said = redraw.ask((sys.executable, "-I", "-c", told), b"")
    environ, folder, files = json.loads(said)
    assert environ.keys() <= {"LANG", "LC_CTYPE"}
    assert folder == "/"
    assert set(files) <= {"0", "1", "2", "3"}


def test_it_leaves_no_child_and_no_open_file_behind() -> None:
    redraw.redraw(photo(), SQUARE)
    before = len(list(Path("/dev/fd").iterdir()))
    for raw in (bomb(), b"<svg/>", photo()):
        try:
            redraw.redraw(raw, SQUARE)
        except NoPhoto:
            continue
    assert len(list(Path("/dev/fd").iterdir())) == before
    mine = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "redraw_child"], capture_output=True, check=False
    )
    assert mine.stdout == b""


# -- what it is believed


@pytest.mark.parametrize(
    ("said", "data"),
    [
        (
            {"files": [{"kind": "webp", "width": 96, "height": 96, "bytes": 31}]},
            b"<script>alert(1)</script>......",
        ),
        ({"files": [{"kind": "html", "width": 96, "height": 96, "bytes": 12}]}, b"RIFF....WEBP"),
        ({"files": [{"kind": "webp", "width": 9600, "height": 9600, "bytes": 12}]}, b"RIFF....WEBP"),
        ({"files": [{"kind": "webp", "width": 96, "height": 95, "bytes": 12}]}, b"RIFF....WEBP"),
        ({"files": [{"kind": "webp", "width": 96, "height": 96, "bytes": 13}]}, b"RIFF....WEBP"),
        ({"files": []}, b""),
        ({"refused": "nonsense"}, b""),
        ([], b""),
        (None, b""),
    ],
)
def test_it_does_not_believe_a_child(said: object, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the file had taken the child over."""
    answer = json.dumps(said).encode() + b"\n" + data
    monkeypatch.setattr(redraw, "ask", lambda _argv, _raw: (0, answer))
    assert refused(b"x") is Reason.UNREADABLE


def test_it_draws_one_photo_at_a_time() -> None:
    with redraw._turn():
        assert refused(photo()) is Reason.BUSY
    assert redraw.redraw(photo(), SQUARE)
