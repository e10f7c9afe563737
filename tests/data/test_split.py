import hashlib
import math
import random

import pytest

from kickpipe.data.split import Split, is_validation


def name_of(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()[:6]}_KICK.WAV"


def test_the_hash_is_read_as_a_fraction():
    assert is_validation("000000_a.wav", "a.wav", 0.1)
    assert is_validation("199999_a.wav", "a.wav", 0.1)  # 0x199999 / 2**24 = 0.09999996
    assert not is_validation("19999a_a.wav", "a.wav", 0.1)
    assert not is_validation("ffffff_a.wav", "a.wav", 0.1)
    assert is_validation("7fffff_a.wav", "a.wav", 0.5)
    assert not is_validation("800000_a.wav", "a.wav", 0.5)


def test_longer_hashes_mean_the_same_fraction():
    assert is_validation("7fffffff_a.wav", "a.wav", 0.5)
    assert not is_validation("80000000_a.wav", "a.wav", 0.5)


def test_the_share_is_held_out():
    held_out = sum(is_validation(name_of(str(i).encode()), "a.wav", 0.1) for i in range(10_000))
    assert abs(held_out - 1000) < 5 * math.sqrt(10_000 * 0.1 * 0.9)


def test_a_larger_share_holds_out_the_same_files_and_more():
    names = [name_of(str(i).encode()) for i in range(500)]
    small, large = ({n for n in names if is_validation(n, "a.wav", share)} for share in (0.1, 0.3))
    assert small < large


def test_neither_order_nor_name_nor_place_matters():
    prefixes = [name_of(str(i).encode())[:6] for i in range(200)]
    before = {p: is_validation(f"{p}_kick.wav", "Pack/kick.wav", 0.2) for p in prefixes}
    random.Random(0).shuffle(prefixes)
    assert {p: is_validation(f"{p}_other name_2.aif", "Other/name.aif", 0.2) for p in prefixes} == before


def test_a_share_of_zero_holds_out_nothing():
    assert not is_validation("000000_a.wav", "a.wav", 0.0)


@pytest.mark.parametrize(
    ("pattern", "held_out"),
    [
        ("Pack A/*", True),
        ("Pack A/deep/*", True),
        ("*/808.wav", True),
        ("Pack ?/*", True),
        ("pack a/*", False),  # case matters, on every system
        ("Pack B/*", False),
        ("deep/*", False),
        ("", False),
    ],
)
def test_sources_are_held_out_by_pattern(pattern, held_out):
    assert is_validation("ffffff_808.wav", "Pack A/deep/808.wav", 0.0, (pattern,)) is held_out


def test_one_matching_pattern_is_enough():
    assert is_validation("ffffff_a.wav", "B/a.wav", 0.0, ("A/*", "B/*"))


@pytest.mark.parametrize("name", ["kick.wav", "_kick.wav", "", "xyz123_kick.wav"])
def test_a_name_without_a_hash_is_refused(name):
    with pytest.raises(ValueError, match="expected a name that begins with the hash of the content"):
        is_validation(name, "a.wav", 0.1)


def test_both_sides_of_a_split_are_treated_alike():
    assert Split([1, 2], [3]).map(len) == Split(2, 1)
