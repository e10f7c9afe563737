"""Released model files: the manifest that names them, and what the files of a folder are.

``release.json`` holds for each file its size and SHA-256, so that a file is either the released one or not. One that is
not may be a training of one's own, which is fine, or a damaged copy, which is not: so the manifest also holds hashes of
16 equal parts of the weights. A damaged copy shares some of them with the release, another training none.
"""

__all__ = [
    "MANIFEST",
    "NUM_PARTS",
    "FileReport",
    "Manifest",
    "ReleaseError",
    "ReleasedFile",
    "check_folder",
    "describe_release",
    "models_version",
    "find_manifest",
    "read_manifest",
]

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from safetensors import safe_open

from kickpipe import __version__
from kickpipe.checkpoints import KINDS, CheckpointError, load_model, read_metadata
from kickpipe.common.errors import KickpipeError

MANIFEST = "release.json"
OPTIONAL = ("texture",)  # kinds that a folder need not have: kicks are made without them too
NUM_PARTS = 16
PART_DIGITS = 16  # of a part's SHA-256: enough against chance, and nobody is to be kept from forging a damage


class ReleaseError(KickpipeError):
    """The manifest cannot be used; the message says why."""


@dataclass(frozen=True)
class ReleasedFile:
    """One file of a release.

    Arguments:
        file: Its name in the folder of checkpoints.
        kind: "vae", "diffusion" or "vocoder".
        sha256: Of the whole file, 64 hexadecimal digits.
        md5: The name DVC gives it.
        bytes: Its size.
        step: Completed optimiser steps.
        parameters: Numbers in its tensors.
        parts: The first 16 digits of the SHA-256 of each of 16 equal parts of its weights.
    """

    file: str
    kind: str
    sha256: str
    md5: str
    bytes: int
    step: int
    parameters: int
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A release: its name and version, the licence of its weights (SPDX), and its files."""

    name: str
    version: str
    licence: str
    files: tuple[ReleasedFile, ...]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class FileReport:
    """What a model file is.

    Arguments:
        file: Its path.
        kind: What it should be: "vae", "diffusion" or "vocoder".
        status: "released", "own", "damaged" or "missing".
        reason: Why it is damaged or missing; empty otherwise.
        sha256, bytes: Of the file; None if it is missing.
        format_version, step, parameters: What it says of itself, and the numbers it holds; None if it cannot be read.
        vocabulary: Number of keywords; None for kinds that have none.
        audio: The audio settings it was trained with; None if it cannot be read.
    """

    file: str
    kind: str
    status: str
    reason: str = ""
    sha256: str | None = None
    bytes: int | None = None
    format_version: int | None = None
    step: int | None = None
    parameters: int | None = None
    vocabulary: int | None = None
    audio: dict[str, Any] | None = None

    @property
    def usable(self) -> bool:
        return self.status in ("released", "own")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def models_version() -> str:
    """The version of the released models that this package comes with: the first two numbers of its own, for example 1.2."""
    return ".".join(__version__.split(".")[:2])


def find_manifest(checkpoints: str | Path) -> Path | None:
    """The manifest for a folder of checkpoints: in it, beside it, or in the project this package is run from."""
    folder = Path(checkpoints).resolve()
    places = (folder, folder.parent, Path(__file__).resolve().parents[1])
    return next((place / MANIFEST for place in places if (place / MANIFEST).is_file()), None)


def read_manifest(path: str | Path) -> Manifest:
    """Reads a manifest.

    Raises:
        ReleaseError: If it is missing or damaged.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        files = tuple(ReleasedFile(**{**file, "parts": tuple(file["parts"])}) for file in values.pop("files"))
        return Manifest(**values, files=files)
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReleaseError(f"{path}: not a manifest of a release: {error}; restore it with git") from None


def describe_release(checkpoints: str | Path, name: str, version: str, licence: str) -> Manifest:
    """The manifest of the model files of a folder.

    Raises:
        CheckpointError: If a file is missing or damaged.
    """
    files = []
    for kind in KINDS:
        path = Path(checkpoints) / f"{kind}.safetensors"
        if kind in OPTIONAL and not path.is_file():
            continue
        step = load_model(path, kind).step
        content = path.read_bytes()
        files.append(
            ReleasedFile(
                file=path.name,
                kind=kind,
                sha256=hashlib.sha256(content).hexdigest(),
                md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
                bytes=len(content),
                step=step,
                parameters=count_parameters(path),
                parts=hash_parts(content),
            )
        )
    return Manifest(name, version, licence, tuple(files))


def check_folder(checkpoints: str | Path, manifest: Manifest | None) -> list[FileReport]:
    """What the model files of a folder are, held against a manifest where there is one."""
    released = {file.kind: file for file in manifest.files} if manifest else {}
    paths = {kind: Path(checkpoints) / f"{kind}.safetensors" for kind in KINDS}
    expected = [kind for kind in KINDS if kind not in OPTIONAL or kind in released or paths[kind].is_file()]
    return [check_file(paths[kind], kind, released.get(kind)) for kind in expected]


def check_file(path: Path, kind: str, released: ReleasedFile | None) -> FileReport:
    """What one model file is."""
    if not path.is_file():
        remedy = "run 'dvc pull' for the released models" if released else "run 'dvc repro' to train it"
        return FileReport(str(path), kind, "missing", f"no such file; {remedy}")
    content = path.read_bytes()
    known: dict[str, Any] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    is_released = released is not None and known["sha256"] == released.sha256
    if released and not is_released and shares_weights(content, released):
        # DVC links files to its cache: what was damaged in place is damaged there too, and a pull brings it back
        cached = f".dvc/cache/files/md5/{released.md5[:2]}/{released.md5[2:]}"
        reason = f"a changed copy of the released file; remove it and {cached}, and run 'dvc pull'"
        return FileReport(str(path), kind, "damaged", reason, **known)
    try:
        known |= facts(path, kind)
    except CheckpointError as error:
        return FileReport(str(path), kind, "damaged", str(error).removeprefix(f"{path}: "), **known)
    return FileReport(str(path), kind, "released" if is_released else "own", **known)


def facts(path: Path, kind: str) -> dict[str, Any]:
    """What a file says of itself, after it was loaded.

    Raises:
        CheckpointError: If it cannot be used.
    """
    model = load_model(path, kind)
    words = model.extra.get("vocabulary") if isinstance(model.extra, dict) else None
    if not isinstance(model.step, int) or not isinstance(words, list | None):
        raise CheckpointError(f"{path}: the metadata is not what kickpipe writes")
    return {
        "format_version": read_metadata(path, kind)["format_version"],
        "step": model.step,
        "parameters": count_parameters(path),
        "vocabulary": None if words is None else len(words),
        "audio": model.audio.to_dict(),
    }


def count_parameters(path: Path) -> int:
    """How many numbers the tensors of a file hold."""
    with safe_open(path, framework="pt") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 (no mapping)


def hash_parts(content: bytes) -> tuple[str, ...]:
    """Hashes of 16 equal parts of the weights: of what follows the header, whose length the first 8 bytes tell."""
    weights = memoryview(content)[8 + int.from_bytes(content[:8], "little") :]
    edges = [len(weights) * i // NUM_PARTS for i in range(NUM_PARTS + 1)]
    parts = (weights[begin:end] for begin, end in pairwise(edges))
    return tuple(hashlib.sha256(part).hexdigest()[:PART_DIGITS] for part in parts)


def shares_weights(content: bytes, released: ReleasedFile) -> bool:
    """Whether a file of the released size holds any part of the released weights in its place."""
    if len(content) != released.bytes:
        return False
    return any(found == expected for found, expected in zip(hash_parts(content), released.parts, strict=False))
