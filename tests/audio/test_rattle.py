"""The rattle of a vocoder is told from noise, from other periods and from real kicks."""

import numpy as np
import pytest

from kickpipe.audio.io import prepare
from kickpipe.audio.rattle import rattle

RATE, HOP = 44100, 512
N = RATE // 2


def bass(hz=52.0):
    return np.sin(2 * np.pi * hz * np.arange(N) / RATE)


def burst(decay=0.1):
    """Noise that dies away: (N,)."""
    return np.random.default_rng(0).standard_normal(N) * np.exp(-np.arange(N) / RATE / decay)


def clicks(period, decay=0.1):
    """The same as a row of clicks."""
    return burst(decay) * np.exp(-(np.arange(N) % period) / (0.1 * period))


@pytest.mark.parametrize("decay", [0.03, 0.1, 1.0])
def test_noise_that_dies_away_does_not_rattle(decay):
    assert abs(rattle(3 * bass() + burst(decay), RATE, HOP)) < 0.3


@pytest.mark.parametrize("decay", [0.03, 0.1, 1.0])
@pytest.mark.parametrize("hop", [256, 512, 1024])
def test_a_click_at_every_hop_rattles(hop, decay):
    assert rattle(3 * bass() + clicks(hop, decay), RATE, hop) > 0.8


@pytest.mark.parametrize("period", [HOP * 0.75, HOP * 1.25, HOP * 1.5])
def test_a_click_at_another_time_is_another_sound(period):
    assert rattle(3 * bass() + clicks(round(period)), RATE, HOP) < 0.3


def test_the_level_and_the_sample_rate_do_not_matter():
    expected = rattle(clicks(HOP), RATE, HOP)
    assert rattle(1e-3 * clicks(HOP), RATE, HOP) == pytest.approx(expected, abs=1e-6)
    assert rattle(np.repeat(clicks(HOP), 2), 2 * RATE, 2 * HOP) == pytest.approx(expected, abs=0.1)


def test_it_is_heard_behind_a_loud_sub_but_not_where_the_sub_hides_it():
    assert rattle(bass() + 0.05 * clicks(HOP), RATE, HOP) > 0.8
    assert np.isnan(rattle(bass() + 1e-3 * clicks(HOP), RATE, HOP))


@pytest.mark.parametrize("hz", [43.07, 86.13])
def test_the_highs_of_a_distorted_bass_at_the_pitch_of_the_hop_are_no_rattle(hz):
    assert rattle(bass(hz) + 0.1 * burst(1.0) * bass(hz) ** 8, RATE, HOP) < 0.5


@pytest.mark.parametrize(
    "x", [np.zeros(N), np.zeros(0), np.full(N, np.nan), burst()[:3000]], ids=["silent", "empty", "nan", "short"]
)
def test_what_has_no_highs_to_hear_has_no_answer(x):
    assert np.isnan(rattle(x, RATE, HOP))


@pytest.mark.parametrize("hop", [64, 4096])
def test_a_hop_that_the_envelope_cannot_show_has_no_answer(hop):
    assert np.isnan(rattle(burst(), RATE, hop))


def test_real_kicks_do_not_rattle(kicks, settings):
    found = np.array([rattle(prepare(path, settings), RATE, HOP) for path in sorted(kicks.rglob("*.flac"))])
    assert np.isfinite(found).sum() >= 20
    assert abs(np.nanmedian(found)) < 0.1 and np.nanmean(found > 0.5) < 0.05
