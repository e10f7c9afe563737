"""How a stage is started: its errors for people become one message and an exit status, not a traceback."""

__all__ = ["run"]

import signal
import sys
from collections.abc import Callable

from kickpipe.common.errors import KickpipeError, is_of_the_disk


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; exits with 1 after an error that its user can mend, with 130 where it was interrupted."""
    try:
        main()
    except (KickpipeError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if not is_of_the_disk(error):
            raise
        print(
            f"error: {error}; free space or make the folder writable, and run the same command again", file=sys.stderr
        )
        sys.exit(1)
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
