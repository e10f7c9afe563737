import numpy as np
import pytest

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.keyword_scores import descriptor_direction, keyword_auc, keyword_top1, spearman, word_holds
from kickpipe.synth.words import WORDS


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_kicks_among_those_with_the_keyword_score_one_and_among_the_rest_zero(rng):
    having, rest = rng.standard_normal((20, 3)), 50 + rng.standard_normal((90, 3))
    for kicks, expected in ((rng.standard_normal((10, 3)), 1), (50 + rng.standard_normal((10, 3)), 0)):
        assert keyword_top1(kicks, having, rest) == expected
        assert keyword_auc(kicks, having, rest) == expected


def test_a_keyword_without_meaning_scores_half_however_rare_it_is(rng):
    real, kicks = rng.standard_normal((400, 3)), rng.standard_normal((200, 3))
    assert keyword_top1(kicks, real[:30], real[30:]) == pytest.approx(0.5, abs=0.1)
    assert keyword_auc(kicks, real[:30], real[30:]) == pytest.approx(0.5, abs=0.1)


def test_a_real_kick_is_not_its_own_neighbour(rng):
    real = rng.standard_normal((400, 3))
    having, rest = real[:50], real[50:]
    assert keyword_top1(having, having, rest, itself=True) == pytest.approx(0.5, abs=0.15)
    assert keyword_auc(having, having, rest, itself=True) == pytest.approx(0.5, abs=0.1)
    assert keyword_top1(having, having, rest) > 0.7


def test_auc_counts_pairs():
    kicks, having, rest = np.array([[0.0]]), np.array([[1.0], [3.0]]), np.array([[2.0], [4.0]])
    assert keyword_auc(kicks, having, rest) == pytest.approx(3 / 4)
    assert keyword_auc(kicks, rest, having) == pytest.approx(1 / 4)


def test_spearman_sees_order_only_and_leaves_out_what_is_missing():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(x, np.exp(x)) == pytest.approx(1)
    assert spearman(x, np.array([9.0, 7.0, np.nan, 2.0, 1.0])) == pytest.approx(-1)
    with pytest.raises(NoAnswer):
        spearman(x, np.ones(5))
    with pytest.raises(NoAnswer):
        spearman(x[:3], x[:3])


def test_directions_follow_the_bounds_of_the_words():
    assert descriptor_direction("long") == [("decay_40_ms", 1)]
    assert descriptor_direction("short") == [("decay_40_ms", -1)]
    assert all(descriptor_direction(word) for word in WORDS)


def test_word_holds_is_the_share_within_the_bounds():
    low = WORDS["long"][0].low
    assert word_holds("long", [{"decay_40_ms": low + 1}, {"decay_40_ms": low - 1}]) == 0.5
    with pytest.raises(NoAnswer):
        word_holds("long", [])


def test_too_few_real_kicks_are_no_answer(rng):
    with pytest.raises(NoAnswer):
        keyword_top1(rng.standard_normal((3, 2)), rng.standard_normal((4, 2)), rng.standard_normal((50, 2)))
    with pytest.raises(NoAnswer):
        keyword_auc(rng.standard_normal((3, 2)), rng.standard_normal((0, 2)), rng.standard_normal((50, 2)))
