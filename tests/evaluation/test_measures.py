import pytest

from kickpipe.audio.defects import DEFECTS
from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.evaluation.compare import compare_embeddings
from kickpipe.evaluation.measures import (
    DEFECT_LABELS,
    DESCRIPTOR_LABELS,
    DESCRIPTOR_MEASURES,
    DISTANCES,
    HEADLINE,
    decibels,
    defect_label,
    number,
    percent,
    quantity,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (4, "4"),
        (32112, "32,112"),
        (0.001234, "0.00123"),
        (0.0000123, "0.0000123"),
        (12.34, "12.3"),
        (999.4, "999"),
        (999.6, "1,000"),
        (1234.5, "1,234"),
        (-3.0, "−3.00"),
        (2.0, "2.00"),
        (100.0, "100"),
        (99.96, "100"),
        (-1234.0, "−1,234"),
    ],
)
def test_numbers_are_short_and_never_have_an_exponent(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0%"),
        (0.005, "0.5%"),
        (0.0994, "9.9%"),
        (0.0996, "10%"),
        (0.5, "50%"),
        (0.99, "99%"),
        (0.996, "99.6%"),
        (1.0, "100%"),
    ],
)
def test_shares_are_percent_and_exact_near_both_ends(value, text):
    assert percent(value) == text


def test_a_quantity_has_its_unit():
    assert quantity(54.21, "Hz") == "54.2\u202fHz"
    assert quantity(None, "Hz") == "–" and quantity(2.0, "") == "2.00"
    assert decibels(-12.34) == "−12.3\u202fdB" and decibels(None) == "–"


def test_every_measure_of_the_code_has_a_label_and_a_direction():
    import numpy as np

    rng = np.random.default_rng(0)
    real = rng.standard_normal((40, 2))
    assert set(compare_embeddings({"x": real}, real, real, 20, 1, 0)) == set(DISTANCES)
    assert set(DESCRIPTOR_LABELS) == set(DESCRIPTORS) == set(DESCRIPTOR_MEASURES)
    assert set(DEFECTS) <= set(DEFECT_LABELS)
    assert all(measure.better for measure in (*HEADLINE.values(), *DISTANCES.values()))


def test_a_defect_that_is_new_can_be_shown():
    assert defect_label("late") == "Late start" and defect_label("rattle_at_hop") == "Rattle at hop"
