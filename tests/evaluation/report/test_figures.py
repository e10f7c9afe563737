import re

import numpy as np
import pytest

from kickpipe.evaluation.report.figures import curves, histogram, plain


def numbers(path):
    return [float(value) for value in re.findall(r"-?\d+\.?\d*", path)]


def test_a_histogram_has_bars_in_the_box_ticks_and_medians():
    chart = histogram({"generated": np.arange(1.0, 30), "real": np.arange(1.0, 51)}, "Decay", "ms", False)
    assert [(shape.kind, shape.filled) for shape in chart.shapes] == [("real", True), ("generated", False)]
    for shape in chart.shapes:
        assert min(numbers(shape.path)) >= 0 and max(numbers(shape.path)) <= 100
    assert [text for _, text, _ in chart.marks] == ["25.5", "15.0"]
    assert chart.marks[0][0] == pytest.approx(0.5, abs=0.02)
    assert 2 <= len(chart.x_ticks) <= 6 and all(-0.01 <= tick.at <= 1.01 for tick in chart.x_ticks)


def test_ten_times_as_much_is_as_far_everywhere_on_a_logarithmic_axis():
    chart = histogram({"real": np.geomspace(1, 1000, 500)}, "Pitch", "Hz", True)
    at = {tick.label: tick.at for tick in chart.x_ticks}
    assert at["100"] - at["10"] == pytest.approx(1 / 3, abs=0.02)
    assert chart.marks[0][0] == pytest.approx(0.5, abs=0.01)


def test_values_that_are_missing_or_all_equal_can_be_drawn():
    for values, shapes in ((np.array([np.nan, np.nan]), 0), (np.array([]), 0), (np.full(5, 3.0), 1)):
        for logarithmic in (False, True):
            assert len(histogram({"real": values}, "b", "Hz", logarithmic).shapes) == shapes
    assert len(histogram({"real": np.zeros(5)}, "b", "Hz", False).shapes) == 1
    assert len(histogram({"real": np.zeros(5)}, "b", "Hz", True).shapes) == 0


def test_curves_skip_steps_without_a_value_and_fall_where_the_loss_falls():
    rows = [{"step": 1.0, "loss": 2.0, "val_loss": None}, {"step": 2.0, "loss": 1.0, "val_loss": 1.5}]
    chart = curves(rows, {"loss": "muted", "val_loss": "generated", "missing": "real"}, "c", True)
    assert [shape.kind for shape in chart.shapes] == ["muted", "generated"]
    x0, y0, x1, y1 = numbers(chart.shapes[0].path)
    assert x0 < x1 and y0 < y1, "y points downwards"
    assert [tick.label for tick in chart.y_ticks] == ["1", "2"]
    assert curves([], {"loss": "muted"}, "d", True).shapes == ()


@pytest.mark.parametrize(("value", "text"), [(2000.0, "2,000"), (0.5, "0.5"), (1e-5, "0.00001"), (0.0, "0")])
def test_round_numbers_are_written_out(value, text):
    assert plain(value) == text
