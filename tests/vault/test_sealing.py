"""Sealed values open only where they belong, and keys cannot be had."""

import copy
import dataclasses
import json
import pickle
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from noren_vault import sealing
from noren_vault.errors import RecordDamaged
from noren_vault.sealing import DataKey, EpochKey, IndexKey, PlainKey

PERSON = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
PLACE: dict[str, Any] = {"shop": 7, "person": PERSON, "field": "mail", "version": 1}
EPOCH = sealing.epoch_key(b"\0\0\0\1", secrets.token_bytes(32))


def _data_key() -> DataKey:
    return EPOCH.new_data_key(shop=7, person=PERSON, versions={"mail": 1})[0]


def test_it_opens_what_it_sealed_in_the_same_place() -> None:
    """A value comes back from where it was put."""
    key = _data_key()
    assert key.open(key.seal(b"hanako@example.jp", **PLACE), **PLACE) == b"hanako@example.jp"


@pytest.mark.parametrize(
    "elsewhere",
    [{"shop": 8}, {"person": OTHER}, {"field": "phone"}, {"version": 2}],
    ids=lambda one: next(iter(one)),
)
def test_it_refuses_a_value_moved_elsewhere(elsewhere: dict[str, Any]) -> None:
    """A ciphertext copied to another shop, person, field or version does not open."""
    key = _data_key()
    sealed = key.seal(b"hanako@example.jp", **PLACE)
    with pytest.raises(RecordDamaged):
        key.open(sealed, **(PLACE | elsewhere))


def test_it_refuses_another_persons_key() -> None:
    """A value does not open under a key that did not seal it, though the place is the same."""
    with pytest.raises(RecordDamaged):
        _data_key().open(_data_key().seal(b"x", **PLACE), **PLACE)


def test_it_refuses_every_changed_byte_with_one_error() -> None:
    """Whichever byte is changed, version, key id, nonce, text or tag, the refusal is the same."""
    key = _data_key()
    sealed = key.seal(b"hanako", **PLACE)
    words = set()
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(RecordDamaged) as refusal:
            key.open(bytes(changed), **PLACE)
        words.add(str(refusal.value))
    assert words == {"decryption failed"}


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01" * 16])
def test_it_refuses_what_is_too_short(cut: bytes) -> None:
    """A truncated value is refused as any other damage is."""
    with pytest.raises(RecordDamaged):
        _data_key().open(cut, **PLACE)


def test_it_never_uses_a_nonce_twice() -> None:
    """The same value sealed a thousand times gives a thousand nonces and texts."""
    key = _data_key()
    sealed = [key.seal(b"x", **PLACE) for _ in range(1000)]
    assert len({one[5:17] for one in sealed}) == len({one[17:] for one in sealed}) == 1000


@pytest.mark.parametrize(
    "other",
    [
        {"shop": 8, "person": PERSON, "versions": {"mail": 1}},
        {"shop": 7, "person": OTHER, "versions": {"mail": 1}},
        {"shop": 7, "person": PERSON, "versions": {"mail": 2}},
        {"shop": 7, "person": PERSON, "versions": {"mail": 1, "phone": 1}},
        {"shop": 7, "person": PERSON, "versions": {}},
    ],
)
def test_it_binds_the_wrapped_key_to_person_and_versions(other: dict[str, Any]) -> None:
    """A wrapped key does not unwrap for another shop, person or set of versions."""
    _, wrapped = EPOCH.new_data_key(shop=7, person=PERSON, versions={"mail": 1})
    with pytest.raises(RecordDamaged):
        EPOCH.unwrap(wrapped, **other)


def test_it_rewraps_to_new_versions_and_leaves_the_old_behind() -> None:
    """After a rewrap the same data key opens under the new versions only."""
    key, wrapped = EPOCH.new_data_key(shop=7, person=PERSON, versions={"mail": 1})
    sealed = key.seal(b"x", **PLACE)
    new = EPOCH.rewrap(wrapped, shop=7, person=PERSON, old={"mail": 1}, new={"mail": 2})
    assert EPOCH.unwrap(new, shop=7, person=PERSON, versions={"mail": 2}).open(sealed, **PLACE) == b"x"
    with pytest.raises(RecordDamaged):
        EPOCH.unwrap(new, shop=7, person=PERSON, versions={"mail": 1})


HANDLES: list[Any] = [
    EPOCH,
    _data_key(),
    sealing.plain_key(b"\0\0\0\2", secrets.token_bytes(32), "test"),
    sealing.index_key(b"\0\0\0\3", secrets.token_bytes(32)),
]


@pytest.mark.parametrize("kind", [EpochKey, DataKey, PlainKey, IndexKey])
def test_it_cannot_be_built_by_hand(kind: type) -> None:
    """No key has a public constructor."""
    with pytest.raises(TypeError):
        kind(b"id", b"raw")


@pytest.mark.parametrize("handle", HANDLES)
@pytest.mark.parametrize(
    "take",
    [
        *(pickle.dumps, copy.copy, copy.deepcopy, vars, json.dumps, bytes, iter),
        *(lambda key, number=number: pickle.dumps(key, number) for number in range(6)),
        *(lambda key: key.__reduce__(), lambda key: key.__reduce_ex__(2), lambda key: key.__getstate__()),
        lambda key: copy.copy([key][0]),
        lambda key: copy.deepcopy({"nested": [key]}),
        dataclasses.asdict,
    ],
)
def test_it_cannot_be_pickled_copied_or_listed(handle: Any, take: Callable[[Any], Any]) -> None:
    """A handle is neither serialised nor copied nor shown as a dictionary."""
    with pytest.raises(TypeError):
        take(handle)


def test_it_does_not_print_its_secret() -> None:
    """Text forms of a key name its kind and id and nothing else."""
    raw = secrets.token_bytes(32)
    key = sealing.epoch_key(b"\0\0\0\4", raw)
    for text in (repr(key), str(key), f"{key}", format(key), "%s" % key, ascii(key)):  # noqa: UP031
        assert text == "<EpochKey 00000004>"


@pytest.mark.parametrize("handle", HANDLES)
def test_it_shows_no_raw_bytes_anywhere(handle: Any) -> None:
    """No attribute of a handle, nor of what it holds, is bytes of a key's length."""
    held = [getattr(handle, name) for name in dir(handle) if not name.startswith("__")]
    inside = [getattr(handle._key, name, None) for name in dir(handle._key) if not name.startswith("__")]
    assert not [one for one in (*held, *inside) if isinstance(one, bytes) and len(one) >= 16]
    assert not hasattr(handle, "__dict__")
    with pytest.raises(AttributeError):
        handle.raw = b"x"


@pytest.mark.parametrize("kind", [EpochKey, DataKey, PlainKey, IndexKey])
def test_it_cannot_be_subclassed(kind: type) -> None:
    """Nobody derives a kind of key of their own that would tell more."""
    with pytest.raises(TypeError, match="own"):
        type("Leaky", (kind,), {})


def test_it_hands_a_key_over_to_another_epoch_only_from_its_own() -> None:
    """A rewrap under a new epoch key opens there and not under the old; a stranger's wrap is refused."""
    new = sealing.epoch_key(b"\0\0\0\x09", secrets.token_bytes(32))
    place: dict[str, Any] = {"shop": 7, "person": PERSON, "versions": {"mail": 1}}
    key, wrapped = EPOCH.new_data_key(**place)
    sealed = key.seal(b"x", **PLACE)
    moved = EPOCH.hand_over(wrapped, new, **place)
    assert moved[5:9] == new.id
    assert new.unwrap(moved, **place).open(sealed, **PLACE) == b"x"
    for act in (lambda: EPOCH.unwrap(moved, **place), lambda: EPOCH.hand_over(moved, new, **place)):
        with pytest.raises(RecordDamaged):
            act()


def test_it_derives_another_key_for_each_purpose() -> None:
    """The same root gives keys that do not open each other's values."""
    raw = secrets.token_bytes(32)
    one, other = (sealing.plain_key(b"\0\0\0\5", raw, purpose) for purpose in ("a", "b"))
    with pytest.raises(RecordDamaged):
        other.open(one.seal(b"x", "here"), "here")


def test_it_gives_whole_tokens_that_differ_by_shop_kind_and_key() -> None:
    """A blind index token is 32 bytes, stable, and another in each shop, kind and under each key."""
    key, other = (sealing.index_key(b"\0\0\0\6", secrets.token_bytes(32)) for _ in range(2))
    token = key.token("name", 7, "さとうはなこ")
    assert len(token) == 32
    assert token == key.token("name", 7, "さとうはなこ")
    different = {
        key.token("name", 8, "さとうはなこ"),
        key.token("mail", 7, "さとうはなこ"),
        other.token("name", 7, "さとうはなこ"),
    }
    assert token not in different
    assert len(different) == 3
