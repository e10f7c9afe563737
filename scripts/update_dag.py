"""Writes into dvc.yaml which source files every stage depends on, as its imports have it; run it after adding a module.

python scripts/update_dag.py
"""

__all__ = ["main", "update"]

import sys
from pathlib import Path

from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kickpipe.common.sources import imported_sources

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    for change in update(ROOT):
        print(change)


def update(root: Path) -> list[str]:
    """Rewrites the deps that end in .py; what else is declared, and the comments, stay.

    Arguments:
        root: Root of the project.

    Returns:
        A line for every stage that changed.
    """
    yaml = YAML()
    yaml.width = sys.maxsize
    yaml.indent(mapping=2, sequence=4, offset=2)
    path = root / "dvc.yaml"
    dag = yaml.load(path)
    changes = []
    for name, stage in dag["stages"].items():
        data = [dep for dep in stage["deps"] if not str(dep).endswith(".py")]
        declared = [str(dep) for dep in stage["deps"] if str(dep).endswith(".py")]
        imported = [source.as_posix() for source in imported_sources(f"stages.{name}", root)]
        if declared != imported:
            added, removed = sorted(set(imported) - set(declared)), sorted(set(declared) - set(imported))
            changes.append(f"{name}: " + ", ".join([f"+{item}" for item in added] + [f"-{item}" for item in removed]))
            stage["deps"][:] = data + imported
    if changes:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yaml.dump(dag, file)
    return changes


if __name__ == "__main__":
    main()
