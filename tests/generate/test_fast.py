"""Packed networks compute what the plain ones do."""

import pytest
import torch
from torch import nn

from kickpipe.generate import fast
from kickpipe.models.hifigan import Generator
from kickpipe.models.unet import LatentUNet
from kickpipe.models.vae import VAE


@pytest.fixture(scope="module")
def unet() -> LatentUNet:
    torch.manual_seed(0)
    unet = LatentUNet(channels=(16, 32), time_dim=8, cond_dim=16, num_heads=2).eval().requires_grad_(False)
    for parameter in unet.parameters():  # some start at zero
        parameter += 0.02 * torch.randn_like(parameter)
    return unet


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_packed_unet_predicts_the_same_noise(unet, batch):
    inputs = torch.randn(batch, 4, 8, 11), torch.full((batch,), 500), torch.randn(batch, 16)
    with torch.inference_mode():
        assert torch.allclose(fast.pack(unet)(*inputs), unet(*inputs), atol=1e-4)


def test_a_packed_vae_decodes_the_same_mel():
    vae = VAE(channels=(4, 8, 8, 8)).eval().requires_grad_(False)
    latent = torch.randn(1, 4, 8, 11)
    with torch.inference_mode():
        assert torch.allclose(fast.pack(vae).decode(latent), vae.decode(latent), atol=1e-4)


@pytest.mark.parametrize("frames", [1, 20, 33])
def test_a_fast_vocoder_makes_the_same_waveform(frames):
    torch.manual_seed(0)
    generator = (
        Generator(channels=32, resblock_kernels=(3, 7), resblock_dilations=((1, 3), (1, 5)))
        .eval()
        .requires_grad_(False)
    )
    mel = torch.randn(2, 128, frames)
    with torch.inference_mode():
        expected = generator(mel)
        made = fast.fast_vocoder(generator)(mel)
    assert made.shape == expected.shape
    assert torch.allclose(made, expected, atol=1e-5)


def test_one_packing_serves_every_batch_size(unet):
    packed = fast.pack(unet)
    with torch.inference_mode():
        for batch in (3, 1, 7):
            inputs = torch.randn(batch, 4, 8, 11), torch.zeros(batch), torch.randn(batch, 16)
            assert torch.allclose(packed(*inputs), unet(*inputs), atol=1e-4)


@pytest.mark.parametrize("batch", [2, 3, 16])
def test_an_item_does_not_depend_on_its_batch_to_the_last_bit(batch):
    torch.manual_seed(0)
    packed = fast.pack(LatentUNet().eval().requires_grad_(False))
    latent, cond = torch.randn(batch, 4, 8, 11), torch.randn(2, 256)
    with torch.inference_mode():
        both = packed(latent.repeat(2, 1, 1, 1), torch.full((2 * batch,), 500), cond.repeat_interleave(batch, dim=0))
        alone = packed(latent[-1:].repeat(2, 1, 1, 1), torch.full((2,), 500), cond)
    if fast.can_pack():
        assert torch.equal(both[[batch - 1, -1]], alone)
    assert torch.allclose(both[[batch - 1, -1]], alone, atol=1e-4)


def test_rows_of_a_linear_layer_may_differ():
    linear = nn.Linear(5, 3).requires_grad_(False)
    x = torch.randn(3, 5)[[0, 0, 1, 2, 2, 0]]
    assert torch.allclose(fast.ByRows(linear)(x), linear(x), atol=1e-6)
    assert torch.equal(fast.ByRows(linear)(x)[-1], fast.ByRows(linear)(x[:1])[0])


def test_without_the_operators_plain_convolutions_stay(unet, monkeypatch):
    monkeypatch.setattr(fast, "can_pack", lambda: False)
    assert not [module for module in fast.pack(unet).modules() if isinstance(module, fast.PackedConv)]
    generator, mel = Generator(channels=32), torch.randn(1, 128, 9)
    with torch.inference_mode():
        assert torch.equal(fast.fast_vocoder(generator)(mel), generator(mel))


def test_bfloat16_in_the_coarse_stages_is_a_whisper():
    torch.manual_seed(0)
    generator = Generator().eval().requires_grad_(False)
    mel = torch.randn(1, 128, 12) - 6
    with torch.inference_mode():
        exact, rough = (fast.fast_vocoder(generator, precision)(mel) for precision in ("float32", "bfloat16"))
    assert 0 < (rough - exact).square().mean() < 10 ** (-50 / 10) * exact.square().mean()
