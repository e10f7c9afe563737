"""Tests of finding files on disks as they are."""

import os
import sys
from pathlib import Path

import pytest

from kickpipe.data.crawl import Found, crawl, printable
from kickpipe.data.tables import LeftOut


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())
    return root


def link(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        pytest.skip(f"this system makes no symbolic links here: {error}")


def paths(root: Path, **options) -> list[str]:
    return [item.path for item in crawl(root, **options) if isinstance(item, Found)]


def left_out(root: Path) -> list[tuple[str, str]]:
    return [(item.path, item.reason) for item in crawl(root) if isinstance(item, LeftOut)]


def test_every_file_of_every_depth_is_found_with_its_size(tmp_path):
    make(tmp_path, "b/2.wav", "a.wav", "b/c/3.wav", "b/1.wav")
    assert sorted(crawl(tmp_path)) == [
        Found("a.wav", 5),
        Found("b/1.wav", 7),
        Found("b/2.wav", 7),
        Found("b/c/3.wav", 9),
    ]


def test_the_order_is_that_of_names_whatever_the_disk_says(tmp_path, monkeypatch):
    make(tmp_path, "b/2.wav", "b/1.wav", "a/9.wav", "c.wav")
    expected = paths(tmp_path)
    scandir = os.scandir

    class Reversed:
        def __init__(self, path):
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(os, "scandir", Reversed)
    assert paths(tmp_path) == expected


def test_an_empty_folder_has_nothing(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert list(crawl(tmp_path)) == []


def test_a_folder_can_be_skipped(tmp_path):
    make(tmp_path, "raw/1.wav", "packs/raw/2.wav")
    assert paths(tmp_path, skip=[tmp_path / "raw", tmp_path / "not there"]) == ["packs/raw/2.wav"]


def test_a_loop_of_links_ends(tmp_path):
    make(tmp_path, "a/kick.wav")
    link(tmp_path / "a" / "up", tmp_path)
    link(tmp_path / "a" / "self", tmp_path / "a" / "self")
    assert paths(tmp_path) == ["a/kick.wav"]
    assert ("a/up", "linked_folder") in left_out(tmp_path)


def test_a_folder_with_two_paths_is_found_under_its_own(tmp_path):
    make(tmp_path, "z/kick.wav")
    link(tmp_path / "a", tmp_path / "z")
    assert paths(tmp_path) == ["z/kick.wav"]
    assert left_out(tmp_path) == [("a", "linked_folder")]


def test_links_to_folders_and_files_outside_are_followed(tmp_path):
    make(tmp_path, "elsewhere/kick.wav", "elsewhere/deep/bd.wav", "source/own.wav")
    link(tmp_path / "source" / "pack", tmp_path / "elsewhere")
    link(tmp_path / "source" / "one.wav", tmp_path / "elsewhere" / "kick.wav")
    assert sorted(paths(tmp_path / "source")) == ["one.wav", "own.wav", "pack/deep/bd.wav", "pack/kick.wav"]


def test_a_broken_link_is_reported(tmp_path):
    make(tmp_path, "kick.wav")
    link(tmp_path / "gone.wav", tmp_path / "nowhere.wav")
    assert paths(tmp_path) == ["kick.wav"]
    assert left_out(tmp_path) == [("gone.wav", "vanished")]


def test_a_folder_that_may_not_be_read_is_reported(tmp_path, monkeypatch):
    make(tmp_path, "a/1.wav", "b/2.wav")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert paths(tmp_path) == ["b/2.wav"]
    assert [tuple(item) for item in crawl(tmp_path) if isinstance(item, LeftOut)] == [
        ("a", "unreadable", "Permission denied")
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "kick.wav")
    assert left_out(tmp_path) == [("kick.wav", "not_audio")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows names that are not UTF-8")
def test_a_name_that_is_not_utf8_can_be_opened_and_printed(tmp_path):
    (tmp_path / os.fsdecode(b"k\xefck.wav")).write_bytes(b"x")
    (path,) = paths(tmp_path)
    assert (tmp_path / path).read_bytes() == b"x"
    assert printable(path) == "k\\xefck.wav"


def test_a_printable_name_is_the_name():
    assert printable("größe 🥁 \"'.wav") == "größe 🥁 \"'.wav"
