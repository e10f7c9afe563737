import numpy as np
import pytest

from kickpipe.audio.descriptors import describe
from kickpipe.evaluation.analysis import analyse, analyse_batches, counted, join
from kickpipe.evaluation.embedding import EMBEDDING_SIZE
from kickpipe.synth import synthesise

RATE = 44100


@pytest.fixture(scope="module")
def kicks():
    return np.stack([synthesise(4, i) for i in range(5)])


def test_silent_kicks_are_counted_as_defects_and_left_out_of_everything_else(kicks):
    kicks = np.concatenate([kicks, np.zeros_like(kicks[:1]), np.full_like(kicks[:1], np.nan)])
    found = analyse(kicks, [*"abcdefg"], RATE)
    assert found.names == tuple("abcde") and len(found) == len(found.waveforms) == len(found.embeddings) == 5
    assert [defects["silent"] for defects in found.defects] == [False] * 5 + [True] * 2


def test_the_level_of_a_kick_does_not_matter(kicks):
    quiet, loud = analyse(0.5 * kicks, [*"abcde"], RATE), analyse(2 * kicks, [*"abcde"], RATE)
    assert np.allclose(quiet.embeddings, loud.embeddings, atol=1e-3)
    assert np.abs(quiet.waveforms).max() == pytest.approx(1)
    assert quiet.defects == loud.defects


def test_descriptors_are_those_of_each_kick(kicks):
    found = analyse(kicks, [*"abcde"], RATE)
    expected = describe(kicks[3], RATE)
    for name, value in found.described()[3].items():
        assert value == pytest.approx(expected[name], rel=1e-4, nan_ok=True), name


def test_batches_and_processes_give_the_same_as_one(kicks):
    whole = analyse(np.concatenate([kicks] * 8), [str(i) for i in range(40)], RATE, workers=2)
    parts = analyse_batches([(kicks, [str(5 * part + i) for i in range(5)]) for part in range(8)], RATE)
    assert whole.names == parts.names and whole.defects == parts.defects
    assert np.allclose(whole.embeddings, parts.embeddings, atol=1e-3)


def test_kicks_are_taken_with_all_that_belongs_to_them(kicks):
    taken = analyse(kicks, [*"abcde"], RATE).take([3, 1])
    assert taken.names == ("d", "b")
    assert np.allclose(taken.waveforms[0], kicks[3] / np.abs(kicks[3]).max(), atol=1e-6)
    assert taken.described()[1] == analyse(kicks[1:2], ["b"], RATE).described()[0]


def test_nothing_is_an_empty_set():
    assert len(join([])) == 0 and join([]).embeddings.shape == (0, EMBEDDING_SIZE)


def test_progress_counts_kicks_not_batches(capsys):
    batches = [(None, ["a", "b"]), (None, ["c"])]
    assert list(counted(iter(batches), 3, "reading")) == batches
    assert "reading: 3 kicks" in capsys.readouterr().err
