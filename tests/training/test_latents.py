import torch

from kickpipe.training.latents import LatentScale


def test_each_channel_is_standardised_on_its_own_and_restored():
    scales, shifts = torch.tensor([1.0, 5.0, 0.1]), torch.tensor([0.0, 9.0, -2.0])
    noise = torch.randn(50, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    latents = noise * scales[:, None, None] + shifts[:, None, None]
    scale = LatentScale.of(latents)
    standard = scale.standardise(latents)
    torch.testing.assert_close(standard.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(scale.restore(standard), latents)


def test_a_channel_that_never_changes_divides_by_no_zero():
    latents = torch.full((4, 1, 2, 2), 3.0)
    assert torch.equal(LatentScale.of(latents).standardise(latents), torch.zeros_like(latents))
