"""A folder of kicks, read and measured, and what its files say of themselves."""

__all__ = ["EXTENSIONS", "SETTINGS", "FileFacts", "Folder", "read_file_facts", "read_folder"]

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from kickpipe.audio.finish import midi_to_hz
from kickpipe.audio.io import AudioError, prepare
from kickpipe.audio.settings import AudioSettings
from kickpipe.audio.wav import WavError, read
from kickpipe.common.errors import KickpipeError
from kickpipe.common.progress import progress
from kickpipe.evaluation.analysis import Analyser, KickSet
from kickpipe.generate.checks import RecipeError
from kickpipe.generate.files import read_recipe
from kickpipe.generate.recipe import Recipe

EXTENSIONS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
BATCH = 64
# How a page looks at files, whatever a model was trained with: the specification's values.
SETTINGS = AudioSettings(
    sample_rate=44100,
    duration=2.0,
    n_fft=2048,
    hop_length=512,
    n_mels=128,
    peak_db=-1.0,
    fade_seconds=0.2,
    mel_floor=1e-5,
)


@dataclass(frozen=True)
class Folder:
    """The kicks below a folder.

    Arguments:
        path: The folder.
        kicks: Measured, with waveforms; names are paths below the folder.
        unusable: Path and reason of each file that cannot be used.
    """

    path: Path
    kicks: KickSet
    unusable: list[tuple[str, str]]


@dataclass(frozen=True)
class FileFacts:
    """What a file says: its length (s), its root (Hz) if it has one, and the recipe inside if kickpipe made it."""

    seconds: float
    root_hz: float | None = None
    recipe: Recipe | None = None


def read_folder(path: Path, analyser: Analyser, settings: AudioSettings = SETTINGS) -> Folder:
    """Measures all audio files below a folder.

    Raises:
        KickpipeError: If there is none that can be used.
    """
    if not path.is_dir():
        raise KickpipeError(f"{path}: no such folder")
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in EXTENSIONS and file.is_file())
    if not files:
        raise KickpipeError(f"{path}: no audio files below it; expected {', '.join(EXTENSIONS)}")
    unusable: list[tuple[str, str]] = []

    def batches() -> Iterator[tuple[np.ndarray, list[str]]]:
        waveforms: list[np.ndarray] = []
        names: list[str] = []
        for file in progress(files, len(files), path.name, "files"):
            name = file.relative_to(path).as_posix()
            try:
                waveforms.append(prepare(file, settings))
                names.append(name)
            except AudioError as error:
                unusable.append((name, str(error)))
            if len(waveforms) == BATCH:
                yield np.stack(waveforms), names
                waveforms, names = [], []
        if waveforms:
            yield np.stack(waveforms), names

    kicks = analyser.measure_batches(batches())
    if len(kicks) == 0:
        reason = unusable[0][1] if unusable else "all are silent"
        raise KickpipeError(f"{path}: none of the {len(files)} files can be used; the first: {reason}")
    return Folder(path, kicks, unusable)


def read_file_facts(path: Path) -> FileFacts:
    """Length, root and recipe of an audio file; only the length where the file has no more."""
    info = soundfile.info(path)
    seconds = info.frames / info.samplerate
    try:
        recipe, _, audio = read_recipe(path)
    except RecipeError:
        recipe, audio = None, read(path)
    except WavError:
        return FileFacts(seconds)
    return FileFacts(seconds, None if audio.root_midi is None else midi_to_hz(audio.root_midi), recipe)
