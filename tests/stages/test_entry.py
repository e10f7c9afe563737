"""How stages end: one line for people, and a status."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kickpipe.common.errors import KickpipeError
from stages.entry import run

ROOT = Path(__file__).parents[2]


def end(capsys, error: BaseException | None) -> tuple[int, str]:
    """Status and standard error of a stage that raises."""

    def main() -> None:
        if error is not None:
            raise error

    try:
        run(main)
        status = 0
    except SystemExit as exit_:
        status = exit_.code
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (None, 0, ""),
        (KickpipeError("data/source: no audio files"), 1, "error: data/source: no audio files\n"),
        (FloatingPointError("loss is NaN"), 1, "error: loss is NaN\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (KeyboardInterrupt("stopped at step 3"), 130, "interrupted: stopped at step 3\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line(capsys, error, status, message):
    assert end(capsys, error) == (status, message)


def test_a_name_that_a_terminal_would_obey_is_shown_as_an_escape(capsys):
    assert end(capsys, KickpipeError("kick\x1b[2J.wav: silent"))[1] == "error: kick\\u001b[2J.wav: silent\n"


def test_a_full_disk_is_one_line_that_says_what_to_do(capsys):
    status, message = end(capsys, OSError(errno.ENOSPC, "No space left on device", "data/raw/kick.wav"))
    assert status == 1
    assert "data/raw/kick.wav" in message and "free space" in message and message.count("\n") == 1


def test_a_fault_of_the_program_keeps_its_traceback():
    def fail() -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file descriptor"):
        run(fail)


@pytest.mark.skipif(os.name == "nt", reason="no signals to a process on Windows")
def test_ctrl_c_while_a_stage_is_being_imported_prints_no_traceback(tmp_path):
    """A slow module stands in for torch, which takes seconds to import."""
    slow = "import pathlib, time\npathlib.Path('importing').touch()\ntime.sleep(60)\n"
    (tmp_path / "torch.py").write_text(slow, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.train_vae"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 50
    while not (tmp_path / "importing").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert printed == ""
    assert process.returncode == -signal.SIGINT


def test_the_import_of_a_stage_leaves_the_signals_alone():
    code = "import signal, stages.aggregate; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
