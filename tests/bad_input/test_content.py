"""Folders as they come: the first two stages on everything that is wrong with the content of files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import stages.aggregate
import stages.preprocess
from kickpipe.data.aggregate import AggregateError
from kickpipe.data.preprocess import PreprocessError

from .conftest import kept, kick, left_out, put, run, write_params


def test_an_empty_folder_says_what_to_do(project):
    with pytest.raises(AggregateError, match=r'data.source: no audio files; put samples there, .* "kickpipe synth'):
        run()


def test_a_missing_folder_says_what_to_do(project, source):
    source.rmdir()
    with pytest.raises(AggregateError, match=r"data.source: folder not found; put samples there"):
        run()


def test_a_file_in_place_of_the_folder_is_refused(project, source):
    source.rmdir()
    source.write_text("kick")
    with pytest.raises(AggregateError, match="not a folder"):
        run()


def test_no_match_says_why_with_counts_and_lists_the_files(source):
    put(source / "snare.wav")
    put(source / "tom.wav", kick(90))
    put(source / "kick loop.wav", kick(95))
    put(source / "kick.wav", kick(seconds=0.01))
    (source / "readme.txt").write_text("kick")
    with pytest.raises(AggregateError) as caught:
        run()
    message = str(caught.value)
    assert "5 files, none of them a kick" in message
    assert "2  name matches none of aggregate.include" in message
    assert "1  name matches one of aggregate.exclude" in message
    assert "1  smaller than aggregate.min_bytes" in message
    assert "1  not an audio file" in message
    assert "aggregate.include" in message
    assert len(left_out("left_out.csv")) == 5


def test_nothing_of_an_earlier_library_is_lost_when_nothing_matches(source):
    put(source / "kick.wav")
    run()
    (source / "kick.wav").rename(source / "snare.wav")
    with pytest.raises(AggregateError):
        run()
    assert len(list(Path("data/raw").iterdir())) == 1


BAD_SAMPLES = {
    "zero-length": (lambda: np.zeros(0, np.float32), "empty"),
    "silent": (lambda: np.zeros(9000, np.float32), "silent"),
    "almost-silent": (lambda: np.full(9000, 2**-15, np.float32), "silent"),
    "nan": (lambda: np.where(np.arange(9000) == 7, np.nan, 0.5).astype(np.float32), "not_finite"),
    "inf": (lambda: np.where(np.arange(9000) == 7, np.inf, 0.5).astype(np.float32), "not_finite"),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_samples_that_cannot_be_used_are_left_out_with_the_reason(project, source, name):
    write_params(project, aggregate__min_bytes=0, preprocess__max_failed_share=0.5)
    make, reason = BAD_SAMPLES[name]
    put(source / f"{name} kick.wav", make(), subtype="FLOAT")
    put(source / "good kick.wav")
    run()
    assert kept() == ["good kick.wav"]
    ((path, (found, detail)),) = left_out("preprocess_left_out.csv").items()
    assert path.endswith(f"{name} kick.wav")
    assert found == reason
    assert detail
    assert json.loads(Path("metrics/preprocess_details.json").read_text())["left_out"][reason] == 1


@pytest.mark.parametrize(
    ("name", "reason"), [("unreadable", "unreadable"), ("truncated", "truncated"), ("image", "unreadable")]
)
def test_files_that_are_not_what_they_say_are_left_out_with_the_reason(source, name, reason):
    content = put(source / "good kick.wav").read_bytes()
    broken = {
        "unreadable": b"RIFF" + os.urandom(8000),
        "truncated": content[: len(content) // 2],
        "image": b"\x89PNG\r\n\x1a\n" + bytes(9000),
    }
    (source / "bad kick.wav").write_bytes(broken[name])
    run()
    assert kept() == ["good kick.wav"]
    ((found, _),) = left_out("preprocess_left_out.csv").values()
    assert found == reason


@pytest.mark.parametrize(
    ("name", "samples", "rate"),
    [
        ("one sample", np.full(1, 0.5, np.float32), 44100),
        ("two samples at 192 kHz", np.full(2, 0.5, np.float32), 192000),
        ("192 kHz", kick(rate=192000), 192000),
        ("8 channels", np.stack([kick()] * 8, axis=1), 44100),
        ("8 kHz", kick(rate=8000), 8000),
        ("a constant", np.full(9000, 0.5, np.float32), 44100),
        ("louder than full scale", 40 * kick(), 44100),
    ],
)
def test_unusual_samples_are_used(project, source, name, samples, rate):
    write_params(project, aggregate__min_bytes=0)
    put(source / f"{name} kick.wav", samples, rate, subtype="FLOAT")
    run()
    assert kept() == [f"{name} kick.wav"]


def test_of_ten_minutes_only_the_beginning_is_read(project, source, monkeypatch):
    write_params(project, aggregate__max_bytes=10**9)
    put(source / "long kick.wav", np.tile(kick(seconds=1, rate=8000), 600), 8000, subtype="PCM_16")
    frames = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile, "read", lambda self, n, **options: (frames.append(n), read(self, n, **options))[1]
    )
    run()
    assert kept() == ["long kick.wav"]
    assert max(frames) < 3 * 8000


def test_ten_minutes_are_too_large_for_the_default_limits(source):
    put(source / "long kick.wav", np.tile(kick(seconds=1, rate=8000), 600), 8000, subtype="PCM_16")
    put(source / "kick.wav")
    run()
    assert kept() == ["kick.wav"]
    assert left_out("left_out.csv")["long kick.wav"][0] == "too_large"


def test_more_failures_than_allowed_stop_the_run_with_the_list(project, source):
    write_params(project, preprocess__max_failed_share=0.2)
    put(source / "good kick.wav")
    (source / "bad kick.wav").write_bytes(os.urandom(9000))
    with pytest.raises(PreprocessError) as caught:
        run()
    assert "1 of 2 files" in str(caught.value)
    assert "bad kick.wav: not readable as audio" in str(caught.value)
    assert len(left_out("preprocess_left_out.csv")) == 1


def test_preprocess_without_aggregate_says_what_to_run(project):
    with pytest.raises(ValueError, match="dvc repro aggregate"):
        stages.preprocess.main()


def test_a_pattern_without_letters_is_refused_before_any_work(project, source):
    put(source / "kick.wav")
    write_params(project, aggregate__include=["*"])
    with pytest.raises(ValueError, match="no letters or digits"):
        run()
    assert not Path("data/raw").exists()


def test_everything_wrong_at_once_leaves_one_good_kick(project, source):
    write_params(project, aggregate__min_bytes=0)
    put(source / "good kick.wav")
    for name, (make, _) in BAD_SAMPLES.items():
        put(source / f"{name} kick.wav", make(), subtype="FLOAT")
    (source / "empty kick.wav").write_bytes(b"")
    (source / "noise kick.mp3").write_bytes(os.urandom(9000))
    (source / "copy of good kick.wav").write_bytes((source / "good kick.wav").read_bytes())
    run()
    counts = json.loads(Path("metrics/aggregate_details.json").read_text())
    assert kept() == ["copy of good kick.wav"]
    assert counts["files"] == counts["kicks"] + sum(counts["left_out"].values())
    assert counts["left_out"]["duplicate"] == 1
    assert json.loads(Path("metrics/preprocess.json").read_text())["kicks"] == 1
