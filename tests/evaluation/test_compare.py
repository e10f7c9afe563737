import numpy as np
import pytest

from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.evaluation.analysis import KickSet
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.compare import compare_descriptors, compare_embeddings, compare_sets, equal_number


def test_equal_number_is_the_smallest_and_never_more_than_half_of_the_real_kicks():
    assert equal_number(300, {"generated kicks": 500, "held-out kicks": 120}, 1000) == 120
    assert equal_number(300, {"generated kicks": 500, "held-out kicks": 400}, 500) == 250
    assert equal_number(100, {"generated kicks": 500, "held-out kicks": 400}, 1000) == 100


def test_too_few_kicks_are_named():
    with pytest.raises(NoAnswer, match="held-out kicks: 3, and 20 are needed"):
        equal_number(300, {"generated kicks": 500, "held-out kicks": 3}, 1000)


def test_the_same_distribution_scores_like_the_floor_and_another_does_not():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((200, 4))
    found = compare_embeddings(
        {"same": rng.standard_normal((80, 4)), "other": 3 + rng.standard_normal((80, 4))}, real[:80], real, 60, 5, 0
    )
    assert abs(found["kernel"]["same"].median) < 5 < 50 < found["kernel"]["other"].median
    assert abs(found["kernel"]["floor"].median) < 5
    assert found["coverage"]["other"].high < 0.2 < 0.8 < found["coverage"]["floor"].median
    for by_set in found.values():
        for value in by_set.values():
            assert value.low <= value.median <= value.high


def test_the_same_seed_draws_the_same_kicks():
    rng = np.random.default_rng(0)
    real, x = rng.standard_normal((100, 3)), rng.standard_normal((50, 3))
    results = [compare_embeddings({"x": x}, real[:40], real, 30, 3, seed) for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]


def test_descriptors_without_a_value_are_none():
    rng = np.random.default_rng(0)
    real = {"a": rng.standard_normal(100), "b": rng.standard_normal(100)}
    x = {"a": real["a"] + 5, "b": np.full(100, np.nan)}
    found = compare_descriptors({"x": x}, real, real, 50, 3, 0)
    assert found["a"]["x"].median == pytest.approx(5, abs=0.5)
    assert found["a"]["floor"].median < 1
    assert found["b"]["x"] is None


def test_sets_are_compared_in_every_embedding_at_the_same_number():
    rng = np.random.default_rng(0)

    def kicks(number, shift=0.0):
        vectors = {"near": rng.standard_normal((number, 3)), "far": shift + rng.standard_normal((number, 3))}
        descriptors = {name: shift + rng.standard_normal(number) for name in DESCRIPTORS}
        return KickSet(("kick",) * number, np.zeros((0, 4)), vectors, descriptors, ({},) * number)

    found = compare_sets({"same": kicks(80), "other": kicks(50, 4.0)}, kicks(60), kicks(90), 300, 3, 0)
    assert (found["number"], found["draws"], list(found["embeddings"])) == (50, 3, ["near", "far"])
    assert abs(found["embeddings"]["near"]["kernel"]["other"].median) < 5
    assert found["embeddings"]["far"]["kernel"]["other"].median > 50
    assert set(found["embeddings"]["far"]["kernel"]) == {"same", "other", "floor"}
    assert found["descriptors"]["crest_db"]["other"].median == pytest.approx(4, abs=0.5)
    with pytest.raises(NoAnswer, match="same kicks: 5, and 20 are needed"):
        compare_sets({"same": kicks(5)}, kicks(60), None, 300, 3, 0)
