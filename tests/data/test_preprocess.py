"""Tests of turning a library into log-mels."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from joblib import register_parallel_backend
from joblib.parallel import ThreadingBackend

from kickpipe.audio.io import prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.data.preprocess import BATCH, REASONS, Preprocessed, PreprocessError, preprocess
from kickpipe.data.tables import LeftOut


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def put(raw: Path, name: str, frequency: float = 60.0, seconds: float = 0.3) -> str:
    time = np.arange(round(seconds * 22050)) / 22050
    soundfile.write(raw / name, 0.5 * np.sin(2 * math.pi * frequency * time) * np.exp(-10 * time), 22050)
    return name


def test_a_file_becomes_the_mel_of_its_prepared_samples(raw, tmp_path, settings):
    name = put(raw, "a3f2e1_KICK3.WAV")
    result = preprocess(raw, tmp_path / "processed", [name], settings, workers=1)
    tensor = torch.load(tmp_path / "processed" / "a3f2e1_KICK3.WAV.pt", weights_only=True)
    waveform = torch.from_numpy(prepare(raw / name, settings))
    assert result == Preprocessed([name], [])
    assert tensor.shape == (1, 128, 173)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    assert torch.equal(tensor, mel_spectrogram(waveform[None], settings)[0])


def test_a_tensor_takes_no_more_room_than_its_numbers(raw, tmp_path, settings):
    preprocess(raw, tmp_path / "processed", [put(raw, "1_kick.wav")], settings, workers=1)
    assert (tmp_path / "processed" / "1_kick.wav.pt").stat().st_size < 4 * 128 * 173 + 4096


def test_two_processes_write_the_same_bytes_as_one(raw, tmp_path, settings):
    names = [put(raw, f"{i:06x}_kick.wav", 40 + i) for i in range(2 * BATCH + 3)]
    (raw / names[5]).write_bytes(b"no audio")
    one = preprocess(raw, tmp_path / "one", names, settings, workers=1)
    two = preprocess(raw, tmp_path / "two", names, settings, workers=2)
    assert one == two
    assert [item.path for item in one.left_out] == [names[5]]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(f"{name}.pt" for name in one.filenames)
    for name in one.filenames:
        assert (tmp_path / "one" / f"{name}.pt").read_bytes() == (tmp_path / "two" / f"{name}.pt").read_bytes()


def test_another_backend_can_do_the_work(raw, tmp_path, settings, monkeypatch):
    names = [put(raw, f"{i:06x}_kick.wav", 40 + i) for i in range(BATCH + 1)]
    monkeypatch.setenv("KICKPIPE_BACKEND", "threading")
    assert preprocess(raw, tmp_path / "processed", names, settings, workers=2).filenames == names


def test_a_backend_that_hands_results_back_at_the_end_works_too(raw, tmp_path, settings, monkeypatch):
    class AtTheEnd(ThreadingBackend):
        supports_return_generator = False

    register_parallel_backend("at-the-end", AtTheEnd)
    names = [put(raw, f"{i:06x}_kick.wav", 40 + i) for i in range(BATCH + 1)]
    monkeypatch.setenv("KICKPIPE_BACKEND", "at-the-end")
    assert preprocess(raw, tmp_path / "processed", names, settings, workers=2).filenames == names


def test_what_an_earlier_run_left_is_removed(raw, tmp_path, settings):
    processed = tmp_path / "processed"
    processed.mkdir()
    for name in ("old.wav.pt", "1_kick.wav.pt", "1_kick.wav.pt.3f2a9c01.partial"):
        (processed / name).write_bytes(b"old")
    (raw / "1_kick.wav").write_bytes(b"no audio")
    preprocess(raw, processed, ["1_kick.wav", put(raw, "2_kick.wav")], settings, workers=1)
    assert [path.name for path in processed.iterdir()] == ["2_kick.wav.pt"]


def test_torch_keeps_its_number_of_threads(raw, tmp_path, settings):
    threads = torch.get_num_threads()
    preprocess(raw, tmp_path / "processed", [put(raw, "1_kick.wav")], settings, workers=1)
    assert torch.get_num_threads() == threads


def test_a_full_disk_is_no_fault_of_the_file(raw, tmp_path, settings, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        preprocess(raw, tmp_path / "processed", [put(raw, "1_kick.wav")], settings, workers=1)
    assert list((tmp_path / "processed").iterdir()) == []


def test_counts_add_up():
    failures = [LeftOut("a.wav", "silent", "silent"), LeftOut("b.wav", "truncated", "truncated: ...")]
    found = Preprocessed(["c.wav", "d.wav"], failures)
    metrics = found.details()
    assert found.metrics() == {"kicks": 2, "left_out": 2}
    assert (metrics["files"], metrics["kicks"]) == (4, 2)
    assert set(metrics["left_out"]) == set(REASONS)
    assert sum(metrics["left_out"].values()) == 2


def test_failures_up_to_the_allowed_share_pass_and_more_stop_with_the_list(tmp_path):
    failures = [LeftOut(f"{i}.wav", "silent", "silent") for i in range(25)]
    result = Preprocessed([f"k{i}.wav" for i in range(75)], failures)
    result.check(0.25, tmp_path / "left_out.csv")
    with pytest.raises(PreprocessError) as caught:
        result.check(0.24, tmp_path / "left_out.csv")
    message = str(caught.value)
    assert "25 of 100 files" in message
    assert "preprocess.max_failed_share allows 24%" in message
    assert "  0.wav: silent" in message
    assert "and 5 more" in message
    assert str(tmp_path / "left_out.csv") in message


def test_no_tensor_at_all_stops_whatever_share_is_allowed(tmp_path):
    with pytest.raises(PreprocessError, match="1 of 1 files"):
        Preprocessed([], [LeftOut("a.wav", "silent", "silent")]).check(1.0, tmp_path / "left_out.csv")
    with pytest.raises(PreprocessError, match="dvc repro aggregate"):
        Preprocessed([], []).check(1.0, tmp_path / "left_out.csv")
