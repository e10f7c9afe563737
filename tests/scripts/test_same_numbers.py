import json
from decimal import Decimal

import pytest

from scripts.same_numbers import is_rounded, new_numbers

THEN = {"loss": 0.52675, "step": 12, "val": {"l1": 0.13749, "words": ["deep"]}, "none": None}
RELEASED = {"loss": 0.31415, "step": 900, "val": {"l1": 0.27182, "words": ["deep"]}, "none": None}


def new(tiny: dict, released: dict) -> list[str]:
    def files(path: str, content: dict) -> dict[str, bytes]:
        return {path: json.dumps(content).encode()}

    return new_numbers((files("a", THEN), files("a", RELEASED)), (files("b", tiny), files("b", released)))


@pytest.mark.parametrize(
    ("tiny", "released"),
    [
        (THEN, RELEASED),
        ({"step": 12}, {"step": 900}),
        ({"l": {"o": {"s": 0.527}}}, {"l": {"o": {"s": 0.3142}}}),
        ({"l1": 0.1, "w": ["deep"]}, {"l1": 0.272, "w": ["deep"]}),
        ({"none": None}, {"none": None}),
    ],
)
def test_a_selection_with_fewer_digits_and_other_names_is_the_same(tiny, released):
    assert new(tiny, released) == []


@pytest.mark.parametrize(
    ("tiny", "released", "names"),
    [
        ({"step": 13}, {"step": 900}, ["b: step"]),
        ({"step": 12}, {"step": 901}, ["b: step"]),
        ({"x": 12}, {"x": 0.31415}, ["b: x"]),  # one former number in the tiny run, another in the release
        ({"step": 12}, {"step": 900, "loss": 0.31415}, ["b: loss"]),
        ({"step": 12, "loss": 0.52675}, {"step": 900}, ["b: loss"]),
        ({"w": ["hard"]}, {"w": ["hard"]}, ["b: w"]),
    ],
)
def test_what_was_in_no_former_file_is_named(tiny, released, names):
    assert new(tiny, released) == names


@pytest.mark.parametrize(
    ("old", "new_", "expected"),
    [
        ("0.52675", "0.527", True),
        ("0.52675", "0.5268", True),
        ("0.52675", "0.5267", True),  # the old number was rounded too
        ("0.52675", "0.5269", False),
        ("0.52675", "0.52674", False),
        ("0.527", "0.52675", False),  # digits that were not there
        ("12", "12.0", True),
        ("12", "13", False),
    ],
)
def test_a_rounded_number_has_fewer_digits(old, new_, expected):
    assert is_rounded(Decimal(old), Decimal(new_)) is expected


def test_what_is_no_json_is_refused():
    with pytest.raises(ValueError):
        new_numbers(({"a": b"mean"}, {}), ({}, {}))
