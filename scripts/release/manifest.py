"""Writes release.json: names, sizes and hashes of the released model files, for ``kickpipe verify``.

python -m scripts.release.manifest --version 1.0
"""

__all__ = ["main"]

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kickpipe.common.errors import KickpipeError
from kickpipe.common.files import write_json
from kickpipe.release import MANIFEST, describe_release, models_version

ROOT = Path(__file__).resolve().parents[2]
NAME = "kickpipe release models"
LICENCE = "CC-BY-4.0"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints", help="folder of the model files")
    parser.add_argument("--out", type=Path, default=ROOT / MANIFEST)
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--version", default=models_version())
    parser.add_argument("--licence", default=LICENCE, help="licence of the weights, as SPDX names it")
    options = parser.parse_args(arguments)
    try:
        manifest = describe_release(options.checkpoints, options.name, options.version, options.licence)
    except KickpipeError as error:
        print(error, file=sys.stderr)
        return 1
    write_json(options.out, manifest.to_dict())
    total = sum(file.bytes for file in manifest.files)
    print(f"{options.out}: {manifest.name} {manifest.version}, {total / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
