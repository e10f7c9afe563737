from dataclasses import replace

import numpy as np
import pytest

from kickpipe.audio.defects import DEFECTS
from kickpipe.audio.descriptors import describe
from kickpipe.common import progress
from kickpipe.evaluation.analysis import Analyser, defect_shares, join, with_progress
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.embedding import EMBEDDING_SIZE
from kickpipe.evaluation.registry import EMBEDDINGS, Embedding
from kickpipe.synth import synthesise

RATE = 44100
HOP = 512


@pytest.fixture(scope="module")
def kicks():
    return np.stack([synthesise(4, i) for i in range(5)])


@pytest.fixture(scope="module")
def analyser():
    return Analyser(RATE, HOP)


def test_silent_kicks_are_counted_as_defects_and_left_out_of_everything_else(analyser, kicks):
    kicks = np.concatenate([kicks[:2], np.zeros_like(kicks[:1]), kicks[2:], np.full_like(kicks[:1], np.nan)])
    found = analyser.measure(kicks, [*"abcdefg"])
    assert found.names == tuple("abdef") and len(found) == len(found.waveforms) == len(found.primary) == 5
    assert found.silent == ("c", "g") and len(found.defects) == 5
    assert not any(defects["silent"] for defects in found.defects)
    assert defect_shares(found)["silent"] == pytest.approx(2 / 7)


def test_the_level_of_a_kick_does_not_matter(analyser, kicks):
    quiet, loud = (analyser.measure(level * kicks, [*"abcde"]) for level in (0.5, 2))
    assert np.allclose(quiet.primary, loud.primary, atol=1e-3)
    assert np.abs(quiet.waveforms).max() == pytest.approx(1)
    assert quiet.defects == loud.defects


def test_descriptors_are_those_of_each_kick(analyser, kicks):
    found = analyser.measure(kicks, [*"abcde"])
    expected = describe(kicks[3], RATE)
    for name, value in found.describe()[3].items():
        assert value == pytest.approx(expected[name], rel=1e-4, nan_ok=True), name


def test_batches_and_processes_give_the_same_as_one(analyser, kicks):
    whole = Analyser(RATE, HOP, workers=2).measure(np.concatenate([kicks] * 8), [str(i) for i in range(40)])
    parts = analyser.measure_batches([(kicks, [str(5 * part + i) for i in range(5)]) for part in range(8)])
    assert whole.names == parts.names and whole.defects == parts.defects
    assert np.allclose(whole.primary, parts.primary, atol=1e-3)


def test_kicks_are_taken_with_all_that_belongs_to_them(analyser, kicks):
    kicks = np.concatenate([kicks, 0.5 * np.sign(kicks[:1])])  # the last one is clipped
    found = analyser.measure(kicks, [*"abcdef"])
    taken = found.take([3, 5])
    assert taken.names == ("d", "f")
    assert np.allclose(taken.waveforms[0], kicks[3] / np.abs(kicks[3]).max(), atol=1e-6)
    assert taken.describe()[0] == analyser.measure(kicks[3:4], ["d"]).describe()[0]
    assert taken.defects == (found.defects[3], found.defects[5]) and taken.defects[1]["clipped"]


def test_nothing_is_an_empty_set(analyser):
    nothing = analyser.measure_batches(())
    assert len(nothing) == 0 and nothing.primary.shape == (0, EMBEDDING_SIZE) and nothing.all_defects() == []


def test_kicks_are_measured_in_every_embedding_that_is_registered_and_joined_in_each(kicks):
    peak = Embedding("peak", "Peak", "the largest sample", "dB", 1, lambda x, rate: np.abs(x).max(1, keepdims=True))
    found = Analyser(RATE, HOP, embeddings=(*EMBEDDINGS, peak)).measure(0.25 * kicks, [*"abcde"])
    assert list(found.embeddings) == [*(item.name for item in EMBEDDINGS), "peak"]
    assert np.array_equal(found.primary, found.embeddings[EMBEDDINGS[0].name])
    assert found.embeddings["peak"] == pytest.approx(np.ones((5, 1)))
    both = join([found, found.take([2, 0])])
    assert both.embeddings["peak"].shape == (7, 1) and np.array_equal(both.primary[5], found.primary[2])


@pytest.mark.parametrize("vectors", [np.zeros((5, 3)), np.full((5, 2), np.nan)])
def test_an_embedding_that_gives_something_else_is_refused_by_its_name(kicks, vectors):
    broken = Embedding("broken", "Broken", "nothing", "dB", 2, lambda x, rate: vectors)
    with pytest.raises(ValueError, match="embedding broken"):
        Analyser(RATE, HOP, embeddings=(broken,)).measure(kicks, [*"abcde"])


def test_progress_counts_kicks_not_batches_and_their_time_from_the_beginning(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def batches():
        for _ in range(2):
            now[0] += 8.0  # to make a batch
            yield None, ["a"] * 16

    assert len(list(with_progress(batches(), 32, "generate"))) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["generate: 16/32 kicks (50%)", "generate: 32 kicks in 16 s, 2 kicks/s"]


def test_shares_count_kicks_once():
    clean = dict.fromkeys(DEFECTS, False)
    found = (clean, {**clean, "late": True, "dc": True}, {**clean, "late": True}, clean)
    nothing = Analyser(RATE, HOP).measure(np.zeros((0, 0)), ())
    shares = defect_shares(replace(nothing, defects=found))
    assert shares["any"] == 0.5 and shares["late"] == 0.5 and shares["dc"] == 0.25
    with pytest.raises(NoAnswer):
        defect_shares(nothing)
