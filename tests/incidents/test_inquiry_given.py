"""What a form brings: cut in whatever letters a file is written, and refused where it cannot be read."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from noren.incidents.cutting import Kind
from noren.incidents.inquiry_given import FileRefused, Given, NoFile, given
from noren.people.inquiries import LONGEST_FILE

CARD = "４１１１ １１１１ １１１１ １１１１"


def of(content: bytes, name: str = "log.txt") -> Given:
    return given("質問", "", [SimpleUploadedFile(name, content)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_file_is_cut_in_whatever_letters_it_is_written(encoding: str) -> None:
    told = of(f"番号は\r\n{CARD}\r\nです。\r\n".encode(encoding))
    assert told.files == (("log.txt", "番号は\n•••• 1111\nです。\n"),)
    assert told.found == (Kind.CARD,)
    assert told.cards == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n", NoFile.NO_TEXT),
        (b"\xff\xd8\xff\xe0JFIF", NoFile.NO_TEXT),
        (b"4\x001\x001\x001\x00", NoFile.NO_TEXT),
        (b"%PDF-1.7", NoFile.NO_TEXT),
        (b"PK\x03\x04", NoFile.NO_TEXT),
        ("あ".encode() * (LONGEST_FILE + 1), NoFile.TOO_LARGE),
        (b"x" * (4 * LONGEST_FILE + 1), NoFile.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, reason: NoFile) -> None:
    with pytest.raises(FileRefused) as refused:
        of(content)
    assert refused.value.reason is reason


def test_there_are_few_and_an_empty_one_is_none() -> None:
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(4)]
    with pytest.raises(FileRefused):
        given("質問", "", files)
    assert of(b"").files == ()


def test_a_name_is_a_name_and_is_cut() -> None:
    told = of(b"x", "4111111111111111.txt")
    assert told.files[0][0] == "•••• 1111.txt"
    assert of(b"x", "a\u202eb.txt").files[0][0] == "ab.txt"


def test_what_is_pasted_often_opens_few_rows() -> None:
    told = given("password: hunter22 \n" * 50, "4111111111111111@example.jp", ())
    assert len(told.pasted) == 20
    assert told.cards == 1
    assert "4111111111111111" not in told.mail
