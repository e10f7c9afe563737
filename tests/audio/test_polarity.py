"""Which way round a kick is."""

import numpy as np
import pytest

from kickpipe.audio.polarity import polarity


@pytest.mark.parametrize("sign", [1, -1])
def test_polarity_is_that_of_the_first_strong_half_wave(sign):
    time = np.arange(8820) / 44100
    wave = sign * np.sin(2 * np.pi * 55 * time) * np.exp(-5 * time)
    assert polarity(wave.astype(np.float32), 44100) == sign


def test_a_click_does_not_decide_the_polarity():
    time = np.arange(8820) / 44100
    wave = 0.8 * np.sin(2 * np.pi * 55 * time)
    wave[:3] -= 1.0
    assert polarity(wave.astype(np.float32), 44100) == 1


@pytest.mark.parametrize("wave", [np.zeros(100), np.zeros(1), np.full(5, 1e-30)])
def test_silence_and_a_single_sample_have_a_polarity(wave):
    assert polarity(wave.astype(np.float32), 44100) == 1
