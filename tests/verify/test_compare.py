"""Two checkpoints held against each other: what anybody can prove who was shown two histories."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import noren_verify
from noren_vault.ledger.checkpoint import open_head, sign_head
from noren_vault.ledger.note import Signer
from tests.ledger.cast import KEY, ORIGIN, OTHER_KEY, VKEY, Heads, fill

SIGNER = Signer(ORIGIN, KEY)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A ledger of 6 entries, its checkpoint, and the one it had at 3."""
    folder = tmp_path_factory.mktemp("made") / "ledger"
    heads = Heads()
    fill(folder, heads, 3)
    older = (folder / "checkpoint").read_text()
    fill(folder, heads, 3)
    return folder, older, (folder / "checkpoint").read_text()


def _compare(tmp_path: Path, one: str, two: str, *more: str) -> tuple[int, str]:
    """The verifier's exit code and words."""
    paths = [tmp_path / "one", tmp_path / "two"]
    for path, text in zip(paths, (one, two), strict=True):
        path.write_text(text)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = noren_verify.main([*more, "--key", VKEY, "--compare", *map(str, paths)])
    return code, out.getvalue()


def test_it_agrees_with_one_history(made: tuple[Path, str, str], tmp_path: Path) -> None:
    """The same head twice, one of them cosigned; and an older one, by the folder."""
    folder, older, newer = made
    assert _compare(tmp_path, newer, f"{newer}— w.example AAAAAAAA\n")[0] == 0
    code, words = _compare(tmp_path, older, newer, str(folder))
    assert (code, words) == (0, "agree: the ledger continues both, 3 and 6 entries\n")


def test_it_proves_a_fork_by_two_files_alone(made: tuple[Path, str, str], tmp_path: Path) -> None:
    """One size, two roots, one key: no folder is needed."""
    forged = sign_head(SIGNER, 6, bytes(32)).signed
    code, words = _compare(tmp_path, made[2], forged)
    assert code == 1
    assert "of 6 entries with different roots: a fork" in words


def test_it_names_by_the_folder_the_one_that_is_of_another_history(
    made: tuple[Path, str, str], tmp_path: Path
) -> None:
    """Of different sizes the ledger decides; without it the question is not answered."""
    folder, _, newer = made
    forged = sign_head(SIGNER, 4, bytes(32)).signed
    code, words = _compare(tmp_path, newer, forged)
    assert (code, "give the ledger folder" in words) == (2, True)
    code, words = _compare(tmp_path, newer, forged, str(folder))
    assert code == 1
    assert "the checkpoint two tell another history" in words


def test_it_does_not_call_a_ledger_forked_that_is_only_short(
    made: tuple[Path, str, str], tmp_path: Path
) -> None:
    """A checkpoint beyond the ledger's end: entries are missing, or it is of another history."""
    folder, _, newer = made
    longer = sign_head(SIGNER, 9, bytes(32)).signed
    code, words = _compare(tmp_path, newer, longer, str(folder))
    assert code == 1
    assert "entries 6 to 8 are missing" in words


def test_it_takes_no_checkpoint_of_another_key(made: tuple[Path, str, str], tmp_path: Path) -> None:
    """What the key did not sign proves nothing against it."""
    head = open_head(made[2], [SIGNER.verifier], ORIGIN)
    foreign = sign_head(Signer(ORIGIN, OTHER_KEY), head.size, bytes(32)).signed
    code, words = _compare(tmp_path, made[2], foreign)
    assert code == 1
    assert "was not signed by the key" in words


def test_it_reads_the_head_beside_a_checkpoint_that_witnesses_have_signed(
    made: tuple[Path, str, str], tmp_path: Path
) -> None:
    """While witnesses are behind, the file `head` still says how long the ledger must be."""
    folder = made[0]
    (folder / "head").write_text(sign_head(SIGNER, 8, bytes(32)).signed)
    out = io.StringIO()
    with redirect_stdout(out):
        assert noren_verify.main([str(folder), "--key", VKEY]) == 1
    (folder / "head").unlink()
    assert "entries 6 to 7 are missing: the head file" in out.getvalue()
