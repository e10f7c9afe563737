"""What TensorBoard shows and plays: the same validation kicks and the same noise at every checkpoint.

Nothing here changes a number of the training.
"""

__all__ = ["show_reconstructions", "show_samples", "show_vocoded"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from kickpipe.audio.griffin_lim import griffin_lim
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings
from kickpipe.diffusion.sampling import SAMPLERS
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import PAD
from kickpipe.models.unet import KeywordUNet
from kickpipe.training.tracking import Tracker

NUM_KICKS = 4
NUM_GENERATED = 8
NUM_STEPS = 50


def show_reconstructions(
    tracker: Tracker, step: int, reconstruct: Callable[[Tensor], Tensor], mels: Tensor, audio: AudioSettings
) -> None:
    """The first of ``mels`` (N, 1, M, L) above what ``reconstruct`` makes of them, and how they sound."""
    shown = mels[:NUM_KICKS]
    recon = reconstruct(shown).float().cpu()
    tracker.pictures(step, "reconstruction", torch.cat([recon, shown], dim=2))
    tracker.sounds(step, "reconstruction", griffin_lim(recon, audio), audio.sample_rate)


def show_samples(
    tracker: Tracker,
    step: int,
    model: KeywordUNet,
    schedule: NoiseSchedule,
    latent_shape: Sequence[int],
    seed: int,
    to_mels: Callable[[Tensor], Tensor],
    audio: AudioSettings,
) -> None:
    """Kicks generated without a prompt, with DDIM, from noise that depends on the seed alone.

    Arguments:
        to_mels: Turns standardised latents (B, C, H, W) into mels (B, 1, M, L).
    """
    device = next(model.parameters()).device
    noise = torch.randn((NUM_GENERATED, *latent_shape), generator=torch.Generator().manual_seed(seed)).to(device)
    cond = model.text(torch.full((NUM_GENERATED, 0), PAD, dtype=torch.long, device=device))
    latents = SAMPLERS["ddim"](
        lambda x, t: model.unet(x, t, cond), noise, schedule, num_steps=min(NUM_STEPS, schedule.num_timesteps)
    )
    mels = to_mels(latents)
    tracker.pictures(step, "generated", mels)
    tracker.sounds(step, "generated", griffin_lim(mels, audio), audio.sample_rate)


def show_vocoded(
    tracker: Tracker,
    step: int,
    vocode: Callable[[Tensor], Tensor],
    pairs: Sequence[tuple[Tensor, Tensor]],
    audio: AudioSettings,
) -> None:
    """The first of ``pairs`` of mel (1, M, L) and waveform (N,), above the mels of what ``vocode`` makes of them."""
    mels, originals = (torch.stack(items) for items in zip(*pairs[:NUM_KICKS], strict=True))
    vocoded = vocode(mels)
    tracker.pictures(step, "vocoded", torch.cat([mel_spectrogram(vocoded, audio), mels], dim=2))
    tracker.sounds(step, "vocoded", vocoded, audio.sample_rate)
    tracker.sounds(step, "original", originals, audio.sample_rate)
