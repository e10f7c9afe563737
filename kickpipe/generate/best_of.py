"""Choosing kicks by their mels, before any of them costs a vocoder.

A good one-shot has one onset, starts at once and dies away; a good set of them does not repeat itself. Each fault is
measured in dB or ms and divided by what one clearly hears. Kicks with less than one audible fault are the pool (if
they are too few, the least faulty join), and from the pool the set is picked one by one, each the kick that is
farthest from those picked (greedy farthest point, Gonzalez 1985).
"""

__all__ = ["choose", "faults", "penalty"]

import math

import torch
from torch import Tensor

from kickpipe.audio.settings import AudioSettings

LATE_MS = 30.0  # an attack this late is heard as a gap
SECOND_ONSET_DB = 12.0  # a rise this high after the peak is heard as a second hit
STEADY_DB = 25.0  # a band above -65 dB by this much at the end is heard as a tone
AUDIBLE_DB = -65.0


def faults(mel: Tensor, settings: AudioSettings) -> dict[str, float]:
    """What is wrong with a kick, from its log-mel (M, L).

    Returns:
        ``late_ms``: when it comes within 20 dB of its peak (frames are settings.hop_length apart).
        ``second_onset_db``: the largest rise of the level after the peak that ends within 30 dB of it.
        ``steady_db``: how far the loudest band of the last eighth lies above -65 dB of the loudest band.
    """
    to_db = 10 / math.log(10)
    level = to_db * torch.logsumexp(mel, dim=0)
    peak = int(level.argmax())
    top = level[peak]
    late = int((level >= top - 20).nonzero()[0])
    after = level[peak:]
    rise = after - torch.cummin(after, dim=0).values
    rise = torch.where(after >= top - 30, rise, torch.zeros_like(rise))
    end = mel[:, -max(mel.shape[1] // 8, 1) :].mean(dim=1).max()
    return {
        "late_ms": 1000 * late * settings.hop_length / settings.sample_rate,
        "second_onset_db": float(rise.max()),
        "steady_db": max(float(to_db * (end - mel.max())) - AUDIBLE_DB, 0.0),
    }


def penalty(mel: Tensor, settings: AudioSettings) -> float:
    """The sum of the faults of a log-mel (M, L), each divided by what one clearly hears; infinite if it is not finite."""
    if not torch.isfinite(mel).all():
        return math.inf
    found = faults(mel, settings)
    return found["late_ms"] / LATE_MS + found["second_onset_db"] / SECOND_ONSET_DB + found["steady_db"] / STEADY_DB


def choose(mels: Tensor, settings: AudioSettings, count: int) -> list[int]:
    """Indices, rising, of the ``count`` kicks that are good and unlike each other among log-mels (B, 1, M, L)."""
    penalties = torch.tensor([penalty(mel, settings) for mel in mels[:, 0]])
    ranked = penalties.argsort(stable=True).tolist()
    pool = [i for place, i in enumerate(ranked) if place < count or penalties[i] < 1]
    coarse = torch.nn.functional.adaptive_avg_pool2d(mels.clamp(min=math.log(settings.mel_floor)), (16, 22))
    features = coarse.flatten(1).nan_to_num()  # only the distance of what is chosen last, for want of others
    chosen = [pool.pop(0)]
    while pool and len(chosen) < count:
        distances = [float((features[chosen] - features[i]).abs().mean(dim=1).min()) for i in pool]
        chosen.append(pool.pop(max(range(len(pool)), key=distances.__getitem__)))
    return sorted(chosen)
