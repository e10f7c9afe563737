"""What a kick may be made from: a file, another kick, samples or a latent, read and checked before any network is loaded."""

__all__ = ["Source", "Start", "read_source"]

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from kickpipe.generate.checks import GenerateError
from kickpipe.generate.facts import Facts
from kickpipe.generate.kick import Kick
from kickpipe.generate.names import stem
from kickpipe.generate.recipe import MAX_NAME

Source = str | PathLike[str] | Kick | np.ndarray


@dataclass(frozen=True)
class Start:
    """A source as read: a latent, or a waveform that has yet to be encoded.

    Arguments:
        name: What it is called, empty where nobody said.
        latent: (C, H, W), or None.
        waveform: Samples (N,), float32, at the models' rate, prepared as the training kicks were; or None.
    """

    name: str = ""
    latent: np.ndarray | None = None
    waveform: np.ndarray | None = None


def read_source(source: Source, facts: Facts) -> Start:
    """Reads an audio file, a kick, samples (N,) at the models' rate, or a latent (C, H, W).

    Raises:
        GenerateError: If the source cannot be used.
    """
    if isinstance(source, Kick):
        return Start(stem(source.recipe)[:MAX_NAME], source.latent)
    if isinstance(source, str | PathLike):
        return Start(file_stem(source), waveform=prepare_waveform(source, facts))
    values = np.asarray(source)
    if values.ndim == 1:
        return Start(waveform=prepare_waveform(values, facts))
    if values.ndim == 2:
        raise GenerateError(f"source: expected mono samples of shape (N,), found {values.shape}")
    if values.shape != facts.latent_shape or not np.isfinite(values).all():
        raise GenerateError(f"source: expected finite latents of shape {facts.latent_shape}, found {values.shape}")
    return Start(latent=values.astype(np.float32))


def file_stem(path: str | PathLike[str]) -> str:
    return Path(path).stem.encode("utf-8", "replace").decode("utf-8")[:MAX_NAME]  # names need not be UTF-8


def prepare_waveform(source: str | PathLike[str] | np.ndarray, facts: Facts) -> np.ndarray:
    from kickpipe.audio.io import AudioError, prepare, prepare_samples  # soundfile is needed for files only

    try:
        if isinstance(source, np.ndarray):
            return prepare_samples(source[None], facts.audio.sample_rate, facts.audio)
        return prepare(source, facts.audio)
    except AudioError as error:
        name = "source" if isinstance(source, np.ndarray) else source
        raise GenerateError(f"{name}: {error}") from None
