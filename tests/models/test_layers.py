import math

import pytest
import torch

from kickpipe.models.layers import (
    CondResBlock,
    Downsample,
    ResBlock,
    SelfAttention2d,
    TimestepEmbedding,
    Upsample,
    crop,
    group_norm,
    sinusoidal_embedding,
    zero_init,
)
from kickpipe.models.sizes import halved


@pytest.mark.parametrize("size", [1, 2, 3, 8, 11, 87, 173])
def test_downsampling_halves_and_rounds_up_and_upsampling_doubles(size):
    assert halved(size) == math.ceil(size / 2)
    x = torch.randn(1, 2, size, size + 1)
    down = Downsample(2, 3)(x)
    assert down.shape == (1, 3, halved(size), halved(size + 1))
    up = Upsample(3, 2)(down)
    assert up.shape == (1, 2, 2 * halved(size), 2 * halved(size + 1))
    assert crop(up, (size, size + 1)).shape == x.shape


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 9, 12, 30, 32, 64, 256])
def test_groups_divide_the_channels_and_hold_at_least_two(channels):
    norm = group_norm(channels)
    assert channels % norm.num_groups == 0
    assert norm.num_groups <= 8
    assert channels == 1 or channels // norm.num_groups >= 2


def test_group_norm_uses_eight_groups_where_it_can():
    assert [group_norm(channels).num_groups for channels in (32, 64, 128, 256)] == [8, 8, 8, 8]


def test_zero_init_makes_a_convolution_return_zero():
    conv = zero_init(torch.nn.Conv2d(2, 3, 3))
    assert not conv(torch.randn(1, 2, 5, 5)).any()


def test_a_residual_block_adds_to_its_input():
    block = ResBlock(4)
    zero_init(block.conv2)
    x = torch.randn(2, 4, 5, 3)
    assert torch.equal(block(x), x)


def test_a_conditioned_block_starts_as_the_identity():
    x = torch.randn(2, 6, 5, 3)
    assert torch.equal(CondResBlock(6, 4)(x, torch.randn(2, 4)), x)


def test_a_conditioned_block_scales_and_shifts_each_item_by_its_own_conditioning():
    block = CondResBlock(6, 4)
    torch.nn.init.normal_(block.conv2.weight)
    x = torch.randn(1, 6, 5, 3).expand(3, -1, -1, -1)
    cond = torch.randn(2, 4)
    first, same, other = block(x, torch.stack([cond[0], cond[0], cond[1]]))
    assert torch.allclose(first, same, atol=1e-6)
    assert not torch.allclose(first, other, atol=1e-2)


@pytest.mark.parametrize(("scale", "shift", "factor", "offset"), [(-1.0, 0.0, 0.0, 0.0), (1.0, 0.5, 2.0, 0.5)])
def test_the_second_normalisation_is_scaled_by_one_plus_scale_and_then_shifted(scale, shift, factor, offset):
    block = CondResBlock(6, 4)
    torch.nn.init.normal_(block.conv2.weight)
    zero_init(block.cond)
    torch.nn.init.constant_(block.cond.bias[:6], scale)
    torch.nn.init.constant_(block.cond.bias[6:], shift)
    x = torch.randn(2, 6, 5, 3)
    normalised = block.norm2(block.conv1(torch.nn.functional.silu(block.norm1(x))))
    expected = x + block.conv2(torch.nn.functional.silu(factor * normalised + offset))
    assert torch.allclose(block(x, torch.randn(2, 4)), expected, atol=1e-5)


def test_attention_starts_as_the_identity():
    x = torch.randn(2, 8, 2, 3)
    assert torch.equal(SelfAttention2d(8, 2)(x), x)


def test_attention_equals_its_formula():
    attention = SelfAttention2d(6, 2)
    torch.nn.init.normal_(attention.proj.weight)
    x = torch.randn(1, 6, 2, 3)

    tokens = attention.norm(x).flatten(2)[0].T  # (positions, channels)
    q, k, v = (tokens @ attention.qkv.weight[:, :, 0, 0].T + attention.qkv.bias).split(6, dim=1)
    heads = []
    for head in (slice(0, 3), slice(3, 6)):
        weights = (q[:, head] @ k[:, head].T / math.sqrt(3)).softmax(dim=1)
        heads.append(weights @ v[:, head])
    expected = torch.cat(heads, dim=1) @ attention.proj.weight[:, :, 0, 0].T + attention.proj.bias
    assert torch.allclose(attention(x), x + expected.T.reshape(1, 6, 2, 3), atol=1e-5)


def test_attention_lets_every_position_see_every_other():
    attention = SelfAttention2d(4, 1)
    torch.nn.init.normal_(attention.proj.weight)
    x = torch.randn(1, 4, 2, 3, requires_grad=True)
    attention(x)[0, :, 0, 0].sum().backward()
    assert (x.grad != 0).all()


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="4 attention heads do not divide 6 channels"):
        SelfAttention2d(6, 4)


def test_timestep_zero_embeds_as_zeros_and_ones():
    embedding = sinusoidal_embedding(torch.tensor([0]), 8)
    assert embedding.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]]


def test_the_embedding_has_frequencies_from_one_down():
    t = torch.tensor([3, 500])
    embedding = sinusoidal_embedding(t, 64)
    assert torch.allclose(embedding[:, 0], torch.sin(t.float()), atol=1e-5)
    assert torch.allclose(embedding[:, 32], torch.cos(t.float()), atol=1e-5)
    slowest = t * 10_000 ** (-31 / 32)
    assert torch.allclose(embedding[:, 31], torch.sin(slowest), atol=1e-5)


def test_no_two_timesteps_of_a_schedule_share_an_embedding():
    embedding = sinusoidal_embedding(torch.arange(1000), 64)
    distances = torch.cdist(embedding, embedding) + 10 * torch.eye(1000)
    assert distances.min() > 0.1


def test_an_odd_embedding_dimension_is_refused():
    with pytest.raises(ValueError, match="must be even, got 7"):
        sinusoidal_embedding(torch.tensor([1]), 7)


def test_whole_and_fractional_timesteps_embed_alike():
    embed = TimestepEmbedding(8, 5)
    assert torch.equal(embed(torch.tensor([7])), embed(torch.tensor([7.0])))
