"""Tests of aggregating a folder of samples into a library."""

import csv
import hashlib
from pathlib import Path

import pytest

from kickpipe.data.aggregate import REASONS, AggregateError, Filters, aggregate
from kickpipe.params import load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


def default_filters(**changes) -> Filters:
    params = load_params(ROOT / "params.yaml").aggregate
    values = {
        name: getattr(params, name) for name in ("include", "exclude", "extensions", "min_bytes", "max_bytes", "tempos")
    }
    return Filters(**values | changes)


def put(folder: Path, path: str, size: int = 6000, content: str = "") -> bytes:
    """Writes ``size`` bytes that differ for each ``content``, or each path."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    data = hashlib.shake_128((content or path).encode()).digest(size)
    (folder / path).write_bytes(data)
    return data


def reasons(result) -> dict[str, str]:
    return {item.path: item.reason for item in result.left_out}


def test_a_kick_is_copied_under_the_hash_of_its_content(source, raw):
    data = put(source, "Pack/808/KICK3.WAV")
    result = aggregate(source, raw, default_filters())
    (sample,) = result.samples
    assert sample.filename == f"{hashlib.sha256(data).hexdigest()[:6]}_KICK3.WAV"
    assert sample.original_path == "Pack/808/KICK3.WAV"
    assert sample.keywords == ("kick3",)
    assert (raw / sample.filename).read_bytes() == data
    assert result.num_files == 1


def test_numbers_that_are_names_become_keywords(source, raw):
    put(source, "Deep 808 Kick 03.wav")
    assert aggregate(source, raw, default_filters(), ("808",)).samples[0].keywords == ("deep", "808", "kick")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("snare.wav", "name"),
        ("kick loop.wav", "excluded"),
        ("LoopKick.wav", "excluded"),
        ("Kick_120bpm.wav", "excluded"),
        ("BPM 90 kick.wav", "excluded"),
        ("LOOPKICK.wav", "excluded"),
        ("LOOPKICK_2.wav", "excluded"),
        ("loopkick3.wav", "excluded"),
        ("kick_looped.wav", "excluded"),
        ("KickLooping 2.wav", "excluded"),
        ("128bpmkick.wav", "excluded"),
        ("128BPMKICK.wav", "excluded"),
        ("kickbpm128.wav", "excluded"),
        ("Kick_125_A.wav", "tempo"),
        ("128 kick.wav", "tempo"),
        ("kick-60.wav", "tempo"),
        ("kick.200.wav", "tempo"),
        ("kick.txt", "not_audio"),
        ("kick", "not_audio"),
        ("kick.wav.asd", "not_audio"),
        ("._kick.wav", "hidden"),
        (".wav", "hidden"),
    ],
)
def test_a_name_that_says_no_kick_is_left_out(source, raw, name, reason):
    put(source, name)
    put(source, "pack/kick.wav")
    result = aggregate(source, raw, default_filters())
    assert reasons(result) == {name: reason}
    assert [sample.original_path for sample in result.samples] == ["pack/kick.wav"]


@pytest.mark.parametrize(
    "name",
    [
        "Kick_125A.wav",
        "Kick 59.wav",
        "Kick 201.wav",
        "Kick 061.wav",
        "Kick 110.wav",
        "loopmasters kick.wav",
        "kick90s.wav",
    ],
)
def test_names_that_only_look_like_loops_are_kept(source, raw, name):
    put(source, name)
    assert len(aggregate(source, raw, default_filters(), ("110",)).samples) == 1


def test_serial_numbers_are_no_tempos(source, raw):
    for number in (2, 100, 125):
        put(source, f"pack/Kick {number}.wav")
    put(source, "loops/Kick 125.wav")
    assert reasons(aggregate(source, raw, default_filters())) == {"loops/Kick 125.wav": "tempo"}


def test_the_search_for_tempos_can_be_left_out(source, raw):
    put(source, "Kick_125_A.wav")
    assert len(aggregate(source, raw, default_filters(tempos=None)).samples) == 1


@pytest.mark.parametrize(
    "name", ["bd_01.wav", "Kick.FLAC", "bassdrum.aif", "Bass Drum 2.AIFF", "BDrum.mp3", "wookick.ogg"]
)
def test_the_names_that_libraries_give_to_kicks_are_found(source, raw, name):
    put(source, name)
    assert len(aggregate(source, raw, default_filters()).samples) == 1


def test_the_limits_on_the_size_are_inclusive(source, raw):
    for size in (5119, 5120, 1048576, 1048577):
        put(source, f"kick{size}x.wav", size)
    result = aggregate(source, raw, default_filters())
    assert sorted(sample.original_path for sample in result.samples) == ["kick1048576x.wav", "kick5120x.wav"]
    assert reasons(result) == {"kick5119x.wav": "too_small", "kick1048577x.wav": "too_large"}


def test_the_same_content_enters_once_under_its_first_path(source, raw):
    for path in ("b/kick.wav", "a/other kick.wav", "c/kick.wav"):
        put(source, path, content="same")
    result = aggregate(source, raw, default_filters())
    assert [sample.original_path for sample in result.samples] == ["a/other kick.wav"]
    assert reasons(result) == {"b/kick.wav": "duplicate", "c/kick.wav": "duplicate"}
    assert all(item.detail == "same content as a/other kick.wav" for item in result.left_out)


def test_the_same_name_with_other_content_enters_twice(source, raw):
    put(source, "a/kick.wav")
    put(source, "b/kick.wav")
    result = aggregate(source, raw, default_filters())
    assert len({sample.filename for sample in result.samples}) == 2
    assert sorted(entry.name for entry in raw.iterdir()) == sorted(sample.filename for sample in result.samples)


def test_the_library_is_sorted_and_the_same_each_time(source, raw, tmp_path):
    for path in ("b/kick.wav", "kick b.wav", "a/kick.wav", "B/kick2.wav"):
        put(source, path)
    first = aggregate(source, raw, default_filters())
    again = aggregate(source, tmp_path / "raw2", default_filters())
    assert first == again
    assert [s.original_path for s in first.samples] == sorted(s.original_path for s in first.samples)


def test_editing_a_sample_does_not_change_the_library(source, raw):
    data = put(source, "kick.wav")
    (sample,) = aggregate(source, raw, default_filters()).samples
    with (source / "kick.wav").open("r+b") as file:
        file.write(b"edited")
    assert (raw / sample.filename).read_bytes() == data


def test_what_an_earlier_run_left_is_removed(source, raw):
    put(source, "kick.wav")
    aggregate(source, raw, default_filters())
    (source / "kick.wav").rename(source / "bd.wav")
    (raw / ("0" * 64 + ".partial")).write_bytes(b"killed")
    (sample,) = aggregate(source, raw, default_filters()).samples
    assert [entry.name for entry in raw.iterdir()] == [sample.filename]


def test_a_library_inside_the_source_is_not_read_again(source):
    put(source, "kick.wav")
    for _ in range(2):
        result = aggregate(source, source / "raw", default_filters())
        assert (len(result.samples), result.left_out) == (1, [])


@pytest.mark.parametrize("folder", [".", "inside"])
def test_a_source_that_would_be_overwritten_is_refused(raw, folder):
    put(raw / folder, "kick.wav")
    with pytest.raises(AggregateError, match="keep your samples elsewhere"):
        aggregate(raw / folder, raw, default_filters())
    assert (raw / folder / "kick.wav").exists()


def test_counts_add_up(source, raw):
    for path in ("kick.wav", "snare.wav", "kick loop.wav", "readme.txt"):
        put(source, path)
    put(source, "copy of kick.wav", content="kick.wav")
    found = aggregate(source, raw, default_filters())
    metrics = found.details()
    assert found.metrics() == {"kicks": 1, "left_out": 4}
    assert (metrics["files"], metrics["kicks"]) == (5, 1)
    assert set(metrics["left_out"]) == set(REASONS)
    assert sum(metrics["left_out"].values()) == 4


def test_a_write_that_fails_stops_the_run_and_leaves_no_partial_file(source, raw, monkeypatch):
    put(source, "a kick.wav")
    put(source, "b kick.wav")
    write_bytes = Path.write_bytes

    def full(path, data):
        if any(raw.iterdir()):
            write_bytes(path, data[:100])
            raise OSError(28, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        aggregate(source, raw, default_filters())
    assert list(raw.iterdir()) == []


def test_of_real_kicks_all_are_found_whose_names_say_that_they_are_kicks(kicks, raw):
    result = aggregate(kicks, raw, default_filters(), ("808",))
    silent = {f"EwonRael__BillieDrum/0{i}.flac" for i in range(1, 7)}
    assert reasons(result) == dict.fromkeys(silent, "name") | {"README.md": "not_audio", "kicks.csv": "not_audio"}
    every = {path.relative_to(kicks).as_posix() for path in kicks.rglob("*") if path.is_file()}
    assert {sample.original_path for sample in result.samples} == every - reasons(result).keys()
    words = {word for sample in result.samples for word in sample.keywords}
    assert {"punchy", "deep", "808", "distorted", "long"} <= words


def test_on_real_libraries_the_default_patterns_find_the_kicks_and_little_else(library, raw):
    with (library.parent / "library.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    sized = {path for path, row in rows.items() if 5120 <= int(row["bytes"]) <= 1048576}
    kicks = {path for path in sized if rows[path]["is_kick"] == "1"}

    result = aggregate(library, raw, default_filters())
    found = {sample.original_path for sample in result.samples}
    assert result.num_files == len(rows)
    assert found <= sized
    assert len(found) + len(result.left_out) == len(rows)
    assert found | set(reasons(result)) == set(rows)
    assert len(found & kicks) / len(found) > 0.98, "precision"
    assert len(found & kicks) / len(kicks) > 0.95, "recall"
    in_name = {path for path in kicks if "kick" in path.rpartition("/")[2].lower() and "loop" not in path.lower()}
    assert in_name <= found
    assert "tempo" not in reasons(result).values()


def test_with_folder_patterns_every_real_kick_is_found(library, raw):
    params = load_params(ROOT / "params.yaml").aggregate
    result = aggregate(library, raw, default_filters(include=(*params.include, "*kick*/")))
    with (library.parent / "library.csv").open(encoding="utf-8", newline="") as file:
        kicks = {r["path"] for r in csv.DictReader(file) if r["is_kick"] == "1" and 5120 <= int(r["bytes"]) <= 1048576}
    assert kicks <= {sample.original_path for sample in result.samples}
