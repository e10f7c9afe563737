import math

import pytest
import torch

from kickpipe.data.batches import EpochOrder, WeightedOrder, draw_weights


@pytest.mark.parametrize(("num_items", "batch_size"), [(10, 4), (8, 4), (3, 5), (1, 1)])
def test_every_epoch_shows_every_item_once_in_a_new_order(num_items, batch_size):
    order = EpochOrder(num_items, batch_size, seed=3)
    count = order.batches_per_epoch
    assert count == math.ceil(num_items / batch_size)
    epochs = []
    for epoch in range(3):
        batches = [order(epoch * count + i) for i in range(count)]
        assert all(len(batch) <= batch_size for batch in batches)
        epochs.append(torch.cat(batches).tolist())
    assert all(sorted(items) == list(range(num_items)) for items in epochs)
    if num_items > 3:
        assert len({tuple(items) for items in epochs}) == 3


def test_another_seed_gives_another_order():
    first, second = (torch.cat([EpochOrder(20, 5, seed)(i) for i in range(4)]).tolist() for seed in (0, 1))
    assert first != second


def test_batches_do_not_touch_the_global_generator():
    torch.manual_seed(5)
    expected = torch.randn(1)
    torch.manual_seed(5)
    EpochOrder(10, 4, seed=0)(3)
    WeightedOrder(torch.ones(10), 4, seed=0)(3)
    assert torch.equal(torch.randn(1), expected)


def test_secondary_kicks_are_drawn_as_often_as_their_weight_says():
    paths = ["real/a/1.wav", "synth/1.wav", "real/b/synth/2.wav", "synth/x/3.wav"]
    weights = draw_weights(paths, ["synth/*"], 0.25)
    assert weights.tolist() == [1, 0.25, 1, 0.25]
    order = WeightedOrder(weights, 100, seed=3)
    drawn = torch.stack([order(step) for step in range(200)])
    shares = drawn.flatten().bincount() / drawn.numel()
    torch.testing.assert_close(shares, weights / weights.sum(), atol=0.02, rtol=0)
    assert torch.equal(drawn[7], order(7))
    assert not torch.equal(drawn[7], WeightedOrder(weights, 100, seed=4)(7))


@pytest.mark.parametrize(("secondary", "weight"), [([], 0.1), (["other/*"], 0.1), (["*"], 0.1), (["synth/*"], 1.0)])
def test_without_two_kinds_all_kicks_take_their_turn(secondary, weight):
    assert draw_weights(["real/1.wav", "synth/1.wav"], secondary, weight) is None
