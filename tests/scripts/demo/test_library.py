"""The kicks of a folder of one's own: those that the pipeline would take, and an even selection of many."""

from pathlib import Path

import pytest

from kickpipe.common.errors import KickpipeError
from kickpipe.synth import write_library
from scripts.demo.library import choose_kicks, copy_kicks, find_kicks

PARAMS = Path(__file__).parents[3] / "params.yaml"


def test_kicks_are_counted_as_the_pipeline_counts_them(tmp_path):
    write_library(tmp_path / "mine", 20, seed=3)
    kicks = find_kicks(tmp_path / "mine", PARAMS)
    assert len(kicks) == 20
    assert len(list((tmp_path / "mine").rglob("*.wav"))) == 22


def test_a_folder_without_kicks_is_refused_before_anything_starts(tmp_path):
    (tmp_path / "song.wav").write_bytes(bytes(10000))
    with pytest.raises(KickpipeError, match=r"no kicks among 1 files.*\*kick\*"):
        find_kicks(tmp_path, PARAMS)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KickpipeError, match="nowhere: no such folder"):
        find_kicks(tmp_path / "nowhere", PARAMS)


def test_a_selection_takes_from_every_part_and_each_kick_once():
    kicks = [f"{folder}/{number:03}" for folder in "abcd" for number in range(250)]
    chosen = choose_kicks(kicks, 400)
    assert len(set(chosen)) == 400
    assert [sum(name.startswith(folder) for name in chosen) for folder in "abcd"] == [100] * 4
    assert choose_kicks(kicks[:7], 7) == kicks[:7]


def test_copies_lie_under_the_same_paths(tmp_path):
    (tmp_path / "from" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "deep" / "kick.wav").write_bytes(b"sound")
    copy_kicks(tmp_path / "from", ["deep/kick.wav"], tmp_path / "to")
    assert (tmp_path / "to" / "deep" / "kick.wav").read_bytes() == b"sound"
