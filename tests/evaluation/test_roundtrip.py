import numpy as np
import pytest

from kickpipe.evaluation.roundtrip import (
    decay_error_ms,
    log_mel_error,
    low_band_correlation,
    measure_round_trip,
    onset_error_ms,
    spectral_distances,
    start_level_db,
    summarise,
    tail_level_db,
)

RATE = 44100


def kick(hz=50.0, decay=0.05, onset=0, num_samples=RATE):
    t = np.arange(num_samples - onset) / RATE
    sound = 0.9 * np.sin(2 * np.pi * hz * t) * np.exp(-t / decay)
    return np.concatenate([np.zeros(onset), sound]).astype(np.float32)[None]


def test_a_perfect_copy_has_no_error():
    measured = measure_round_trip(kick(), kick(), RATE)
    for name in ("convergence", "log_magnitude", "onset_error_ms", "decay_error_ms"):
        assert measured[name][0] == pytest.approx(0, abs=1e-6)
    assert measured["low_correlation"][0] == pytest.approx(1, abs=1e-5)


def test_spectral_distances_of_a_gain_are_known():
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (1, RATE)).astype(np.float32)
    found = spectral_distances(noise, 2 * noise)
    assert found["convergence"][0] == pytest.approx(1, abs=1e-4)
    assert found["log_magnitude"][0] == pytest.approx(np.log(2), abs=1e-3)
    assert spectral_distances(noise, 0 * noise)["convergence"][0] == pytest.approx(1, abs=1e-3)


def test_an_onset_moved_by_5_ms_has_an_error_of_5_ms_and_the_same_low_band():
    moved = kick(onset=round(0.005 * RATE))
    assert onset_error_ms(kick(), moved, RATE)[0] == pytest.approx(5, abs=0.05)
    assert low_band_correlation(kick(), moved, RATE)[0] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("ms", [1, 2, 4])
def test_the_first_milliseconds_are_heard(ms):
    original = kick(hz=2000, onset=300)
    assert start_level_db(original, 2 * original, RATE, ms)[0] == pytest.approx(20 * np.log10(2), abs=0.01)
    late = np.roll(original, round(0.005 * RATE), axis=1)
    assert start_level_db(original, late, RATE, ms)[0] < -50
    assert np.isnan(start_level_db(0 * original, original, RATE, ms)[0])


def test_half_of_the_first_milliseconds_is_half_of_their_energy():
    steady = np.where(np.arange(RATE) >= 300, 0.5 * np.sin(np.arange(RATE)), 0).astype(np.float32)[None]
    half = steady.copy()
    half[0, : 300 + round(0.002 * RATE)] = 0
    assert start_level_db(steady, half, RATE, 4)[0] == pytest.approx(-3, abs=0.2)


def test_the_spectra_hear_a_missing_first_half_millisecond():
    click = np.zeros((1, RATE), np.float32)
    click[0, : RATE // 2000] = np.random.default_rng(0).uniform(-0.9, 0.9, RATE // 2000)
    assert spectral_distances(kick() + click, kick())["convergence"][0] > 0.05


def test_a_step_in_the_copy_is_measured():
    cosine = np.cos(np.arange(RATE) / 200).astype(np.float32)[None] * np.exp(-np.arange(RATE) / 4000)
    assert measure_round_trip(kick(), cosine.astype(np.float32), RATE)["step"][0] > 0.9


def test_a_delay_beyond_10_ms_is_not_forgiven():
    moved = kick(hz=25, decay=0.3, onset=round(0.02 * RATE))  # half a period
    assert low_band_correlation(kick(hz=25, decay=0.3), moved, RATE)[0] < 0.5


def test_an_inverted_copy_correlates_less():
    assert low_band_correlation(kick(hz=30, decay=0.03), -kick(hz=30, decay=0.03), RATE)[0] < 0.8


def test_correlation_ignores_what_lies_above_the_low_band():
    hiss = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    spectrum = np.fft.rfft(hiss)
    spectrum[:, :400] = 0  # below 400 Hz
    hiss = np.fft.irfft(spectrum).astype(np.float32)
    assert low_band_correlation(kick(), kick() + hiss, RATE)[0] == pytest.approx(1, abs=0.01)
    assert np.isnan(low_band_correlation(kick(), 0 * kick(), RATE)[0])


def test_decay_error_of_two_exponentials_is_known():
    # A fall by 20 dB takes ln(10) decays; half a period of 1 kHz is the resolution.
    a, b = kick(hz=1000, decay=0.05), kick(hz=1000, decay=0.08)
    assert decay_error_ms(a, b, RATE)[0] == pytest.approx(30 * np.log(10), abs=1.0)


def test_tail_level_is_the_level_of_what_was_added_after_the_sound():
    hiss = 10 ** (-55 / 20) * np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    assert tail_level_db(kick(), kick() + hiss, RATE)[0] == pytest.approx(-55, abs=0.2)
    assert tail_level_db(kick(), kick(), RATE)[0] < -100
    assert tail_level_db(kick(), 0 * kick(), RATE)[0] == -120


def test_a_kick_without_silence_has_no_tail():
    assert np.isnan(tail_level_db(kick(decay=5), kick(decay=5), RATE)[0])


def test_log_mel_error_in_nats_and_decibels():
    mel = np.zeros((2, 1, 4, 5), np.float32)
    found = log_mel_error(mel, mel + np.log(10).astype(np.float32))
    assert found["l1"] == pytest.approx([np.log(10)] * 2, rel=1e-6)
    assert found["db"] == pytest.approx([10.0] * 2, rel=1e-6)


def test_summary_leaves_out_kicks_without_an_answer():
    found = summarise({"a": np.array([1.0, 3.0, np.nan]), "b": np.array([np.nan])})
    assert found["a"] == {"mean": 2, "median": 2, "p10": pytest.approx(1.2), "p90": pytest.approx(2.8), "num": 2}
    assert found["b"]["mean"] is None and found["b"]["num"] == 0
