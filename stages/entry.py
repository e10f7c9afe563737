"""How a stage is started: its errors for people become one message and an exit status, not a traceback."""

__all__ = ["run"]

import errno
import signal
import sys
from collections.abc import Callable

from kickpipe.common.errors import KickpipeError

# The disk's fault, or that of its permissions, wherever it shows
DISK_ERRORS = {
    errno.ENOSPC,
    errno.EFBIG,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
}


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; exits with 1 after an error that its user can mend, with 130 where it was interrupted."""
    try:
        main()
    except (KickpipeError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        print(
            f"error: {error}; free space or make the folder writable, and run the same command again", file=sys.stderr
        )
        sys.exit(1)
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
