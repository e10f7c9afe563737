"""Trains the vocoder on pairs of mel and waveform: data/raw, data/processed -> checkpoints/vocoder.safetensors."""

from pathlib import Path

from kickpipe.common.files import write_json
from kickpipe.common.sources import imported_sources
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.datasets import list_examples
from kickpipe.params import load_params
from kickpipe.training.state import fingerprint, runs_folder
from kickpipe.training.tracking import write_curves
from kickpipe.training.vocoder import train_vocoder
from stages.entry import run


def main() -> None:
    params = load_params()
    audio = params.audio.settings()
    split = params.split.model_dump()
    config = params.vocoder.model_dump()
    crops = {name: config.pop(name) for name in ("segment_size", "crop", "align_polarity")}
    examples = list_examples("data/metadata.csv", "data/processed", **split)
    train_set, val_set = (
        VocoderDataset(
            "data/raw", "data/processed", [e.filename for e in examples if e.validation is held_out], audio, **crops
        )
        for held_out in (False, True)
    )
    print(f"train_vocoder: {len(train_set)} kicks to train on, {len(val_set)} held out")

    settings = {"audio": audio.to_dict(), "split": split, "vocoder": params.vocoder.model_dump()}
    # both sets are read once here, a file at a time, and not kept
    data = (path.read_bytes() for dataset in (train_set, val_set) for path in dataset.paths())
    tracker = train_vocoder(
        train_set,
        val_set,
        audio=audio,
        **config,
        fingerprint=fingerprint(settings, data, imported_sources("stages.train_vocoder"), params.vocoder.init_from),
        runs=runs_folder("train_vocoder"),
        model_path=Path("checkpoints/vocoder.safetensors"),
    )
    write_curves("plots/train_vocoder.csv", tracker.rows)
    write_json("metrics/train_vocoder.json", tracker.summary("step", "val_mel", "val_stft"))


if __name__ == "__main__":
    run(main)
