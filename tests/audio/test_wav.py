"""Files for a sampler, read back by three other readers."""

import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from kickpipe.audio.wav import AudioFile, WavError, read, write, write_bytes

ENCODINGS = ("pcm16", "pcm24", "float32")
INFO = {"INAM": "AI-generated kick deep", "ICMT": "AI-generated; größe 1", "ISFT": "kickpipe 0.1.0"}


@pytest.fixture
def audio() -> AudioFile:
    samples = 0.8 * np.sin(np.arange(1001) / 20).astype(np.float32)  # an odd number: 24 bit needs a padding byte
    samples[:2] = [1.0, -1.0]
    return AudioFile(samples, 44100, INFO, 30.25, '{"seed":1}')


def quantised(samples: np.ndarray, encoding: str) -> np.ndarray:
    if encoding == "float32":
        return samples
    scale = 2.0 ** (15 if encoding == "pcm16" else 23)
    return (np.minimum(np.rint(samples.astype(np.float64) * scale), scale - 1) / scale).astype(np.float32)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_written_is_read_back(audio, encoding, tmp_path):
    write(tmp_path / "kick.wav", audio, encoding)
    again = read(tmp_path / "kick.wav")
    assert np.array_equal(again.samples, quantised(audio.samples, encoding))
    assert (again.sample_rate, again.info, again.recipe) == (44100, INFO, '{"seed":1}')
    assert again.root_midi == pytest.approx(30.25, abs=1e-9)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_soundfile_reads_the_same_samples_and_texts(audio, encoding, tmp_path):
    write(tmp_path / "kick.wav", audio, encoding)
    with soundfile.SoundFile(tmp_path / "kick.wav") as file:
        assert file.subtype == {"pcm16": "PCM_16", "pcm24": "PCM_24", "float32": "FLOAT"}[encoding]
        assert np.array_equal(file.read(dtype="float32"), quantised(audio.samples, encoding))
        assert (file.title, file.comment) == (INFO["INAM"], INFO["ICMT"] + '\n{"seed":1}')


@pytest.mark.parametrize("encoding", ["pcm16", "pcm24"])
def test_the_standard_library_reads_the_same_samples(audio, encoding, tmp_path):
    write(tmp_path / "kick.wav", audio, encoding)
    with wave.open(str(tmp_path / "kick.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 44100, 1001)
        width, content = file.getsampwidth(), file.readframes(2000)
    values = [int.from_bytes(content[i : i + width], "little", signed=True) for i in range(0, len(content), width)]
    assert np.allclose(np.array(values) / 2.0 ** (8 * width - 1), quantised(audio.samples, encoding), atol=1e-7)


@pytest.mark.filterwarnings("ignore:Chunk")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_scipy_reads_the_same_samples(audio, encoding, tmp_path):
    write(tmp_path / "kick.wav", audio, encoding)
    rate, samples = scipy.io.wavfile.read(tmp_path / "kick.wav")
    scale = {"pcm16": 2.0**15, "pcm24": 2.0**31, "float32": 1.0}[encoding]
    assert rate == 44100
    assert np.allclose(samples / scale, quantised(audio.samples, encoding), atol=1e-7)


def test_the_chunks_are_where_a_sampler_looks(audio):
    content = write_bytes(audio, "wav", "pcm24")
    assert content[:4] == b"RIFF" and content[8:12] == b"WAVE"
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    assert content[12:16] == b"fmt " and content[36:40] == b"data"
    smpl = content.index(b"smpl") + 8
    _, _, period, note, fraction, _, _, loops, _ = struct.unpack_from("<9I", content, smpl)
    assert (period, note, loops) == (22676, 30, 0)
    assert fraction == 2**30


def test_a_long_recipe_moves_to_its_own_chunk(audio, tmp_path):
    recipe = '{"sources":["' + "A" * 5000 + '"]}'
    write(tmp_path / "kick.wav", AudioFile(audio.samples, 44100, INFO, None, recipe))
    assert read(tmp_path / "kick.wav").recipe == recipe
    assert read(tmp_path / "kick.wav").info["ICMT"] == INFO["ICMT"]
    with soundfile.SoundFile(tmp_path / "kick.wav") as file:
        assert file.comment == INFO["ICMT"]
        assert len(file) == 1001


@pytest.mark.parametrize("encoding", ["pcm16", "pcm24"])
def test_flac_holds_the_same_samples_and_the_recipe(audio, encoding, tmp_path):
    write(tmp_path / "kick.flac", audio, encoding)
    again = read(tmp_path / "kick.flac")
    assert np.array_equal(again.samples, quantised(audio.samples, encoding))
    assert again.recipe == '{"seed":1}'
    assert again.info["ICMT"] == INFO["ICMT"]
    assert again.info["INAM"] == INFO["INAM"]


@pytest.mark.parametrize(
    ("samples", "encoding", "name", "message"),
    [
        (np.zeros(0), "pcm16", "a.wav", "N at least 1"),
        (np.zeros((2, 5)), "pcm16", "a.wav", "mono"),
        (np.array([np.nan]), "pcm16", "a.wav", "not finite"),
        (np.array([1.01]), "pcm24", "a.wav", "would clip"),
        (np.array([0.5]), "float32", "a.flac", "whole numbers only"),
        (np.array([0.5]), "pcm8", "a.wav", "unknown encoding"),
        (np.array([0.5]), "pcm16", "a.mp3", "unknown file type"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(samples, encoding, name, message, tmp_path):
    with pytest.raises(WavError, match=message):
        write(tmp_path / name, AudioFile(samples, 44100), encoding)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(audio, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WavError, match="cannot be written"):
        write(tmp_path / "file" / "kick.wav", audio)


def test_float_keeps_what_is_over_full_scale(tmp_path):
    write(tmp_path / "kick.wav", AudioFile(np.array([1.5], np.float32), 44100), "float32")
    assert read(tmp_path / "kick.wav").samples[0] == 1.5


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0\0\0", b"fLaCxx", b"OggS"]
)
def test_a_damaged_file_is_an_error_with_its_name(content, tmp_path):
    (tmp_path / "kick.wav").write_bytes(content)
    with pytest.raises(WavError, match=r"kick\.wav"):
        read(tmp_path / "kick.wav")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(WavError, match="cannot be read"):
        read(tmp_path / "kick.wav")
