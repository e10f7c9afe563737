"""What TensorBoard shows and plays: the same validation kicks and the same noise at every checkpoint.

Nothing here changes a number of the training.
"""

__all__ = ["sample_latents", "show_mels", "show_reconstructions", "show_vocoded"]

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
    """The first of ``mels`` (N, 1, M, L) above what ``reconstruct`` makes of them, and how they sound; N may be 0."""
    if not len(mels):
        return
    shown = mels[:NUM_KICKS]
    recon = reconstruct(shown).float().cpu()
    tracker.pictures(step, "reconstruction", torch.cat([recon, shown], dim=2))
    tracker.sounds(step, "reconstruction", griffin_lim(recon, audio), audio.sample_rate)


def sample_latents(model: KeywordUNet, schedule: NoiseSchedule, shape: Sequence[int], seed: int) -> Tensor:
    """Standardised latents (B, *shape) of kicks without a prompt, on the CPU, from noise that depends on the seed alone."""
    device = next(model.parameters()).device
    noise = torch.randn((NUM_GENERATED, *shape), generator=torch.Generator().manual_seed(seed)).to(device)
    cond = model.text(torch.full((NUM_GENERATED, 0), PAD, dtype=torch.long, device=device))
    num_steps = min(NUM_STEPS, schedule.num_timesteps)
    return SAMPLERS["ddim"](lambda x, t: model.unet(x, t, cond), noise, schedule, num_steps=num_steps).cpu()


def show_mels(tracker: Tracker, step: int, name: str, mels: Tensor, audio: AudioSettings) -> None:
    """Log-mels (B, 1, M, L), and how they sound."""
    tracker.pictures(step, name, mels)
    tracker.sounds(step, name, griffin_lim(mels, audio), audio.sample_rate)


def show_vocoded(
    tracker: Tracker,
    step: int,
    vocode: Callable[[Tensor], Tensor],
    pairs: Sequence[tuple[Tensor, Tensor]],
    audio: AudioSettings,
) -> None:
    """The first of ``pairs`` of mel (1, M, L) and waveform (N,), if any, above the mels of what ``vocode`` makes of them."""
    if not pairs:
        return
    mels, originals = (torch.stack(items) for items in zip(*pairs[:NUM_KICKS], strict=True))
    vocoded = vocode(mels)
    tracker.pictures(step, "vocoded", torch.cat([mel_spectrogram(vocoded, audio), mels], dim=2))
    tracker.sounds(step, "vocoded", vocoded, audio.sample_rate)
    tracker.sounds(step, "original", originals, audio.sample_rate)
