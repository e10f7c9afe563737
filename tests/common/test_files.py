import json
from pathlib import Path

import pytest

from kickpipe.common.files import replacing, write_json, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        assert partial.name == "a.txt.partial"
        assert partial.parent == path.parent  # a rename is whole only within a file system
    assert path.read_text() == "half"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_after_an_error_the_old_file_is_as_it_was(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as partial:
        partial.write_text("new")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_before_anything_is_written_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="first"), replacing(tmp_path / "a.txt"):
        raise ValueError("first")
    assert names(tmp_path) == []


def test_nothing_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt"):
        pass


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "cache").write_text("cached")
    path = tmp_path / "a.txt"
    path.hardlink_to(tmp_path / "cache")  # as DVC links its cache
    write_text(path, "new")
    assert path.read_text() == "new"
    assert (tmp_path / "cache").read_text() == "cached"


def test_a_full_disk_keeps_the_old_file(tmp_path, file_size_limit):
    write_text(tmp_path / "a.txt", "old")
    with file_size_limit(1000), pytest.raises(OSError, match="too large"):
        write_text(tmp_path / "a.txt", "new" * 10_000)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "metrics").write_text("")
    with pytest.raises(OSError, match="metrics"):
        write_text(tmp_path / "metrics" / "a.txt", "x")


def test_text_has_the_same_bytes_everywhere(tmp_path):
    write_text(tmp_path / "a.txt", "Größe\n🥁\n")
    assert (tmp_path / "a.txt").read_bytes() == "Größe\n🥁\n".encode()


def test_json_reads_back_in_its_order(tmp_path):
    values = {"b": 1, "a": [0.5, "ü"], "c": {"x": None}}
    write_json(tmp_path / "a.json", values)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == ["b", "a", "c"]
    assert json.loads(text) == values
    assert "ü" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_word_for_what_is_not_finite(tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": value})
    assert names(tmp_path) == []


def test_a_name_can_be_a_text(tmp_path):
    write_text(str(tmp_path / "a.txt"), "x")
    assert Path(tmp_path / "a.txt").read_text() == "x"
