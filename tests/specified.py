"""What the walk through the specification needs: shapes inside networks, and the three trainings in miniature."""

__all__ = ["Trained", "shapes_of", "train_all", "write_library"]

import csv
import importlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn
from training.tiny import change_params

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import ModelFile, load_model
from kickpipe.data.preprocess import preprocess
from kickpipe.data.tensors import save_tensor
from kickpipe.params import load_params

ROOT = Path(__file__).parents[1]
SMALL = {
    "vae": {"channels": (4, 4, 8, 8), "epochs": 10},
    "diffusion": {"channels": (8, 8, 8), "iterations": 10, "checkpoint_every": 2, "min_count": 1},
    "vocoder": {"channels": 32, "discriminator_width": 0.02, "epochs": 10},
}
WORDS = ("deep 808", "hard", "")


def shapes_of(modules: Iterable[nn.Module], network: nn.Module, *inputs: Tensor) -> list[tuple[int, ...]]:
    """Shapes, without the batch, of what each of the modules returns while the network runs."""
    shapes: list[tuple[int, ...]] = []
    hooks = [m.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:]))) for m in modules]
    with torch.inference_mode():
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return shapes


@dataclass(frozen=True)
class Trained:
    """One training in miniature: its model file, and its training states by file name."""

    file: ModelFile
    states: dict[str, dict[str, Any]]


def train_all(params: Path, project: Path) -> dict[str, Trained]:
    """Runs the three stages with the params of a file, except for the size of networks and the number of steps.

    The first kick is held out; the diffusion model has 36 random latents to train on.
    """
    for package in ("kickpipe", "stages"):
        shutil.copytree(ROOT / package, project / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(params, project / "params.yaml")
    change_params(project, "split", validation_share=1 / 256)
    for section, changes in SMALL.items():
        change_params(project, section, **changes)
    audio = load_params(project / "params.yaml").audio.settings()

    names = write_library(project / "data", audio, 3)
    more = [f"{i:02x}ffff_kick.wav" for i in range(3, 37)]
    (project / "data" / "latents").mkdir()
    for i, name in enumerate(names + more):
        latent = torch.randn(4, 8, 11, generator=torch.Generator().manual_seed(i))
        save_tensor(latent, project / "data" / "latents" / f"{name}.pt")
    with (project / "data" / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", "original_path", "keywords"])
        rows.writerows([name, name, WORDS[i % 3]] for i, name in enumerate(names + more))

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setenv("KICKPIPE_DEVICE", "cpu")
        for kind in SMALL:
            importlib.import_module(f"stages.train_{kind}").main()
    return {
        kind: Trained(
            load_model(project / "checkpoints" / f"{kind}.safetensors", kind),
            {
                path.name: torch.load(path, weights_only=True)
                for path in (project / "checkpoints" / "runs" / f"train_{kind}").rglob("*.pt")
            },
        )
        for kind in SMALL
    }


def write_library(folder: Path, audio: AudioSettings, count: int) -> list[str]:
    """Short sounds in ``raw`` and their tensors in ``processed``; returns their names."""
    (folder / "raw").mkdir(parents=True)
    names = [f"{i:02x}0000_kick.wav" for i in range(count)]
    for i, name in enumerate(names):
        time = np.arange(audio.sample_rate // 2) / audio.sample_rate
        kick = np.sin(2 * np.pi * (50 + 10 * i) * time) * np.exp(-8 * time)
        soundfile.write(folder / "raw" / name, kick, audio.sample_rate)
    preprocess(folder / "raw", folder / "processed", names, audio, workers=1)
    return names
