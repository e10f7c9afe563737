"""Choosing kicks by their mels, before any of them costs a vocoder.

A good one-shot has one onset, starts at once and dies away; a good set of them does not repeat itself. Each fault is
measured in dB or ms and divided by what one clearly hears. Kicks with less than one audible fault are the pool (if
they are too few, the least faulty join), and from the pool the set is picked one by one, each the kick that is
farthest from those picked (greedy farthest point, Gonzalez 1985).
"""

__all__ = ["Candidates", "faults", "penalty"]

import math
from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from kickpipe.audio.defects import LATE_MS, RISE_DB, RISE_LEVEL_DB
from kickpipe.audio.settings import AudioSettings

T = TypeVar("T")

FEATURE_SHAPE = (16, 22)  # bands and times of the averages whose mean difference is the distance of two kicks
STEADY_DB = 25.0  # a band above -65 dB by this much at the end is heard as a tone
AUDIBLE_DB = -65.0


def faults(mel: Tensor, settings: AudioSettings) -> dict[str, float]:
    """What is wrong with a kick, from its log-mel (M, L).

    Returns:
        ``late_ms``: when it comes within 20 dB of its peak (frames are settings.hop_length apart).
        ``second_onset_db``: the largest rise of the level after the peak that ends within 20 dB of it.
        ``steady_db``: how far the loudest band of the last eighth lies above -65 dB of the loudest band.
    """
    to_db = 10 / math.log(10)
    level = to_db * torch.logsumexp(mel, dim=0)
    peak = int(level.argmax())
    top = level[peak]
    late = int((level >= top - 20).nonzero()[0])
    after = level[peak:]
    rise = after - torch.cummin(after, dim=0).values
    rise = torch.where(after >= top + RISE_LEVEL_DB, rise, torch.zeros_like(rise))
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
    return found["late_ms"] / LATE_MS + found["second_onset_db"] / RISE_DB + found["steady_db"] / STEADY_DB


class Candidates(Generic[T]):
    """Kicks to choose from: of each, what it takes to judge it and an item of the caller's, in place of its mel.

    Arguments:
        settings: Of the mels.
    """

    def __init__(self, settings: AudioSettings) -> None:
        self.settings = settings
        self.items: list[T] = []
        self.penalties: list[float] = []
        self.features: list[Tensor] = []

    def add(self, mel: Tensor, items: Sequence[T]) -> None:
        """Takes the kicks of log-mels (B, 1, M, L), with an item for each."""
        coarse = F.adaptive_avg_pool2d(mel.clamp(min=math.log(self.settings.mel_floor)), FEATURE_SHAPE)
        self.features.append(
            coarse.flatten(1).nan_to_num()
        )  # only the distance of what is chosen last, for want of others
        self.penalties.extend(penalty(row, self.settings) for row in mel[:, 0])
        self.items.extend(items)

    def choose(self, count: int) -> list[T]:
        """The items of the ``count`` kicks that are good and unlike each other, in the order they came.

        A kick costs one pass over the pool: count times number of kicks in all.
        """
        penalties = torch.tensor(self.penalties)
        ranked = penalties.argsort(stable=True).tolist()
        pool = torch.tensor([i for place, i in enumerate(ranked) if place < count or penalties[i] < 1])
        features = torch.cat(self.features)[pool]
        nearest = torch.full((len(pool),), math.inf)
        chosen = [0]
        while len(chosen) < min(count, len(pool)):
            nearest = torch.minimum(nearest, (features[chosen[-1]] - features).abs().mean(dim=1))
            nearest[chosen] = -math.inf
            chosen.append(int(nearest.argmax()))
        return [self.items[i] for i in sorted(pool[chosen].tolist())]
