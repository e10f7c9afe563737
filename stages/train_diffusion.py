"""Trains the diffusion model on the latents: data/latents, data/metadata.csv -> checkpoints/diffusion.safetensors."""

from pathlib import Path

import torch

from kickpipe.checkpoints import load_model
from kickpipe.common.files import write_json
from kickpipe.common.sources import imported_sources
from kickpipe.data.datasets import list_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.data.vocabulary import Vocabulary, build_vocabulary
from kickpipe.params import load_params
from kickpipe.training.diffusion import draw_weights, train_diffusion
from kickpipe.training.state import fingerprint, runs_folder
from kickpipe.training.tracking import write_curves
from stages.entry import run


def main() -> None:
    params = load_params()
    split = params.split.model_dump()
    vae = load_model("checkpoints/vae.safetensors", "vae")
    examples = list_examples("data/metadata.csv", "data/latents", **split)
    train = [example for example in examples if not example.validation]
    val = [example for example in examples if example.validation]
    shape = vae.model.latent_shape
    train_latents = load_tensors("data/latents", [e.filename for e in train], shape)
    val_latents = load_tensors("data/latents", [e.filename for e in val], shape)
    config = params.diffusion.model_dump()
    weights = draw_weights([e.original_path for e in train], config.pop("secondary"), config.pop("secondary_weight"))
    words, counts = build_vocabulary([e.keywords for e in train], config.pop("min_count"))
    print(f"train_diffusion: {len(train)} kicks to train on, {len(val)} held out, {len(words)} keywords")
    if weights is not None:
        print(
            f"train_diffusion: {(weights != 1).sum()} kicks drawn {params.diffusion.secondary_weight:g} times as often"
        )

    labels = repr([(e.original_path, e.keywords) for e in examples]).encode()
    settings = {"split": split, "diffusion": params.diffusion.model_dump()}
    data = (train_latents.numpy(), val_latents.numpy(), labels)
    tracker = train_diffusion(
        train_latents,
        [e.keywords for e in train],
        val_latents,
        [e.keywords for e in val],
        Vocabulary(words, counts),
        weights,
        audio=vae.audio,
        **config,
        fingerprint=fingerprint(settings, data, imported_sources("stages.train_diffusion"), params.diffusion.init_from),
        runs=runs_folder("train_diffusion"),
        model_path=Path("checkpoints/diffusion.safetensors"),
        preview=torch.inference_mode()(vae.model.decode),
    )
    write_curves("plots/train_diffusion.csv", tracker.rows)
    write_json("metrics/train_diffusion.json", {"keywords": len(words), **tracker.summary("step", "loss", "val_loss")})


if __name__ == "__main__":
    run(main)
