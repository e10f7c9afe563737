"""Keeps dvc.lock valid when code was changed without changing what it computes: nothing is trained again.

    python -m scripts.relock            takes over what is the same code, and says what is not
    python -m scripts.relock --prove    for the rest, runs the stage in both versions on a tiny input and compares bytes
    python -m scripts.relock --check    only says; exits with 1 if anything is stale

DVC reruns a stage when a file it depends on changes by a single byte. For each stage, this finds the commit whose files
the lock stands for and compares its code with today's (``scripts.same_code``): comments, docstrings, annotations, order,
moved definitions and modules are no difference. Where there is none, today's files and hashes are written into dvc.yaml and
dvc.lock; where there is one, file, definition and lines are named. With ``--prove``, such a stage runs from
that commit, in a Git worktree, and from today's files, with the params of each version but a few steps of a tiny
network (``scripts.proof``): equal outputs, byte for byte, and its entry is rewritten too. Params may be renamed or
regrouped then; a param with another value means that the stage has to be run, and so does another input or output.
Metrics (JSON files) may be rearranged, if those in Git are the former ones rearranged likewise.

How to work with it: change code, commit it, run ``python -m scripts.relock --prove``, commit dvc.yaml and dvc.lock.
Outputs need not be there: a fresh clone can do it. ``evaluate`` is proved on the measures it writes, not on its page.
"""

__all__ = ["Relocking", "main", "relock"]

import argparse
import io
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kickpipe.common.sources import imported_sources
from scripts.lock_entry import changed_params, is_file_of, matches, outside_the_code, rearranged, rewrite
from scripts.proof import Proof
from scripts.same_code import Program, compare
from scripts.tiny_run import TINY_RUN
from scripts.trial import Experiment, Unproved
from scripts.update_dag import update

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.relock", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prove", action="store_true", help="run changed stages in both versions on a tiny input")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything is stale")
    parser.add_argument("stages", nargs="*", help="stages to look at; all if none is named")
    options = parser.parse_args()
    results = relock(ROOT, options.stages, write=not options.check, experiment=TINY_RUN if options.prove else None)
    for result in results:
        print(result)
    sys.exit(not all(result.fresh or (result.equal and not options.check) for result in results))


@dataclass
class Relocking:
    """What was found out about a stage.

    Arguments:
        stage: Its name.
        fresh: Whether the lock holds today's files already.
        equal: Whether the lock may hold today's files.
        reasons: Why it may, or why not.
        metrics: Metrics files that were rearranged and are to be taken over as they are today.
    """

    stage: str
    fresh: bool = False
    equal: bool = False
    reasons: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "up to date" if self.fresh else "equal" if self.equal else "DIFFERENT"
        return "\n".join(
            [f"{self.stage}: {verdict}", *(f"  {line}" for reason in self.reasons for line in reason.split("\n"))]
        )


def relock(
    root: Path, stages: list[str] | None = None, *, write: bool = True, experiment: Experiment | None = None
) -> list[Relocking]:
    """Looks at every stage of dvc.lock and takes over what is equal.

    Arguments:
        root: Root of the project, a Git repository.
        stages: Names; all if empty.
        write: Whether to write dvc.yaml and dvc.lock.
        experiment: How a changed stage is run on a tiny input; without, a changed stage stays as it is.
    """
    lock_path = root / "dvc.lock"
    lock = yaml_of_lock().load(lock_path)
    if unknown := set(stages or ()) - set(lock["stages"]):
        raise SystemExit(f"no stage {', '.join(map(repr, sorted(unknown)))}; dvc.lock has {', '.join(lock['stages'])}")
    history = History(root)
    with Proof(root, experiment) as proof:
        results = [look_at(root, name, lock, history, proof) for name in stages or lock["stages"]]
    taken_over = [result for result in results if result.equal and not result.fresh]
    if write and taken_over:
        update(root)
        dag = yaml_of_lock().load(root / "dvc.yaml")
        for result in taken_over:
            rewrite(root, lock["stages"][result.stage], dag["stages"][result.stage], result.metrics)
        text = io.StringIO()
        yaml_of_lock().dump(lock, text)
        lock_path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    return results


def look_at(root: Path, name: str, lock: dict[str, Any], history: "History", proof: Proof) -> Relocking:
    """Compares one stage with its entry in the lock."""
    result = Relocking(name)
    dag = YAML(typ="safe").load(root / "dvc.yaml")
    if name not in dag["stages"]:
        result.reasons.append("dvc.yaml has no such stage any more")
        return result
    entry, stage = lock["stages"][name], dag["stages"][name]
    if differences := [*outside_the_code(root, entry, stage), *changed_params(root, entry, stage)]:
        result.reasons += [*differences, "the stage has to be run: dvc repro " + name]
        return result
    others = rearranged(root, entry, stage)
    locked = {dep["path"]: dep for dep in entry["deps"] if dep["path"].endswith(".py")}
    sources = [path.as_posix() for path in imported_sources(f"stages.{name}", root)]
    if not others and set(locked) == set(sources) and all(is_file_of(root / path, locked[path]) for path in sources):
        result.fresh = True
        return result
    commit = history.commit_of(name, locked)
    if commit is None:
        result.reasons.append(
            "no commit has all the files that dvc.lock stands for; the stage has to be run: dvc repro " + name
        )
        return result
    old = Program(history.reader(commit), with_packages(locked))
    new = Program(reader(root), with_packages(sources))
    found = [str(difference) for difference in compare(old, new, f"stages.{name}")]
    if not found and not others:
        result.equal = True
        result.reasons.append(f"the same code as in {commit[:10]}")
        return result
    result.reasons += [*others, *found]
    if proof.experiment is None:
        result.reasons.append("prove that nothing else comes out: python -m scripts.relock --prove " + name)
        return result
    try:
        result.metrics = proof.run(name, commit, lock["stages"], dag)
    except Unproved as error:
        result.reasons += [f"not proved: {error}", "the stage has to be run: dvc repro " + name]
        return result
    result.equal = True
    result.reasons.append(f"proved: {commit[:10]} and today's files write the same bytes")
    result.reasons += [f"{path}: the same numbers rearranged, in the release too" for path in result.metrics]
    return result


def with_packages(paths: Iterable[str]) -> set[str]:
    """Paths, and the ``__init__.py`` of every package they are in: these run as well."""
    inits = {(parent / "__init__.py").as_posix() for path in paths for parent in Path(path).parents if parent != Path()}
    return {*paths, *inits}


def reader(root: Path) -> Callable[[str], str | None]:
    def read(path: str) -> str | None:
        return (root / path).read_text(encoding="utf-8") if (root / path).is_file() else None

    return read


class History:
    """The commits of a repository, and the files in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, str]] = {}

    def git(self, *arguments: str) -> bytes:
        return subprocess.run(["git", *arguments], cwd=self.root, stdout=subprocess.PIPE, check=True).stdout

    def commit_of(self, stage: str, locked: dict[str, dict[str, Any]]) -> str | None:
        """The commit that made a stage's entry, if it has the files that the entry names; else the newest that has them."""
        logs = (self.git("log", "--format=%H", "--", *paths) for paths in (["dvc.lock"], locked))
        for commit in dict.fromkeys(commit for log in logs for commit in log.decode().split()):
            tree = self.tree(commit)
            if all(path in tree and matches(self.blob(tree[path]), dep) for path, dep in locked.items()):
                return commit
        return None

    def tree(self, commit: str) -> dict[str, str]:
        if commit not in self.trees:
            listed = self.git("ls-tree", "-r", "-z", commit).decode().split("\0")
            self.trees[commit] = {
                path: about.split()[2] for about, _, path in (row.partition("\t") for row in listed if row)
            }
        return self.trees[commit]

    def blob(self, oid: str) -> bytes:
        if oid not in self.blobs:
            self.blobs[oid] = self.git("cat-file", "blob", oid)
        return self.blobs[oid]

    def reader(self, commit: str) -> Callable[[str], str | None]:
        tree = self.tree(commit)

        def read(path: str) -> str | None:
            return self.blob(tree[path]).decode() if path in tree else None

        return read


def yaml_of_lock() -> YAML:
    yaml = YAML()
    yaml.width = sys.maxsize
    return yaml


if __name__ == "__main__":
    main()
