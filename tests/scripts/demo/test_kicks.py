"""The kicks of the demo: prompts of words that the models know."""

from scripts.demo.kicks import prompts_for
from scripts.release.examples import EXAMPLES


def test_models_that_know_the_words_are_asked_for_them():
    words = {word for prompt, _ in EXAMPLES for word in prompt.split()}
    assert prompts_for(EXAMPLES, words) == list(EXAMPLES)


def test_words_that_models_do_not_know_are_left_out():
    assert prompts_for([("deep 808", 5), ("hard", 1)], ["deep"]) == [("deep", 5), ("", 1)]


def test_prompts_that_become_alike_get_different_seeds():
    assert prompts_for([("hard", 4), ("soft", 4), ("", 5)], []) == [("", 4), ("", 5), ("", 6)]
