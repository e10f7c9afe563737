"""Prompts become conditioning vectors; unknown words are errors that help."""

import pytest
import torch

from kickpipe.data.vocabulary import PromptError, UnknownKeyword, Vocabulary
from kickpipe.generate.prompts import UnknownWords, encode_prompt
from kickpipe.models.text import KeywordEncoder

VOCABULARY = Vocabulary(("kick", "deep", "deeper", "808"), (4, 3, 2, 1))


@pytest.fixture(scope="module")
def encoder() -> KeywordEncoder:
    torch.manual_seed(0)
    return KeywordEncoder(4, 8, 16).requires_grad_(False)


def test_the_empty_prompt_is_the_null_embedding(encoder):
    expected = encoder.projection(encoder.null_embedding)
    for prompt in ("", "  ", ", ,"):
        assert torch.equal(encode_prompt(prompt, VOCABULARY, encoder)[0], expected)


def test_weights_mix_the_embeddings(encoder):
    one, two = (encoder.embedding.weight[i] for i in (1, 3))
    expected = encoder.projection((0.6 * one + 0.2 * two) / 0.8)
    assert torch.allclose(encode_prompt("deep:0.6 808:0.2", VOCABULARY, encoder)[0], expected, atol=1e-6)


def test_the_order_of_words_does_not_matter(encoder):
    first, second = (encode_prompt(prompt, VOCABULARY, encoder) for prompt in ("deep 808", "808, Deep"))
    assert torch.allclose(first, second, atol=1e-6)


def test_unknown_words_are_named_with_their_nearest(encoder):
    with pytest.raises(
        UnknownWords, match=r"'dep' \(did you mean deep, deeper\?\), 'xyzzy' are not keywords"
    ) as caught:
        encode_prompt("kick dep xyzzy", VOCABULARY, encoder)
    assert isinstance(caught.value, UnknownKeyword)
    assert (caught.value.word, caught.value.nearest) == ("dep", "deep")


def test_a_very_long_prompt_is_refused_before_it_is_read(encoder):
    with pytest.raises(PromptError, match="at most 1000 characters, this one has 5000"):
        encode_prompt("deep " * 1000, VOCABULARY, encoder)


@pytest.mark.parametrize("prompt", ["deep:nan", "deep:-1", "deep:", ":1", "deep:1e999"])
def test_weights_that_make_no_sense_are_refused(prompt, encoder):
    with pytest.raises(PromptError):
        encode_prompt(prompt, VOCABULARY, encoder)
