"""How a stage is started: its errors for people become one message and an exit status, not a traceback."""

__all__ = ["run"]

import signal
import sys
from collections.abc import Callable

from kickpipe.common.errors import KickpipeError, describe_disk_error, is_of_the_disk
from kickpipe.common.text import visible


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; exits with 1 after an error that its user can mend, with 130 where it was interrupted."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    except (KickpipeError, FloatingPointError) as error:
        say(f"error: {error}")
        sys.exit(1)
    except OSError as error:
        if not is_of_the_disk(error):
            raise
        say(
            f"error: {describe_disk_error(error)}; free space or make the folder writable, and run the same command again"
        )
        sys.exit(1)
    except KeyboardInterrupt as error:
        say(f"interrupted: {error}" if str(error) else "interrupted")
        sys.exit(128 + signal.SIGINT)


def say(text: str) -> None:
    """Prints to standard error, where names of files command no terminal."""
    print(visible(text), file=sys.stderr)
