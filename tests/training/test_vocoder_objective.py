import math

import pytest
import torch

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.models.discriminators import Discriminators
from kickpipe.training.vocoder_objective import VocoderObjective, split_judgements
from training.tiny import AUDIO

OBJECTIVE = VocoderObjective(AUDIO, feature_matching_weight=2.0, mel_weight=45.0, stft_weight=0.0)


def judged(score, *features):
    """Judgement of one discriminator."""
    return torch.tensor(score), [torch.tensor(feature) for feature in features]


REAL = [judged([1.0, 0.5], [1.0, 2.0]), judged([2.0], [0.0], [3.0])]
FAKE = [judged([0.0, 1.0], [2.0, 2.0]), judged([0.5], [1.0], [1.0])]


def test_the_discriminators_are_to_say_one_to_real_and_zero_to_fake():
    first = (0 + 0.5**2) / 2 + (0 + 1) / 2  # means of squares over the scores of one discriminator
    second = 1.0 + 0.5**2
    assert OBJECTIVE.discriminator(REAL, FAKE).item() == pytest.approx(first + second)


def test_the_generator_is_to_be_taken_for_real():
    assert OBJECTIVE.adversarial(FAKE).item() == pytest.approx((1 + 0) / 2 + 0.5**2)


def test_features_are_matched_over_all_layers():
    assert OBJECTIVE.feature_matching(REAL, FAKE).item() == pytest.approx(0.5 + 1.0 + 2.0)


def test_features_of_the_real_side_teach_without_being_taught():
    real = [(torch.zeros(1), [torch.zeros(2)])]
    fake = [(torch.zeros(1), [torch.ones(2, requires_grad=True)])]
    OBJECTIVE.feature_matching(real, fake).backward()
    assert fake[0][1][0].grad is not None


def test_the_mel_loss_is_the_distance_of_log_mels_in_nats():
    wave = torch.randn(2, 1024)
    # half the amplitude is a quarter of the power: log 4 nats everywhere above the floor
    assert OBJECTIVE.mel(wave, 0.5 * wave).item() == pytest.approx(math.log(4), rel=1e-3)
    expected = (mel_spectrogram(wave, AUDIO) - mel_spectrogram(wave.flip(1), AUDIO)).abs().mean()
    assert OBJECTIVE.mel(wave, wave.flip(1)).item() == pytest.approx(expected.item())


def test_the_generator_loss_weighs_its_terms_as_specified():
    real, fake = torch.randn(2, 512), torch.randn(2, 512)
    terms = OBJECTIVE.generator(real, fake, REAL, FAKE)
    assert set(terms) == {"loss_g", "mel", "adversarial", "feature_matching"}
    expected = terms["adversarial"] + 2.0 * terms["feature_matching"] + 45.0 * terms["mel"]
    assert terms["loss_g"].item() == pytest.approx(expected.item())


def test_without_judgements_the_spectrogram_alone_counts():
    real, fake = torch.randn(2, 512), torch.randn(2, 512)
    terms = OBJECTIVE.generator(real, fake, [], [])
    assert set(terms) == {"loss_g", "mel"}
    assert terms["loss_g"].item() == pytest.approx(45 * terms["mel"].item())


def test_the_stft_term_knows_equal_and_silent_waveforms_and_not_their_phase():
    objective = VocoderObjective(AUDIO, 2.0, 45.0, 1.0)
    time = torch.arange(8192) / AUDIO.sample_rate
    sine, cosine = (0.5 * wave(2 * math.pi * 1000 * time)[None] for wave in (torch.sin, torch.cos))
    assert objective.stft(sine, sine).item() == 0
    assert objective.stft(sine, -sine).item() == pytest.approx(0, abs=1e-3)
    assert objective.stft(sine, cosine).item() < 0.5 < 1 < objective.stft(sine, torch.zeros_like(sine)).item()
    assert "stft" in objective.generator(sine, cosine, [], [])


def test_the_stft_term_has_a_gradient_in_silence():
    fake = torch.zeros(1, 2048, requires_grad=True)
    VocoderObjective(AUDIO, 2.0, 45.0, 1.0).stft(torch.zeros(1, 2048), fake).backward()
    assert torch.isfinite(fake.grad).all()


def test_judging_two_waveforms_together_is_judging_each():
    torch.manual_seed(0)
    discriminators = Discriminators((2, 3), 2, 0.02).eval()
    real, fake = torch.randn(3, 1, 512), torch.randn(3, 1, 512)
    with torch.inference_mode():
        together = split_judgements(discriminators(torch.cat([real, fake])), 3)
        apart = discriminators(real), discriminators(fake)
    for ours, theirs in zip(together, apart, strict=True):
        assert len(ours) == 4  # two periods, two scales
        for (score, features), (expected, expected_features) in zip(ours, theirs, strict=True):
            torch.testing.assert_close(score, expected)
            for ours_feature, theirs_feature in zip(features, expected_features, strict=True):
                torch.testing.assert_close(ours_feature, theirs_feature)
