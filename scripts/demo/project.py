"""The copy of the project that a demo trains in, and the models it starts from."""

__all__ = ["Copy", "MODELS", "pull_models"]

import filecmp
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from kickpipe.common.files import write_json
from scripts.demo.plan import Plan
from scripts.demo.processes import Failed, python
from scripts.preset import apply_preset

MODELS = ("vae.safetensors", "texture.safetensors", "diffusion.safetensors", "vocoder.safetensors")
# All that the stages need: neither data nor models, neither the lock nor the metrics of the release
PARTS = ("kickpipe", "stages", "dvc.yaml", "params.yaml", ".dvcignore", ".dvc/config", "pretrained/README.md")


def pull_models(root: Path, say: Callable[[str], None]) -> bool:
    """Brings the released models into ``checkpoints`` where models are missing; returns whether all are there."""
    missing = [name for name in MODELS if not (root / "checkpoints" / name).is_file()]
    if not missing:
        return True
    try:
        python(root, "-m", "dvc", "pull", *(f"checkpoints/{name}" for name in missing))
    except Failed as error:
        reason = next((line for line in str(error).splitlines()[1:] if line.startswith("ERROR")), str(error))
        say(f"The released models cannot be had, so the training starts from nothing: {reason}\n")
    return all((root / "checkpoints" / name).is_file() for name in MODELS)


class Copy:
    """The copy, which an interrupted demo leaves for the next one with the same source.

    Arguments:
        root: The project.
        path: Where its copy is.
    """

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.path = path

    def update(self, source: Path | None) -> None:
        """Makes the copy, or brings it up to date: what has not changed keeps its trainings."""
        name = "synthesised" if source is None else str(source)
        known = self.path / "source.json"
        if known.is_file() and json.loads(known.read_text(encoding="utf-8"))["source"] != name:
            self.remove()
        for part in PARTS:
            synchronise(self.root / part, self.path / part)
        write_json(known, {"source": name})

    def write_params(self, plan: Plan, source: Path) -> None:
        """Writes params.yaml: the project's, with the presets of a plan over them."""
        params = self.path / "params.yaml"
        shutil.copy(self.root / "params.yaml", params)
        for preset in [*plan.presets, {"aggregate": {"source_dir": source.as_posix()}}]:
            apply_preset(params, preset)

    def start_from(self, checkpoints: Path) -> None:
        """Puts trained models where the trainings start from."""
        for file in checkpoints.glob("*.safetensors"):
            synchronise(file, self.path / "pretrained" / file.name)

    def finished_stages(self) -> list[str]:
        """Stages that ran to their end, as DVC has it."""
        lock = self.path / "dvc.lock"
        return (
            list((yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})) if lock.is_file() else []
        )

    def has_done(self, what: str) -> bool:
        return (self.path / f"{what}.done").is_file()

    def mark_done(self, what: str) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / f"{what}.done").touch()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def synchronise(source: Path, target: Path) -> None:
    """Makes a file or folder the same as another; files that are the same already keep their times."""
    if source.is_file():
        if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        return
    wanted = {
        path.relative_to(source) for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    for path in [path for path in target.rglob("*") if path.is_file()]:
        if path.relative_to(target) not in wanted:
            path.unlink()
    for name in wanted:
        synchronise(source / name, target / name)
