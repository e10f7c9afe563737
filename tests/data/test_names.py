"""Tests of the names in data/raw."""

import hashlib
import itertools
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kickpipe.common.files import partial_name
from kickpipe.data.names import clean_name, name_files, portable_name

WINDOWS_FORBIDS = set('<>:"/\\|?*') | {chr(i) for i in range(32)}


def test_a_name_is_six_digits_of_the_hash_and_the_original_name():
    assert name_files(["a3f2e1" + "0" * 58], ["KICK3.WAV"]) == ["a3f2e1_KICK3.WAV"]


def test_an_ordinary_name_stays_as_it_is():
    for name in ("Kick [argo] (wet), 'loud' & 100% #1.wav", "größe 🥁.flac", "kick.v2.WAV"):
        assert portable_name(name) == name


def test_what_a_file_system_refuses_becomes_an_underscore():
    assert portable_name('a"b\nc\td.wav') == "a_b_c_d.wav"
    assert portable_name("k\udcffck.wav") == "k_ck.wav"
    assert portable_name("what? <now>: a|b*c\\d.wav") == "what_ _now__ a_b_c_d.wav"


def test_letters_are_composed():
    assert clean_name(unicodedata.normalize("NFD", "größe.wav")) == unicodedata.normalize("NFC", "größe.wav")


def test_a_long_name_keeps_its_extension_and_whole_characters():
    name = portable_name("🥁" * 60 + ".flac")
    assert name.endswith("🥁.flac")
    assert len(name.encode()) <= 120


@given(st.text(max_size=300))
def test_every_name_can_be_a_file_everywhere(stem):
    name = name_files([hashlib.sha256(b"x").hexdigest()], [stem + ".wav"])[0]
    assert not set(name) & WINDOWS_FORBIDS
    assert name.endswith(".wav")
    assert len(partial_name(Path(f"{name}.pt")).name.encode()) <= 143


def test_two_that_would_be_the_same_get_more_digits_and_no_third_is_touched():
    names = name_files(
        ["abcdef11" + "0" * 56, "abcdef22" + "0" * 56, "abcdef33" + "0" * 56], ["k.wav", "k.wav", "s.wav"]
    )
    assert names == ["abcdef11_k.wav", "abcdef22_k.wav", "abcdef_s.wav"]


def test_digits_grow_until_names_differ():
    names = name_files(["abcdef1122" + "0" * 54, "abcdef1133" + "0" * 54], ["k.wav", "K.WAV"])
    assert names == ["abcdef1122_k.wav", "abcdef1133_K.WAV"]


def test_names_do_not_depend_on_the_order_of_the_files():
    files = [("abcdef11" + "0" * 56, "k.wav"), ("abcdef22" + "0" * 56, "K.wav"), ("123456" + "0" * 58, "k.wav")]
    expected = dict(zip(files, name_files(*zip(*files, strict=True)), strict=True))
    for order in itertools.permutations(files):
        assert dict(zip(order, name_files(*zip(*order, strict=True)), strict=True)) == expected
