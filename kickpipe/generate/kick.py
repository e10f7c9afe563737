"""One generated kick, and what it may be made from."""

__all__ = ["Kick"]

from dataclasses import dataclass

import numpy as np

from kickpipe.audio.finish import Finished, finish
from kickpipe.generate.recipe import Recipe


@dataclass(frozen=True)
class Kick:
    """A generated kick.

    Arguments:
        waveform: Mono samples with shape (N,), float32, as the vocoder gave them: 2 s, not yet finished.
        sample_rate: Samples a second (Hz).
        latent: The VAE's latent (C, H, W) that it was decoded from, float32.
        recipe: What it follows from.
    """

    waveform: np.ndarray
    sample_rate: int
    latent: np.ndarray
    recipe: Recipe

    def finish(
        self,
        *,
        peak_db: float = -1.0,
        length_ms: float | None = None,
        fade_ms: float = 5.0,
        tune: str | None = None,
    ) -> Finished:
        """The kick ready for a sampler; see ``kickpipe.audio.finish``, which also says what is raised."""
        return finish(self.waveform, self.sample_rate, peak_db=peak_db, length_ms=length_ms, fade_ms=fade_ms, tune=tune)
