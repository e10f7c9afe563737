"""Trainings that take a second: small sounds, small networks, params for them, and a project that the stages run in."""

__all__ = [
    "AUDIO",
    "DIFFUSION",
    "TEXTURE",
    "VAE",
    "VOCODER",
    "change_params",
    "make_mels",
    "write_pairs",
    "write_project",
]

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import yaml
from torch import Tensor

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import write_model
from kickpipe.data.preprocess import preprocess
from kickpipe.models.vae import VAE as VaeModel

ROOT = Path(__file__).parents[2]

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

TEXTURE = {
    "channels": (4, 8),
    "posterior_share": 0.5,
    "secondary": (),
    "secondary_weight": 1.0,
    "batch_size": 4,
    "num_frames": 40,
    "lr": 1e-3,
    "steps": 6,
    "mixed_precision": True,
    "validate_every": 2,
    "checkpoint_every": 2,
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


def write_project(project: Path, num_kicks: int = 10) -> Path:
    """A project with everything that the three trainings read, written without the stages before them."""
    for package in ("kickpipe", "stages"):
        shutil.copytree(ROOT / package, project / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", project)
    change_params(project, "audio", **AUDIO.to_dict())
    change_params(project, "split", validation_share=0.3, holdout=[])
    change_params(project, "vae", **VAE)
    change_params(project, "texture", **TEXTURE)
    change_params(project, "diffusion", **DIFFUSION, min_count=1)
    change_params(project, "vocoder", **VOCODER, segment_size=512)

    names = write_pairs(project / "data", num_kicks)
    (project / "data" / "latents").mkdir()
    vae = VaeModel(AUDIO.n_mels, AUDIO.num_frames, VAE["channels"], VAE["latent_channels"])
    generator = torch.Generator().manual_seed(0)
    with (project / "data" / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", "original_path", "keywords"])
        for i, name in enumerate(names):
            rows.writerow([name, f"Pack/{name}", ["deep", "deep hard", "", "hard kick"][i % 4]])
            latent = 5 + 3 * torch.randn(vae.latent_shape, generator=generator)
            torch.save(latent, project / "data" / "latents" / f"{name}.pt")
    write_model(project / "checkpoints" / "vae.safetensors", "vae", vae, vae.config, AUDIO, 1)
    return project


def change_params(project: Path, section: str, **changes: Any) -> None:
    """Sets values of a section of the project's params.yaml."""
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params[section] |= {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
