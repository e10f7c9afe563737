"""Encodes every mel to the mean of its latent: data/processed, checkpoints/vae.safetensors -> data/latents."""

from pathlib import Path
from typing import cast

import torch

from kickpipe.checkpoints import load_model
from kickpipe.common.files import remove_others, write_json
from kickpipe.common.progress import progress
from kickpipe.data.datasets import list_examples
from kickpipe.data.tensors import load_tensors, save_tensor
from kickpipe.models.vae import VAE
from kickpipe.params import load_params
from kickpipe.training.device import select_device
from stages.entry import run

BATCH_SIZE = 64


def main() -> None:
    audio = load_params().audio.settings()
    device = select_device()
    vae = cast(VAE, load_model("checkpoints/vae.safetensors", "vae").model).to(device)
    names = [example.filename for example in list_examples("data/metadata.csv", "data/processed", 0.0, ())]
    folder = Path("data/latents")
    folder.mkdir(parents=True, exist_ok=True)
    remove_others(folder, {f"{name}.pt" for name in names})

    encoded = []
    batches = [names[i : i + BATCH_SIZE] for i in range(0, len(names), BATCH_SIZE)]
    for batch in progress(batches, len(batches), "encode_latents", "batches"):
        with torch.inference_mode():
            mu, _ = vae.encode(load_tensors("data/processed", batch, audio.mel_shape).to(device))
        for name, latent in zip(batch, mu.cpu(), strict=True):
            save_tensor(latent, folder / f"{name}.pt")
        encoded.append(mu.cpu())

    latents = torch.cat(encoded)
    write_json(
        "metrics/encode_latents.json",
        {
            "kicks": len(latents),
            "shape": list(latents.shape[1:]),
            "mean": [round(value, 4) for value in latents.mean(dim=(0, 2, 3)).tolist()],
            "std": [round(value, 4) for value in latents.std(dim=(0, 2, 3)).tolist()],
        },
    )


if __name__ == "__main__":
    run(main)
