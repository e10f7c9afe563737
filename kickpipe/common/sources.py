"""Which source files the numbers of a stage come from: what it imports, followed through the package.

DVC reruns a stage when one of them changes, and a training state written by other code is not resumed. Modules that
change no number (messages, progress, what TensorBoard shows) are left out, together with what only they import.
"""

__all__ = ["imported_sources"]

import ast
from collections.abc import Iterator
from pathlib import Path

WITHOUT_NUMBERS = frozenset(
    {
        "kickpipe.common.cpu",
        "kickpipe.common.errors",
        "kickpipe.common.files",
        "kickpipe.common.progress",
        "kickpipe.common.sources",
        "kickpipe.common.text",
        "kickpipe.evaluation.report",  # shows what was measured; a change of its looks must not generate 500 kicks
        "kickpipe.evaluation.report.origin",
        "kickpipe.params",  # the values are declared to DVC one by one
        "kickpipe.training.preview",
        "kickpipe.training.run",
        "kickpipe.training.tracking",
        "kickpipe.training.vocoder_quality",  # holds what was trained against Griffin-Lim: a better one trains nothing anew
        "stages.entry",
    }
)


def imported_sources(module: str, root: Path = Path()) -> list[Path]:
    """Files of the project whose code a module runs, itself first, then sorted; relative to ``root``.

    Arguments:
        module: Dotted name, for example ``stages.train_vae``.
        root: Root of the project.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name in WITHOUT_NUMBERS:
            continue
        path = source_of(name, root)
        if path is None:
            continue
        found[name] = path
        waiting.extend(imported_names(root / path))
    own = found.pop(module)
    return [own, *sorted(path for path in found.values() if (root / path).name != "__init__.py")]


def source_of(name: str, root: Path) -> Path | None:
    """File of a module of this project, or None for what is not one."""
    base = Path(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (root / path).is_file():
            return path
    return None


def imported_names(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, anywhere in it, modules and names in modules alike."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
