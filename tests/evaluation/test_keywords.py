"""The test of keywords: a library in which one can be heard and one cannot, a generator that heeds or ignores them."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.keyword_scores import descriptor_direction
from kickpipe.evaluation.keywords import choose_keywords, evaluate_keywords
from kickpipe.evaluation.library import Choice, load_library


@pytest.fixture(scope="module")
def library(data, settings):
    """Of the kicks, the longer half are "long"; "odd" are every second, whatever they sound like."""
    library = load_library(
        data, settings, Choice(0.0, ("heldout/*",), 1000), Analyser(settings.sample_rate, settings.hop_length)
    )
    names = [*library.training.names, *library.heldout.names]
    sets = (library.training, library.heldout)
    ((descriptor, direction),) = descriptor_direction("long")
    length = {n: direction * x for s in sets for n, x in zip(s.names, s.descriptors[descriptor], strict=True)}
    longest = sorted(names, key=lambda name: length[name])[len(names) // 2 :]
    keywords = {name: ("long",) * (name in longest) + ("odd",) * (i % 2) for i, name in enumerate(names)}
    return replace(library, keywords=keywords)


@dataclass
class Echo:
    """Plays kicks of the library: those with the keyword of the prompt from guidance 2 on, else those without."""

    library: object

    vocabulary = SimpleNamespace(words=("long", "odd", "unheard"))

    def stream(self, prompt, *, count, seed, guidance):
        names = [*self.library.training.names, *self.library.heldout.names]
        heeds = bool(prompt) and guidance >= 2
        chosen = [name for name in names if ((prompt or "long") in self.library.keywords[name]) is heeds]
        for name in np.random.default_rng(seed).choice(chosen, count, replace=False):
            yield SimpleNamespace(waveform=self.library.load(name))


@pytest.fixture(scope="module")
def found(library):
    return evaluate_keywords(Echo(library), library, limit=5, kicks_each=8, guidances=(1.0, 2.0), seed=0)


def test_kicks_that_follow_a_keyword_score_high_and_those_that_do_not_low(found):
    long = found["long"]["guidance"]
    assert long["2"]["top1"] > 0.7 > 0.3 > long["1"]["top1"]
    assert long["2"]["auc"] > 0.55 > 0.5 > long["1"]["auc"]
    assert found["long"]["base"]["top1"] < 0.3


def test_the_ceiling_is_high_for_a_keyword_that_can_be_heard_and_chance_for_one_that_cannot(found):
    assert found["long"]["ceiling"]["top1"] > 0.65
    assert found["odd"]["ceiling"]["top1"] == pytest.approx(0.5, abs=0.15)
    assert found["long"]["ceiling"]["auc"] > found["odd"]["ceiling"]["auc"]


def test_more_guidance_moves_the_descriptors_that_the_word_is_about(found):
    assert found["long"]["spearman"]
    assert min(found["long"]["spearman"].values()) > 0.5
    assert found["odd"]["spearman"] == {}


def test_only_words_of_the_model_with_enough_real_kicks_on_both_sides_are_tested(found, library):
    assert set(found) == {"long", "odd"}
    assert found["long"]["real"] == 35
    names = [*library.training.names, *library.heldout.names]
    assert choose_keywords(names, library.keywords, ("odd", "long"), 1) == ["long"]  # it has an acoustic meaning
    few = {name: ("odd",) * (i < 9) for i, name in enumerate(names)}
    assert choose_keywords(names, few, ("odd",), 5) == []


def test_without_such_words_there_is_no_answer(library):
    silent = replace(library, keywords={name: () for name in library.keywords})
    with pytest.raises(NoAnswer, match="10 real kicks"):
        evaluate_keywords(Echo(silent), silent, 5, 8, (1.0,), 0)
