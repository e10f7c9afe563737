"""Spellings and the keywords they mean."""

import pytest

from kickpipe.generate.synonyms import SYNONYMS, fold, meaning, synonyms_of


def test_hyphens_spaces_and_case_do_not_count():
    assert {fold(text) for text in ("Hip-Hop", "hip hop", "HIPHOP", "hip_hop", "hip\u2010hop")} == {"hiphop"}
    assert fold("Größe") == fold("GRÖSSE")


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("hip hop", "hiphop"),
        ("hip-hop", "hiphop"),
        ("lo-fi", "lofi"),
        ("punch", "punchy"),
        ("distortion", "distorted"),
        ("fat", "boomy"),
        ("kicks", "kick"),
        ("synths", "analog"),
        ("tr-909s", "909"),
    ],
)
def test_the_released_vocabulary_understands_common_spellings(text, keyword):
    released = {"kick", "hiphop", "lofi", "punchy", "distorted", "boomy", "deep", "analog", "909"}
    assert meaning(text, released) == keyword


def test_a_spelling_means_the_first_keyword_that_is_known():
    assert meaning("fat", {"deep", "fat"}) == "fat"
    assert meaning("phat", {"deep", "boomy"}) == "boomy"
    assert meaning("phat", {"deep"}) == "deep"
    assert meaning("phat", {"long"}) is None


def test_a_keyword_is_never_taken_for_another():
    assert meaning("click", {"click", "clicky"}) == "click"
    assert meaning("bass", {"bas", "bass"}) == "bass"


@pytest.mark.parametrize("text", ["", "snare", "s", "---"])
def test_what_means_nothing_stays_unknown(text):
    assert meaning(text, {"kick", "deep"}) is None


def test_the_spellings_of_a_vocabulary_are_listed_by_keyword():
    listed = synonyms_of({"deep", "punchy", "sub"})
    assert listed["punchy"][:2] == ["punch", "punching"]
    assert "sub" not in listed["deep"] and "fat" in listed["deep"]
    assert set(listed) == {"deep", "punchy", "sub"}
    assert synonyms_of(set()) == {}
    for keyword, spellings in listed.items():
        assert all(meaning(spelling, {"deep", "punchy", "sub"}) == keyword for spelling in spellings)


def test_no_row_of_the_table_repeats_a_spelling_of_another():
    spellings = [fold(text) for row in SYNONYMS.values() for text in row.split(", ")]
    assert len(spellings) == len(set(spellings))
