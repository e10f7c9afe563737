"""Parts of a Markdown file that a script writes: between ``<!-- name: rendered -->`` and ``<!-- name: end -->``."""

__all__ = ["CardError", "fill", "table"]

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kickpipe.common.files import write_text


class CardError(Exception):
    """A card cannot be rendered; the message says why."""


def fill(path: Path, sections: dict[str, str], write: bool = True) -> bool:
    """Writes the sections of a file; everything else stays. Returns whether anything changes.

    Arguments:
        path: The file.
        sections: Markdown by name.
        write: False only looks.

    Raises:
        CardError: If a section has no place in the file.
    """
    text = old = path.read_text(encoding="utf-8")
    for name, content in sections.items():
        begin, end = f"<!-- {name}: rendered -->", f"<!-- {name}: end -->"
        parts = re.split(f"{re.escape(begin)}|{re.escape(end)}", text)
        if len(parts) != 3 or text.index(begin) > text.index(end):
            raise CardError(f"{path}: expected one {begin} and after it one {end}")
        text = f"{parts[0]}{begin}\n{content.strip()}\n{end}{parts[2]}"
    if text != old and write:
        write_text(path, text)
    return text != old


def table(head: Sequence[str], rows: Iterable[Sequence[object]], align: str | None = None) -> str:
    """A Markdown table. ``align`` has one letter a column, l or r; by default the first is left, the others right."""
    align = align or "l" + "r" * (len(head) - 1)
    rule = ["--:" if side == "r" else "---" for side in align]
    lines = [head, rule, *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
