"""The outsider's verifier: what it finds, in which words, and that nothing makes it stumble."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import noren_verify
from noren_vault.ledger.checkpoint import sign_head
from noren_vault.ledger.frames import ENTRY, HEAD, SEGMENT, Frame, encode_frame, read_frames
from noren_vault.ledger.merkle import CompactRange, leaf_hash
from noren_vault.ledger.note import Signer
from tests.ledger.cast import (
    BUILD,
    KEY,
    ORIGIN,
    OTHER_KEY,
    VKEY,
    Clock,
    Heads,
    fill,
    intent,
    opened,
    outsider,
    segment,
)

VECTORS = Path(__file__).parents[1] / "ledger" / "vectors"
SMALL = 16 << 10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of some segments: 70 batches of two entries."""
    folder = tmp_path_factory.mktemp("made") / "ledger"
    fill(folder, Heads(), 70, each=2, segment_bytes=SMALL)
    return folder


@pytest.fixture
def ledger(made: Path, tmp_path: Path) -> Path:
    """A copy of that ledger to be harmed."""
    return Path(shutil.copytree(made, tmp_path / "ledger"))


@cache
def frames_of(path: Path) -> list[tuple[Frame, int]]:
    """Each frame of the ledger's segments with the number of entries before it."""
    found, count = [], 0
    for one in sorted((path / "segments").glob("*.seg")):
        for frame in read_frames(one.read_bytes()):
            found.append((frame, count))
            count += frame.kind == ENTRY
    return found


def resigned(folder: Path, change: Any) -> None:
    """Rewrite segment 0 with `change(kind, payload, count)`, every checksum and every head made to fit by the
    key's own holder.
    """
    out, tree = b"", CompactRange()
    for frame in read_frames(segment(folder).read_bytes()):
        payload = change(frame.kind, frame.payload, tree.size)
        if frame.kind == ENTRY:
            tree.append(leaf_hash(payload))
        elif frame.kind == HEAD:
            payload = sign_head(Signer(ORIGIN, KEY), tree.size, tree.root()).signed.encode()
        out += encode_frame(frame.kind, payload)
    segment(folder).write_bytes(out)


def test_it_says_whole(ledger: Path) -> None:
    """A whole ledger: exit code 0, the number of entries and the root of the checkpoint."""
    root = (ledger / "checkpoint").read_text().split("\n")[2]
    assert outsider(ledger) == (0, f"whole: 140 entries, root {root}\n")


def test_it_says_whole_of_an_empty_ledger(tmp_path: Path) -> None:
    """A ledger without entries is whole."""
    fill(tmp_path, Heads(), 0)
    assert outsider(tmp_path)[1].startswith("whole: 0 entries")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), xor=st.integers(1, 255), number=st.integers(0, 2))
def test_it_names_the_entry_in_which_any_one_byte_was_flipped(
    made: Path, where: float, xor: int, number: int
) -> None:
    """Whichever byte of a segment is flipped, to whatever: exit code 1, and its entry is named."""
    path = segment(made, number)
    whole = path.read_bytes()
    at = int(where * len(whole))
    harmed = bytearray(whole)
    harmed[at] ^= xor
    count = int(next(read_frames(whole)).payload.split(b"\n")[3])
    for frame in read_frames(whole):
        if frame.end > at:
            break
        count += frame.kind == ENTRY
    path.write_bytes(harmed)
    try:
        code, words = outsider(made)
    finally:
        path.write_bytes(whole)
    named = (
        {f"entry {count}", f"entry {max(count - 1, 0)}"}
        if frame.kind != ENTRY or at == frame.offset
        else {f"entry {count}"}
    )
    assert code == 1
    assert any(f"{name} " in words or f"{name}:" in words for name in named), words


@pytest.mark.parametrize("number", [0, 1, 2])
def test_it_names_the_entry_when_every_byte_of_one_frame_is_flipped_in_turn(made: Path, number: int) -> None:
    """Byte for byte through an entry's frame in each segment."""
    path = segment(made, number)
    whole = path.read_bytes()
    count = int(next(read_frames(whole)).payload.split(b"\n")[3])
    frame = next(frame for frame in read_frames(whole) if frame.kind == ENTRY)
    try:
        for at in range(frame.offset, frame.end, 7):
            harmed = bytearray(whole)
            harmed[at] ^= 0x80
            path.write_bytes(harmed)
            assert f"entry {count} " in outsider(made)[1]
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("drop", [1, 3])
def test_it_names_the_entries_that_are_missing_at_the_end(tmp_path: Path, drop: int) -> None:
    """The published checkpoint knows how many there were."""
    fill(tmp_path, Heads(), 5, each=2)
    ends = [frame.end for frame in read_frames(segment(tmp_path).read_bytes()) if frame.kind == HEAD]
    os.truncate(segment(tmp_path), ends[-1 - drop])
    code, words = outsider(tmp_path)
    assert code == 1
    assert f"entries {10 - 2 * drop} to 9 are missing" in words


def test_it_names_the_missing_entries_by_a_kept_checkpoint_when_the_published_one_was_set_back(
    tmp_path: Path,
) -> None:
    """Files and published checkpoint rolled back together: whoever kept a later checkpoint sees it."""
    folder, kept, heads = tmp_path / "ledger", tmp_path / "kept", Heads()
    fill(folder, heads, 3)
    early = shutil.copytree(folder, tmp_path / "early")
    fill(folder, heads, 4)
    shutil.copy(folder / "checkpoint", kept)
    assert outsider(Path(early))[0] == 0
    code, words = outsider(Path(early), "--checkpoint", str(kept))
    assert (code, "entries 3 to 6 are missing" in words) == (1, True)


def test_it_proves_by_an_older_checkpoint_that_nothing_before_it_was_changed(tmp_path: Path) -> None:
    """A checkpoint kept at three entries fits the ledger of seven; two kept ones are both said."""
    folder, heads = tmp_path / "ledger", Heads()
    kept = [tmp_path / "first", tmp_path / "second"]
    for path in kept:
        fill(folder, heads, 3)
        shutil.copy(folder / "checkpoint", path)
    fill(folder, heads, 1)
    code, words = outsider(folder, "--checkpoint", str(kept[0]), "--checkpoint", str(kept[1]))
    assert code == 0
    assert words.splitlines()[1:] == [
        "unchanged: the first 3 entries are those of the checkpoint first",
        "unchanged: the first 6 entries are those of the checkpoint second",
    ]


def test_it_sees_by_an_older_checkpoint_that_the_keys_holder_rewrote_history(tmp_path: Path) -> None:
    """Everything signed anew looks whole by itself; the kept checkpoint does not fit."""
    folder, heads, kept = tmp_path / "ledger", Heads(), tmp_path / "kept"
    fill(folder, heads, 5)
    shutil.copy(folder / "checkpoint", kept)
    fill(folder, heads, 3)
    resigned(
        folder,
        lambda kind, payload, count: (
            payload.replace(b"aoi", b"eve") if (kind, count) == (ENTRY, 2) else payload
        ),
    )
    shutil.copy(kept, folder / "checkpoint")
    last = [frame.payload for frame in read_frames(segment(folder).read_bytes()) if frame.kind == HEAD][-1]
    (folder / "checkpoint").write_bytes(last)
    assert outsider(folder)[0] == 0
    code, words = outsider(folder, "--checkpoint", str(kept))
    assert (code, "entry 4 or one before it is not what it was" in words) == (1, True)


def test_it_refuses_a_fork(tmp_path: Path) -> None:
    """Another history of the same key and size does not fit a checkpoint of the first."""
    fill(tmp_path / "one", Heads(), 3)
    fill(tmp_path / "two", Heads(), 3, now=Clock(1))
    code, words = outsider(tmp_path / "two", "--checkpoint", str(tmp_path / "one" / "checkpoint"))
    assert (code, "not what it was" in words) == (1, True)


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_it_names_the_very_entry_that_a_careful_forger_changed(tmp_path: Path, index: int) -> None:
    """In a batch of four with checksums made to fit, the tiles tell which entry it was; without them, the
    batch.
    """
    fill(tmp_path, Heads(), 3, each=4)
    out, count = b"", 0
    for frame in read_frames(segment(tmp_path).read_bytes()):
        payload = (
            frame.payload.replace(b"aoi", b"eve")
            if (frame.kind, count) == (ENTRY, 4 + index)
            else frame.payload
        )
        count += frame.kind == ENTRY
        out += encode_frame(frame.kind, payload)
    segment(tmp_path).write_bytes(out)
    assert f"entry {4 + index} was changed after it was signed" in outsider(tmp_path)[1]
    shutil.rmtree(tmp_path / "tile")
    assert "entry 4 or a later one up to 7 was changed" in outsider(tmp_path)[1]


def test_it_refuses_a_head_in_the_middle_that_another_key_signed(tmp_path: Path) -> None:
    """Every head is looked at, not only the last."""
    fill(tmp_path, Heads(), 3)
    out = b""
    for frame in read_frames(segment(tmp_path).read_bytes()):
        payload = frame.payload
        if frame.kind == HEAD and payload.split(b"\n")[1] == b"2":
            text = payload.decode().split("\n\n")[0] + "\n"
            payload = Signer(ORIGIN, OTHER_KEY).sign(text).encode()
        out += encode_frame(frame.kind, payload)
    segment(tmp_path).write_bytes(out)
    code, words = outsider(tmp_path)
    assert code == 1
    assert "entry 1: the signed head after it was not signed by the key" in words


def test_it_refuses_entries_without_a_head_at_the_end(tmp_path: Path) -> None:
    """A torn batch is not part of the ledger."""
    fill(tmp_path, Heads(), 2)
    with segment(tmp_path).open("ab") as file:
        file.write(encode_frame(ENTRY, b"{}"))
    code, words = outsider(tmp_path)
    assert (code, "entry 2" in words) == (1, True)


def test_it_refuses_a_folder_without_its_checkpoint(ledger: Path) -> None:
    """Without the published checkpoint a missing end could not be noticed, and that is said."""
    (ledger / "checkpoint").unlink()
    code, words = outsider(ledger)
    assert (code, "checkpoint file is missing" in words) == (1, True)


@pytest.mark.parametrize("number", [0, 1])
def test_it_names_where_a_missing_segment_would_begin(ledger: Path, number: int) -> None:
    """A gap between segments is found at its first entry."""
    first = next(read_frames(segment(ledger, number).read_bytes())).payload.split(b"\n")[3].decode()
    segment(ledger, number).unlink()
    assert f"entry {first}: the segment that begins with it is missing" in outsider(ledger)[1]


def test_it_refuses_segments_that_changed_places(ledger: Path) -> None:
    """Each segment says which one it is."""
    one, two = segment(ledger, 1), segment(ledger, 2)
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    assert outsider(ledger)[0] == 1


def test_it_waits_for_a_batch_that_is_being_written(ledger: Path) -> None:
    """A reader of a living ledger may see half a batch; a moment later it is whole."""
    last = max((ledger / "segments").glob("*.seg"))
    whole = last.read_bytes()
    os.truncate(last, len(whole) - 100)

    def finish() -> None:
        time.sleep(0.1)
        last.write_bytes(whole)

    writer = threading.Thread(target=finish)
    (ledger / "checkpoint").write_bytes(
        [frame.payload for frame in read_frames(whole) if frame.kind == HEAD][-2]  # published a batch earlier
    )
    writer.start()
    code, _ = outsider(ledger)
    writer.join()
    assert code == 0


# What a hostile folder may hold instead of a segment.
HOSTILE = {
    "nothing": b"",
    "zeros": bytes(4_096),
    "a frame of 4 GB": b"E\xff\xff\xff\xff",
    "a head of nonsense": encode_frame(HEAD, b"\xff\xfe\n\n\n"),
    "a start of another ledger": encode_frame(SEGMENT, b"noren-ledger/1\n\x1b[31mred\n0\n0\n"),
    "a head with a huge size": encode_frame(SEGMENT, f"noren-ledger/1\n{ORIGIN}\n0\n0\n".encode())
    + encode_frame(HEAD, Signer(ORIGIN, KEY).sign(f"{ORIGIN}\n{'9' * 4000}\nAA==\n").encode()[:4_096]),
    "entries for ever": encode_frame(SEGMENT, f"noren-ledger/1\n{ORIGIN}\n0\n0\n".encode())
    + encode_frame(ENTRY, b"") * 2_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_it_does_not_stumble_over_hostile_segments(ledger: Path, data: bytes) -> None:
    """Exit code 1 and words without control characters, whatever stands in the file."""
    segment(ledger).write_bytes(data)
    code, words = outsider(ledger)
    assert code == 1
    assert words.startswith("not whole: ")
    assert words.rstrip("\n").isprintable()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_it_does_not_stumble_over_any_bytes(made: Path, data: bytes) -> None:
    """Random bytes as a segment, a checkpoint, a proof or a key never raise anything but words."""
    key = noren_verify.read_key(VKEY)
    for read in (
        lambda: noren_verify.read_signed(data, key, "it"),
        lambda: noren_verify.read_proof(data, key),
    ):
        with pytest.raises(noren_verify.NotWhole):
            read()
    with pytest.raises(noren_verify.Misuse):
        noren_verify.read_key(data.decode(errors="replace"))
    path = segment(made)
    whole = path.read_bytes()
    path.write_bytes(data)
    try:
        assert outsider(made)[0] == 1
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("what", ["pipe", "folder", "dangling link"])
def test_it_does_not_hang_on_what_is_no_file(ledger: Path, what: str) -> None:
    """A pipe, a folder or a dead link in the place of a segment or the checkpoint is said, not opened."""
    for path in (segment(ledger, 1), ledger / "checkpoint"):
        path.unlink()
        if what == "pipe":
            os.mkfifo(path)
        elif what == "folder":
            path.mkdir()
        else:
            path.symlink_to("nowhere")
        assert outsider(ledger)[0] == 1


@pytest.mark.parametrize(
    "text", json.loads((VECTORS / "checkpoint_parse.json").read_text())["tlog_proof_invalid"]
)
def test_it_rejects_the_published_bad_proofs(text: str) -> None:
    """Each published invalid proof is rejected."""
    with pytest.raises(noren_verify.NotWhole):
        noren_verify.read_proof(text.encode(), noren_verify.read_key(VKEY))


@pytest.mark.parametrize("text", json.loads((VECTORS / "checkpoint_parse.json").read_text())["invalid"])
def test_it_rejects_the_published_bad_checkpoints_even_when_they_are_signed(text: str) -> None:
    """Each published invalid checkpoint text is rejected also under a good signature."""
    signer = Signer("Log", KEY)
    note = signer.sign(text if text.endswith("\n") else f"{text}\n")
    if not text.endswith("\n"):
        note = note.replace("\n\n", "\n", 1)
    with pytest.raises(noren_verify.NotWhole):
        noren_verify.read_signed(note.encode(), noren_verify.read_key(signer.verifier.vkey()), "it")


@pytest.mark.parametrize(
    "vector",
    json.loads((VECTORS / "merkle_inclusion.json").read_text())["vectors"],
    ids=lambda one: str(one["_path"]),
)
def test_it_never_accepts_a_published_bad_inclusion_proof(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verifier's own proof check decides the published probes as they say."""
    raw = [noren_verify.decoded(one) or b"" for one in vector["proof"] or ()]
    root, leaf = (noren_verify.decoded(vector[name] or "") or b"" for name in ("root", "leafHash"))
    monkeypatch.setattr(noren_verify.proof, "leaf_of", lambda _: leaf)
    try:
        noren_verify.verify_proof(b"", vector["leafIdx"], raw, noren_verify.Signed(vector["treeSize"], root))
    except noren_verify.NotWhole:
        assert vector["wantErr"]
    else:
        # The reading of a proof file demands 32 bytes of each hash before this check is reached.
        assert not vector["wantErr"] or any(len(one) != 32 for one in (leaf, root, *raw))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--key", VKEY],
        ["nowhere", "--key", VKEY],
        [".", "--key", "nonsense"],
        [".", "--key", VKEY + "x"],
        [".", "--key", VKEY, "--checkpoint", "nowhere"],
        [".", "--key", VKEY, "--entry", "nowhere"],
        ["--key", VKEY, "--proof", "nowhere", "--entry", "nowhere"],
        [".", "--key", VKEY, "--build", "nonsense"],
        [".", "--unknown"],
    ],
)
def test_it_says_how_it_is_used(arguments: list[str]) -> None:
    """Bad usage: exit code 2, words on stderr, nothing on stdout, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "noren_verify", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(noren_verify.__file__).parents[1])},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "noren-verify" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_reads_the_key_from_a_file(ledger: Path) -> None:
    """The ledger's own vkey file, or one kept elsewhere, may be given as the key."""
    assert noren_verify.main([str(ledger), "--key", str(ledger / "vkey")]) == 0


def test_it_alarms_on_a_build_that_was_not_published(tmp_path: Path) -> None:
    """Two builds wrote the ledger: with both on the list it is whole; one that is missing there is named."""
    heads, other = Heads(), "fedcba98" * 8
    fill(tmp_path, heads, 3)
    fill(tmp_path, heads, 2, build=other)
    code, words = outsider(tmp_path, "--build", BUILD, other[:32])
    assert code == 0
    assert f"build {BUILD[:32]}: entries 0 to 2, 3 of them\nbuild {other[:32]}: entries 3 to 4, 2" in words
    code, words = outsider(tmp_path, "--build", BUILD)
    assert code == 3
    assert words.endswith(f"not a published build {other[:32]}: entries 3 to 4, 2 of them\n")


def test_it_says_by_an_offline_proof_what_software_answered(tmp_path: Path) -> None:
    """One entry and its proof, without the ledger: proved, and an alarm when its build was not published."""

    async def story() -> tuple[str, bytes]:
        async with opened(tmp_path, Heads()) as ledger:
            await ledger.append(intent())
            return ledger.proof(0), next(ledger.entries())[1].to_bytes()

    proof, entry = asyncio.run(story())
    (tmp_path / "one.tlog-proof").write_text(proof)
    (tmp_path / "one.json").write_bytes(entry)
    files = ["--proof", str(tmp_path / "one.tlog-proof"), "--entry", str(tmp_path / "one.json")]
    assert noren_verify.main(["--key", VKEY, *files, "--build", BUILD]) == 0
    assert noren_verify.main(["--key", VKEY, *files, "--build", "0" * 64]) == 3
    (tmp_path / "one.json").write_bytes(entry.replace(BUILD[:32].encode(), b"0" * 32))
    assert noren_verify.main(["--key", VKEY, *files, "--build", "0" * 64]) == 1
