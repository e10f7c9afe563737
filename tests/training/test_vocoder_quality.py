"""A vocoder is held against Griffin-Lim on real kicks, as the generator makes them."""

from itertools import islice

import numpy as np
import pytest
import torch

from kickpipe.audio.io import prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.rattle import rattle, split
from kickpipe.training.vocoder_quality import measure_quality


@pytest.fixture(scope="module")
def pairs(kicks, settings):
    """Mels and waveforms of four real kicks with highs to hear."""
    waveforms = (prepare(path, settings) for path in sorted(kicks.rglob("*.flac")))
    bright = (x for x in waveforms if np.isfinite(rattle(x, settings.sample_rate, settings.hop_length)))
    tensors = [torch.from_numpy(x) for x in islice(bright, 4)]
    return [(mel_spectrogram(waveform[None], settings)[0], waveform) for waveform in tensors]


def oracle(pairs):
    """A vocoder that knows the originals."""
    return lambda mel: next(original for known, original in pairs if torch.equal(known, mel[0]))[None]


def test_a_network_that_gives_the_originals_is_worth_using(pairs, settings):
    quality = measure_quality(oracle(pairs), pairs, settings)
    assert quality.is_worth_using
    assert quality.distance < 0.8 * quality.griffin_lim_distance


def test_a_network_that_rattles_is_not(pairs, settings):
    comb = np.exp(-(np.arange(settings.num_samples) % settings.hop_length) / 60)

    def vocode(mel):
        original = oracle(pairs)(mel)[0].numpy()
        highs, _ = split(original, settings.sample_rate)
        return torch.from_numpy(original - highs + 3 * highs * comb).float()[None]

    quality = measure_quality(vocode, pairs, settings)
    assert quality.rattling > 0.5
    assert not quality.is_worth_using


def test_a_network_that_gives_noise_is_not(pairs, settings):
    noise = torch.randn(1, settings.num_samples, generator=torch.Generator().manual_seed(0))
    assert not measure_quality(lambda mel: noise, pairs[:2], settings).is_worth_using


def test_without_kicks_or_with_numbers_that_are_not_finite_there_is_no_answer(pairs, settings):
    assert measure_quality(oracle(pairs), [], settings) is None
    assert measure_quality(lambda mel: torch.full((1, settings.num_samples), torch.nan), pairs[:1], settings) is None
