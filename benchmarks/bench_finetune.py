"""What fine-tuning on a folder of one's own is worth: the models as they are, a training from nothing, and one from the models.

    python -m benchmarks.bench_finetune FOLDER [--checkpoints checkpoints] [--folds 3] [--threads 1] [--count 150]
        [--only VARIANT ...] [--keep FOLDER]

Cross-validated: the folder's kicks are dealt into folds, and each fold is held out once, from trainings on the others
(presets/finetune.yaml; the one from nothing takes the same steps, with learning rates and averaging of params.yaml, which are
for that). One split alone will not do: some sixty held-out kicks differ from the others as much as what is measured. Printed
for each of the three, as means over the folds: minutes of training, how far the held-out kicks come back from a round trip
and how far generated ones are from them, as the evaluate stage measures it. FOLDER must not have been in the training of the
models.
"""

import argparse
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from kickpipe.data.tables import read_metadata

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.preset import apply_preset  # noqa: E402

PARTS = ("kickpipe", "stages", "presets")
MODELS = ("vae", "diffusion", "vocoder")
TRAININGS = ("train_vae", "encode_latents", "train_diffusion", "train_vocoder")
VARIANTS = {"as they are": (), "from nothing": TRAININGS, "fine-tuned": TRAININGS}
COLUMNS = {
    "minutes": "minutes of training",
    "vae_l1": "log-mel error of the VAE, nats",
    "vae_voc_conv": "VAE and vocoder, spectral convergence",
    "voc_conv": "vocoder, spectral convergence",
    "kad": "kernel distance of generated kicks",
    "kad_train": "... of the training part of the folder",
    "frechet": "Fréchet distance of generated kicks",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=150, help="kicks to generate for each evaluation")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument(
        "--keep", type=Path, help="a new folder for models, metrics and reports; default: they are deleted"
    )
    options = parser.parse_args()
    if options.folds < 2:
        parser.error("--folds: at least 2")
    if options.keep is not None:
        options.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() if options.keep is None else nullcontext(options.keep.resolve()) as name:
        base = make_base(Path(name) / "base", options.folder.resolve(), options.count)
        for stage in ("aggregate", "preprocess"):
            run(stage, base, options.threads)
        found: dict[str, list[dict[str, Any]]] = {variant: [] for variant in options.only}
        for number, holdout in enumerate(deal(base / "data" / "metadata.csv", options.folds)):
            for variant, results in found.items():
                copy = Path(name) / f"{variant.replace(' ', '_')}_{number}"
                shutil.copytree(base, copy)
                apply_preset(copy / "params.yaml", {"split": {"validation_share": 0, "holdout": holdout}})
                results.append(measure(variant, copy, options.checkpoints, options.threads))
                print(variant, {column: results[-1].get(column) for column in COLUMNS}, flush=True)
    show(found)


def make_base(base: Path, folder: Path, count: int) -> Path:
    """A project with this one's code, the fine-tuning preset, and ``folder`` for its samples."""
    base.mkdir()
    for part in PARTS:
        shutil.copytree(ROOT / part, base / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", base)
    changes: dict[str, Any] = {
        "aggregate": {"source_dir": folder.as_posix()},
        "evaluate": {"count": count, "prompts": [""], "keywords": 1, "keyword_kicks": 4, "guidances": [2.0]},
    }
    for preset in (base / "presets" / "finetune.yaml", changes):
        apply_preset(base / "params.yaml", preset)
    return base


def deal(metadata: Path, folds: int) -> list[list[str]]:
    """The kicks of each fold, as patterns for ``split.holdout``; the same for the same kicks."""
    paths = sorted(sample.original_path for sample in read_metadata(metadata))
    random.Random(0).shuffle(paths)
    return [sorted(glob.escape(path) for path in paths[fold::folds]) for fold in range(folds)]


def measure(variant: str, copy: Path, checkpoints: Path, threads: int) -> dict[str, Any]:
    """Trains a variant in its copy of the project, and evaluates it."""
    stages = VARIANTS[variant]
    target = copy / ("pretrained" if stages else "checkpoints")
    shutil.copytree(checkpoints, target, ignore=shutil.ignore_patterns("runs"))
    if variant == "from nothing":
        # of the preset, but not what suits good weights only: a low rate, and an average that begins with the first weights
        released = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        nothing = {model: {"init_from": None, "lr": released[model]["lr"]} for model in MODELS}
        nothing["diffusion"]["ema_warmup"] = released["diffusion"]["ema_warmup"]
        apply_preset(copy / "params.yaml", nothing)
    start = time.perf_counter()
    for stage in stages:
        run(stage, copy, threads)
    minutes = (time.perf_counter() - start) / 60
    run("evaluate", copy, threads)
    return {"minutes": minutes, **json.loads((copy / "metrics" / "evaluate.json").read_text(encoding="utf-8"))}


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    """Prints the table: means over the folds, and the range."""
    print(f"{'mean over the folds (range)':42}" + "".join(f"{variant:>26}" for variant in found))
    for column, text in COLUMNS.items():
        cells = []
        for results in found.values():
            values = [result[column] for result in results if result.get(column) is not None]
            cells.append(f"{fmean(values):.3f} ({min(values):.3f} to {max(values):.3f})" if values else "-")
        print(f"{text:42}" + "".join(f"{cell:>26}" for cell in cells))


def run(stage: str, folder: Path, threads: int) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "KICKPIPE_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    main()
