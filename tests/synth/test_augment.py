"""Copies of a kick: deterministic, different, and still what they were."""

import numpy as np
import pytest

from kickpipe.audio.descriptors import decay_ms, describe, pitch_sweep
from kickpipe.synth.augment import augment, draw_augmentation, drive, shorten, tilt

RATE = 44100


@pytest.fixture(scope="module")
def kick():
    t = np.arange(RATE // 2) / RATE
    turns = 50.0 * t + 150.0 * 0.02 * (1.0 - np.exp(-t / 0.02))
    return (0.5 * np.sin(2.0 * np.pi * turns) * np.exp(-t / 0.06)).astype(np.float32)


def test_the_same_seed_and_index_give_the_same_copy(kick):
    np.testing.assert_array_equal(augment(kick, RATE, 3, 7), augment(kick, RATE, 3, 7))


def test_every_index_and_every_seed_give_another_plan():
    plans = {draw_augmentation(seed, index) for seed in range(5) for index in range(20)}
    assert len(plans) == 100


def test_copies_have_the_peak_of_a_prepared_kick_and_are_finite(kick):
    for index in range(12):
        copy = augment(kick, RATE, 0, index)
        assert copy.dtype == np.float32
        assert np.isfinite(copy).all()
        assert np.abs(copy).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)


def test_varispeed_moves_pitch_and_length_together(kick):
    for index in range(10):
        plan = draw_augmentation(1, index)
        copy = augment(kick, RATE, 1, index)
        speed = 2 ** (plan.semitones / 12)
        assert len(copy) == pytest.approx(len(kick) / speed, rel=0.001)
        if not np.isfinite(plan.tail):  # a shorter tail ends at another place of the sweep
            assert pitch_sweep(copy, RATE).end_hz == pytest.approx(pitch_sweep(kick, RATE).end_hz * speed, rel=0.06)


def test_copies_are_still_kicks_of_about_the_same_pitch_and_no_longer(kick):
    plain = describe(kick, RATE)
    for index in range(12):
        copy = describe(augment(kick, RATE, 2, index), RATE)
        assert abs(np.log2(copy["f0_end_hz"] / plain["f0_end_hz"])) < 0.5
        # 2.5 semitones slower is 16% longer; 5 dB of drive lift the tail by as much, a quarter of the decay by 20 dB.
        assert copy["decay_20_ms"] < 1.16 * 1.3 * plain["decay_20_ms"]
        assert copy["onset_ms"] < plain["onset_ms"] + 2.0


@pytest.mark.parametrize("gain_db", [-5.0, 5.0])
def test_tilt_lifts_the_highs_against_the_lows(gain_db):
    t = np.arange(RATE) / RATE
    low, high = np.sin(2 * np.pi * 20 * t), np.sin(2 * np.pi * 8000 * t)
    gain = [20 * np.log10(np.std(tilt(x, RATE, gain_db)) / np.std(x)) for x in (low, high)]
    assert gain[0] == pytest.approx(0.0, abs=0.2)
    assert gain[1] == pytest.approx(gain_db, abs=0.2)


def test_tilt_does_not_sound_before_the_kick(kick):
    delayed = np.concatenate([np.zeros(4000), kick])
    assert np.abs(tilt(delayed, RATE, 5.0)[:4000]).max() < 1e-3 * np.abs(kick).max()


def test_drive_is_linear_for_quiet_sounds_and_bounded_for_loud_ones():
    assert drive(np.array([1e-4]), 6.0)[0] == pytest.approx(1e-4 * 10 ** (6 / 20), rel=1e-4)
    assert np.abs(drive(np.linspace(-1, 1, 11), 20.0)).max() < 1.0


def test_shorten_combines_the_time_constants(kick):
    # exp(-t / 60 ms) times exp(-t / 60 ms) decays in 30 ms.
    shorter = shorten(kick, RATE, 0.06)
    assert decay_ms(shorter, RATE, -40) == pytest.approx(decay_ms(kick, RATE, -40) / 2, abs=10)


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(100), np.array([np.nan, 1.0]), np.array([np.inf])])
def test_what_has_no_sound_is_refused(x):
    with pytest.raises(ValueError, match="with sound"):
        augment(x, RATE, 0, 0)
