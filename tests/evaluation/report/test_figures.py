import numpy as np

from kickpipe.evaluation.report.figures import PALETTE, curves, histogram


def test_colours_are_variables_of_the_page_and_text_is_text():
    svg = histogram({"real": np.arange(1.0, 50), "generated": np.arange(1.0, 30)}, "a", "ms", True)
    assert "var(--generated)" in svg and "var(--real)" in svg and "var(--muted)" in svg
    assert not any(colour in svg for colour in PALETTE.values())
    assert "<text" in svg and "font-family" not in svg and "<style" not in svg


def test_values_that_are_missing_or_all_equal_can_be_drawn():
    for values in (np.array([np.nan, np.nan]), np.zeros(5), np.full(5, 3.0), np.array([])):
        for logarithmic in (False, True):
            assert histogram({"real": values}, "b", "Hz", logarithmic).startswith("<svg")


def test_curves_skip_steps_without_a_value():
    rows = [{"step": 1.0, "loss": 2.0, "val_loss": None}, {"step": 2.0, "loss": 1.0, "val_loss": 1.5}]
    svg = curves(rows, {"loss": "muted", "val_loss": "generated", "missing": "real"}, "c", True)
    assert "var(--generated)" in svg and "var(--real)" not in svg
    assert curves([], {"loss": "muted"}, "d", True).startswith("<svg")


def test_ids_of_two_charts_differ():
    first, second = (histogram({"real": np.arange(1.0, 9)}, label, "ms", False) for label in ("one", "two"))
    ids = [{part.split('"')[0] for part in svg.split('id="')[1:]} for svg in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
