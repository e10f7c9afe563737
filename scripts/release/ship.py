"""Ships a trained release: the model files into the DVC remote that travels with the repository.

    python -m scripts.release.ship                        what was trained in this clone
    python -m scripts.release.ship --from ../training     what was trained in another one

Models have the first two numbers of the package's version: set 2.0.0 in kickpipe/__init__.py and CITATION.cff to ship 2.0.

With --from, params.yaml, dvc.lock, metrics and curves are copied from the other clone, and the model files from its DVC
cache. Then release.json is written, .dvc/remote filled, and all of it checked: nothing but these files is in the
remote, they are those of dvc.lock and of release.json, together no more than 60 MB, and ``dvc repro`` has nothing to do.
Nothing is committed to Git: look at the changes, then commit them.
"""

__all__ = ["ShipError", "main", "ship"]

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from kickpipe.common.files import write_text
from kickpipe.release import MANIFEST, Manifest, models_version, read_manifest
from scripts.release import manifest as release_manifest

ROOT = Path(__file__).resolve().parents[2]
REMOTE = "release"
MAX_BYTES = 60_000_000  # everybody who clones the repository downloads it, for ever
COPIED = ("params.yaml", "dvc.lock", "metrics", "plots")


class ShipError(Exception):
    """The release cannot be shipped as it is; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, help="another clone, where the models were trained")
    parser.add_argument("--root", type=Path, default=ROOT, help="the clone to ship from (default: this one)")
    options = parser.parse_args(arguments)
    try:
        manifest = ship(options.root.resolve(), models_version(), options.source and options.source.resolve())
    except ShipError as error:
        print(f"not shipped: {error}", file=sys.stderr)
        return 1
    total = sum(file.bytes for file in manifest.files)
    print(f"shipped to .dvc/remote: {manifest.name} {manifest.version}, {total / 1e6:.1f} MB. Commit it:")
    print(f"  git add .dvc/config .dvc/remote {MANIFEST} {' '.join(COPIED)}")
    return 0


def ship(root: Path, version: str, source: Path | None = None) -> Manifest:
    """Fills the remote of a clone and checks it; returns the manifest it wrote.

    Arguments:
        root: The clone.
        version: Of the release.
        source: The clone that trained the models; None if it is ``root``.

    Raises:
        ShipError: If anything is not as it should be.
    """
    if source:
        copy_results(source, root)
        # A DVC cache is laid out as a remote is
        dvc(root, "remote", "add", "--quiet", "--local", "--force", "training", str(source / ".dvc" / "cache"))
        try:
            dvc(root, "pull", "--remote", "training")
        finally:
            dvc(root, "remote", "remove", "--local", "training")
    locked = locked_files(root)
    check_up_to_date(root)
    if release_manifest.main(
        ["--checkpoints", str(root / "checkpoints"), "--out", str(root / MANIFEST), "--version", version]
    ):
        raise ShipError("a model file cannot be used")
    manifest = read_manifest(root / MANIFEST)
    if {f"checkpoints/{file.file}": file.md5 for file in manifest.files} != locked:
        raise ShipError("checkpoints/ holds other files than dvc.lock names; run 'dvc checkout', or 'dvc repro'")
    check_size(sum(file.bytes for file in manifest.files))
    remote = root / ".dvc" / "remote"
    shutil.rmtree(remote, ignore_errors=True)  # of an earlier release; Git keeps it
    dvc(root, "remote", "add", "--quiet", "--force", "--default", REMOTE, str(remote.relative_to(root)))
    dvc(root, "push", "--remote", REMOTE)
    check_remote(remote, manifest)
    return manifest


def dvc(root: Path, *arguments: str) -> str:
    """Runs dvc in a clone; returns what it printed.

    Raises:
        ShipError: If it fails.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise ShipError(f"dvc {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def copy_results(source: Path, root: Path) -> None:
    """Copies what Git keeps of a training: params, lock, metrics, curves.

    Raises:
        ShipError: If there is no lock.
    """
    if not (source / "dvc.lock").is_file():
        raise ShipError(f"{source}: no dvc.lock; run 'dvc repro' there first")
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, root / name, dirs_exist_ok=True)
        elif (source / name).is_file():
            write_text(root / name, (source / name).read_text(encoding="utf-8"))


def model_files(root: Path) -> list[str]:
    """Outputs of the pipeline that DVC keeps: the model files, and nothing else.

    Raises:
        ShipError: If others would be shipped too.
    """
    lock = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))
    declared = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    if missing := sorted(declared.keys() - lock["stages"].keys()):
        raise ShipError(f"dvc.lock lacks {', '.join(missing)}; run 'dvc repro'")
    outs = [
        (out, {}) if isinstance(out, str) else next(iter(out.items())) for s in declared.values() for out in s["outs"]
    ]
    kept = [name for name, options in outs if options.get("cache", True)]
    wrong = [name for name in kept if Path(name).parent.name != "checkpoints" or Path(name).suffix != ".safetensors"]
    if wrong:
        raise ShipError(f"dvc.yaml: {', '.join(wrong)} would be pushed; declare them with 'cache: false'")
    return kept


def locked_files(root: Path) -> dict[str, str]:
    """MD5 by path of the model files, as dvc.lock has them."""
    kept = model_files(root)
    stages = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    return {name: outs[name] for name in kept}


def check_up_to_date(root: Path) -> None:
    """Raises ShipError if code, params or files are not those that dvc.lock was written with."""
    changes = []
    for stage, entries in json.loads(dvc(root, "status", "--json")).items():
        for entry in entries:
            if isinstance(entry, str):  # "changed command", "always changed"
                changes.append(f"{stage}: {entry}")
                continue
            for paths in entry.values():  # data is missing where it was not trained, which is no change
                changes += [f"{stage}: {path} {how}" for path, how in paths.items() if how != "deleted"]
    if changes:
        raise ShipError(
            "\n  ".join(["dvc.lock was written with something else; run 'dvc repro', or restore it:", *changes])
        )
    dvc(root, "repro", "--allow-missing", "--dry")


def check_size(num_bytes: int) -> None:
    """Raises ShipError if that is too much for a repository."""
    if num_bytes > MAX_BYTES:
        raise ShipError(f"the files are {num_bytes / 1e6:.1f} MB together, more than {MAX_BYTES / 1e6:.0f} MB")


def check_remote(remote: Path, manifest: Manifest) -> None:
    """Raises ShipError if a remote does not hold exactly the files of a manifest."""
    found = {path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file()}
    expected = {f"files/md5/{file.md5[:2]}/{file.md5[2:]}" for file in manifest.files}
    if found != expected:
        raise ShipError(f"{remote}: holds {sorted(found)}, expected {sorted(expected)}")


if __name__ == "__main__":
    sys.exit(main())
