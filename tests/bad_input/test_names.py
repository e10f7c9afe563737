"""Folders as they come: the first two stages on names, links, permissions, and files that change while they are read."""

import os
import sys
from pathlib import Path

import pytest

import stages.aggregate
import stages.preprocess
from kickpipe.data import aggregate as library_module
from kickpipe.data.tables import read_metadata

from .conftest import kept, kick, left_out, put, run

AWKWARD = ["deep kick 01.wav", "it's a kick.wav", "kick, the second.wav", "🥁 kick 🔥.wav", "größer Kick.wav"]


POSIX_ONLY = [
    'a "loud" kick.wav',
    "kick\nof two lines.wav",
    "kick\r.wav",
    "kick?.wav",
    " kick .wav",
    "back\\slash kick.wav",
]


@pytest.mark.parametrize("name", AWKWARD + POSIX_ONLY)
def test_awkward_names_are_kept_faithfully(source, name):
    if name in POSIX_ONLY and sys.platform == "win32":
        pytest.skip("Windows allows no such name")
    put(source / "a, 'b' folder" / name)
    run()
    assert kept() == [f"a, 'b' folder/{name}"]
    (sample,) = read_metadata(Path("data/metadata.csv"))
    assert "kick" in sample.keywords
    assert not set(sample.filename) & set('<>:"/\\|?*\r\n')


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows names that are not UTF-8")
def test_names_that_are_not_utf8_are_used(source):
    put(source / os.fsdecode(b"caf\xe9") / os.fsdecode(b"kick \xff\xfe.wav"))
    run()
    assert kept() == ["caf\\xe9/kick \\xff\\xfe.wav"]


def test_an_overlong_name_is_shortened(source):
    name = "kick " + "x" * 200 + ".wav"
    put(source / name)
    run()
    assert kept() == [name]
    (sample,) = read_metadata(Path("data/metadata.csv"))
    assert len(sample.filename) < 135
    assert sample.filename.endswith("x.wav")


def test_a_loop_of_links_ends(source):
    put(source / "a" / "kick.wav")
    try:
        (source / "a" / "b").symlink_to(source, target_is_directory=True)
    except OSError as error:
        pytest.skip(f"this system makes no symbolic links here: {error}")
    run()
    assert kept() == ["a/kick.wav"]
    assert left_out("left_out.csv")["a/b"][0] == "linked_folder"


def test_files_and_folders_without_permission_are_left_out(source):
    put(source / "good kick.wav")
    forbidden_file = put(source / "forbidden kick.wav", kick(90))
    forbidden_folder = put(source / "forbidden" / "kick.wav", kick(95)).parent
    forbidden_file.chmod(0)
    forbidden_folder.chmod(0)
    if os.access(forbidden_file, os.R_OK):
        pytest.skip("nothing is forbidden here: root, or a file system without permissions")
    try:
        run()
    finally:
        forbidden_folder.chmod(0o700)
    assert kept() == ["good kick.wav"]
    reasons = left_out("left_out.csv")
    assert reasons["forbidden kick.wav"] == ("unreadable", "Permission denied")
    assert reasons["forbidden"] == ("unreadable", "Permission denied")


def test_a_file_that_may_not_be_read_is_left_out(source, monkeypatch):
    put(source / "good kick.wav")
    put(source / "forbidden kick.wav", kick(90))
    open_path = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "forbidden kick.wav":
            raise PermissionError(13, "Permission denied", str(path))
        return open_path(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    run()
    assert kept() == ["good kick.wav"]
    assert left_out("left_out.csv")["forbidden kick.wav"] == ("unreadable", "Permission denied")


def test_a_file_that_vanishes_during_aggregate_is_left_out(source, monkeypatch):
    put(source / "good kick.wav")
    put(source / "vanishing kick.wav", kick(90))
    select = library_module.select

    def select_then_vanish(*arguments):
        selected = select(*arguments)
        (source / "vanishing kick.wav").unlink()
        return selected

    monkeypatch.setattr(library_module, "select", select_then_vanish)
    run()
    assert kept() == ["good kick.wav"]
    assert left_out("left_out.csv")["vanishing kick.wav"][0] == "vanished"


def test_a_file_that_grows_during_aggregate_is_left_out(source, monkeypatch):
    put(source / "good kick.wav")
    put(source / "growing kick.wav", kick(90))
    select = library_module.select

    def select_then_grow(*arguments):
        selected = select(*arguments)
        with (source / "growing kick.wav").open("ab") as file:
            file.write(bytes(2**20))
        return selected

    monkeypatch.setattr(library_module, "select", select_then_grow)
    run()
    assert kept() == ["good kick.wav"]
    assert left_out("left_out.csv")["growing kick.wav"][0] == "too_large"


def test_a_file_that_vanishes_before_preprocess_is_left_out(source):
    put(source / "good kick.wav")
    put(source / "vanishing kick.wav", kick(90))
    stages.aggregate.main()
    next(Path("data/raw").glob("*vanishing*")).unlink()
    stages.preprocess.main()
    assert kept() == ["good kick.wav"]
    ((reason, _),) = left_out("preprocess_left_out.csv").values()
    assert reason == "vanished"
