"""Trains the VAE on the mels: data/processed -> checkpoints/vae.safetensors."""

from pathlib import Path

from kickpipe.common.files import write_json
from kickpipe.common.sources import imported_sources
from kickpipe.data.datasets import list_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.params import load_params
from kickpipe.training.state import fingerprint, runs_folder
from kickpipe.training.tracking import write_curves
from kickpipe.training.vae import train_vae
from stages.entry import run


def main() -> None:
    params = load_params()
    audio = params.audio.settings()
    split = params.split.model_dump()
    examples = list_examples("data/metadata.csv", "data/processed", **split)
    train = load_tensors("data/processed", [e.filename for e in examples if not e.validation], audio.mel_shape)
    val = load_tensors("data/processed", [e.filename for e in examples if e.validation], audio.mel_shape)
    print(f"train_vae: {len(train)} kicks to train on, {len(val)} held out")

    settings = {"audio": audio.to_dict(), "split": split, "vae": params.vae.model_dump()}
    tracker = train_vae(
        train,
        val,
        audio=audio,
        **params.vae.model_dump(),
        fingerprint=fingerprint(
            settings, (train.numpy(), val.numpy()), imported_sources("stages.train_vae"), params.vae.init_from
        ),
        runs=runs_folder("train_vae"),
        model_path=Path("checkpoints/vae.safetensors"),
    )
    write_curves("plots/train_vae.csv", tracker.rows)
    write_json("metrics/train_vae.json", tracker.summary("step", "loss", "val_loss", "val_l1"))


if __name__ == "__main__":
    run(main)
