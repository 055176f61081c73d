"""A ledger served as tiles, checked by its hashes alone."""

import io
import shutil
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import noren_verify
from noren_vault.ledger.checkpoint import sign_head
from noren_vault.ledger.merkle import CompactRange, leaf_hash
from noren_vault.ledger.note import Signer
from noren_vault.ledger.tiles import Tree, write_tiles
from noren_verify import online
from tests.ledger.cast import KEY, ORIGIN, VKEY

SIGNER = Signer(ORIGIN, KEY)
SIZE = 70_000


def _leaf(index: int) -> bytes:
    return leaf_hash(b"%d" % index)


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiles of 70,000 entries (the specification's example), and checkpoints at some sizes."""
    folder = tmp_path_factory.mktemp("served")
    tree, kept = Tree(folder), CompactRange()
    tree.extend([_leaf(at) for at in range(SIZE)])
    write_tiles(folder, tree.snapshot())
    for index in range(SIZE + 1):
        if index in (0, 1, 255, 256, 257, 65_536, 69_999, SIZE):
            (folder / f"kept-{index}").write_text(sign_head(SIGNER, index, kept.root()).signed)
        if index < SIZE:
            kept.append(_leaf(index))
    shutil.copy(folder / f"kept-{SIZE}", folder / "checkpoint")
    return folder


@pytest.fixture(scope="module")
def url(made: Path) -> Iterator[str]:
    """Where it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(made)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _check(url: str, *paths: Path) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out):
        words = [word for path in paths for word in ("--checkpoint", str(path))]
        code = noren_verify.main([url, "--key", VKEY, *words])
    return code, out.getvalue()


def test_it_proves_that_the_served_ledger_continues_what_was_kept(made: Path, url: str) -> None:
    """Every kept size, by a handful of tiles."""
    kept = sorted(made.glob("kept-*"))
    code, words = _check(url, *kept)
    assert (code, words.count("unchanged")) == (0, len(kept))


def test_it_sees_another_history_and_a_shorter_one(made: Path, url: str, tmp_path: Path) -> None:
    """A kept checkpoint with another root, and one beyond the end."""
    strange = tmp_path / "strange"
    strange.write_text(sign_head(SIGNER, 257, bytes(32)).signed)
    code, words = _check(url, strange)
    assert (code, "the served hashes are not those of the checkpoint strange" in words) == (1, True)
    strange.write_text(sign_head(SIGNER, SIZE + 1, bytes(32)).signed)
    code, words = _check(url, strange)
    assert (code, "entries 70000 to 70000 are missing" in words) == (1, True)


def test_it_fetches_only_a_few_tiles(made: Path) -> None:
    """For two sizes of 70,000 entries: a dozen files at most, none of them twice."""
    asked: list[str] = []

    def fetch(path: str) -> bytes:
        asked.append(path)
        return (made / path).read_bytes()

    online.roots(fetch, SIZE, [SIZE, 257])
    assert len(asked) == len(set(asked)) <= 12


@pytest.mark.parametrize("harm", ["cut", "gone", "changed"])
def test_it_believes_no_tile_that_does_not_fit(made: Path, tmp_path: Path, harm: str) -> None:
    """A tile that is short, missing or changed is told, not guessed."""
    folder = Path(shutil.copytree(made, tmp_path / "served"))
    tile = folder / "tile" / "0" / "273.p" / "112"
    match harm:
        case "cut":
            tile.write_bytes(tile.read_bytes()[:-32])
        case "gone":
            tile.unlink()
        case "changed":
            tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        code, words = _check(f"http://127.0.0.1:{server.server_address[1]}", folder / "kept-256")
    finally:
        server.shutdown()
        server.server_close()
    assert (code, words.startswith("not whole: ")) == (1, True)
