"""Trainings that take a second: small sounds, small networks, and what the three have in common."""

__all__ = ["AUDIO", "DIFFUSION", "VAE", "VOCODER", "make_mels", "write_pairs"]

from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from kickpipe.audio.settings import AudioSettings
from kickpipe.data.preprocess import preprocess

AUDIO = AudioSettings(
    sample_rate=8000, duration=0.2, n_fft=128, hop_length=32, n_mels=16, peak_db=-1.0, fade_seconds=0.02, mel_floor=1e-5
)

VAE = {
    "channels": (4, 4, 8),
    "latent_channels": 2,
    "batch_size": 4,
    "lr": 1e-3,
    "lr_schedule": "cosine",
    "epochs": 3,
    "kl_weight_start": 1e-4,
    "kl_weight_end": 1e-3,
    "kl_anneal_epochs": 2,
    "convergence_weight": 0.5,
    "mixed_precision": True,
    "checkpoint_every_epochs": 1,
    "seed": 0,
    "init_from": None,
}

DIFFUSION = {
    "channels": (4, 8),
    "time_dim": 4,
    "cond_dim": 8,
    "embedding_dim": 4,
    "num_timesteps": 20,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "batch_size": 4,
    "gradient_accumulation": 2,
    "lr": 1e-3,
    "iterations": 6,
    "mixed_precision": True,
    "ema_decay": 0.99,
    "ema_warmup": True,
    "keyword_dropout": 0.15,
    "validate_every": 2,
    "checkpoint_every": 2,
    "seed": 0,
    "init_from": None,
}

VOCODER = {
    "channels": 8,
    "upsample_rates": (8, 4),
    "upsample_kernels": (16, 8),
    "resblock_kernels": (3,),
    "resblock_dilations": (1, 3),
    "periods": (2, 3),
    "num_scales": 2,
    "discriminator_width": 0.02,
    "reconstruction_steps": 1,
    "discriminator_warmup_steps": 1,
    "batch_size": 4,
    "lr": 1e-3,
    "betas": (0.8, 0.99),
    "lr_gamma": 0.9,
    "epochs": 3,
    "feature_matching_weight": 2.0,
    "mel_weight": 45.0,
    "stft_weight": 1.0,
    "mixed_precision": False,
    "checkpoint_every_epochs": 1,
    "seed": 0,
    "init_from": None,
}


def make_mels(count: int) -> Tensor:
    """Log-mels (N, 1, M, L) that differ, as loud at the start as real ones."""
    generator = torch.Generator().manual_seed(0)
    decay = torch.linspace(4, -10, AUDIO.num_frames)
    return (decay + torch.randn((count, *AUDIO.mel_shape), generator=generator)).clamp(min=np.log(AUDIO.mel_floor))


def write_pairs(folder: Path, count: int) -> list[str]:
    """Sounds in ``folder/raw`` with their tensors in ``folder/processed``; returns their names."""
    (folder / "raw").mkdir(parents=True)
    time = np.arange(AUDIO.num_samples) / AUDIO.sample_rate
    names = [f"{(37 * i) % 256:02x}0000_kick {i}.wav" for i in range(count)]
    for i, name in enumerate(names):
        kick = np.sin(2 * np.pi * (60 + 10 * i) * time) * np.exp(-20 * time)
        soundfile.write(folder / "raw" / name, kick, AUDIO.sample_rate)
    preprocess(folder / "raw", folder / "processed", names, AUDIO, workers=1)
    return names
