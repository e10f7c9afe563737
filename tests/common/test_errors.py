"""What the system says of a disk, for people."""

import errno

import pytest

from kickpipe.common.errors import describe_disk_error, is_of_the_disk


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EISDIR])
def test_a_full_or_forbidden_disk_is_for_its_user_to_mend(code):
    assert is_of_the_disk(OSError(code, "what it says"))


@pytest.mark.parametrize(
    "error", [OSError(errno.EBADF, "Bad file descriptor"), OSError("no number"), BrokenPipeError()]
)
def test_other_errors_of_the_system_are_not(error):
    assert not is_of_the_disk(error)


def test_the_file_is_named_where_the_system_names_it():
    assert describe_disk_error(OSError(errno.ENOSPC, "No space left", "a.wav")) == "a.wav: No space left"
    assert describe_disk_error(OSError(errno.ENOSPC, "No space left")) == "No space left"
    assert describe_disk_error(OSError("full")) == "full"
