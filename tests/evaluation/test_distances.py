import numpy as np
import pytest

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.distances import (
    frechet_distance,
    kernel_distance,
    median_distance,
    pairwise_distances,
    precision_recall_density_coverage,
    wasserstein,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_pairwise_distances_are_euclidean_and_exact_for_copies(rng):
    x = 1e3 + rng.standard_normal((5, 7))
    y = np.concatenate([x[:2], rng.standard_normal((3, 7))])
    found = pairwise_distances(x, y)
    assert np.allclose(found, np.linalg.norm(x[:, None] - y[None], axis=2), atol=1e-4)
    assert found[0, 0] < 1e-4 and found[1, 1] < 1e-4


def test_median_distance_of_three_points_on_a_line():
    assert median_distance(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(2.0)


def test_kernel_distance_of_two_points_is_known():
    x, y = np.zeros((4, 3)), np.zeros((6, 3))
    y[:, 0] = 2.0
    assert kernel_distance(x, y, bandwidth=2.0) == pytest.approx(100 * (2 - 2 * np.exp(-0.5)))


def test_kernel_distance_is_unbiased(rng):
    values = [kernel_distance(rng.standard_normal((30, 4)), rng.standard_normal((30, 4)), 2.0) for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_frechet_distance_of_identical_sets_is_zero(rng):
    x = rng.standard_normal((40, 6))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_a_shift_is_its_square(rng):
    x = rng.standard_normal((40, 6))
    assert frechet_distance(x + 3.0, x) == pytest.approx(6 * 9.0)


def test_frechet_distance_of_a_scaled_set_is_its_variance(rng):
    x = rng.standard_normal((40, 6))
    x -= x.mean(0)
    assert frechet_distance(2 * x, x) == pytest.approx(x.var(axis=0, ddof=1).sum())


def test_frechet_distance_needs_fewer_kicks_than_dimensions_too(rng):
    x, y = rng.standard_normal((5, 50)), rng.standard_normal((8, 50))
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x))


def test_identical_sets_have_full_precision_recall_and_coverage(rng):
    x = rng.standard_normal((50, 4))
    found = precision_recall_density_coverage(x, x)
    assert found["precision"] == found["recall"] == found["coverage"] == 1
    assert found["density"] >= 1


def test_sets_far_apart_share_nothing(rng):
    x = rng.standard_normal((50, 4))
    found = precision_recall_density_coverage(x + 100, x)
    assert set(found.values()) == {0.0}


def test_a_collapse_to_one_kick_keeps_precision_and_loses_coverage(rng):
    y = rng.standard_normal((100, 2))
    collapsed = np.repeat(y[:1], 100, axis=0) + 1e-6 * rng.standard_normal((100, 2))
    found = precision_recall_density_coverage(collapsed, y)
    assert found["precision"] == 1
    assert found["recall"] <= 1 / len(y)  # the kick it collapsed to
    assert found["coverage"] < 0.3


def test_outliers_inflate_the_reach_but_not_the_coverage(rng):
    y = rng.standard_normal((100, 2))
    scattered = 100 * rng.standard_normal((100, 2))
    found = precision_recall_density_coverage(scattered, y)
    assert found["recall"] > 0.9 > 0.1 > found["coverage"]


def test_wasserstein_of_a_shift_is_the_shift(rng):
    x = rng.standard_normal(50)
    assert wasserstein(x + 7, x) == pytest.approx(7)


def test_wasserstein_leaves_out_what_a_kick_does_not_have():
    assert wasserstein(np.array([1.0, np.nan, 3.0]), np.array([2.0, 4.0, np.inf])) == pytest.approx(1)


@pytest.mark.parametrize(
    "question",
    [
        lambda: kernel_distance(np.zeros((1, 2)), np.zeros((5, 2))),
        lambda: frechet_distance(np.zeros((5, 2)), np.zeros((1, 2))),
        lambda: precision_recall_density_coverage(np.zeros((5, 2)), np.zeros((9, 2)), k=5),
        lambda: wasserstein(np.array([np.nan]), np.array([1.0])),
        lambda: median_distance(np.zeros((1, 2))),
    ],
)
def test_too_few_kicks_are_no_answer(question):
    with pytest.raises(NoAnswer):
        question()
