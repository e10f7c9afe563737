"""A tiny run of the pipeline: what it sets, the project of a commit that it runs in, and what stages write there."""

__all__ = [
    "Experiment",
    "OldProject",
    "Unproved",
    "copy_of_today",
    "files_of",
    "flatten",
    "git",
    "paths",
    "read_params",
    "run_stage",
    "write_params",
]

import copy
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

TIMEOUT = 1800  # seconds a stage: the longest takes half a minute on an idle core
ENVIRONMENT = {
    "KICKPIPE_DEVICE": "cpu",
    "KICKPIPE_THREADS": "1",
    "KICKPIPE_WORKERS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
NOT_COPIED = (".dvc/", ".git", "docs/", "tests/")


@dataclass(frozen=True)
class Experiment:
    """A tiny run of the pipeline.

    Arguments:
        write_source: Writes what the first stage reads into a folder that does not exist yet.
        source: The param that names that folder, dotted.
        overrides: Values by dotted name of the param, in both versions.
        former: The former name of a param that is overridden, for those that had another.
        shown: Outputs that only show what others hold, made by code that no stage depends on.
    """

    write_source: Callable[[Path], None]
    source: str
    overrides: Mapping[str, Any]
    former: Mapping[str, str] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()

    def outs(self, paths: Iterable[str]) -> list[str]:
        """Outputs that are compared."""
        return [path for path in paths if path not in self.shown]

    def override(self, params: dict[str, Any], whose: str) -> None:
        """Sets the values in params; each must be there, under this name or the former one."""
        for name, value in self.overrides.items():
            for known in (name, self.former.get(name, name)):
                *sections, last = known.split(".")
                inner: Any = params
                for section in sections:
                    inner = inner.get(section) if isinstance(inner, dict) else None
                if isinstance(inner, dict) and last in inner:
                    inner[last] = value
                    break
            else:
                raise Unproved(
                    f"{whose} has no {name}, which the tiny run sets; if it is renamed, tell scripts/tiny_run.py"
                )


class Unproved(Exception):
    """Why two versions were not shown to do the same."""


class OldProject:
    """A worktree of a commit with a tiny input, in which stages run as they are needed.

    Arguments:
        path: Of the worktree.
        experiment: The tiny run.
    """

    def __init__(self, path: Path, experiment: Experiment) -> None:
        self.path = path
        # As DVC reads it: PyYAML takes 1e-05 for a text
        self.locked = YAML(typ="safe").load((path / "dvc.lock").read_text(encoding="utf-8"))["stages"]
        self.experiment = experiment
        self.done: dict[str, dict[str, bytes]] = {}
        params = read_params(path)
        for stage in self.locked.values():  # what the lock stands for, whatever stands beside it
            params |= copy.deepcopy(stage.get("params", {}).get("params.yaml", {}))
        self.source = str(flatten(params)[experiment.source])
        experiment.override(params, "params.yaml of then")
        write_params(path, params)
        self.committed: dict[str, bytes] = {}
        for name in self.all_outs():
            if (path / name).is_file():
                self.committed[name] = (path / name).read_bytes()
            remove(path / name)
        remove(path / self.source)
        experiment.write_source(path / self.source)

    def all_outs(self) -> list[str]:
        return [out["path"] for stage in self.locked.values() for out in stage.get("outs", ())]

    def outputs(self, stage: str) -> dict[str, bytes]:
        """Runs a stage, after those that it needs; what it wrote, by path."""
        if stage not in self.done:
            for earlier in self.before(stage):
                self.outputs(earlier)
            run_stage(self.path, self.locked[stage]["cmd"], "the old version")
            outs = self.experiment.outs(out["path"] for out in self.locked[stage].get("outs", ()))
            self.done[stage] = files_of(self.path, outs)
            if not self.done[stage]:
                raise Unproved(f"the old version of {stage} wrote nothing")
        return self.done[stage]

    def before(self, stage: str) -> list[str]:
        """Stages whose outputs a stage reads."""
        reads = {dep["path"] for dep in self.locked[stage]["deps"]}
        return [name for name, other in self.locked.items() if reads & {out["path"] for out in other.get("outs", ())}]

    def copy_inputs(self, stage: str, project: Path) -> None:
        for dep in self.locked[stage]["deps"]:
            path = dep["path"]
            if path in self.all_outs() or path == self.source:
                remove(project / path)
                copy_path(self.path / path, project / path)


def copy_of_today(root: Path, target: Path) -> None:
    """The files that Git tracks or would: code, params and what else a stage may read."""
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in listed:
        if name and not name.startswith(NOT_COPIED) and (root / name).is_file():
            copy_path(root / name, target / name)


def run_stage(project: Path, command: str, who: str) -> None:
    words = [sys.executable if word == "python" else word for word in shlex.split(command)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        words, cwd=project, env={**os.environ, **ENVIRONMENT, "PATH": path}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=TIMEOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise Unproved(f"{command} fails in {who}, status {done.returncode}:\n{tail}")


def paths(stage: Mapping[str, Any], kind: str) -> list[str]:
    """Paths of a stage's deps or outs in dvc.yaml, with or without options."""
    return [str(next(iter(item)) if isinstance(item, Mapping) else item) for item in stage.get(kind, ())]


def files_of(project: Path, outs: list[str]) -> dict[str, bytes]:
    """Every file of the outputs, by path relative to the project."""
    found = {}
    for out in outs:
        path = project / out
        if not path.exists():
            raise Unproved(f"{out} was not written")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found[file.relative_to(project).as_posix()] = file.read_bytes()
    return found


def read_params(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))


def write_params(project: Path, params: dict[str, Any]) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested params by dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def copy_path(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copyfile(source, target)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
