"""Trains the vocoder on pairs of mel and waveform: data/raw, data/processed -> checkpoints/vocoder.safetensors."""

from pathlib import Path

from kickpipe.checkpoints import write_model
from kickpipe.common.files import write_json
from kickpipe.common.seeds import seed_torch
from kickpipe.common.sources import imported_sources
from kickpipe.data.batches import EpochOrder
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.datasets import list_examples, split_examples
from kickpipe.models.discriminators import Discriminators
from kickpipe.models.hifigan import Generator
from kickpipe.params import load_params, plain
from kickpipe.training.device import Precision, select_device
from kickpipe.training.loop import Run
from kickpipe.training.pretrained import load_pretrained
from kickpipe.training.preview import show_vocoded
from kickpipe.training.run import train
from kickpipe.training.state import RunFolder, fingerprint, runs_folder
from kickpipe.training.tracking import Tracker, write_curves
from kickpipe.training.vocoder import Adam, Phases, VocoderTraining
from kickpipe.training.vocoder_objective import VocoderObjective
from kickpipe.training.vocoder_quality import measure_quality
from stages.entry import run

MODEL = Path("checkpoints/vocoder.safetensors")


def main() -> None:
    params = load_params()
    p, audio = params.vocoder, params.audio.settings()
    examples = list_examples("data/metadata.csv", "data/processed", params.split.validation_share, params.split.holdout)
    kicks = split_examples(examples).map(
        lambda part: VocoderDataset(
            "data/raw",
            "data/processed",
            [e.filename for e in part],
            audio,
            p.segment_size,
            p.crop,
            p.align_polarity,
        )
    )
    print(f"train_vocoder: {len(kicks.train)} kicks to train on, {len(kicks.val)} held out")
    identity = fingerprint(
        plain(params.audio, params.split, p),
        # both sets are read once here, a file at a time, and not kept
        (path.read_bytes() for dataset in (kicks.train, kicks.val) for path in dataset.paths()),
        imported_sources("stages.train_vocoder"),
        p.init_from,
    )

    precision = Precision(select_device(), p.mixed_precision)
    seed_torch(p.seed)
    dilations = (p.resblock_dilations,) * len(p.resblock_kernels)
    generator = Generator(audio.n_mels, p.channels, p.upsample_rates, p.upsample_kernels, p.resblock_kernels, dilations)
    if p.init_from:
        start = load_pretrained(p.init_from, "vocoder", generator.config, audio, output=MODEL)
        generator.load_state_dict(start.model.state_dict())
    discriminators = Discriminators(p.periods, p.num_scales, p.discriminator_width)
    order = EpochOrder(len(kicks.train), p.batch_size, p.seed)
    training = VocoderTraining(
        precision.place(generator),
        precision.place(discriminators),
        VocoderObjective(audio, p.feature_matching_weight, p.mel_weight, p.stft_weight),
        kicks,
        order=order,
        phases=Phases(p.reconstruction_steps, p.discriminator_warmup_steps),
        adam=Adam(p.lr, p.betas, p.lr_gamma),
        precision=precision,
    )

    def show(tracker: Tracker, step: int) -> None:
        show_vocoded(tracker, step, training.vocode, training.validation_pairs(), audio)

    folder = RunFolder(runs_folder("train_vocoder"), identity, "vocoder", "epoch", params.states.keep)
    schedule = Run.of_epochs(folder, p.seed, p.epochs, order.batches_per_epoch, p.checkpoint_every_epochs)
    tracker = train(training, schedule, {"config": {**generator.config, "audio": audio.to_dict()}}, show)
    quality = measure_quality(training.vocode, training.validation_pairs() or training.training_pairs(), audio)
    print(f"train_vocoder: {quality.to_text() if quality else 'no kicks to hold it against Griffin-Lim'}")
    said = {} if quality is None else {"quality": quality.to_dict()}
    write_model(MODEL, "vocoder", generator, generator.config, audio, schedule.steps, **said)
    write_curves("plots/train_vocoder.csv", tracker.rows)
    write_json("metrics/train_vocoder.json", tracker.summary("step", "val_mel", "val_stft"))


if __name__ == "__main__":
    run(main)
