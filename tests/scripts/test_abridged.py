import json

import pytest

from scripts.abridged import is_abridged, same_names

FULL = {"loss": 0.52675, "step": 32112, "val": {"l1": 0.13749, "words": ["deep"]}, "none": None}


def abridged(new: object) -> bool:
    return is_abridged(json.dumps(FULL).encode(), json.dumps(new).encode())


@pytest.mark.parametrize(
    "new",
    [
        FULL,
        {"step": 32112},
        {"loss": 0.527},
        {"loss": 0.5267},
        {"loss": 0.5268},  # the old number was rounded too
        {"val": {"l1": 0.1, "words": ["deep"]}},
        {"val": {"l1": 0.137}},
        {"none": None},
    ],
)
def test_a_selection_with_fewer_digits_is_abridged(new):
    assert abridged(new)


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"loss": 0.52674},
        {"loss": 0.5269},
        {"loss": 0.5267501},
        {"step": 32113},
        {"lost": 0.527},
        {"val": {"words": ["hard"]}},
        {"none": 0},
        "loss",
    ],
)
def test_other_numbers_and_names_are_not(new):
    assert not abridged(new)


def test_what_is_no_json_is_not():
    assert not is_abridged(b"mean", b"mean")
    assert not is_abridged(json.dumps(FULL).encode(), b"\xff")


def test_names_are_compared_without_values():
    assert same_names(b'{"a": {"b": 1}}', b'{"a": {"b": 2}}')
    assert not same_names(b'{"a": {"b": 1}}', b'{"a": {"c": 1}}')
