"""Files are whole or not there, also with two writers, a full disk, or a file system without links."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from kickpipe.common.files import partial_name, replacing, write_json, write_new, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        assert partial.name.startswith("a.txt.") and partial.name.endswith(".partial")
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


def test_two_writers_of_one_path_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
        assert first.read_text() == "first"
    assert path.read_text() == "first"
    assert names(tmp_path) == ["a.txt"]


def test_a_failure_of_one_writer_leaves_the_file_of_the_other(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as other:
        other.write_text("other")
        with pytest.raises(ValueError), replacing(path) as partial:
            partial.write_text("half")
            raise ValueError
    assert path.read_text() == "other"


def test_a_temporary_name_is_no_longer_than_file_systems_allow():
    for name in ("x" * 200, "🥁" * 60, "\udcff" * 100):
        partial = partial_name(Path("folder") / name)
        assert partial.parent == Path("folder")
        assert len(partial.name.encode()) <= 143


def links(monkeypatch, possible: bool) -> None:
    """A file system that has no hard links, as FAT and some networks."""

    def refuse(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not possible:
        monkeypatch.setattr(Path, "hardlink_to", refuse)


def no(path: Path) -> bool:
    return False


@pytest.mark.parametrize("possible", [True, False])
def test_a_new_file_takes_the_next_free_name(tmp_path, monkeypatch, possible):
    links(monkeypatch, possible)
    written = [write_new(tmp_path / "new" / "a.b.txt", bytes([i]), no) for i in range(3)]
    assert [path.name for path in written] == ["a.b.txt", "a.b_2.txt", "a.b_3.txt"]
    assert [path.read_bytes() for path in written] == [b"\0", b"\1", b"\2"]
    assert names(tmp_path / "new") == sorted(path.name for path in written)


def test_a_new_file_replaces_an_earlier_copy_of_itself(tmp_path):
    for content in (b"one", b"two"):
        write_new(tmp_path / "a.txt", content, no)
    path = write_new(tmp_path / "a.txt", b"TWO", lambda path: path.read_bytes().lower() == b"two")
    assert path.name == "a_2.txt"
    assert path.read_bytes() == b"TWO"
    assert names(tmp_path) == ["a.txt", "a_2.txt"]


@pytest.mark.parametrize("possible", [True, False])
def test_no_file_is_lost_when_many_writers_want_one_name(tmp_path, monkeypatch, possible):
    links(monkeypatch, possible)
    begin = threading.Barrier(6)
    written: list[tuple[Path, bytes]] = []

    def write(number: int) -> None:
        begin.wait()
        for i in range(20):
            content = f"{number} {i}".encode()
            written.append((write_new(tmp_path / "a.txt", content, no), content))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len({path for path, _ in written}) == 120
    assert all(path.read_bytes() == content for path, content in written)
    assert len(names(tmp_path)) == 120


@pytest.mark.parametrize("possible", [True, False])
def test_a_new_file_on_a_full_disk_leaves_nothing(tmp_path, monkeypatch, possible, file_size_limit):
    links(monkeypatch, possible)
    with file_size_limit(1000), pytest.raises(OSError, match="too large"):
        write_new(tmp_path / "a.txt", bytes(10_000), no)
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


def test_an_error_names_the_file_and_not_its_temporary_name(tmp_path, file_size_limit):
    path = tmp_path / "a.txt"
    with file_size_limit(1000), pytest.raises(OSError) as caught:
        write_text(path, "new" * 10_000)
    assert str(caught.value) == f"[Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}: {str(path)!r}"
    path.mkdir()
    for write in (lambda: write_text(path, "x"), lambda: write_new(path, b"x", no)):
        with pytest.raises(IsADirectoryError) as caught:
            write()
        assert caught.value.filename == str(path)


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
