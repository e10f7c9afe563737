import pytest
import torch

from kickpipe.models.vae import LOGVAR_MAX, LOGVAR_MIN, VAE
from models.checks import assert_every_parameter_learns, assert_same_after_saving, randomise

SIZES = [
    (128, 173, (4, 6), 4),
    (64, 173, (4, 4, 6, 6), 4),
    (33, 100, (3, 5, 7), 2),
    (7, 5, (9,), 1),
    (80, 431, (2, 2, 2, 2, 2), 3),
]


def tiny() -> VAE:
    return VAE(n_mels=20, num_frames=27, channels=(4, 6), latent_channels=3)


@pytest.mark.parametrize(("n_mels", "num_frames", "channels", "latent_channels"), SIZES)
def test_any_size_comes_back_as_it_went_in(n_mels, num_frames, channels, latent_channels):
    vae = VAE(n_mels, num_frames, channels, latent_channels)
    mel = torch.randn(2, 1, n_mels, num_frames)
    recon, mu, logvar = vae(mel)
    assert recon.shape == mel.shape
    assert mu.shape == logvar.shape == (2, *vae.latent_shape)
    assert vae.latent_shape[0] == latent_channels


@pytest.mark.parametrize(("n_mels", "num_frames", "channels", "latent_channels"), SIZES)
def test_the_decoder_has_the_sizes_of_the_encoder_in_reverse(n_mels, num_frames, channels, latent_channels):
    vae = VAE(n_mels, num_frames, channels, latent_channels)
    down, up = [], []
    for stage in vae.encoder.stages:
        stage.register_forward_hook(lambda _, inputs, __: down.append(tuple(inputs[0].shape[2:])))
    for stage, size in zip(vae.decoder.stages, vae.decoder.sizes, strict=True):
        stage.register_forward_hook(
            lambda _, __, output, size=size: up.append(
                (size, tuple(n - m for n, m in zip(output.shape[2:], size, strict=True)))
            )
        )
    vae(torch.randn(1, 1, n_mels, num_frames))
    assert [size for size, _ in up] == down[::-1]
    assert all(surplus in {(0, 0), (0, 1), (1, 0), (1, 1)} for _, surplus in up)


def test_every_parameter_learns():
    vae = randomise(tiny())
    assert_every_parameter_learns(vae, torch.randn(2, 1, 20, 27), torch.randn(2, *vae.latent_shape))


def test_a_saved_network_is_the_same_network():
    assert_same_after_saving(tiny(), tiny(), torch.randn(2, 1, 20, 27))


def test_a_batch_of_one_gives_what_it_gives_among_others():
    vae = tiny().eval()
    mel = torch.randn(3, 1, 20, 27)
    with torch.no_grad():
        assert torch.allclose(vae(mel)[0][1:2], vae(mel[1:2])[0], atol=1e-5)


def test_evaluation_decodes_the_mean_without_sampling():
    vae = tiny().eval()
    mel = torch.randn(2, 1, 20, 27)
    recon, mu, _ = vae(mel)
    assert torch.equal(recon, vae.decode(mu))
    assert torch.equal(recon, vae(mel)[0])


def test_training_decodes_mean_plus_standard_deviation_times_noise():
    vae = tiny().train()
    mel, noise = torch.randn(2, 1, 20, 27), torch.randn(2, *vae.latent_shape)
    recon, mu, logvar = vae(mel, noise)
    assert torch.allclose(recon, vae.decode(mu + logvar.exp().sqrt() * noise), atol=1e-5)
    assert torch.allclose(vae(mel, torch.zeros_like(mu))[0], vae.decode(mu), atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_without_noise_the_mean_is_decoded(training):
    vae = tiny().train(training)
    recon, mu, _ = vae(torch.randn(1, 1, 20, 27))
    assert torch.equal(recon, vae.decode(mu))


def test_the_config_builds_the_same_network_again():
    vae = tiny()
    again = VAE(**vae.config)
    assert again.config == vae.config
    again.load_state_dict(vae.state_dict())


def test_logvar_stays_where_its_exponential_is_finite():
    vae = tiny()
    for bias, expected in ((-1e4, LOGVAR_MIN), (1e4, LOGVAR_MAX)):
        torch.nn.init.constant_(vae.encoder.logvar.bias, bias)
        _, logvar = vae.encode(torch.randn(1, 1, 20, 27))
        assert (logvar == expected).all()


def test_silence_is_encoded_to_finite_numbers():
    mu, logvar = tiny().encode(torch.full((1, 1, 20, 27), -11.5129))
    assert mu.isfinite().all()
    assert logvar.isfinite().all()


def test_an_untrained_decoder_already_speaks_in_log_mels():
    recon = VAE().decode(torch.randn(4, 4, 8, 11))
    assert -9 < recon.mean() < -3
    assert 1 < recon.std() < 8


def test_mels_of_another_size_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"expected mels with shape \(B, 1, 20, 27\), got \(2, 1, 20, 28\)"):
        tiny().encode(torch.randn(2, 1, 20, 28))


def test_latents_of_another_size_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"expected latents with shape \(B, 3, 5, 7\), got \(3, 5, 7\)"):
        tiny().decode(torch.randn(3, 5, 7))


@pytest.mark.parametrize("arguments", [{"n_mels": 0}, {"channels": ()}, {"channels": (4, 0)}, {"latent_channels": 0}])
def test_sizes_below_one_are_refused(arguments):
    with pytest.raises(ValueError, match="a VAE needs sizes of at least 1"):
        VAE(**arguments)


def test_channels_last_gives_the_same_numbers():
    vae, mel = tiny().eval(), torch.randn(2, 1, 20, 27)
    expected = vae(mel)[0]
    layout = torch.channels_last
    assert torch.allclose(vae.to(memory_format=layout)(mel.to(memory_format=layout))[0], expected, atol=1e-5)
