import pytest
import torch

from kickpipe.models.text import PAD, KeywordEncoder, pad_ids
from models.checks import assert_every_parameter_learns, assert_items_do_not_mix, assert_same_after_saving


def encoder() -> KeywordEncoder:
    return KeywordEncoder(vocab_size=5, embedding_dim=3, out_dim=4)


def projected(text: KeywordEncoder, vector: torch.Tensor) -> torch.Tensor:
    return text.projection.weight @ vector + text.projection.bias


def test_keywords_are_averaged_and_projected():
    text = encoder()
    table = text.embedding.weight
    out = text(torch.tensor([[1, 3, 4], [2, PAD, PAD]]))
    assert out.shape == (2, 4)
    assert torch.allclose(out[0], projected(text, (table[1] + table[3] + table[4]) / 3), atol=1e-6)
    assert torch.allclose(out[1], projected(text, table[2]), atol=1e-6)


def test_the_weighted_average_equals_the_sum_by_hand():
    text = encoder()
    table = text.embedding.weight
    out = text(torch.tensor([[0, 2, PAD]]), torch.tensor([[0.7, 0.3, 9.0]]))
    assert torch.allclose(out[0], projected(text, 0.7 * table[0] + 0.3 * table[2]), atol=1e-6)


def test_only_the_ratio_of_weights_matters():
    text, ids = encoder(), torch.tensor([[0, 2]])
    assert torch.allclose(text(ids, torch.tensor([[1.0, 3.0]])), text(ids, torch.tensor([[0.25, 0.75]])), atol=1e-6)
    assert torch.allclose(text(ids, torch.tensor([[2.0, 2.0]])), text(ids), atol=1e-6)


def test_the_order_of_keywords_and_of_empty_places_does_not_matter():
    text = encoder()
    assert torch.allclose(text(torch.tensor([[1, PAD, 3]])), text(torch.tensor([[3, 1, PAD]])), atol=1e-6)


@pytest.mark.parametrize("ids", [torch.full((2, 3), PAD), torch.empty((2, 0), dtype=torch.long)])
def test_no_keywords_use_the_null_embedding(ids):
    text = encoder()
    expected = projected(text, text.null_embedding)
    assert torch.allclose(text(ids), expected.expand(2, -1), atol=1e-6)


def test_keywords_that_all_weigh_nothing_use_the_null_embedding():
    text = encoder()
    out = text(torch.tensor([[1, 2]]), torch.zeros(1, 2))
    assert torch.allclose(out[0], projected(text, text.null_embedding), atol=1e-6)


def test_rows_with_and_without_keywords_do_not_mix():
    assert_items_do_not_mix(encoder(), torch.tensor([[1, 2], [PAD, PAD], [4, PAD]]))


def test_an_empty_vocabulary_is_always_unconditional():
    text = KeywordEncoder(vocab_size=0, embedding_dim=3, out_dim=4)
    assert torch.allclose(text(torch.full((2, 1), PAD))[1], projected(text, text.null_embedding), atol=1e-6)


def test_every_parameter_learns():
    ids = torch.tensor([[0, 1, 2], [3, 4, PAD], [PAD, PAD, PAD]])
    assert_every_parameter_learns(encoder(), ids)


def test_an_empty_row_gives_no_gradient_to_the_keywords():
    text = encoder()
    text(torch.full((1, 2), PAD)).sum().backward()
    assert not text.embedding.weight.grad.any()
    assert text.null_embedding.grad.any()


def test_a_saved_encoder_is_the_same_encoder():
    assert_same_after_saving(encoder(), encoder(), torch.tensor([[1, 2], [PAD, PAD]]))


def test_keyword_ids_are_filled_up_to_the_longest_row():
    assert pad_ids([[2, 0], [], [1]]).tolist() == [[2, 0], [PAD, PAD], [1, PAD]]
    assert pad_ids([[], []]).shape == (2, 0)
    assert pad_ids([]).shape == (0, 0)
