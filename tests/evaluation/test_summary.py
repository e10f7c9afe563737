from kickpipe.evaluation.answers import Reasons
from kickpipe.evaluation.summary import COLUMNS, comparison_text, summary


def keyword(**levels):
    return {"guidance": {level: {"top1": top1, "auc": 0.5} for level, top1 in levels.items()}}


def test_every_column_is_there_and_without_a_value_has_a_reason():
    found = summary({"distances": None, "copies": {"ratio": 1.23456}}, Reasons(distances="too few kicks"), 2.0)
    assert list(found) == [*COLUMNS, "missing"]
    assert found["memory"] == 1.235
    assert found["missing"]["kad"] == "too few kicks"
    assert found["missing"]["voc_conv"] == "no vocoder"
    assert set(found["missing"]) == {name for name in COLUMNS if found[name] is None}


def test_names_are_short_and_no_reason_is_given_where_all_is_measured():
    assert all(len(name) <= 14 for name in COLUMNS)


def test_keywords_count_at_the_nearest_guidance_and_words_with_a_meaning_also_apart():
    keywords = {"deep": keyword(**{"1": 0.2, "3": 0.8}), "klone": keyword(**{"1": 0.1, "3": 0.4})}
    found = summary({"keywords": keywords}, Reasons(), 2.5)
    assert found["top1"] == 0.6 and found["top1_words"] == 0.8 and found["auc"] == 0.5


def test_what_is_printed_has_the_range_of_the_draws():
    value = {"median": 1.25, "low": -0.5, "high": 2.0}
    measures = ("kernel", "frechet", "precision", "recall", "density", "coverage")
    sets = ("generated", "training", "synthesiser", "floor")
    distances = {
        "number": 30,
        "draws": 5,
        "embeddings": {
            name: {measure: dict.fromkeys(sets, value) for measure in measures} for name in ("levels", "other")
        },
    }
    text = comparison_text({"distances": distances, "reasons": {}})
    assert text.splitlines()[0].startswith("30 kicks on each side")
    assert text.count("1.25 (-0.5 to 2)") == 48
    assert "other" in text
    assert "3, and 20 are needed" in comparison_text(
        {"distances": None, "reasons": {"distances": "3, and 20 are needed"}}
    )
