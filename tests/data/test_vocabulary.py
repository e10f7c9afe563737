"""Tests of keywords and vocabularies."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kickpipe.common.limits import MAX_WORD
from kickpipe.data.vocabulary import UnknownKeyword, Vocabulary, build_vocabulary, tokenize

words = st.text(alphabet=string.ascii_lowercase, min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("KICK3.WAV", ["kick3"]),
        ("Deep_Kick-Hard 03.wav", ["deep", "kick", "hard"]),
        ("kick.long.v2.flac", ["kick", "long", "v2"]),
        ("a Kick x.wav", ["kick"]),
        ("Kick [argo].wav", ["argo"]),
        ("Kick (wet), loud.wav", ["kick", "wet", "loud"]),
        ("kick kick KICK.wav", ["kick"]),
        ("BD0000.WAV", ["bd0000"]),
        ("Trommel größe.wav", ["trommel", "größe"]),
        ("01.wav", []),
        ("kick", ["kick"]),
        ("DJ's 'best' kick.wav", ["dj's", "best", "kick"]),
    ],
)
def test_a_name_is_split_at_separators_without_numbers_and_single_letters(name, keywords):
    expected = ["kick", *keywords] if name.startswith("Kick [") else keywords
    assert tokenize(name) == expected


def test_numbers_that_are_names_can_be_kept():
    assert tokenize("Deep 808 Kick 03.wav") == ["deep", "kick"]
    assert tokenize("Deep 808 Kick 03.wav", keep_numbers=("808", "909")) == ["deep", "808", "kick"]


@given(st.text(max_size=40))
def test_keywords_can_always_be_written_with_spaces(name):
    keywords = tokenize(name + ".wav")
    assert " ".join(keywords).split() == keywords


def test_a_vocabulary_holds_the_words_of_enough_kicks_the_most_frequent_first():
    keywords = [["kick", "deep"], ["kick", "hard"], ["kick", "deep"], ["kick", "kick", "bd"], []]
    assert build_vocabulary(keywords, 2) == (["kick", "deep"], [4, 2])
    assert build_vocabulary(keywords, 1) == (["kick", "deep", "bd", "hard"], [4, 2, 1, 1])
    assert build_vocabulary(keywords, 5) == ([], [])


def test_words_that_a_model_file_could_not_hold_stay_out(monkeypatch):
    assert build_vocabulary([["x" * MAX_WORD, "y" * (MAX_WORD + 1)]], 1) == (["x" * MAX_WORD], [1])
    monkeypatch.setattr("kickpipe.data.vocabulary.MAX_WORDS", 2)
    assert build_vocabulary([["deep", "hard", "kick"], ["kick"]], 1) == (["kick", "deep"], [2, 1])


@given(st.lists(st.lists(words, max_size=4), max_size=10), st.randoms())
def test_a_vocabulary_does_not_depend_on_the_order_of_the_files(keywords, random):
    shuffled = random.sample(keywords, len(keywords))
    assert build_vocabulary(keywords, 2) == build_vocabulary(shuffled, 2)


def test_ids_are_positions():
    vocabulary = Vocabulary(("kick", "deep", "808"), (9, 4, 2))
    assert vocabulary.encode(["808", "kick"]) == [2, 0]
    assert vocabulary.encode([]) == []
    assert vocabulary.encode_known(["808", "rare", "kick"]) == [2, 0]
    assert len(vocabulary) == 3
    assert "deep" in vocabulary
    assert "rare" not in vocabulary


def test_unknown_words_are_refused_with_the_nearest_known_ones():
    vocabulary = Vocabulary(("kick", "deep", "deeper", "808"), (9, 4, 2, 1))
    with pytest.raises(
        UnknownKeyword, match=r"'dep' \(did you mean deep, deeper\?\), 'xyzzy' are not keywords of this model"
    ) as caught:
        vocabulary.encode(["kick", "dep", "xyzzy"])
    assert (caught.value.word, caught.value.nearest) == ("dep", "deep")
    with pytest.raises(UnknownKeyword, match="'zzz' is not a keyword of this model") as caught:
        vocabulary.encode(["zzz"])
    assert caught.value.nearest is None


def test_a_word_that_is_little_alike_is_not_suggested():
    with pytest.raises(UnknownKeyword) as caught:
        Vocabulary(("soft",), (1,)).encode(["fat"])
    assert "did you mean" not in str(caught.value)


def test_an_empty_vocabulary_knows_nothing():
    with pytest.raises(UnknownKeyword):
        Vocabulary((), ()).encode(["kick"])


def test_a_vocabulary_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="counts"):
        Vocabulary(("kick",), ())
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("kick", "kick"), (1, 1))
