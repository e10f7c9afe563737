"""From mels to waveforms, no further than there is sound.

Most kicks end long before their 2 s do; from there on the mel lies at its floor and a vocoder would work for silence.
Each mel is cut after its last audible frame plus the frames that the vocoder's convolutions look ahead, so what is kept
is what the whole mel would have given. Where the low band comes from elsewhere, only what lies above it counts as sound:
the tail of an 808 is a sub and nothing else; the network's sub is cut off with it, and replaced whole. Kicks pass one by
one: their lengths differ, padding would cost more than batching saves, and a kick is the same alone and in a batch.
"""

__all__ = ["audible_frames", "vocode", "vocode_griffin_lim", "vocode_hifigan"]

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from kickpipe.audio.griffin_lim import griffin_lim
from kickpipe.audio.low_band import first_band_above
from kickpipe.audio.settings import AudioSettings
from kickpipe.generate.fast import BUCKET, precision_or_native
from kickpipe.generate.networks import Networks
from kickpipe.generate.options import DEFAULT_ITERATIONS, PrecisionOrAuto, Vocoder

RANGE_DB = 68.0  # below the loudest frame; a finished kick ends 60 dB below its peak
RANGE_ABOVE_DB = 60.0  # the same for what lies above a low band, which is louder and hides it
FLOOR_MARGIN_DB = 3.0  # above the level of a frame at the mel's floor
MIN_FRAMES = 8


def audible_frames(mel: Tensor, mel_floor: float, first_band: int = 0) -> int:
    """Number of frames of a log-mel (M, L) up to its last audible one; 0 if all of it lies at the floor.

    Audible is what the bands from ``first_band`` on hold, against the loudest frame of all bands.
    """
    loudest = _level(mel).max().item()
    level = _level(mel[first_band:])
    floor = 10 * math.log10(mel_floor * (len(mel) - first_band)) + FLOOR_MARGIN_DB
    audible = level > max(loudest - (RANGE_ABOVE_DB if first_band else RANGE_DB), floor)
    return int(audible.nonzero().max()) + 1 if audible.any() else 0


def _level(mel: Tensor) -> Tensor:
    """Level (L,) in dB of the frames of a log-mel (M, L)."""
    return 10 / math.log(10) * torch.logsumexp(mel, dim=0)


def vocode(
    mel: Tensor,
    networks: Networks,
    vocoder: Vocoder,
    iterations: int | None = None,
    precision: PrecisionOrAuto = "auto",
) -> Tensor:
    """Log-mels (B, 1, M, L) to waveforms (B, num_samples), silent from where the mel has fallen to its floor.

    Arguments:
        vocoder, iterations, precision: As in ``Options``.

    Raises:
        GenerateError: If there is no vocoder network and one is needed.
    """
    settings = networks.facts.audio
    iterations = DEFAULT_ITERATIONS[vocoder] if iterations is None else iterations
    if vocoder == "griffin-lim":
        return vocode_griffin_lim(mel, settings, iterations)
    network = partial(networks.vocode, precision=precision_or_native(precision))
    if vocoder == "hifigan":
        return vocode_hifigan(mel, network, settings, networks.context)
    waveform = vocode_hifigan(mel, network, settings, networks.context, first_band_above(settings))
    return vocode_griffin_lim(mel, settings, iterations, waveform)


def vocode_hifigan(
    mel: Tensor,
    generator: Callable[[Tensor], Tensor],
    settings: AudioSettings,
    context: int,
    first_band: int = 0,
) -> Tensor:
    """Log-mels (B, 1, M, L) to waveforms (B, num_samples).

    ``context``: frames past the last audible one; ``first_band``: the waveform ends where all bands from it on are silent.
    """
    waveforms = torch.zeros(len(mel), settings.num_samples)
    for row, waveform in zip(mel[:, 0], waveforms, strict=True):
        frames = audible_frames(row, settings.mel_floor, first_band)
        if frames == 0:
            continue
        taken = BUCKET * math.ceil((frames + context) / BUCKET)
        samples = generator(row[None, :, :taken]).float()[0, 0]
        _place(samples[: frames * settings.hop_length], waveform, settings)
    return waveforms


def vocode_griffin_lim(
    mel: Tensor, settings: AudioSettings, iterations: int, initial: Tensor | None = None, plain: bool = False
) -> Tensor:
    """Log-mels (B, 1, M, L) to waveforms (B, num_samples), from the phase of ``initial`` (B, num_samples) if given.

    ``plain``: as for ``griffin_lim``.
    """
    waveforms = torch.zeros(len(mel), settings.num_samples)
    for i, waveform in enumerate(waveforms):
        frames = audible_frames(mel[i, 0], settings.mel_floor)
        if frames == 0:
            continue
        frames = min(max(frames + 2, MIN_FRAMES), mel.shape[-1])  # a window reaches two hops past its centre
        length = settings.num_samples if frames == mel.shape[-1] else (frames - 1) * settings.hop_length
        start = None if initial is None else initial[i : i + 1, :length]
        made = griffin_lim(mel[i : i + 1, :, :, :frames], settings, iterations, start, plain=plain)
        _place(made[0], waveform, settings)
    return waveforms


def _place(samples: Tensor, waveform: Tensor, settings: AudioSettings) -> None:
    """Writes samples to the beginning of a waveform; where they end early, the last hop fades to zero."""
    length = min(len(samples), len(waveform))
    waveform[:length] = samples[:length]
    if length < len(waveform):
        fade = min(settings.hop_length, length)
        waveform[length - fade : length] *= torch.linspace(1, 0, fade)
