"""Commands of the demo: every line is told, an error shows its reason, and Ctrl-C lets a command end in good order."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from scripts.demo.processes import Failed, python

ROOT = Path(__file__).parents[3]

# A demo of one command, which writes what it was told to by Ctrl-C
OUTER = """
    import sys
    from pathlib import Path
    from scripts.demo.processes import Interrupted, Process
    process = Process(Path(sys.argv[1]), "-c", Path(sys.argv[1], "inner.py").read_text())
    try:
        process.run(lambda line: print(line, flush=True))
    except Interrupted:
        print("stopped")
        sys.exit(130)
"""
INNER = """
    import time
    try:
        print("begun", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("traceback, and much of it", flush=True)
        time.sleep(0.5)
        open("saved", "w").close()
"""


def test_every_line_is_told_of_both_streams(tmp_path):
    lines = []
    python(
        tmp_path, "-c", "import sys; print('one', flush=True); print('two', file=sys.stderr)", each_line=lines.append
    )
    assert lines == ["one", "two"]


def test_an_error_ends_with_what_was_printed_last(tmp_path):
    with pytest.raises(Failed, match=r"status 3\nthe reason"):
        python(tmp_path, "-c", "print('the reason'); raise SystemExit(3)")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_ctrl_c_a_command_saves_what_it_has_and_one_line_is_said(tmp_path, number):
    (tmp_path / "inner.py").write_text(textwrap.dedent(INNER), encoding="utf-8")
    outer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OUTER), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert outer.stdout.readline() == "begun\n"
    time.sleep(0.2)
    outer.send_signal(number)
    assert outer.communicate(timeout=60)[0] == "stopped\n"
    assert outer.returncode == 130
    assert (tmp_path / "saved").is_file()
