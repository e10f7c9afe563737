"""Holds a trained vocoder against Griffin-Lim on the same mels, so that its model file can say which is better."""

__all__ = ["measure_quality"]

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from kickpipe.audio.defects import RATTLE
from kickpipe.audio.griffin_lim import griffin_lim
from kickpipe.audio.rattle import rattle
from kickpipe.audio.settings import ITERATIONS_AFTER_NETWORK, ITERATIONS_ALONE, AudioSettings
from kickpipe.audio.spectral import stft_distance
from kickpipe.audio.vocoder_quality import VocoderQuality


@torch.no_grad()
def measure_quality(
    vocode: Callable[[Tensor], Tensor], pairs: Sequence[tuple[Tensor, Tensor]], audio: AudioSettings
) -> VocoderQuality | None:
    """The quality of a vocoder on real kicks, made as the generator makes them.

    Arguments:
        vocode: Turns mels (B, 1, M, L) into waveforms (B, N).
        pairs: Mels (1, M, L) and their waveforms (N,).
        audio: Audio settings.

    Returns:
        None if there are no kicks, or what is made of them is not finite.
    """
    rattles, distances, griffin_lim_distances = [], [], []
    for mel, original in pairs:
        made = griffin_lim(mel[None], audio, ITERATIONS_AFTER_NETWORK, vocode(mel[None]))
        without = griffin_lim(mel[None], audio, ITERATIONS_ALONE)
        rattles.append(rattle(made[0].numpy(), audio.sample_rate, audio.hop_length))
        distances.append(stft_distance(original[None], made).item())
        griffin_lim_distances.append(stft_distance(original[None], without).item())
    if not pairs or not np.isfinite([*distances, *griffin_lim_distances]).all():
        return None
    audible = [value for value in rattles if np.isfinite(value)]
    return VocoderQuality(
        rattling=rounded(np.mean(np.array(audible) > RATTLE)) if audible else None,
        distance=rounded(np.mean(distances)),
        griffin_lim_distance=rounded(np.mean(griffin_lim_distances)),
    )


def rounded(value: float | np.floating) -> float:
    """Four digits after the point: the last bits of a mean depend on the CPU."""
    return round(float(value), 4)
