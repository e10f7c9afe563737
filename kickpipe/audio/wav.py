"""Files for a sampler: WAV with the chunks that samplers and editors read, and FLAC.

A WAV file is RIFF: ``fmt`` (and ``fact`` for float), ``data``, then ``smpl`` (the note at which a sampler plays the
file unchanged) and ``LIST/INFO`` (title, comment, software ...). The last two follow the samples, so that a reader
which expects ``data`` right after ``fmt`` is served too. A recipe (what is needed to make the sound again) joins the
comment where it fits; libsndfile drops comments over 2 KB, so a longer one gets a chunk of its own, ``kick``, which
others skip. Chunk layouts: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991,
and "New Multimedia Data Types and Data Techniques", 1994.
"""

__all__ = ["ENCODINGS", "AudioFile", "WavError", "read", "write", "write_bytes"]

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing

ENCODINGS = {"pcm16": (1, 16), "pcm24": (1, 24), "float32": (3, 32)}  # name: (format tag, bits a sample)

COMMENT_BYTES = 2000  # libsndfile 1.2 reads INFO texts up to 2048 bytes

# INFO identifiers and the names of the same texts in a FLAC file.
FLAC_TAGS = {"INAM": "title", "IART": "artist", "ICMT": "comment", "ISFT": "software", "IGNR": "genre"}


class WavError(KickpipeError):
    """A file cannot be written or read as asked; the message says why."""


@dataclass(frozen=True)
class AudioFile:
    """What a file holds.

    Arguments:
        samples: Mono samples with shape (N,), float32, full scale 1.
        sample_rate: Samples a second (Hz).
        info: INFO texts by their four-letter identifier, for example ``ICMT`` (comment).
        recipe: JSON text of an object, empty without one.
        root_midi: Note of the ``smpl`` chunk as a MIDI number with a fraction, None without one.
    """

    samples: np.ndarray
    sample_rate: int
    info: dict[str, str] = field(default_factory=dict)
    root_midi: float | None = None
    recipe: str = ""


def write(path: str | Path, audio: AudioFile, encoding: str = "pcm24") -> None:
    """Writes a WAV or FLAC file, by the suffix of ``path``, beside its name first: never half a file.

    Arguments:
        encoding: ``pcm16``, ``pcm24`` or ``float32`` (WAV only).

    Raises:
        WavError: If the samples are empty, not finite or would clip, or the folder cannot be written to.
    """
    path = Path(path)
    content = write_bytes(audio, path.suffix.lower().removeprefix("."), encoding)
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise WavError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_bytes(audio: AudioFile, container: str = "wav", encoding: str = "pcm24") -> bytes:
    """The content of such a file: ``container`` is ``wav`` or ``flac``. Raises as ``write``."""
    samples = np.asarray(audio.samples)
    if container not in ("wav", "flac"):
        raise WavError(f"unknown file type {container!r}: choose wav or flac")
    if encoding not in ENCODINGS:
        raise WavError(f"unknown encoding {encoding!r}: choose one of {', '.join(ENCODINGS)}")
    if samples.ndim != 1 or len(samples) == 0:
        raise WavError(f"expected mono samples of shape (N,), N at least 1, found shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise WavError("samples that are not finite cannot be written")
    if encoding != "float32" and (peak := float(np.abs(samples).max())) > 1.0:
        raise WavError(f"a peak of {peak:.3f} would clip: lower the level, or write float32")
    return _flac(audio, samples, encoding) if container == "flac" else _wav(audio, samples, encoding)


def _integers(samples: np.ndarray, bits: int) -> np.ndarray:
    """Rounds to integers as libsndfile does, full scale 2**(bits - 1); +1.0 is one step under it."""
    scale = 2.0 ** (bits - 1)
    return np.minimum(np.rint(samples.astype(np.float64) * scale), scale - 1).astype("<i4")


def _encode(samples: np.ndarray, encoding: str) -> bytes:
    if encoding == "float32":
        return samples.astype("<f4").tobytes()
    if encoding == "pcm16":
        return _integers(samples, 16).astype("<i2").tobytes()
    return _integers(samples, 24).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _wav(audio: AudioFile, samples: np.ndarray, encoding: str) -> bytes:
    tag, bits = ENCODINGS[encoding]
    rate, width = audio.sample_rate, bits // 8
    layout = struct.pack("<HHIIHH", tag, 1, rate, rate * width, width, bits)
    if tag == 3:
        layout += struct.pack("<H", 0)  # a format other than PCM states the size of its extension
    chunks = [_chunk(b"fmt ", layout)]
    if tag == 3:
        chunks.append(_chunk(b"fact", struct.pack("<I", len(samples))))
    chunks.append(_chunk(b"data", _encode(samples, encoding)))
    if audio.root_midi is not None:
        chunks.append(_chunk(b"smpl", _smpl(audio.root_midi, rate)))
    info = dict(audio.info)
    if audio.recipe:
        comment = _join(info.get("ICMT", ""), audio.recipe)
        if len(comment.encode()) < COMMENT_BYTES:
            info["ICMT"] = comment
        else:
            chunks.append(_chunk(b"kick", audio.recipe.encode()))
    if info:
        texts = [_chunk(name.encode("ascii"), text.encode() + b"\0") for name, text in info.items()]
        chunks.append(_chunk(b"LIST", b"INFO" + b"".join(texts)))
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _join(comment: str, recipe: str) -> str:
    return f"{comment}\n{recipe}"


def _split(info: dict[str, str]) -> tuple[dict[str, str], str]:
    """Takes the recipe out of the comment."""
    comment, separator, rest = info.get("ICMT", "").partition("\n{")
    return (info | {"ICMT": comment}, "{" + rest) if separator else (info, "")


def _smpl(root_midi: float, sample_rate: int) -> bytes:
    """Nine numbers: maker, product, ns a sample, unity note, fraction of a semitone (2**32), SMPTE x 2, loops, extra."""
    note = int(np.floor(root_midi))
    if not 0 <= note <= 127:
        raise WavError(f"the root note must be a MIDI note from 0 to 127, found {root_midi:g}")
    fraction = min(int((root_midi - note) * 2**32), 2**32 - 1)
    return struct.pack("<9I", 0, 0, round(1e9 / sample_rate), note, fraction, 0, 0, 0, 0)


def _flac(audio: AudioFile, samples: np.ndarray, encoding: str) -> bytes:
    import soundfile

    if encoding == "float32":
        raise WavError("FLAC holds whole numbers only: choose pcm16 or pcm24, or write WAV")
    buffer = io.BytesIO()
    subtype = {"pcm16": "PCM_16", "pcm24": "PCM_24"}[encoding]
    bits = ENCODINGS[encoding][1]
    info = audio.info | ({"ICMT": _join(audio.info.get("ICMT", ""), audio.recipe)} if audio.recipe else {})
    with soundfile.SoundFile(buffer, "w", audio.sample_rate, 1, subtype, format="FLAC") as file:
        for name, text in info.items():
            if name in FLAC_TAGS:
                setattr(file, FLAC_TAGS[name], text)
        file.write(_integers(samples, bits) << (32 - bits))
    return buffer.getvalue()


def read(path: str | Path) -> AudioFile:
    """Reads a mono file that ``write`` wrote, samples and texts.

    Raises:
        WavError: If it is missing, damaged or another kind of file.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WavError(f"{path}: cannot be read: {error.strerror or error}") from error
    if content[:4] == b"fLaC":
        return _read_flac(path, content)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise WavError(f"{path}: not a WAV or FLAC file")
    try:
        return _read_wav(content)
    except (KeyError, struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
        raise WavError(f"{path}: not a mono WAV file as kickpipe writes them, or damaged: {error}") from None


def _read_wav(content: bytes) -> AudioFile:
    chunks = _chunks(content, 12)
    tag, channels, rate, _, width, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    encoding = {value: name for name, value in ENCODINGS.items()}.get((tag, bits))
    if encoding is None or channels != 1:
        raise WavError(f"format {tag}, {bits} bits, {channels} channels")
    data = np.frombuffer(chunks[b"data"], np.uint8)
    samples: np.ndarray
    data = data[: len(data) // width * width]
    if encoding == "float32":
        samples = data.view("<f4").astype(np.float32)
    elif encoding == "pcm16":
        samples = data.view("<i2").astype(np.float32) / 2**15
    else:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = data.reshape(-1, 3)
        samples = (wide.reshape(-1).view("<i4") / 2.0**31).astype(np.float32)
    info = {}
    if chunks.get(b"LIST", b"")[:4] == b"INFO":
        texts = _chunks(chunks[b"LIST"], 4)
        info = {name.decode("ascii"): text.rstrip(b"\0").decode() for name, text in texts.items()}
    root = None
    if b"smpl" in chunks:
        note, fraction = struct.unpack("<2I", chunks[b"smpl"][12:20])
        root = note + fraction / 2**32
    info, recipe = _split(info)
    return AudioFile(samples, rate, info, root, chunks.get(b"kick", b"").decode() or recipe)


def _chunks(content: bytes, start: int) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while start + 8 <= len(content):
        name, size = content[start : start + 4], struct.unpack_from("<I", content, start + 4)[0]
        found.setdefault(name, content[start + 8 : start + 8 + size])
        start += 8 + size + size % 2
    return found


def _read_flac(path: Path, content: bytes) -> AudioFile:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            samples, tags = file.read(dtype="float32", always_2d=True), file.copy_metadata()
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise WavError(f"{path}: damaged: {error}") from None
    if samples.shape[1] != 1:
        raise WavError(f"{path}: {samples.shape[1]} channels, expected 1")
    info, recipe = _split({name: tags[tag] for name, tag in FLAC_TAGS.items() if tags.get(tag)})
    return AudioFile(samples[:, 0], rate, info, None, recipe)
