"""make demo: what it passes on, and what it says after Ctrl-C."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NEEDED = ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml")

# In the place of Python: says what it was asked for, and what the demo says when it is stopped
PYTHON = """#!/bin/sh
echo "$@"
[ -z "$WAIT" ] && exit "$STATUS"
trap 'echo stopped; exit 130' INT
echo ready
while true; do sleep 0.1; done
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None or os.name != "posix", reason="no make")


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with the Makefile, installed as far as it can tell."""
    for name in NEEDED:
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / ".venv" / "setup.stamp").touch()
    return tmp_path


def make(project: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "STATUS": str(status)} | {"MAKEFLAGS": "", "MAKELEVEL": ""}
    return subprocess.run(
        ["make", *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_the_source_reaches_the_demo_whole(project):
    done = make(project, "demo", "SOURCE=My Samples")
    assert (done.returncode, done.stdout) == (0, "-m scripts.demo --source My Samples\n")


def test_a_demo_that_fails_is_a_make_that_fails(project):
    assert make(project, "demo", status=1).returncode != 0


def test_after_ctrl_c_nothing_is_added_to_what_the_demo_says(project):
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(project)
        os.execvpe("make", ["make", "demo"], {**os.environ, "WAIT": "1", "MAKEFLAGS": "", "MAKELEVEL": ""})
    printed = b""
    while b"ready" not in printed:
        printed += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    try:
        while more := os.read(terminal, 1000):
            printed += more
    except OSError:  # the terminal is closed
        pass
    os.waitpid(child, 0)
    after = printed.decode().replace("^C", "").split("ready")[1].split()
    assert after == ["stopped"]
