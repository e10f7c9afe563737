"""How every stage starts and ends: errors for people without a traceback, metrics as JSON."""

__all__ = ["run", "write_metrics"]

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kickpipe.errors import KickpipeError


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; exits with 1 and the message if it fails for a reason a person can mend, with 130 on Ctrl-C."""
    try:
        main()
    except KickpipeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Writes what ``dvc metrics show`` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
