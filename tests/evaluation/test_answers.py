import json

import numpy as np

from kickpipe.evaluation.answers import NoAnswer, Reasons, finite
from kickpipe.evaluation.compare import Range


def test_a_question_without_an_answer_is_none_with_the_reason():
    reasons = Reasons()

    def question(kicks):
        if kicks < 20:
            raise NoAnswer(f"{kicks} kicks, and 20 are needed")
        return kicks

    assert reasons.ask("a", question, 30) == 30
    assert reasons.ask("b", question, kicks=3) is None
    assert reasons == {"b": "3 kicks, and 20 are needed"}


def test_no_nan_reaches_the_json():
    reasons = Reasons()
    values = {
        "a": np.float32("nan"),
        "b": [1, np.inf, "text", None, True],
        "c": Range(1.0, float("nan"), np.float64(2)),
    }
    cleaned = finite(values, reasons, "top")
    assert cleaned == {"a": None, "b": [1, None, "text", None, True], "c": {"median": 1, "low": None, "high": 2}}
    assert set(reasons) == {"top.a", "top.b.1", "top.c.low"}
    json.dumps(cleaned, allow_nan=False)
