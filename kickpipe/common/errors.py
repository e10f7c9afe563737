"""The one base of the errors that are for people: the command line and the stages print their message, not a traceback."""

__all__ = ["KickpipeError", "describe_disk_error", "is_of_the_disk"]

import errno

# The disk's fault, or that of its permissions, wherever it shows
DISK_ERRORS = {
    errno.ENOSPC,
    errno.EFBIG,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
}


class KickpipeError(ValueError):
    """Something a user can mend; the message says where, what was expected, what was found and what to do."""


def is_of_the_disk(error: OSError) -> bool:
    """Whether a user can mend it: a disk that is full, or a file or folder that may not be written."""
    return error.errno in DISK_ERRORS


def describe_disk_error(error: OSError) -> str:
    """The file and what the system says of it."""
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part is not None)
