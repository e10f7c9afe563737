"""Three small model files with random weights that belong together, for tests of everything that generates."""

__all__ = ["COUNTS", "WORDS", "write_tiny_models"]

from pathlib import Path

import torch

from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import model_class, write_model

WORDS = ["kick", "deep", "808", "clicky", "short", "hard"]
COUNTS = [90, 40, 30, 20, 10, 5]

MODELS = ("vae", "diffusion", "vocoder")
CONFIGS = {
    "texture": {"channels": [4, 8]},
    "vae": {"n_mels": 128, "num_frames": 173, "channels": [4, 4, 8, 8], "latent_channels": 4},
    "diffusion": {
        "vocab_size": len(WORDS),
        "latent_channels": 4,
        "channels": [8, 16],
        "time_dim": 8,
        "cond_dim": 32,
        "embedding_dim": 8,
        "num_heads": 2,
    },
    "vocoder": {
        "n_mels": 128,
        "channels": 32,
        "upsample_rates": [8, 8, 2, 2, 2],
        "upsample_kernels": [16, 16, 4, 4, 4],
        "resblock_kernels": [3],
        "resblock_dilations": [[1, 3]],
    },
}


def write_tiny_models(
    directory: Path, settings: AudioSettings, kinds: tuple[str, ...] = MODELS, words: list[str] = WORDS
) -> Path:
    """Writes vae.safetensors, diffusion.safetensors and vocoder.safetensors, always the same; returns the folder.

    The decoder's last bias is lifted to where a decaying kick is, so that kicks are neither silent nor two seconds of noise.
    """
    generator = torch.Generator().manual_seed(0)
    for kind in kinds:
        model = model_class(kind)(**CONFIGS[kind])
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    fan_in = parameter[0].numel()
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) / fan_in**0.5)
                else:
                    # what normalisations begin with stays near 1; a bias of one channel may be drawn above 0.5
                    ones = bool((parameter == 1).all())
                    parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator) + ones)
        extra = {}
        if kind == "diffusion":
            extra = {
                "vocabulary": words,
                "keyword_counts": COUNTS,
                "latent_mean": [0.1, 0.0, -0.1, 0.0],
                "latent_std": [1.0, 0.9, 1.1, 1.0],
                "schedule": {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02},
                "latent_shape": [4, 8, 11],
            }
        write_model(directory / f"{kind}.safetensors", kind, model, CONFIGS[kind], settings, 1, **extra)
    return directory
