"""Prompts become keywords with weights and then conditioning vectors; what cannot be read is an error that helps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kickpipe.data.vocabulary import PromptError, UnknownKeyword, Vocabulary, tokenize
from kickpipe.generate.prompts import encode_prompt, parse_prompt, read_prompt
from kickpipe.models.text import KeywordEncoder

VOCABULARY = Vocabulary(("kick", "deep", "808", "hiphop", "lofi", "punchy", "long"), (9, 8, 7, 6, 5, 4, 3))


@pytest.fixture(scope="module")
def encoder() -> KeywordEncoder:
    torch.manual_seed(0)
    return KeywordEncoder(len(VOCABULARY), 8, 16).requires_grad_(False)


def embed(prompt: str, encoder: KeywordEncoder) -> torch.Tensor:
    ids, weights = encode_prompt(prompt, VOCABULARY)
    return encoder(torch.tensor([ids], dtype=torch.long), torch.tensor([weights]))


def read(prompt: str, negative: str = "", vocabulary: Vocabulary = VOCABULARY) -> tuple[str, str]:
    return read_prompt(prompt, negative, vocabulary)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("   ", []),
        ("deep 808", [("deep", 1.0), ("808", 1.0)]),
        ("Deep, CLICKY", [("deep", 1.0), ("clicky", 1.0)]),
        ("deep:0.7 clicky:0.3", [("deep", 0.7), ("clicky", 0.3)]),
        ("deep:1e-1", [("deep", 0.1)]),
        ("deep:0.01 808:100", [("deep", 0.01), ("808", 100.0)]),
        ("hard-style_kick:2", [("hard", 2.0), ("style", 2.0), ("kick", 2.0)]),
        ("808 - deep -", [("808", 1.0), ("deep", 1.0)]),
    ],
)
def test_a_prompt_is_words_with_weights(prompt, expected):
    assert parse_prompt(prompt) == (expected, [])


@given(st.text(max_size=40))
def test_the_keywords_of_a_file_name_can_be_a_prompt(name):
    keywords = tokenize(name + ".wav")
    assert [word for word, _ in parse_prompt(" ".join(keywords))[0]] == keywords


@pytest.mark.parametrize(
    "prompt",
    ["deep:", "deep:x", "deep:0", "deep:-1", "deep:nan", "deep:inf", "deep:1:2", "deep:1e-50", "deep:1e39", "deep:101"],
)
def test_a_weight_that_is_too_little_too_much_or_no_number_is_refused_by_name(prompt):
    with pytest.raises(PromptError) as caught:
        parse_prompt(f"kick {prompt}")
    weight = prompt.partition(":")[2]
    assert str(caught.value).startswith(f"{prompt!r}: expected a weight from 0.01 to 100")
    assert str(caught.value).endswith(f"found {weight!r}")


def test_a_weight_without_a_word_is_refused():
    with pytest.raises(PromptError, match=r"':0\.5': a weight without a word"):
        parse_prompt("deep :0.5")


def test_a_very_long_prompt_is_refused_before_it_is_read():
    with pytest.raises(PromptError, match="at most 1000 characters, this one has 5000"):
        parse_prompt("deep " * 1000)


def test_an_option_within_the_quotes_is_refused():
    with pytest.raises(PromptError, match="'--count': options stand outside the quotes"):
        parse_prompt("deep --count 4")


def test_a_word_written_twice_has_the_sum_of_its_weights():
    assert read("deep deep:0.5 Deep") == ("deep:2.5", "")
    with pytest.raises(PromptError, match="'deep' weighs 200 in all, expected at most 100"):
        read("deep:100 deep:100")


def test_a_word_with_a_minus_is_steered_away_from():
    assert read("deep -long") == ("deep", "long")
    assert read("deep \u2212long:0.5 \u2013hip-hop", "808") == ("deep", "long:0.5 hiphop 808")
    assert read("-long") == ("", "long")


def test_a_minus_in_the_negative_prompt_is_refused():
    with pytest.raises(PromptError, match="'-long': words to steer away from are written without a minus"):
        read("deep", "-long")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("hip hop", "hiphop"),
        ("Hip-Hop", "hiphop"),
        ("deep hip hop kicks", "deep hiphop kick"),
        ("hip hop:0.5 deep", "hiphop:0.5 deep"),
        ("lo-fi:0.5", "lofi:0.5"),
        ("punch, 808s", "punchy 808"),
        ("tr 808", "808"),
        ("Roland TR-808", "808"),
        ("kick drum", "kick"),
        ("punch punchy", "punchy:2.0"),
    ],
)
def test_other_spellings_become_the_keywords_they_mean(prompt, expected):
    assert read(prompt) == (expected, "")


def test_words_that_are_keywords_by_themselves_are_not_joined():
    vocabulary = Vocabulary(("hard", "style", "hardstyle"), (3, 2, 1))
    assert read("hard style", vocabulary=vocabulary) == ("hard style", "")
    assert read("hardstyle", vocabulary=vocabulary) == ("hardstyle", "")


def test_words_of_different_weights_are_not_joined():
    with pytest.raises(UnknownKeyword, match=r"'hip' .*'hop' .*are not keywords"):
        read("hip:2 hop:0.5")


@given(st.lists(st.tuples(st.sampled_from(VOCABULARY.words), st.floats(0.01, 1.0)), max_size=5))
def test_a_prompt_that_was_read_reads_as_itself(words):
    prompt = read(" ".join(f"{word}:{weight!r}" for word, weight in words))[0]
    assert read(prompt)[0] == prompt


def test_all_unknown_words_are_named():
    with pytest.raises(UnknownKeyword, match=r"'dep' \(did you mean deep\?\), 'xyzzy' are not keywords"):
        read("kick dep xyzzy dep")


def test_control_characters_of_a_prompt_are_shown_as_escapes():
    with pytest.raises(UnknownKeyword) as caught:
        read("\x1b[31mdeep")
    assert "\x1b" not in str(caught.value)


def test_the_empty_prompt_is_the_null_embedding(encoder):
    expected = encoder.projection(encoder.null_embedding)
    for prompt in ("", "  ", ", ,"):
        assert torch.equal(embed(prompt, encoder)[0], expected)


def test_weights_mix_the_embeddings(encoder):
    one, two = (encoder.embedding.weight[i] for i in (1, 2))
    expected = encoder.projection((0.6 * one + 0.2 * two) / 0.8)
    assert torch.allclose(embed("deep:0.6 808:0.2", encoder)[0], expected, atol=1e-6)


def test_the_order_of_words_does_not_matter(encoder):
    first, second = (embed(prompt, encoder) for prompt in ("deep 808", "808, Deep"))
    assert torch.allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("weight", ["0.01", "1", "100"])
def test_a_word_alone_is_the_same_whatever_its_weight(encoder, weight):
    alone, weighted = (embed(prompt, encoder) for prompt in ("deep", f"deep:{weight}"))
    assert torch.allclose(alone, weighted, atol=1e-6)


def test_a_minus_fits_into_no_vector(encoder):
    with pytest.raises(PromptError, match=r"'-long': .* negative prompt"):
        embed("deep -long", encoder)
