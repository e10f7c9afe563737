"""Finding files below a folder: in the same order everywhere, and past everything that a real disk does.

Folders are visited once each, however many symbolic links lead to them, and real folders before linked ones, so a
file is found under its own path. What cannot be read is reported, not raised.
"""

__all__ = ["Found", "crawl", "failure", "printable"]

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kickpipe.data.tables import LeftOut


class Found(NamedTuple):
    """A regular file.

    Attributes:
        path: Path below the folder, with forward slashes, as the system spells it (undecodable bytes as surrogates).
        size: Bytes.
    """

    path: str
    size: int


def crawl(root: Path, skip: Iterable[Path] = ()) -> Iterator[Found | LeftOut]:
    """Yields every file below ``root``, and a ``LeftOut`` for whatever could not be read.

    Arguments:
        root: The folder.
        skip: Folders to pass over, such as the one that is written to.
    """
    skipped = {identity(folder.stat()) for folder in skip if folder.exists()}
    seen: set[tuple[int, int]] = set()
    pending = [""]
    linked: list[str] = []
    while pending or linked:
        folder = pending.pop() if pending else linked.pop(0)
        try:
            known = identity((root / folder).stat())
            if known in skipped:
                continue
            if known in seen:  # a link to a folder that was read already, perhaps to one above: a loop ends here
                yield LeftOut(printable(folder), "linked_folder", "this folder was read under another path")
                continue
            seen.add(known)
            with os.scandir(root / folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            yield failure(folder or ".", error)
            continue
        subfolders: list[str] = []
        for name in names:
            path = f"{folder}/{name}" if folder else name
            try:
                link = (root / path).is_symlink()
                status = (root / path).stat()
            except OSError as error:
                yield failure(path, error)
                continue
            if stat.S_ISDIR(status.st_mode):
                (linked if link else subfolders).append(path)
            elif stat.S_ISREG(status.st_mode):
                yield Found(path, status.st_size)
            else:
                yield LeftOut(printable(path), "not_audio", "not a regular file")
        pending.extend(reversed(subfolders))


def identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def failure(path: str, error: OSError) -> LeftOut:
    """Why ``path`` could not be read, in the system's words."""
    reason = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
    return LeftOut(printable(path), reason, error.strerror or type(error).__name__)


def printable(path: str) -> str:
    """``path`` as text that UTF-8 can hold: a byte that is not UTF-8 becomes ``\\xff``."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")
