import numpy as np
import pytest

from kickpipe.evaluation.distances import pairwise_distances
from kickpipe.evaluation.embedding import EMBEDDING_SIZE, align_to_onset, embed

RATE = 44100


def sweep(start_hz=200.0, end_hz=50.0, decay=0.1, num_samples=RATE):
    t = np.arange(num_samples) / RATE
    hz = end_hz + (start_hz - end_hz) * np.exp(-t / 0.03)
    return (0.9 * np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-t / decay)).astype(np.float32)


def distance(a, b):
    return float(pairwise_distances(embed(a[None], RATE), embed(b[None], RATE))[0, 0])


def test_shape_and_batches_do_not_matter():
    kicks = np.stack([sweep(decay=decay) for decay in (0.05, 0.1, 0.2, 0.3, 0.4)])
    whole = embed(kicks, RATE)
    assert whole.shape == (5, EMBEDDING_SIZE) and whole.dtype == np.float32
    assert np.allclose(whole, embed(kicks, RATE, batch_size=2), atol=1e-4)
    assert embed(kicks[:0], RATE).shape == (0, EMBEDDING_SIZE)


def test_the_level_of_a_kick_does_not_matter():
    assert distance(sweep(), 0.1 * sweep()) < 1e-3


def test_a_louder_body_moves_a_kick_by_its_decibels_in_each_of_three_parts():
    quiet = 0.1 * np.random.default_rng(0).uniform(-1, 1, 2 * RATE).astype(np.float32)
    loud = 3 * quiet
    quiet[0] = loud[0] = 1  # the same peak, so that scaling does not undo the gain
    assert distance(quiet, loud) == pytest.approx(np.sqrt(3) * 20 * np.log10(3), rel=0.15)


def test_leading_silence_does_not_move_a_kick():
    kick = sweep()
    late = np.concatenate([np.zeros(2000, np.float32), kick[:-2000]])
    assert distance(kick, late) < 0.1


def test_a_hiss_below_the_floor_hardly_moves_a_kick():
    hiss = 10 ** (-75 / 20) * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    assert distance(sweep(), sweep() + hiss) < 0.3
    assert distance(sweep(), sweep() + 100 * hiss) > 5


def test_pitch_decay_and_click_all_move_a_kick():
    click = sweep()
    click[:80] += 0.5 * np.random.default_rng(0).uniform(-1, 1, 80).astype(np.float32)
    for other in (sweep(end_hz=65), sweep(decay=0.2), sweep(start_hz=600), click):
        assert distance(sweep(), other) > 1


def test_alignment_moves_the_onset_to_the_start_and_leaves_silence_alone():
    kicks = np.zeros((2, 100), np.float32)
    kicks[0, 30:40] = 1
    aligned = align_to_onset(kicks)
    assert np.array_equal(np.flatnonzero(aligned[0]), np.arange(10))
    assert not aligned[1].any()


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        embed(np.full((1, 1000), np.nan), RATE)
    with pytest.raises(ValueError, match="shape"):
        embed(np.zeros(1000), RATE)
