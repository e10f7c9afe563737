"""Kicks to hear within two minutes, then the whole pipeline on a small library, in minutes.

    python -m scripts.demo                      on a library that the built-in synthesiser makes
    python -m scripts.demo --source SAMPLES     on your own folder

It takes the released models (dvc pull), makes eight kicks and a page with them, trains on from these models, and makes the same
eight kicks with the new ones. The training happens in build/demo, a copy of the project that is removed at the end; everything
to keep is in kicks/demo. Ctrl-C stops it, and the same command continues.
"""

__all__ = ["Demo", "main"]

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kickpipe.common.errors import KickpipeError
from kickpipe.common.progress import format_seconds
from scripts.demo.library import choose_kicks, copy_kicks, find_kicks
from scripts.demo.plan import MAX_KICKS, Speed, make_plan
from scripts.demo.processes import Failed, Interrupted, Process, python
from scripts.demo.progress import StageProgress
from scripts.demo.project import MODELS, Copy, pull_models

ROOT = Path(__file__).resolve().parents[2]
NUM_SYNTHESISED = 150


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="folder of your own samples")
    parser.add_argument("--out", type=Path, default=ROOT / "kicks" / "demo", help="folder for what is made")
    parser.add_argument("--preset", type=Path, help="a YAML file of hyperparameters that go over the demo's own")
    parser.add_argument("--keep", action="store_true", help="keep the copy of the project, to look around in it")
    options = parser.parse_args(arguments)
    demo = Demo(ROOT, options.out.resolve(), options.source, options.preset)
    try:
        demo.run()
    except (Interrupted, KeyboardInterrupt):
        say(f"stopped {demo.doing}; run the same command to continue")
        return 130
    except Failed as error:
        say(f"demo: {demo.doing}: {error}; the copy of the project is in {demo.copy.path}")
        return 1
    except KickpipeError as error:
        say(f"demo: {error}")
        return 1
    if not options.keep:
        demo.copy.remove()
    return 0


class Demo:
    """One demo, from its first line to its last.

    Arguments:
        root: The project.
        out: Folder for kicks, pages and the new models.
        source: Folder of samples; None for synthesised ones.
        preset: Hyperparameters over the demo's own.
    """

    def __init__(self, root: Path, out: Path, source: Path | None, preset: Path | None = None) -> None:
        self.root = root
        self.out = out
        self.source = None if source is None else source.expanduser().resolve()
        self.preset = preset
        self.copy = Copy(root, root / "build" / "demo")
        self.start = time.monotonic()
        self.doing = "before anything was made"

    def run(self) -> None:
        """All of it.

        Raises:
            Interrupted: On Ctrl-C, with everything saved that is needed to continue.
            Failed: If a part of it ends with an error, which was printed.
            KickpipeError: If the folder has no kicks.
        """
        kicks = [] if self.source is None else find_kicks(self.source, self.root / "params.yaml")
        num_kicks = NUM_SYNTHESISED if self.source is None else min(len(kicks), MAX_KICKS)
        rough = make_plan(self.root, num_kicks, pretrained=True, preset=self.preset)
        what = self.describe_library(len(kicks))
        say(f"{what}: {len(rough.stages)} stages, {format_minutes(rough.seconds(Speed()))} on two idle cores")
        say("First, eight kicks to hear. Ctrl-C stops, and the same command continues.\n")

        self.doing = "while the copy of the project was made"
        self.copy.update(self.source)
        self.doing = "while the released models were fetched"
        pretrained = pull_models(self.root, say)
        self.measure_speed(pretrained)
        if pretrained:
            self.listen("before", self.root / "checkpoints", "the models as they are")
        self.train(kicks, num_kicks, pretrained)
        self.doing = "after the training"
        self.finish(pretrained)

    def describe_library(self, num_found: int) -> str:
        if self.source is None:
            return f"{NUM_SYNTHESISED} kicks of the built-in synthesiser"
        if num_found > MAX_KICKS:
            return f"{MAX_KICKS} of the {num_found:,} kicks in {self.source}"
        return f"{num_found} kicks in {self.source}"

    def listen(self, name: str, checkpoints: Path, whose: str, *options: object) -> None:
        """Eight kicks of some models and a page with them, unless they are there from a run that was interrupted."""
        self.doing = f"while kicks were made with {whose}"
        folder, page = self.out / name, self.out / f"{name}.html"
        trained = max((checkpoints / model).stat().st_mtime for model in MODELS)
        if page.is_file() and page.stat().st_mtime > trained:
            say(f"eight kicks of {whose}: {page}\n")
            return
        say(f"eight kicks of {whose}")
        shutil.rmtree(folder, ignore_errors=True)
        python(self.root, "-m", "scripts.demo.kicks", checkpoints, folder, *options, each_line=indented)
        python(self.root, "-m", "kickpipe", "report", folder, "--out", page)
        say(f"  listen: {page}, {format_seconds(time.monotonic() - self.start)} after the start\n")

    def train(self, kicks: list[str], num_kicks: int, pretrained: bool) -> None:
        """The seven stages, in the copy."""
        self.doing = "while the library was made"
        source = self.copy.path / "data" / "source" if self.source is None else self.source
        if self.source is not None and len(kicks) > MAX_KICKS:
            source = self.copy.path / "data" / "source"
            copy_kicks(self.source, choose_kicks(kicks, MAX_KICKS), source)
        if self.source is None and not self.copy.has_done("synth"):
            python(self.copy.path, "-m", "kickpipe", "synth", source, "--count", num_kicks, "--seed", 1)
            self.copy.mark_done("synth")
        plan = make_plan(self.root, num_kicks, pretrained, self.preset)
        self.copy.write_params(plan, source)
        if pretrained:
            self.copy.start_from(self.root / "checkpoints")
        progress = StageProgress(plan, self.measure_speed(pretrained), self.copy.finished_stages(), say)
        say(
            f"the pipeline on {num_kicks} kicks: {format_minutes(progress.seconds_left())} as busy as this machine is now"
        )
        python(self.copy.path, "-m", "dvc", "config", "--local", "core.no_scm", "true")
        process = Process(self.copy.path, "-m", "dvc", "repro")
        try:
            process.run(progress.line)
        finally:
            self.doing = progress.where
        progress.end()

    def measure_speed(self, pretrained: bool) -> Speed:
        """How fast this machine is now, with as many threads as are fastest, which all commands then take.

        As fast as two idle cores where there is no model to measure with.
        """
        printed: list[str] = []
        if pretrained:
            vae = self.root / "checkpoints" / MODELS[0]
            python(self.root, "-m", "scripts.demo.speed", vae, each_line=printed.append)
        if not printed:
            return Speed()
        found = json.loads(printed[-1])
        if "OMP_NUM_THREADS" not in os.environ:
            os.environ["KICKPIPE_THREADS"] = str(found["threads"])
        return Speed(found["vae_seconds"])

    def finish(self, pretrained: bool) -> None:
        """Kicks of the new models, and everything that is to be kept."""
        say("")
        # a vocoder is not trained in two minutes from nothing
        options = [] if pretrained else ["--vocoder", "griffin-lim"]
        self.listen("after", self.copy.path / "checkpoints", "the new models", *options)
        models = self.out / "models"
        models.mkdir(parents=True, exist_ok=True)
        for file in (self.copy.path / "checkpoints").glob("*.safetensors"):
            shutil.copy(file, models / file.name)
        report = self.copy.path / "reports" / "index.html"
        if report.is_file():
            shutil.copy(report, self.out / "report.html")
        say(f"done in {format_minutes(time.monotonic() - self.start)}; in {self.out}:")
        if pretrained:
            say("  before.html, after.html   the same words and seeds before and after the training")
        say("  report.html               what was measured")
        say(f'  models/                   kickpipe generate --count 8 --checkpoints "{models}"')
        if not pretrained:
            say("Trained for minutes on few kicks, they show that it works, not how good it gets.")


def format_minutes(seconds: float) -> str:
    return f"about {max(round(seconds / 60), 1)} min"


def indented(line: str) -> None:
    say(f"  {line}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
