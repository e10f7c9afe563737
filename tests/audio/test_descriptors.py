"""Descriptors on sounds whose answers are known: sweeps, sines, clicks, noise, silence."""

import numpy as np
import pytest

from kickpipe.audio.descriptors import (
    DESCRIPTORS,
    attack_ms,
    centroid_hz,
    crest_db,
    decay_ms,
    describe,
    duration_ms,
    high_share,
    onset_ms,
    pitch_sweep,
    pitch_track,
    sub_share,
)

RATE = 44100


def sweep(start_hz, end_hz, sweep, decay, delay=0.0, rate=RATE, seconds=2.0):
    """exp(-t / decay) sin(2 pi integral of end + (start - end) exp(-t / sweep)), after `delay` s of silence."""
    t = np.arange(round(seconds * rate)) / rate - delay
    turns = end_hz * t + (start_hz - end_hz) * sweep * (1.0 - np.exp(-np.maximum(t, 0.0) / sweep))
    return np.where(t >= 0.0, np.sin(2.0 * np.pi * turns) * np.exp(-t / decay), 0.0).astype(np.float32)


def sine(hz, seconds=1.0, rate=RATE):
    return np.sin(2.0 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.25])
def test_onset_is_where_the_kick_was_put(delay):
    # A 200 Hz sine needs 0.08 ms for a tenth of its peak.
    assert onset_ms(sweep(200, 50, 0.03, 0.1, delay), RATE) == pytest.approx(1000 * delay, abs=0.2)


@pytest.mark.parametrize("level_db", [-20, -40])
@pytest.mark.parametrize("tau", [0.05, 0.2])
def test_decay_of_an_exponential_is_its_time_constant_times_the_level(tau, level_db):
    expected = 1000 * tau * np.log(10) * -level_db / 20
    half_a_period = 1000 / (2 * 60)
    assert decay_ms(sweep(60, 60, 0.03, tau), RATE, level_db) == pytest.approx(expected, abs=half_a_period)


def test_duration_of_an_exponential_is_its_decay_by_60_db():
    assert duration_ms(sweep(500, 500, 0.03, 0.1), RATE) == pytest.approx(1000 * 0.1 * np.log(1000), abs=1.0)


def test_attack_of_a_ramp_is_the_time_from_10_to_90_percent():
    ramp = np.concatenate([np.linspace(0.0, 1.0, RATE // 10), np.zeros(1000)])
    assert attack_ms(ramp, RATE) == pytest.approx(80.0, abs=0.1)


@pytest.mark.parametrize(
    ("start_hz", "end_hz", "seconds", "decay"), [(200, 50, 0.03, 0.1), (400, 45, 0.02, 0.2), (150, 60, 0.05, 0.3)]
)
def test_pitch_of_a_sweep_is_what_it_was_made_with(start_hz, end_hz, seconds, decay):
    found = pitch_sweep(sweep(start_hz, end_hz, seconds, decay), RATE)
    # The window of 8 ms averages over the first milliseconds, in which the pitch already falls.
    after_half_a_window = end_hz + (start_hz - end_hz) * np.exp(-0.004 / seconds)
    assert 0.95 * after_half_a_window <= found.start_hz <= 1.02 * start_hz
    assert found.end_hz == pytest.approx(end_hz, rel=0.04)
    assert found.sweep_ms == pytest.approx(1000 * seconds * np.log(10), abs=6.0)


def test_pitch_of_a_steady_sine_does_not_sweep():
    found = pitch_sweep(sweep(55, 55, 0.1, 0.3), RATE)
    assert found.end_hz == pytest.approx(55.0, rel=0.01)
    assert found.sweep_ms == 0.0


def test_pitch_reaches_down_to_20_hz():
    assert pitch_sweep(sweep(150, 21, 0.03, 0.5), RATE).end_hz == pytest.approx(21.0, rel=0.05)


def test_rumble_under_the_pitch_floor_does_not_move_the_end_of_the_sweep():
    kick = sweep(200, 50, 0.02, 0.1)
    rumble = 0.02 * sine(4.0, seconds=2.0)
    assert pitch_sweep(kick + rumble, RATE).end_hz == pytest.approx(50.0, rel=0.1)


def test_pitch_track_follows_the_sweep():
    track = pitch_track(sweep(200, 50, 0.05, 0.2), RATE)
    inside = (track.seconds > 0.01) & (track.seconds < 0.3)
    true_hz = 50.0 + 150.0 * np.exp(-track.seconds[inside] / 0.05)
    np.testing.assert_allclose(track.hz[inside], true_hz, rtol=0.05)


def test_centroid_of_a_sine_is_its_frequency():
    assert centroid_hz(sine(1000.0), RATE) == pytest.approx(1000.0, rel=0.01)


def test_centroid_of_two_sines_is_the_mean_weighted_by_energy():
    mixed = sine(100.0) + 2.0 * sine(1000.0)
    assert centroid_hz(mixed, RATE) == pytest.approx((100.0 + 4.0 * 1000.0) / 5.0, rel=0.01)


def test_shares_of_two_sines_are_their_energies():
    mixed = sine(50.0) + 2.0 * sine(5000.0)
    assert sub_share(mixed, RATE) == pytest.approx(0.2, abs=0.005)
    assert high_share(mixed, RATE) == pytest.approx(0.8, abs=0.005)


def test_crest_of_a_sine_is_3_db_and_of_a_square_0_db():
    assert crest_db(sine(1000.0), RATE) == pytest.approx(20 * np.log10(np.sqrt(2)), abs=0.01)
    assert crest_db(np.sign(sine(100.0)) + 1e-9, RATE) == pytest.approx(0.0, abs=0.1)


def test_describe_says_what_the_single_functions_say():
    kick = sweep(200, 50, 0.03, 0.1, delay=0.01)
    described = describe(kick, RATE)
    pitch = pitch_sweep(kick, RATE)
    assert list(described) == list(DESCRIPTORS)
    assert described == {
        "onset_ms": onset_ms(kick, RATE),
        "attack_ms": attack_ms(kick, RATE),
        "decay_20_ms": decay_ms(kick, RATE, -20),
        "decay_40_ms": decay_ms(kick, RATE, -40),
        "duration_ms": duration_ms(kick, RATE),
        "f0_start_hz": pitch.start_hz,
        "f0_end_hz": pitch.end_hz,
        "sweep_ms": pitch.sweep_ms,
        "sweep_octaves": np.log2(pitch.start_hz / pitch.end_hz),
        "centroid_hz": centroid_hz(kick, RATE),
        "sub_share": sub_share(kick, RATE),
        "high_share": high_share(kick, RATE),
        "crest_db": crest_db(kick, RATE),
    }


def test_level_polarity_and_padding_change_nothing():
    kick = sweep(200, 50, 0.03, 0.05, seconds=0.6)
    plain = describe(kick, RATE)
    other = describe(np.concatenate([-0.01 * kick, np.zeros(RATE, np.float32)]), RATE)
    for name, value in plain.items():
        assert other[name] == pytest.approx(value, rel=0.02, abs=1e-6), name


@pytest.mark.parametrize("rate", [16000, 48000, 96000])
def test_sample_rate_hardly_matters(rate):
    plain, other = (describe(sweep(200, 50, 0.03, 0.1, rate=rate), rate) for rate in (RATE, rate))
    for name in ("decay_20_ms", "decay_40_ms", "f0_start_hz", "f0_end_hz", "sweep_ms", "centroid_hz", "crest_db"):
        assert other[name] == pytest.approx(plain[name], rel=0.05), name


@pytest.mark.parametrize(
    "x",
    [np.zeros(0), np.zeros(1), np.zeros(88200, np.float32), np.array([0.0, np.nan, 1.0]), np.array([np.inf, 0.0])],
    ids=["empty", "one", "silent", "nan", "inf"],
)
def test_what_cannot_be_described_is_nan_by_every_name(x):
    described = describe(x, RATE)
    assert list(described) == list(DESCRIPTORS)
    assert all(np.isnan(value) for value in described.values())


@pytest.mark.parametrize("x", [np.ones(1), np.eye(1, 100)[0], np.ones(88200), np.resize([1.0, -1.0], 5000)])
def test_odd_sounds_raise_nothing_and_give_no_infinity(x):
    with np.errstate(all="raise", under="ignore"):
        described = describe(x, RATE)
    assert not any(np.isinf(value) for value in described.values())


def test_a_stereo_waveform_is_refused():
    with pytest.raises(ValueError, match=r"shape \(N,\)"):
        describe(np.zeros((2, 100)), RATE)


def test_louder_noise_at_the_end_lengthens_the_decay():
    kick = sweep(200, 50, 0.03, 0.1)
    hiss = np.random.default_rng(0).standard_normal(len(kick))
    clean, noisy = (decay_ms(kick + level * hiss, RATE, -40) for level in (1e-5, 1e-2))
    assert noisy > clean
