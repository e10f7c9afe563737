"""Trains the texture of decoded mels: data/processed, checkpoints/vae.safetensors -> checkpoints/texture.safetensors."""

import math
from pathlib import Path
from typing import cast

from kickpipe.checkpoints import load_model, write_model
from kickpipe.common.files import write_json
from kickpipe.common.seeds import seed_torch
from kickpipe.common.sources import imported_sources
from kickpipe.data.batches import BatchOrder, EpochOrder, WeightedOrder, draw_weights
from kickpipe.data.datasets import Example, list_examples, split_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.models.texture import Texture
from kickpipe.models.vae import VAE
from kickpipe.params import TextureParams, load_params, plain
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import Run
from kickpipe.training.optimizer import learning_rate
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_reconstructions
from kickpipe.training.run import train
from kickpipe.training.state import RunFolder, fingerprint, runs_folder
from kickpipe.training.texture import TextureTraining
from kickpipe.training.texture_objective import TextureObjective
from kickpipe.training.tracking import Tracker, write_curves
from stages.entry import run

MODEL = Path("checkpoints/texture.safetensors")


def main() -> None:
    params = load_params()
    p, audio = params.texture, params.audio.settings()
    decoder = load_model("checkpoints/vae.safetensors", "vae")
    sides = split_examples(
        list_examples("data/metadata.csv", "data/processed", params.split.validation_share, params.split.holdout)
    )
    mels = sides.map(lambda part: load_tensors("data/processed", [e.filename for e in part], audio.mel_shape))
    print(f"train_texture: {len(mels.train)} kicks to train on, {len(mels.val)} held out, {p.steps} steps")

    precision = Precision(select_device(), p.mixed_precision)
    seed_torch(p.seed)
    model = Texture(p.channels)
    if p.init_from:
        start = load_pretrained(p.init_from, "texture", model.config, audio, output=MODEL)
        model.load_state_dict(start.model.state_dict())
    identity = fingerprint(
        plain(params.audio, params.split, p),
        (mels.train.numpy().data, mels.val.numpy().data, repr(sides).encode(), decoder.sha256.encode()),
        imported_sources("stages.train_texture"),
        p.init_from,
    )
    folder = RunFolder(runs_folder("train_texture"), identity, "texture", "step", params.states.keep)
    schedule = Run(folder, p.steps, p.seed, p.validate_every, p.checkpoint_every)
    training = TextureTraining(
        precision.place(model),
        precision.place(cast(VAE, decoder.model)),
        TextureObjective(math.log(audio.mel_floor)),
        mels,
        order=order_of(sides.train, p),
        rate=learning_rate("cosine", p.lr, max(p.steps, 1)),
        precision=precision,
        num_frames=p.num_frames,
        posterior_share=p.posterior_share,
    )

    def show(tracker: Tracker, step: int) -> None:
        show_reconstructions(tracker, step, training.reconstruct, mels.val, audio)

    tracker = train(training, schedule, {"config": model.config}, show)
    write_model(MODEL, "texture", model, model.config, audio, schedule.steps)
    write_curves("plots/train_texture.csv", tracker.rows or [{"step": 0}])
    write_json("metrics/train_texture.json", {"step": schedule.steps} | tracker.summary("loss", "val_loss", "val_l1"))


def order_of(examples: list[Example], p: TextureParams) -> BatchOrder:
    weights = draw_weights([e.original_path for e in examples], p.secondary, p.secondary_weight)
    if weights is None:
        return EpochOrder(len(examples), p.batch_size, p.seed)
    return WeightedOrder(weights, p.batch_size, p.seed)


if __name__ == "__main__":
    run(main)
