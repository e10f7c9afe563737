"""Trains the VAE on the mels: data/processed -> checkpoints/vae.safetensors."""

import dataclasses
from pathlib import Path

from kickpipe.checkpoints import write_model
from kickpipe.common.files import write_json
from kickpipe.common.seeds import seed_torch
from kickpipe.common.sources import imported_sources
from kickpipe.data.batches import EpochOrder
from kickpipe.data.datasets import list_examples, split_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.models.vae import VAE
from kickpipe.params import load_params, plain
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import Run
from kickpipe.training.optimizer import learning_rate
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_reconstructions
from kickpipe.training.run import train
from kickpipe.training.state import RunFolder, fingerprint, runs_folder
from kickpipe.training.tracking import Tracker, write_curves
from kickpipe.training.vae import VaeTraining
from kickpipe.training.vae_objective import VaeObjective
from stages.entry import run

MODEL = Path("checkpoints/vae.safetensors")


def main() -> None:
    params = load_params()
    p, audio = params.vae, params.audio.settings()
    examples = split_examples(
        list_examples("data/metadata.csv", "data/processed", params.split.validation_share, params.split.holdout)
    )
    mels = examples.map(lambda part: load_tensors("data/processed", [e.filename for e in part], audio.mel_shape))
    print(f"train_vae: {len(mels.train)} kicks to train on, {len(mels.val)} held out")

    precision = Precision(select_device(), p.mixed_precision)
    seed_torch(p.seed)
    model = VAE(audio.n_mels, audio.num_frames, p.channels, p.latent_channels)
    if p.init_from:
        start = load_pretrained(p.init_from, "vae", model.config, audio, output=MODEL)
        model.load_state_dict(start.model.state_dict())
    objective = VaeObjective(p.kl_weight_start, p.kl_weight_end, p.kl_anneal_epochs, p.convergence_weight)

    order = EpochOrder(len(mels.train), p.batch_size, p.seed)
    settings = plain(params.audio, params.split, p)
    data = (mels.train.numpy().data, mels.val.numpy().data)
    identity = fingerprint(settings, data, imported_sources("stages.train_vae"), p.init_from)
    folder = RunFolder(runs_folder("train_vae"), identity, "vae", "epoch", params.states.keep)
    schedule = Run.of_epochs(folder, p.seed, p.epochs, order.batches_per_epoch, p.checkpoint_every_epochs)
    training = VaeTraining(
        precision.place(model),
        objective,
        mels,
        order=order,
        rate=learning_rate(p.lr_schedule, p.lr, schedule.steps),
        precision=precision,
    )

    def show(tracker: Tracker, step: int) -> None:
        show_reconstructions(tracker, step, training.reconstruct, mels.val, audio)

    config = {**model.config, "audio": audio.to_dict(), "objective": dataclasses.asdict(objective)}
    tracker = train(training, schedule, {"config": config}, show)
    write_model(MODEL, "vae", model, model.config, audio, schedule.steps)
    write_curves("plots/train_vae.csv", tracker.rows)
    write_json("metrics/train_vae.json", tracker.summary("step", "loss", "val_loss", "val_l1"))


if __name__ == "__main__":
    run(main)
