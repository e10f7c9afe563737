"""Trains the diffusion model on the latents: data/latents, data/metadata.csv -> checkpoints/diffusion.safetensors."""

from pathlib import Path
from typing import cast

from kickpipe.checkpoints import load_model, write_model
from kickpipe.common.files import write_json
from kickpipe.common.seeds import seed_torch
from kickpipe.common.sources import imported_sources
from kickpipe.data.batches import BatchOrder, EpochOrder, WeightedOrder, draw_weights
from kickpipe.data.datasets import Example, list_examples, split_examples
from kickpipe.data.tensors import load_tensors
from kickpipe.data.vocabulary import Vocabulary, build_vocabulary
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.models.text import pad_ids
from kickpipe.models.unet import KeywordUNet
from kickpipe.models.vae import VAE
from kickpipe.params import DiffusionParams, load_params, plain
from kickpipe.training.average import MovingAverage
from kickpipe.training.device import Precision, select_device
from kickpipe.training.diffusion import DiffusionTraining
from kickpipe.training.diffusion_objective import DiffusionObjective
from kickpipe.training.finetune import start_from
from kickpipe.training.latents import LabelledLatents, LatentScale
from kickpipe.training.loop import Run
from kickpipe.training.optimizer import ConstantRate
from kickpipe.training.preview import sample_latents, show_mels
from kickpipe.training.run import train
from kickpipe.training.state import RunFolder, fingerprint, runs_folder
from kickpipe.training.tracking import Tracker, write_curves
from stages.entry import run

MODEL = Path("checkpoints/diffusion.safetensors")


def main() -> None:
    params = load_params()
    p = params.diffusion
    encoder = load_model("checkpoints/vae.safetensors", "vae")
    vae = cast(VAE, encoder.model)
    sides = split_examples(
        list_examples("data/metadata.csv", "data/latents", params.split.validation_share, params.split.holdout)
    )
    words, counts = build_vocabulary([e.keywords for e in sides.train], p.min_count)
    vocabulary = Vocabulary(tuple(words), tuple(counts))
    kicks = sides.map(lambda part: load_kicks(part, vae.latent_shape, vocabulary))
    print(
        f"train_diffusion: {len(sides.train)} kicks to train on, {len(sides.val)} held out, {len(vocabulary)} keywords"
    )
    identity = fingerprint(
        plain(params.split, p),
        (kicks.train.latents.numpy().data, kicks.val.latents.numpy().data, repr(sides).encode()),
        imported_sources("stages.train_diffusion"),
        p.init_from,
    )

    precision = Precision(select_device(), p.mixed_precision)
    seed_torch(p.seed)
    schedule = NoiseSchedule(p.num_timesteps, p.beta_start, p.beta_end)
    model = KeywordUNet(len(vocabulary), vae.latent_channels, p.channels, p.time_dim, p.cond_dim, p.embedding_dim)
    scale = LatentScale.of(kicks.train.latents)
    if p.init_from:
        scale = start_from(p.init_from, model, vocabulary, encoder.audio, output=MODEL)
    precision.place(model)
    training = DiffusionTraining(
        model,
        MovingAverage(model, p.ema_decay, p.ema_warmup),
        DiffusionObjective(schedule, p.keyword_dropout),
        kicks.map(lambda part: part._replace(latents=scale.standardise(part.latents))),
        order=order_of(sides.train, p),
        accumulation=p.gradient_accumulation,
        rate=ConstantRate(p.lr),
        precision=precision,
    )

    def show(tracker: Tracker, step: int) -> None:
        average = training.average.model
        latents = sample_latents(average, schedule, vae.latent_shape, p.seed)
        show_mels(tracker, step, "generated", vae.decode(scale.restore(latents)), encoder.audio)

    config = {**model.config, **schedule.config, "audio": encoder.audio.to_dict()}
    folder = RunFolder(runs_folder("train_diffusion"), identity, "diffusion", "step", params.states.keep)
    tracker = train(
        training,
        Run(folder, p.iterations, p.seed, p.validate_every, p.checkpoint_every),
        {"config": config, "vocabulary": list(vocabulary.words), "latent_mean": scale.mean, "latent_std": scale.std},
        show,
    )
    write_model(
        MODEL,
        "diffusion",
        training.average.model,
        model.config,
        encoder.audio,
        p.iterations,
        vocabulary=list(vocabulary.words),
        keyword_counts=list(vocabulary.counts),
        latent_mean=scale.mean.tolist(),
        latent_std=scale.std.tolist(),
        latent_shape=list(vae.latent_shape),
        schedule=schedule.config,
    )
    write_curves("plots/train_diffusion.csv", tracker.rows)
    write_json(
        "metrics/train_diffusion.json", {"keywords": len(vocabulary), **tracker.summary("step", "loss", "val_loss")}
    )


def load_kicks(examples: list[Example], shape: tuple[int, ...], vocabulary: Vocabulary) -> LabelledLatents:
    latents = load_tensors("data/latents", [e.filename for e in examples], shape)
    return LabelledLatents(latents, pad_ids([vocabulary.encode_known(e.keywords) for e in examples]))


def order_of(examples: list[Example], p: DiffusionParams) -> BatchOrder:
    weights = draw_weights([e.original_path for e in examples], p.secondary, p.secondary_weight)
    if weights is None:
        return EpochOrder(len(examples), p.batch_size, p.seed)
    print(f"train_diffusion: {(weights != 1).sum()} kicks drawn {p.secondary_weight:g} times as often")
    return WeightedOrder(weights, p.batch_size, p.seed)


if __name__ == "__main__":
    run(main)
