"""Files that are whole or not there: written beside their place under another name, then renamed.

The other name is a new one each time, so that two programs may write to one path: the last to finish has it, whole.
"""

__all__ = ["format_json", "remove_others", "replacing", "write_json", "write_new", "write_text"]

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

MAX_BYTES = (
    120  # of the name in a temporary one, which adds 17 and so stays below 143, the least that file systems allow
)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Gives a name such as ``<path>.3f2a9c01.partial`` to write to, and renames it to ``path`` at the end.

    After an error nothing is left of it, and what was at ``path`` before is as it was. The folder is made.

    Raises:
        OSError: If the file cannot be written; it names ``path``, not the temporary name.
    """
    path = Path(path)
    partial = prepare(path)
    try:
        yield partial
        partial.replace(path)
    except BaseException as error:
        remove(partial)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(partial)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def prepare(path: Path) -> Path:
    """Makes the folder of ``path``; returns a temporary name in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return partial_name(path)


def partial_name(path: Path) -> Path:
    """A name beside ``path`` that no other writer has, and that says what it was to become."""
    name = path.name.encode(errors="ignore")[:MAX_BYTES].decode(errors="ignore")
    return path.with_name(f"{name}.{secrets.token_hex(4)}.partial")


def remove(partial: Path) -> None:
    with contextlib.suppress(OSError):  # the error that is under way says more
        partial.unlink(missing_ok=True)


def write_new(path: str | Path, content: bytes, same: Callable[[Path], bool]) -> Path:
    """Writes a file under a name that no other file has; returns that name.

    It is ``path``, or with _2, _3 ... before its suffix while a file has that name which is not the same. Writers that
    want one name at one time get different ones.

    Arguments:
        path: The name, if it is free.
        content: What to write.
        same: Whether a file that is there may be replaced, because it is an earlier copy of this one.

    Raises:
        OSError: If the file cannot be written; then nothing is left of it.
    """
    path = Path(path)
    partial = prepare(path)
    try:
        partial.write_bytes(content)
        for number in count(1):
            candidate = path if number == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")
            if claim(partial, candidate):
                break
            if same(candidate):
                partial.replace(candidate)
                break
    finally:
        remove(partial)
    return candidate


def claim(partial: Path, path: Path) -> bool:
    """Gives a whole file a second name, ``path``; returns False if another file has that name."""
    try:
        path.hardlink_to(partial)  # unlike a rename, never replaces a file
    except FileExistsError:
        return False
    except OSError:  # a file system without links: the name is claimed first, by an empty file
        try:
            path.open("x").close()
        except FileExistsError:
            return False
        try:
            partial.replace(path)
        except OSError:
            remove(path)
            raise
    return True


def remove_others(folder: Path, names: Collection[str]) -> None:
    """Removes the files of a folder that have none of these names: what an earlier run left."""
    with os.scandir(folder) as entries:
        others = [Path(entry.path) for entry in entries if entry.name not in names and entry.is_file()]
    for path in others:
        path.unlink()


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text with Unix line ends, the same bytes on every system."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, values: dict[str, Any]) -> None:
    """Writes a metrics file.

    Raises:
        ValueError: If a value is not finite: JSON has no word for it.
    """
    write_text(path, format_json(values))


def format_json(values: dict[str, Any]) -> str:
    """JSON to read, with a line for each value."""
    return json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
