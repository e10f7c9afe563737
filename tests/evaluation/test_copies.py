import numpy as np
import pytest

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.copies import aligned_correlation, distance_ratio, find_near_copies, nearest
from kickpipe.evaluation.embedding import embed
from kickpipe.synth import synthesise

RATE = 44100


@pytest.fixture(scope="module")
def kicks():
    return np.stack([synthesise(3, i) for i in range(12)])


def test_nearest_are_sorted_and_agree_with_a_full_search():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((20, 3))
    indices, distances = nearest(x, y, 4)
    full = np.linalg.norm(x[:, None] - y[None], axis=2)
    assert np.allclose(distances, np.sort(full, axis=1)[:, :4])
    assert np.array_equal(indices, np.argsort(full, axis=1)[:, :4])


def test_ratio_is_one_for_other_real_kicks_and_zero_for_copies():
    rng = np.random.default_rng(0)
    training, heldout = rng.standard_normal((200, 3)), rng.standard_normal((200, 3))
    assert distance_ratio(rng.standard_normal((200, 3)), heldout, training) == pytest.approx(1, abs=0.25)
    assert distance_ratio(training[:50], heldout, training) < 1e-6
    with pytest.raises(NoAnswer, match="copies"):
        distance_ratio(heldout, training, training)
    with pytest.raises(NoAnswer, match="held-out"):
        distance_ratio(heldout, heldout[:0], training)


def test_correlation_forgives_delay_level_and_polarity(kicks):
    late = -0.3 * np.concatenate([np.zeros(500, np.float32), kicks[0][:-500]])
    assert aligned_correlation(kicks[0], late, RATE) == pytest.approx(1, abs=0.01)
    assert aligned_correlation(kicks[0], np.zeros_like(kicks[0]), RATE) == 0


def test_copies_are_flagged_with_the_file_they_copy_and_new_kicks_are_not(kicks):
    training, new = kicks[:8], kicks[8:]
    hiss = 0.001 * np.random.default_rng(0).standard_normal(kicks.shape[1]).astype(np.float32)
    generated = np.concatenate([new, 0.7 * training[5:6] + hiss])
    copies = find_near_copies(
        generated, embed(generated, RATE), embed(training, RATE),
        lambda index: training[index], RATE,
    )  # fmt: skip
    assert [(copy.kick, copy.training) for copy in copies] == [(4, 5)]
    assert copies[0].correlation > 0.99 and copies[0].convergence < 0.5


def test_a_kick_is_no_copy_of_itself_where_it_is_skipped(kicks):
    vectors = embed(kicks, RATE)
    own = list(range(len(kicks)))
    assert len(find_near_copies(kicks, vectors, vectors, lambda index: kicks[index], RATE)) == len(kicks)
    assert find_near_copies(kicks, vectors, vectors, lambda index: kicks[index], RATE, skip=own) == []


def test_near_in_the_embedding_is_not_enough(kicks):
    close = np.zeros((1, 4))
    copies = find_near_copies(kicks[:1], close, close, lambda index: kicks[7], RATE)
    assert copies == []
