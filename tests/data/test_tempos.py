"""Which numbers in file names are tempos."""

import pytest

from kickpipe.data.tempos import Tempos


def find(path: str, *others: str, names: tuple[str, ...] = ()) -> str | None:
    return Tempos(60, 200, [path, *others], names).find(path)


@pytest.mark.parametrize(
    "name",
    ["Kick_125_A", "125 Kick", "kick.125", "(125) kick", "Kick-125-Am-01", "Loop 9 125 A", "125 hzz", "125 A db"],
)
def test_a_number_alone_in_the_range_is_a_tempo(name):
    assert find(f"pack/{name}.wav") == "125"


@pytest.mark.parametrize(
    "name", ["Kick125", "Kick_125A", "v125", "Kick 059", "Kick 59", "Kick 201", "1250 kick", "kick"]
)
def test_other_numbers_are_not(name):
    assert find(f"125/{name}.125") is None


def test_the_ends_of_the_range_belong_to_it():
    assert [find(f"kick {number}.wav") for number in (60, 200)] == ["60", "200"]


def test_a_neighbour_with_a_number_outside_shows_that_it_is_serial():
    assert find("pack/Kick 125.wav", "pack/kick 7.wav") is None
    assert find("pack/Kick_125_Hard.wav", "pack/Kick_201_hard.flac") is None
    assert find("pack/Kick_125.wav", "pack/Kick_003.wav") is None


@pytest.mark.parametrize("other", ["pack/Kick 128.wav", "other/Kick 7.wav", "pack/Kick_7.wav", "pack/Kick 7 A.wav"])
def test_other_neighbours_show_nothing(other):
    assert find("pack/Kick 125.wav", other) == "125"


def test_each_number_of_a_name_is_looked_at():
    assert find("Kick 1 125.wav", "Kick 2 125.wav", "Kick 3 128.wav") == "125"
    assert find("Kick 100 125.wav", "Kick 3 125.wav") == "125"


def test_numbers_that_are_names_are_no_tempos():
    assert find("DR 110 Kick.wav", names=("110",)) is None
    assert find("DR 110 Kick 125.wav", names=("110",)) == "125"
