"""Training states: everything a run needs to continue after a kill, and the folder they lie in.

A folder ``checkpoints/runs/<stage>/<fingerprint>/`` belongs to one run: the fingerprint hashes the stage's params, its
input data and the code it runs. The same command resumes, anything else starts anew, and no experiment overwrites
another. Files are plain tensors and numbers, loaded with ``weights_only=True``. ``KICKPIPE_RUNS`` names another folder
than ``checkpoints/runs``: a queued experiment runs in a copy of the project that is deleted when it ends or fails.
"""

__all__ = ["DamagedError", "RunFolder", "StateError", "Stateful", "TrainState", "fingerprint", "runs_folder"]

import hashlib
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import replacing

CHUNK = 2**20  # bytes


class StateError(KickpipeError):
    """A training state cannot be read or written."""


class DamagedError(StateError):
    """A file is not the training state that was written under its name."""


class Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...


class TrainState:
    """Everything a run needs to continue.

    Arguments:
        fingerprint: Hash of the params, input data and code of the run.
        values: Plain values that are saved along, such as the config and the vocabulary.
        objects: Modules, optimizers, schedulers and the tracker, by the name under which they are saved.
    """

    def __init__(self, fingerprint: str, values: dict[str, Any], **objects: Stateful) -> None:
        self.fingerprint = fingerprint
        self.values = values
        self.objects = objects
        self.step = 0  # completed optimiser steps

    def state_dict(self) -> dict[str, Any]:
        states = {name: item.state_dict() for name, item in self.objects.items()}
        return {"fingerprint": self.fingerprint, "step": self.step, **self.values, **states}

    def check(self, state_dict: dict[str, Any]) -> None:
        """Looks whether a saved state can be taken over.

        Raises:
            DamagedError: If it was written by another run, or is not whole.
        """
        if not isinstance(state_dict, dict):
            raise DamagedError(f"holds {type(state_dict).__name__}, not a training state")
        if state_dict.get("fingerprint") != self.fingerprint:
            found = str(state_dict.get("fingerprint"))[:12]
            raise DamagedError(f"written by another run: fingerprint {found}, expected {self.fingerprint[:12]}")
        if missing := {"step", *self.objects} - state_dict.keys():
            raise DamagedError(f"lacks {', '.join(sorted(missing))}")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a saved state, or nothing of it.

        Raises:
            DamagedError: As ``check``.
        """
        self.check(state_dict)
        for name, item in self.objects.items():
            item.load_state_dict(state_dict[name])
        self.step = state_dict["step"]


def fingerprint(
    params: dict[str, Any], data: Iterable[bytes | memoryview], sources: Iterable[Path], init_from: str | None = None
) -> str:
    """Hash of what determines a run: its params, its input data and the code, 64 hexadecimal digits.

    Arguments:
        params: The sections the stage depends on, as plain values.
        data: Chunks of the input data, in a fixed order.
        sources: Source files the stage runs.
        init_from: Model file the training starts from; whether it can be used is found out when it does.
    """
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode())
    for chunk in data:
        digest.update(f"{memoryview(chunk).nbytes}:".encode())  # where one chunk ends matters
        digest.update(chunk)
    files = [*sources, Path(init_from)] if init_from and Path(init_from).is_file() else sources
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def runs_folder(stage: str) -> Path:
    """Folder of all runs of a stage, with their states and TensorBoard logs."""
    return Path(os.environ.get("KICKPIPE_RUNS") or "checkpoints/runs") / stage


class RunFolder:
    """The states of one run.

    Arguments:
        root: ``checkpoints/runs/<stage>``.
        fingerprint: Of the run; its first 16 digits name the folder.
        prefix: First part of the file names, for example ``vae``.
        unit: ``epoch`` or ``step``: what the interval counts.
        keep: How many of the newest states by interval are kept; None keeps all. The one between two intervals comes on top.
    """

    def __init__(self, root: str | Path, fingerprint: str, prefix: str, unit: str, keep: int | None) -> None:
        self.path = Path(root) / fingerprint[:16]
        self.fingerprint = fingerprint
        self.prefix = prefix
        self.unit = unit
        self.keep = keep

    @property
    def interrupted(self) -> Path:
        """The state between two intervals: written on a stop and every few minutes."""
        return self.path / f"{self.prefix}_interrupted.pt"

    def numbered(self, number: int) -> Path:
        """The state after ``number`` epochs or steps, for example ``vae_epoch_10.pt``."""
        return self.path / f"{self.prefix}_{self.unit}_{number}.pt"

    def save(self, state: TrainState, number: int | None) -> None:
        """Writes a state and removes those it replaces.

        Arguments:
            number: Completed epochs or steps; None for a state between two intervals.

        Raises:
            StateError: If it cannot be written; the earlier states stay as they are.
        """
        path = self.interrupted if number is None else self.numbered(number)
        try:
            # torch would write a path's name into the file
            with replacing(path) as partial, partial.open("wb") as file:
                torch.save(state.state_dict(), file)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            reason = getattr(error, "strerror", None) or error
            raise StateError(
                f"{path}: the training state cannot be written: {reason}; the earlier states are intact: "
                "free space or make the folder writable, and run the same command to continue"
            ) from error
        if number is not None:
            self.interrupted.unlink(missing_ok=True)
            for old in self.by_number()[: -self.keep] if self.keep else ():
                old.unlink(missing_ok=True)

    def by_number(self) -> list[Path]:
        """The states by interval, oldest first."""
        stem = f"{self.prefix}_{self.unit}_"
        numbers = (path.stem.removeprefix(stem) for path in self.path.glob(f"{stem}*.pt"))
        return [self.numbered(number) for number in sorted(int(text) for text in numbers if text.isdecimal())]

    def resume(self, state: TrainState) -> bool:
        """Loads the newest state into ``state``; returns whether there was one.

        A damaged file is reported and the one before it is taken: nothing that kickpipe writes is ever half a file, so
        it was damaged from outside.

        Raises:
            StateError: If a state cannot be read for another reason, such as the disk, its permissions or memory, or if
                there are states but all are damaged: hours of training are not begun anew without a word.
        """
        # a state between two intervals is removed as soon as the next interval is saved, so it is always the newest
        paths = [path for path in (self.interrupted, *reversed(self.by_number())) if path.exists()]
        for path in paths:
            try:
                loaded = read_state(path)
                state.check(loaded)
            except DamagedError as error:
                print(f"{path}: damaged, left aside: {error}", file=sys.stderr)
                continue
            except (OSError, MemoryError, RuntimeError) as error:  # torch reports a lack of memory as RuntimeError
                raise StateError(
                    f"{path}: the training state cannot be read: {first_line(error)}; mend that and run the same command "
                    "to continue, or remove the file to continue from the state before it"
                ) from error
            state.load_state_dict(loaded)
            return True
        if paths:
            raise StateError(
                f"{self.path}: every training state is damaged; remove the folder to begin the training anew, or put a copy "
                "of a state in its place"
            )
        return False


def read_state(path: Path) -> Any:
    """What a state file holds.

    Raises:
        DamagedError: If the file is not as it was written.
        OSError, MemoryError, RuntimeError: If it cannot be read.
    """
    with path.open("rb") as file:
        read_through(file)  # a disk that cannot be read says so here: what fails after it is the content
        try:
            with zipfile.ZipFile(file) as archive:  # torch does not compare the checksums that it wrote
                wrong = archive.testzip()
        except MemoryError:
            raise
        except Exception as error:  # zipfile raises many kinds on what is no archive, and each means the same
            raise DamagedError(first_line(error)) from None
        if wrong:
            raise DamagedError(f"checksum of {wrong}")
        file.seek(0)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise DamagedError(first_line(error)) from None


def read_through(file: BinaryIO) -> None:
    while file.read(CHUNK):
        pass


def first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
