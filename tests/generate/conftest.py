"""A generator of small networks with random weights, and kicks of it."""

from pathlib import Path

import numpy as np
import pytest
from tiny_models import write_tiny_models

from kickpipe.audio.settings import AudioSettings
from kickpipe.generate import Kick, KickGenerator, Options
from kickpipe.generate.fast import can_pack

# float32 wherever bfloat16 is not what is tested: what "auto" means depends on the CPU
QUICK = Options(steps=3, precision="float32")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, settings: AudioSettings) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("checkpoints"), settings)


@pytest.fixture(scope="module")
def generator(checkpoints: Path) -> KickGenerator:
    return KickGenerator.load(checkpoints)


@pytest.fixture(scope="module")
def kicks(generator: KickGenerator) -> list[Kick]:
    return generator.generate("deep 808", count=3, seed=1, options=QUICK)


def equal(first: Kick, second: Kick) -> bool:
    """Whether two kicks are the same: to the last bit where convolutions are packed, else their latents to rounding.

    Not their waveforms then: of two waveforms that fit a mel alike, the last bit of a latent decides.
    """
    if can_pack():
        return np.array_equal(first.waveform, second.waveform) and np.array_equal(first.latent, second.latent)
    return np.allclose(first.latent, second.latent, atol=1e-3)


def differ(first: Kick, second: Kick) -> bool:
    """Whether two kicks are clearly not the same."""
    return bool(np.abs(first.waveform - second.waveform).max() > 1e-2 * np.abs(second.waveform).max())
