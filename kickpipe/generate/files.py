"""Kicks as files: names, the texts inside, the manifest of a batch and the zip.

A file says of itself that it is AI-generated and carries its recipe, so that ``kickpipe again FILE`` makes it again. A file
that is already there is replaced only by the same kick; another one gets the next free name.
"""

__all__ = ["FileOptions", "Written", "file_name", "read_recipe", "write_batch", "write_kick", "write_zip"]

import dataclasses
import json
import math
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kickpipe import __version__
from kickpipe.audio.finish import Finished, finish, hz_to_midi
from kickpipe.audio.wav import AudioFile, WavError, read, write
from kickpipe.common.files import replacing, write_json
from kickpipe.generate.kick import Kick
from kickpipe.generate.recipe import Recipe, RecipeError, choose, whole

ENCODINGS = {16: "pcm16", 24: "pcm24", 32: "float32"}
MAX_SLUG = 40


@dataclass(frozen=True)
class FileOptions:
    """How kicks are finished and written.

    Arguments:
        container: "wav" or "flac".
        bits: 16, 24 or 32 (float, WAV only).
        peak_db, length_ms, fade_ms, tune: As for ``kickpipe.audio.finish.finish``.

    Raises:
        RecipeError: If the container or the bits are others.
    """

    container: str = "wav"
    bits: int = 24
    peak_db: float = -1.0
    length_ms: float | None = None
    fade_ms: float = 5.0
    tune: str | None = None

    def __post_init__(self) -> None:
        choose("format", self.container, ("wav", "flac"))
        whole("bits", self.bits, 16, 32)
        if self.bits not in ENCODINGS or (self.container == "flac" and self.bits == 32):
            raise RecipeError(f"bits: expected 16 or 24, or 32 (float) in WAV, found {self.bits} in {self.container}")
        # What finishing refuses, it refuses here, before any kick is made.
        probe = np.sin(np.arange(4410) * 2 * np.pi * 55 / 44100) * np.exp(-np.arange(4410) / 1500)
        settings = self.finishing() | {"tune": None}
        finish(probe, 44100, **settings)
        if self.tune is not None:
            from kickpipe.audio.finish import parse_pitch

            parse_pitch(self.tune)

    def finishing(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("peak_db", "length_ms", "fade_ms", "tune")}


@dataclass(frozen=True)
class Written:
    """One file: its path, what is in it, and the recipe it came from."""

    path: Path
    finished: Finished
    sample_rate: int
    recipe: Recipe

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": self.path.name,
            "note": self.finished.note,
            "root_hz": None if self.finished.root_hz is None else round(self.finished.root_hz, 3),
            "length_ms": round(1000 * len(self.finished.samples) / self.sample_rate, 1),
            **self.recipe.to_dict(),
        }


def slug(text: str) -> str:
    """A prompt as part of a file name: its words, joined by hyphens, at most 40 characters."""
    text = re.sub(r":[\d.eE+-]+", " ", unicodedata.normalize("NFKC", text.lower()))
    return "-".join(re.findall(r"\w+", text.replace("_", " ")))[:MAX_SLUG].strip("-")


def stem(recipe: Recipe) -> str:
    """What the files of one batch have in common, for example "deep-808_s12345"."""
    kind = "" if recipe.kind == "generate" else recipe.kind
    return "_".join(part for part in (kind, slug(recipe.prompt), f"s{recipe.seed}") if part)


def file_name(recipe: Recipe, note: str | None, container: str = "wav") -> str:
    """For example "kick_deep-808_s12345_F#1.wav"; kicks after the first of a seed carry their number, "s12345-3"."""
    number = f"-{recipe.index}" if recipe.index else ""
    return "_".join(part for part in ("kick", f"{stem(recipe)}{number}", note) if part) + f".{container}"


def write_kick(kick: Kick, directory: Path, options: FileOptions | None = None) -> Written:
    """Finishes a kick and writes it.

    Raises:
        FinishError: If the kick cannot be finished so.
        WavError: If the folder cannot be written to.
    """
    options = options or FileOptions()
    finished = finish(kick.waveform, kick.sample_rate, **options.finishing())
    recipe = kick.recipe
    text = recipe.to_json(kickpipe=__version__, ai_generated=True, file=dataclasses.asdict(options))
    info = {
        "INAM": f"AI-generated kick {recipe.prompt}".strip(),
        "IART": "kickpipe",
        "ICMT": comment(recipe, finished),
        "ISFT": f"kickpipe {__version__}",
        "IGNR": "AI-generated",
    }
    midi = None if finished.root_hz is None else min(max(hz_to_midi(finished.root_hz), 0.0), 127.0)
    audio = AudioFile(finished.samples, kick.sample_rate, info, midi, text)
    path = free_path(directory / file_name(recipe, finished.note, options.container), text)
    write(path, audio, ENCODINGS[options.bits])
    return Written(path, finished, kick.sample_rate, recipe)


def comment(recipe: Recipe, finished: Finished) -> str:
    """One line for people."""
    root = "no pitch" if finished.root_hz is None else f"root {finished.note} ({finished.root_hz:.1f} Hz)"
    models = " ".join(f"{kind} {sha}" for kind, sha in recipe.models.items())
    return (
        f"AI-generated by kickpipe {__version__}; {recipe.kind}; prompt '{recipe.prompt}'; seed {recipe.seed}, "
        f"kick {recipe.index}; {root}; {recipe.sampler} {recipe.steps} steps, guidance {recipe.guidance:g}; {models}"
    )


def free_path(path: Path, recipe_text: str) -> Path:
    """The path itself, or with _2, _3 ... before its suffix while another kick has that name."""
    candidate, number = path, 1
    while candidate.exists() and not holds(candidate, recipe_text):
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return candidate


def holds(path: Path, recipe_text: str) -> bool:
    try:
        return read(path).recipe == recipe_text
    except WavError:
        return False


def write_batch(
    kicks: Iterable[Kick],
    directory: Path,
    options: FileOptions | None = None,
    on_written: Callable[[Written], None] | None = None,
) -> tuple[list[Written], Path]:
    """Writes kicks as they come, then the manifest; returns the files and the manifest's path.

    Raises:
        As ``write_kick``; what was written before stays, whole.
    """
    written = []
    for kick in kicks:
        written.append(write_kick(kick, directory, options))
        if on_written is not None:
            on_written(written[-1])
    name = stem(written[0].recipe)
    manifest = {
        "kickpipe": __version__,
        "ai_generated": True,
        "file": dataclasses.asdict(options or FileOptions()),
        "kicks": [item.to_dict() for item in written],
    }
    path = directory / f"kicks_{name}.json"
    number = 1
    while path.exists() and path.read_bytes() != (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode():
        number += 1
        path = directory / f"kicks_{name}_{number}.json"
    write_json(path, manifest)
    return written, path


def write_zip(written: Sequence[Written], manifest: Path) -> Path:
    """Puts the files and their manifest into one zip beside it, the same bytes every time."""
    path = manifest.with_suffix(".zip")
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in [item.path for item in written] + [manifest]:
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def read_recipe(path: str | Path) -> tuple[Recipe, FileOptions, AudioFile]:
    """What a file says of how it was made, and its samples.

    Raises:
        WavError: If it cannot be read; RecipeError: if it does not say.
    """
    audio = read(path)
    if not audio.recipe:
        raise RecipeError(f"{path}: no recipe inside: not made by kickpipe, or another program saved it without")
    try:
        values = json.loads(audio.recipe)
        options = FileOptions(**values.get("file", {}))
        return Recipe.from_dict(values), options, audio
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RecipeError(f"{path}: the recipe inside is damaged: {error}") from None


def deviation_db(made: np.ndarray, original: np.ndarray) -> float:
    """The largest difference of two kicks (N,) relative to full scale in dB; -inf if they are the same."""
    if made.shape != original.shape:
        return math.inf
    largest = float(np.abs(made - original).max())
    return 20 * math.log10(largest) if largest else -math.inf
