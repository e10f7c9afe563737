"""Runs a stage in two versions on a tiny input and compares what they write, byte for byte.

A model file may say more of itself than it did (``scripts.extended``).

The old version is a Git worktree of its commit, the new one a copy of today's files. Each has its own params.yaml; only what
an experiment makes small (steps, channels, counts) is overridden in both, so every feature that is switched on for the
release runs here too. The stages before the one in question run in the old version, and both read what these wrote.
"""

__all__ = ["Proof"]

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from scripts.extended import is_extended
from scripts.same_numbers import new_numbers
from scripts.trial import (
    Experiment,
    OldProject,
    Unproved,
    copy_of_today,
    files_of,
    flatten,
    git,
    paths,
    read_params,
    run_stage,
    write_params,
)


class Proof:
    """Runs an experiment in as many versions as are asked; leaves no folder behind.

    Arguments:
        root: Root of the project.
        experiment: None if nothing is to be run.
    """

    def __init__(self, root: Path, experiment: Experiment | None) -> None:
        self.root = root
        self.experiment = experiment
        self.worktrees: list[Path] = []
        self.projects: dict[str, OldProject] = {}

    def __enter__(self) -> "Proof":
        self.folder = Path(tempfile.mkdtemp(prefix="relock-")).resolve()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self.worktrees:
            git(self.root, "worktree", "remove", "--force", str(path))
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, stage: str, commit: str, locked: Mapping[str, Any], dag: Mapping[str, Any]) -> list[str]:
        """Shows that a stage of today writes what that of a commit wrote.

        Arguments:
            locked: The stages of dvc.lock.
            dag: Today's dvc.yaml.

        Returns:
            Metrics files that hold the same numbers rearranged, those of the release too.

        Raises:
            Unproved: If it was not shown; the message says why.
        """
        assert self.experiment is not None
        today = read_params(self.root)
        declared = {section: today[section] for section in dag["stages"][stage].get("params", ())}
        self.compare_params(params_of(locked[stage]), declared)
        if commit not in self.projects:
            path = self.folder / commit[:12]
            git(self.root, "worktree", "add", "--quiet", "--detach", str(path), commit)
            self.worktrees.append(path)
            self.projects[commit] = OldProject(path, self.experiment)
        old = self.projects[commit]
        if flatten(params_of(old.locked.get(stage, {}))) != flatten(params_of(locked[stage])):
            raise Unproved(f"dvc.lock of {commit[:10]} has other params of this stage than today's")
        expected = old.outputs(stage)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            new = Path(folder) / "today"
            copy_of_today(self.root, new)
            self.experiment.override(today, "params.yaml of today")
            write_params(new, today)
            old.copy_inputs(stage, new)
            run_stage(new, dag["stages"][stage]["cmd"], "today's files")
            found = files_of(new, self.experiment.outs(paths(dag["stages"][stage], "outs")))
        compare_outputs(expected, found)
        return self.compare_metrics(old, {out["path"]: out["md5"] for out in locked[stage]["outs"]}, expected, found)

    def compare_metrics(
        self, old: OldProject, hashes: Mapping[str, str], expected: dict[str, bytes], found: dict[str, bytes]
    ) -> list[str]:
        """Looks whether today's metrics are former ones, in the tiny run and in the release; their paths if rearranged."""
        tiny = metrics_of(expected), metrics_of(found)
        if tiny[0] == tiny[1]:
            return []
        former = {path: old.committed.get(path, b"") for path in tiny[0]}
        if wrong := [path for path, data in former.items() if hashlib.md5(data).hexdigest() != hashes[path]]:
            raise Unproved(f"the metrics differ, and Git has no {', '.join(wrong)} of the release to compare with")
        if missing := [path for path in tiny[1] if not (self.root / path).is_file()]:
            raise Unproved(f"the metrics differ, and {', '.join(missing)} of the release is not there")
        released = {path: (self.root / path).read_bytes() for path in tiny[1]}
        if new := new_numbers((tiny[0], former), (tiny[1], released)):
            raise Unproved("numbers in the metrics that were in none:\n" + "\n".join(new[:10]))
        return sorted(tiny[1])

    def compare_params(self, locked: Mapping[str, Any], today: Mapping[str, Any]) -> None:
        """The released values that the tiny run overrides have to be the same, under whatever name.

        Raises:
            Unproved: If they are not, or if one has no counterpart.
        """
        assert self.experiment is not None
        former = self.experiment.former
        before, now = flatten(locked), flatten(today)
        for name in self.experiment.overrides:
            old = name if name in before else former.get(name, name)
            if (old in before) != (name in now):
                raise Unproved(f"param {name}, which the tiny run sets, has another name; tell scripts/tiny_run.py")
            if old in before and before[old] != now[name]:
                raise Unproved(f"param {name} was {before[old]}, is {now[name]}")


def params_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = entry.get("params", {}).get("params.yaml", {})
    return params


def metrics_of(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.endswith(".json")}


def compare_outputs(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Compares all that is no metrics file, byte for byte; a model file may say more than it did."""
    before, now = old.keys() - metrics_of(old).keys(), new.keys() - metrics_of(new).keys()
    lines = [f"{name}: written by the old version only" for name in before - now]
    lines += [f"{name}: written by today's files only" for name in now - before]
    changed = [name for name in before & now if old[name] != new[name]]
    lines += [f"{name}: other bytes" for name in changed if not is_extended(old[name], new[name])]
    if lines:
        more = [f"and {len(lines) - 10} more"] if len(lines) > 10 else []
        raise Unproved("the outputs differ:\n" + "\n".join(sorted(lines)[:10] + more))
