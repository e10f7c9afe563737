"""The whole pipeline in minutes: samples, training and kicks, in a throw-away copy of the project.

    python scripts/demo.py                      on a library that the built-in synthesiser makes
    python scripts/demo.py --source SAMPLES     on your own folder

The copy lies in build/demo and is removed at the end, unless --keep is given; the kicks and the report stay. Where trained
checkpoints are there (dvc pull), the trainings start from them.
"""

__all__ = ["main"]

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.preset import apply_preset

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "demo"
MODELS = ("vae", "diffusion", "vocoder")
NUM_KICKS = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="folder of your own samples")
    parser.add_argument("--out", type=Path, default=ROOT / "kicks" / "demo", help="folder of the generated kicks")
    parser.add_argument("--prompt", default="", help="keywords of the kicks; none by default")
    parser.add_argument("--keep", action="store_true", help="keep the copy of the project, to look around in it")
    arguments = parser.parse_args()
    if arguments.source is not None and not arguments.source.is_dir():
        sys.exit(f"{arguments.source}: no such folder")
    start = time.monotonic()

    say("1/4  a copy of the project in build/demo")
    shutil.rmtree(COPY, ignore_errors=True)
    copy_project()
    pretrained = start_from_checkpoints()
    source = arguments.source.resolve() if arguments.source else COPY / "data" / "source"
    change_params(source, pretrained)

    if arguments.source is None:
        say(f"2/4  {NUM_KICKS} kicks from the built-in synthesiser")
        kickpipe("synth", source, "--count", NUM_KICKS, "--seed", 1)
    else:
        say(f"2/4  the samples in {source}")

    say("3/4  dvc repro: every stage of the pipeline")
    run("-m", "dvc", "config", "--local", "core.no_scm", "true")
    run("-m", "dvc", "repro")

    say("4/4  eight kicks")
    vocoder = [] if pretrained else ["--vocoder", "griffin-lim"]  # a vocoder is not trained in two minutes from nothing
    kickpipe("generate", arguments.prompt, "--count", 8, "--seed", 1, "--out", arguments.out.resolve(), *vocoder)
    report = COPY / "reports" / "index.html"
    if report.is_file():
        shutil.copy(report, arguments.out / "report.html")
    if not arguments.keep:
        shutil.rmtree(COPY)
    minutes = (time.monotonic() - start) / 60
    say(f"done in {minutes:.1f} minutes: 8 kicks and report.html, what was measured, in {arguments.out}")
    if not pretrained:
        say("trained for minutes on few kicks, they show that it works, not how good it gets")


def copy_project() -> None:
    """Copies the files of the project, as Git knows them, without data and checkpoints."""
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
        files = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        skipped = {"build", "data", "checkpoints", "kicks", "reports", ".venv", ".git"}
        files = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        files = [path for path in files if path.parts[0] not in skipped and "cache" not in path.parts]
    for file in files:
        released = file.name == "dvc.lock" or file.is_relative_to(".dvc/remote")
        if (ROOT / file).is_file() and not released:
            (COPY / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, COPY / file)


def start_from_checkpoints() -> bool:
    """Copies trained checkpoints to where trainings may start from; returns whether all three are there."""
    files = [ROOT / "checkpoints" / f"{name}.safetensors" for name in MODELS]
    if not all(file.is_file() for file in files):
        return False
    for file in files:
        shutil.copy(file, COPY / "pretrained" / file.name)
    return True


def change_params(source: Path, pretrained: bool) -> None:
    """Merges the demo's presets over the params of the copy."""
    presets: list[Path | dict[str, Any]] = [
        COPY / "presets" / "demo.yaml",
        {"aggregate": {"source_dir": source.as_posix()}},
    ]
    if pretrained:
        presets.append(COPY / "presets" / "finetune.yaml")
    for preset in presets:
        apply_preset(COPY / "params.yaml", preset)


def kickpipe(*arguments: object) -> None:
    run("-m", "kickpipe", *arguments)


def run(*arguments: object) -> None:
    """Runs this Python in the copy; what it prints goes on to the terminal. Ends the demo where it fails."""
    # dvc starts the stages with the "python" it finds first
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(COPY)}
    status = subprocess.run([sys.executable, *map(str, arguments)], cwd=COPY, env=environment, check=False).returncode
    if status:
        sys.exit(f"demo: stopped with status {status}; the copy of the project is in {COPY}")


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
