"""Merges a preset over params.yaml, in place, comments kept.

python scripts/preset.py specification       the hyperparameters as specified, for a GPU and thousands of kicks
python scripts/preset.py finetune            from the model files in pretrained/, for a few hundred kicks
git restore params.yaml                      back
"""

__all__ = ["apply_preset", "main"]

import argparse
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
NULL = "tag:yaml.org,2002:null"


def main() -> None:
    names = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=names)
    name = parser.parse_args().name
    for change in apply_preset(ROOT / "params.yaml", ROOT / "presets" / f"{name}.yaml"):
        print(change)


def apply_preset(params: Path, preset: Path | dict[str, Any]) -> list[str]:
    """Writes the values of a preset into a params file.

    Arguments:
        preset: A YAML file, or its values.

    Returns:
        A line for every value that changed: dotted name, old and new value.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = sys.maxsize
    yaml.indent(mapping=2, sequence=4, offset=2)
    # an empty value is null, too, but looks forgotten
    yaml.representer.add_representer(type(None), lambda writer, _: writer.represent_scalar(NULL, "null"))
    values = yaml.load(params)
    changes = merge(values, yaml.load(preset) if isinstance(preset, Path) else preset, "")
    with params.open("w", encoding="utf-8", newline="\n") as file:
        yaml.dump(values, file)
    return changes


def merge(values: dict[str, Any], preset: dict[str, Any], prefix: str) -> list[str]:
    changes = []
    for name, value in preset.items():
        if name not in values:
            raise KeyError(f"{prefix}{name}: in the preset, but not in the params")
        if isinstance(value, dict):
            changes += merge(values[name], value, f"{prefix}{name}.")
        elif values[name] != value:
            changes.append(f"{prefix}{name}: {values[name]} -> {value}")
            values[name] = value
    return changes


if __name__ == "__main__":
    main()
