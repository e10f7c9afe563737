import pytest

from kickpipe.evaluation.answers import NoAnswer, Reasons
from kickpipe.evaluation.measures import HEADLINE
from kickpipe.evaluation.summary import comparison_text, headline, headline_text, kernel_ratio, keyword_mean, yardsticks

SETS = ("generated", "training", "synthesiser", "floor")
MEASURES = ("kernel", "frechet", "precision", "recall", "density", "coverage")


def keyword(**levels):
    return {"guidance": {level: {"top1": top1, "auc": 0.5} for level, top1 in levels.items()}}


def distances(kernel, coverage=0.7):
    """Distances in two embeddings, of which only the first counts for the headline."""
    value = {"median": 1.25, "low": -0.5, "high": 2.0}
    first = {measure: dict.fromkeys(SETS, value) for measure in MEASURES}
    first["kernel"] = {name: {**value, "median": median} for name, median in zip(SETS, kernel, strict=True)}
    first["coverage"] = {**first["coverage"], "generated": {**value, "median": coverage}}
    return {
        "number": 30,
        "draws": 5,
        "embeddings": {"levels": first, "other": dict.fromkeys(MEASURES, dict.fromkeys(SETS, value))},
    }


@pytest.fixture
def details():
    return {
        "distances": distances((1.8, 1.5, 2.0, 0.0)),
        "defects": {"generated": {"any": 0.0141234}},
        "copies": {"ratio": 1.2, "generated": {"share": 0.004}},
        "keywords": {"deep": keyword(**{"1": 0.2, "3": 0.8}), "klone": keyword(**{"1": 0.1, "3": 0.4})},
        "reasons": {},
    }


def test_the_headline_is_five_numbers_to_four_digits(details):
    reasons = Reasons()
    assert headline(details, reasons, 2.5) == {
        "kernel_ratio": 1.2, "coverage": 0.7, "defects": 0.01412, "copies": 0.004, "top1": 0.6,
    }  # fmt: skip
    assert reasons == {} and len(HEADLINE) == 5


def test_every_number_that_is_missing_has_its_reason(details):
    details |= {"distances": None, "keywords": None, "defects": {"generated": None}}
    details["copies"]["generated"]["share"] = None
    known = {"distances": "held-out kicks: 3, and 20 are needed", "keywords": "no keyword has 10 real kicks"}
    reasons = Reasons(known)
    assert headline(details, reasons, 1.0) == dict.fromkeys(HEADLINE)
    assert reasons["kernel_ratio"] == reasons["coverage"] == known["distances"]
    assert reasons["top1"] == known["keywords"]
    assert reasons["defects"] == reasons["copies"] == "not measured"
    text = headline_text(dict.fromkeys(HEADLINE), reasons)
    assert text.count("–") == 5 and "3, and 20 are needed" in text.splitlines()[0]


def test_a_ratio_to_training_kicks_that_score_like_real_ones_has_no_meaning(details):
    details["distances"] = distances((1.8, -0.01, 2.0, 0.0))
    with pytest.raises(NoAnswer, match=r"the distance itself is 1\.80, but the training kicks lie as near"):
        kernel_ratio(details, {})
    assert kernel_ratio(details, {}, "other") == 1


def test_keywords_count_at_the_nearest_guidance_and_words_with_a_meaning_also_apart(details):
    assert keyword_mean(details, "top1", 2.5) == pytest.approx(0.6)
    assert keyword_mean(details, "top1", 1.5) == pytest.approx(0.15)
    assert keyword_mean(details, "top1", 2.5, acoustic=True) == 0.8
    assert keyword_mean({"keywords": None}, "top1", 2.5) is None


def test_the_headline_says_what_each_number_is(details):
    lines = headline_text(headline(details, Reasons(), 2.5), {}).splitlines()
    assert lines[0].split()[:5] == ["Distance", "to", "real", "kicks", "1.20×"]
    assert "70%" in lines[1] and "1.4%" in lines[2] and "0.4%" in lines[3] and "60%" in lines[4]


def test_the_comparison_has_the_range_of_the_draws_in_every_embedding(details):
    text = comparison_text(details)
    assert text.splitlines()[0].startswith("30 kicks on each side")
    assert "1.80 (−0.500 to 2.00)" in text and "70% (−50% to 200%)" in text
    assert text.count("Kernel distance") == 2 and "other" in text
    assert max(map(len, text.splitlines())) <= 131
    details |= {"distances": None, "reasons": {"distances": "3, and 20 are needed"}}
    assert "3, and 20 are needed" in comparison_text(details)


def test_every_number_has_something_to_be_read_against_if_that_was_measured(details):
    details["defects"] |= {"heldout": {"any": 0.03}, "training": {"any": 0.01}}
    details["copies"]["heldout"] = {"share": 0.0}
    for word, (base, ceiling) in {"deep": (0.25, 0.875), "klone": (0.5, None)}.items():
        details["keywords"][word] |= {"base": {"top1": base}, "ceiling": {"top1": ceiling}}
    assert yardsticks(details) == {
        "kernel_ratio": "training kicks: 1×",
        "coverage": "training kicks: 125%",
        "defects": "training kicks: 1.0%, held-out real kicks: 3.0%",
        "copies": "held-out real kicks: 0%",
        "top1": "without the word: 38%, real kicks: 88%",
    }
    details |= {"keywords": None, "distances": None}
    assert yardsticks(details)["top1"] == yardsticks(details)["coverage"] == ""
