"""What fine-tuning on a folder of one's own is worth: the models as they are, a training from nothing, and one from the models.

    python -m benchmarks.bench_finetune FOLDER [--checkpoints checkpoints] [--share 0.3] [--threads 1] [--count 150]
        [--only VARIANT ...] [--keep FOLDER]

A share of the folder's kicks is held out. Both trainings take the same steps on the others (presets/finetune.yaml), the one
from nothing with the learning rates of params.yaml, which are for that. Printed for each of the three: minutes of training,
then how far the held-out kicks come back from a round trip and how far generated ones are from them, as the evaluate stage
measures it. FOLDER must not have been in the training of the models.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from preset import apply_preset  # noqa: E402

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
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=150, help="kicks to generate for each evaluation")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--keep", type=Path, help="a new folder for models, metrics and reports; default: they are deleted")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() if options.keep is None else nullcontext(options.keep.resolve()) as name:
        base = Path(name) / "base"
        base.mkdir()
        for part in PARTS:
            shutil.copytree(ROOT / part, base / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "params.yaml", base)
        released = yaml.safe_load((base / "params.yaml").read_text(encoding="utf-8"))
        changes: dict[str, Any] = {
            "aggregate": {"source_dir": options.folder.resolve().as_posix()},
            "split": {"validation_share": options.share},
            "evaluate": {"count": options.count, "prompts": [""], "keywords": 1, "keyword_kicks": 4, "guidances": [2.0]},
        }
        for preset in (base / "presets" / "finetune.yaml", changes):
            apply_preset(base / "params.yaml", preset)
        for stage in ("aggregate", "preprocess"):
            run(stage, base, options.threads)

        found = {}
        for variant in options.only:
            stages = VARIANTS[variant]
            copy = Path(name) / variant.replace(" ", "_")
            shutil.copytree(base, copy)
            target = copy / ("pretrained" if stages else "checkpoints")
            shutil.copytree(options.checkpoints, target, ignore=shutil.ignore_patterns("runs"))
            if variant == "from nothing":
                nothing = {model: {"init_from": None, "lr": released[model]["lr"]} for model in MODELS}
                apply_preset(copy / "params.yaml", nothing)
            start = time.perf_counter()
            for stage in stages:
                run(stage, copy, options.threads)
            minutes = (time.perf_counter() - start) / 60
            run("evaluate", copy, options.threads)
            found[variant] = {"minutes": minutes, **json.loads((copy / "metrics" / "evaluate.json").read_text())}
            print(variant, {column: found[variant].get(column) for column in COLUMNS}, flush=True)

    print(f"{'':42}" + "".join(f"{variant:>14}" for variant in found))
    for column, text in COLUMNS.items():
        values = [found[variant].get(column) for variant in found]
        print(f"{text:42}" + "".join(f"{'-' if value is None else format(value, '.3f'):>14}" for value in values))


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
