import numpy as np

from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.library import Choice, load_kicks, load_library


def load(data, settings, number=1000, not_real=()):
    choice = Choice(0.0, ("heldout/*",), number, not_real)
    return load_library(data, settings, choice, Analyser(settings.sample_rate, settings.hop_length))


def test_the_split_is_that_of_the_trainings_and_all_training_kicks_are_remembered(data, settings):
    library = load(data, settings)
    assert (len(library.heldout), len(library.training), len(library.trained_on)) == (24, 46, 46)
    assert not set(library.heldout.names) & set(library.trained_on)


def test_fewer_real_kicks_are_half_held_out_and_the_memory_still_knows_all(data, settings):
    library = load(data, settings, number=20)
    assert (len(library.heldout), len(library.training)) == (10, 10)
    assert len(library.trained_on) == len(library.trained_embeddings) == 46
    whole = load(data, settings)
    order = [whole.trained_on.index(name) for name in library.trained_on]
    assert np.allclose(library.trained_embeddings, whole.trained_embeddings[order], atol=1e-4)


def test_kicks_that_are_no_yardstick_are_trained_on_but_not_compared_with(data, settings):
    library = load(data, settings, not_real=("pack/*",))
    assert (len(library.heldout), len(library.training), len(library.trained_on)) == (24, 0, 46)


def test_several_processes_read_the_same(data, settings):
    names = sorted(path.name for path in (data / "raw").iterdir())  # 70: two batches
    one, two = (list(load_kicks(data / "raw", names, settings, workers)) for workers in (1, 2))
    assert [name for _, batch in two for name in batch] == names
    assert [batch for _, batch in one] == [batch for _, batch in two]
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(one, two, strict=True))


def test_waveforms_and_mels_of_a_kick_belong_together(data, settings):
    library = load(data, settings, number=4)
    name = library.heldout.names[0]
    assert library.load(name).shape == (settings.num_samples,)
    assert library.mels([name]).shape == (1, *settings.mel_shape)
