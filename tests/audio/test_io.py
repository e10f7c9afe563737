"""Tests of reading audio and of the steps that make it two seconds of normalised mono."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kickpipe.audio.io import AudioError, decode, fade_out, fit, normalise, prepare, prepare_samples, resample, to_mono


def sine(frequency: float, seconds: float, rate: int, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = 44100, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "error"),
    [
        ("kick.wav", "PCM_U8", 2**-7),
        ("kick.wav", "PCM_16", 2**-15),
        ("kick.wav", "PCM_24", 2**-23),
        ("kick.wav", "PCM_32", 2**-23),
        ("kick.wav", "FLOAT", 0),
        ("kick.wav", "DOUBLE", 0),
        ("kick.flac", "PCM_16", 2**-15),
        ("kick.flac", "PCM_24", 2**-23),
        ("kick.aiff", "PCM_16", 2**-15),
        ("kick.ogg", "VORBIS", 0.05),
        ("kick.mp3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_decode_returns_what_was_written_in_every_format(tmp_path, name, subtype, error):
    written = np.stack([sine(100, 0.3, 44100), sine(200, 0.3, 44100)], axis=1)
    samples, rate = decode(write(tmp_path / name, written, subtype=subtype))
    assert rate == 44100
    assert samples.dtype == np.float32
    assert samples.shape[0] == 2
    assert np.abs(samples[:, : len(written)] - written.T[:, : samples.shape[1]]).max() <= error


def test_decode_reads_no_more_than_asked(tmp_path):
    path = write(tmp_path / "long.wav", sine(100, 3, 8000), 8000)
    samples, _ = decode(path, max_seconds=0.5)
    assert samples.shape == (1, 4000)
    assert np.array_equal(samples, decode(path)[0][:, :4000])


def test_mono_is_the_mean_of_the_channels():
    channels = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], dtype=np.float32)
    assert np.array_equal(to_mono(channels), np.array([0.25, 0.25], dtype=np.float32))


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000, 192000])
def test_resampling_keeps_the_pitch_and_the_level(rate):
    expected = sine(100, 0.5, 44100)
    resampled = resample(sine(100, 0.5, rate), rate, 44100)
    assert abs(len(resampled) - len(expected)) <= 1
    inner = slice(4000, 18000)
    assert np.abs(resampled[inner] - expected[inner]).max() < 1e-4


def test_resampling_removes_what_the_new_rate_cannot_hold():
    leaked = resample(sine(23000, 0.5, 48000, amplitude=1.0), 48000, 44100)
    assert np.abs(leaked[4000:-4000]).max() < 10 ** (-100 / 20)


def test_resampling_one_sample_leaves_at_least_one():
    assert len(resample(np.ones(1, dtype=np.float32), 192000, 44100)) >= 1


def test_fit_pads_the_end_with_zeros_and_trims_the_end():
    waveform = np.array([1, 2, 3], dtype=np.float32)
    assert fit(waveform, 5).tolist() == [1, 2, 3, 0, 0]
    assert fit(waveform, 2).tolist() == [1, 2]


@pytest.mark.parametrize("peak_db", [-1.0, -6.0, 0.0])
def test_normalise_sets_the_peak_of_either_sign(peak_db):
    waveform = np.array([0.1, -0.4, 0.2], dtype=np.float32)
    normalised = normalise(waveform, peak_db)
    assert normalised.min() == pytest.approx(-(10 ** (peak_db / 20)), rel=1e-6)
    assert normalised / normalised[0] == pytest.approx(waveform / waveform[0])


def test_fade_is_linear_ends_at_zero_and_leaves_the_rest():
    faded = fade_out(np.ones(10, dtype=np.float32), 5)
    assert faded.tolist() == [1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0]


def test_fade_longer_than_the_sound_fades_all_of_it():
    assert fade_out(np.ones(3, dtype=np.float32), 9).tolist() == [1, 0.5, 0]


def test_no_fade_changes_nothing():
    assert fade_out(np.ones(3, dtype=np.float32), 0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("rate", [16000, 44100, 96000])
@pytest.mark.parametrize("seconds", [0.05, 2.0, 3.3])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_prepared_kick_has_the_shape_peak_and_end_of_the_specification(tmp_path, settings, rate, seconds, channels):
    samples = np.stack([sine(60, seconds, rate)] * channels, axis=1)
    waveform = prepare(write(tmp_path / "kick.wav", samples, rate), settings)
    assert waveform.shape == (88200,)
    assert waveform.dtype == np.float32
    assert np.abs(waveform).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert waveform[-1] == 0
    if seconds < 1:
        assert not waveform[round((seconds + 0.01) * 44100) :].any()


def test_the_peak_is_that_of_the_seconds_that_are_kept(settings):
    samples = np.concatenate([sine(60, 2.5, 44100, 0.1), np.ones(100, dtype=np.float32)])
    waveform = prepare_samples(samples[None], 44100, settings)
    assert np.abs(waveform).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)


@pytest.mark.parametrize("rate", [16000, 48000, 96000])
def test_reading_only_the_beginning_gives_what_reading_all_gives(tmp_path, settings, rate):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 5 * rate).astype(np.float32)
    path = write(tmp_path / "long.wav", noise, rate, subtype="FLOAT")
    whole = prepare_samples(*decode(path), settings)
    assert np.abs(prepare(path, settings) - whole).max() < 1e-6


def test_opposite_channels_cancel_to_silence(settings):
    samples = sine(60, 1, 44100)
    with pytest.raises(AudioError, match="silent"):
        prepare_samples(np.stack([samples, -samples]), 44100, settings)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(settings, value):
    samples = sine(60, 1, 44100)[None].copy()
    samples[0, 77] = value
    with pytest.raises(AudioError, match="NaN or infinite") as caught:
        prepare_samples(samples, 44100, settings)
    assert caught.value.kind == "not_finite"


def test_what_lies_beyond_the_kept_seconds_does_not_matter(tmp_path, settings):
    samples = sine(60, 3, 44100).copy()
    samples[-1] = np.nan
    assert prepare(write(tmp_path / "kick.wav", samples, subtype="FLOAT"), settings).any()


@pytest.mark.parametrize(("extension", "kind"), [("wav", "truncated"), ("aiff", "truncated"), ("flac", "unreadable")])
def test_a_truncated_file_is_refused(tmp_path, settings, extension, kind):
    path = write(tmp_path / f"kick.{extension}", sine(60, 1, 44100), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError) as caught:
        prepare(path, settings)
    assert caught.value.kind == kind


def test_a_file_that_lacks_a_few_bytes_is_read(tmp_path, settings):
    path = write(tmp_path / "kick.wav", sine(60, 1, 44100), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-6])
    assert prepare(path, settings).any()


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_size_that_was_unknown_when_the_header_was_written_is_no_truncation(tmp_path, settings, declared):
    path = write(tmp_path / "kick.wav", sine(60, 1, 44100), subtype="PCM_16")
    content = path.read_bytes()
    assert content[36:40] == b"data"
    path.write_bytes(content[:40] + declared.to_bytes(4, "little") + content[44:])
    assert prepare(path, settings).any()


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "empty", "empty file"),
        (b"this is no audio, whatever its name says" * 200, "unreadable", "not readable as audio"),
        (b"RIFF\x24\x00\x00\x00WAVE", "unreadable", "not readable as audio"),
    ],
)
@pytest.mark.parametrize("extension", ["wav", "mp3", "ogg"])
def test_what_is_not_audio_is_refused_with_the_reason(tmp_path, settings, content, kind, message, extension):
    path = tmp_path / f"kick.{extension}"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        prepare(path, settings)
    assert caught.value.kind == kind


def test_a_file_without_samples_is_refused(tmp_path, settings):
    with pytest.raises(AudioError, match="no samples"):
        prepare(write(tmp_path / "kick.wav", np.zeros(0, dtype=np.float32)), settings)


def test_a_missing_file_and_a_folder_are_refused(tmp_path, settings):
    with pytest.raises(AudioError, match="not found") as caught:
        prepare(tmp_path / "kick.wav", settings)
    assert caught.value.kind == "vanished"
    with pytest.raises(AudioError, match="cannot be opened"):
        prepare(tmp_path, settings)


def test_a_sample_rate_no_recorder_has_is_refused(tmp_path, settings):
    with pytest.raises(AudioError, match="sample rate 50 Hz"):
        prepare(write(tmp_path / "kick.wav", sine(10, 1, 50), 50), settings)


def test_a_rate_of_44100_is_not_resampled(settings):
    samples = sine(60, 1, 44100)
    waveform = prepare_samples(samples[None], 44100, replace(settings, peak_db=20 * np.log10(np.abs(samples).max())))
    assert np.allclose(waveform[:44100], samples, atol=1e-7)


def test_an_error_survives_the_way_back_from_a_worker():
    error = pickle.loads(pickle.dumps(AudioError("silent", "silent")))
    assert (str(error), error.kind) == ("silent", "silent")


def test_real_kicks_are_read_whole_and_begin_where_they_begin(kicks, settings):
    paths = sorted(path for path in kicks.rglob("*") if path.suffix in (".flac", ".wav"))
    assert len(paths) >= 50
    for path in paths:
        samples, rate = decode(path)
        assert len(samples.T) == soundfile.info(path).frames
        waveform = prepare(path, settings)
        assert np.abs(waveform).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)
        seconds = samples.shape[-1] / rate
        assert not waveform[round(seconds * 44100) + 100 :].any(), path  # silence after the end
        assert np.abs(waveform[: round(seconds * 44100)]).max() == np.abs(waveform).max()


def test_every_real_file_can_be_read(library, settings):
    paths = sorted(path for path in library.rglob("*") if path.is_file())[::8]
    for path in paths:
        waveform = prepare(path, settings)
        assert waveform.shape == (88200,)
        assert np.isfinite(waveform).all()
