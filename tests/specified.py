"""What the walk through the specification needs: shapes inside networks, and the three trainings in miniature."""

__all__ = ["Trained", "shapes_of", "train_all", "train_small_diffusion", "write_library"]

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import ModelFile, load_model
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.preprocess import preprocess
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.params import Params
from kickpipe.training.diffusion import train_diffusion
from kickpipe.training.vae import train_vae
from kickpipe.training.vocoder import train_vocoder

SMALL = {
    "vae": {"channels": (4, 4, 8, 8), "epochs": 10},
    "diffusion": {"channels": (8, 8, 8), "iterations": 10, "checkpoint_every": 5},
    "vocoder": {"channels": 32, "discriminator_width": 0.02, "epochs": 10},
}


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


def train_all(params: Params, folder: Path) -> dict[str, Trained]:
    """Runs all three trainings with the params as given, except for the size of networks and the number of steps."""
    torch.manual_seed(0)
    audio = params.audio.settings()
    common = {"audio": audio, "fingerprint": "f" * 64}

    def places(kind: str) -> dict[str, Path]:
        return {"runs": folder / "runs" / f"train_{kind}", "model_path": folder / f"{kind}.safetensors"}

    mels = torch.randn(3, *audio.mel_shape)
    train_vae(mels[:2], mels[2:], **params.vae.model_dump() | SMALL["vae"], **common, **places("vae"))

    train_small_diffusion(params, folder)

    names = write_library(folder, audio)
    config = params.vocoder.model_dump() | SMALL["vocoder"]
    crops = {name: config.pop(name) for name in ("segment_size", "crop", "align_polarity")}
    sets = [
        VocoderDataset(folder / "raw", folder / "processed", part, audio, **crops) for part in (names[:2], names[2:])
    ]
    train_vocoder(*sets, **config, **common, **places("vocoder"))

    return {
        kind: Trained(
            load_model(folder / f"{kind}.safetensors", kind),
            {
                path.name: torch.load(path, weights_only=True)
                for path in (folder / "runs" / f"train_{kind}").rglob("*.pt")
            },
        )
        for kind in SMALL
    }


def train_small_diffusion(params: Params, folder: Path, **overrides: Any) -> None:
    """The diffusion training on 36 random latents and 4 held out."""
    latents = torch.randn(40, 4, 8, 11)
    keywords = [("deep", "808"), ("hard",), ()] * 13 + [("deep",)]
    of_the_stage = {"min_count", "secondary", "secondary_weight"}
    arguments = params.diffusion.model_dump(exclude=of_the_stage) | SMALL["diffusion"] | overrides
    train_diffusion(
        latents[4:],
        keywords[4:],
        latents[:4],
        keywords[:4],
        Vocabulary(("deep", "hard", "808"), (14, 13, 13)),
        **arguments,
        audio=params.audio.settings(),
        fingerprint="f" * 64,
        runs=folder / "runs" / "train_diffusion",
        model_path=folder / "diffusion.safetensors",
    )


def write_library(folder: Path, audio: AudioSettings) -> list[str]:
    """Three short sounds in ``raw`` and their tensors in ``processed``; returns their names."""
    (folder / "raw").mkdir()
    names = [f"{i:06x}_kick.wav" for i in range(3)]
    for i, name in enumerate(names):
        time = np.arange(audio.sample_rate // 2) / audio.sample_rate
        kick = np.sin(2 * np.pi * (50 + 10 * i) * time) * np.exp(-8 * time)
        soundfile.write(folder / "raw" / name, kick, audio.sample_rate)
    preprocess(folder / "raw", folder / "processed", names, audio, workers=1)
    return names
