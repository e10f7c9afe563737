"""Commands of the demo: what they print is told or left out, and Ctrl-C ends them in good order.

A command runs in a session of its own, so that Ctrl-C reaches the demo alone, which passes it on, lets the command save what it
has, and says nothing of what it prints meanwhile. Where there are no sessions (Windows), the console tells all of them.
"""

__all__ = ["Failed", "Interrupted", "Process", "python"]

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

LINES_OF_A_FAILURE = 40
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


class Failed(Exception):
    """A command ended with an error; the message is the end of what it printed."""


class Process:
    """This Python in a folder.

    Arguments:
        folder: Where it runs, and where it finds its modules first.
        arguments: Of Python.
    """

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        self.command = [sys.executable, *map(str, arguments)]
        self.child: subprocess.Popen[str] | None = None
        self.interrupted = False

    def run(self, each_line: Callable[[str], None]) -> None:
        """Runs it to its end.

        Arguments:
            each_line: Receives what it prints, line by line.

        Raises:
            Interrupted: After Ctrl-C, when it has ended.
            Failed: If it ends with an error.
        """
        last: deque[str] = deque(maxlen=LINES_OF_A_FAILURE)
        previous = {number: signal.signal(number, self.interrupt) for number in SIGNALS}
        try:
            self.child = subprocess.Popen(
                self.command, cwd=self.folder, env=environment(self.folder), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                start_new_session=os.name == "posix",
            )  # fmt: skip
            if self.interrupted:  # before there was anything to pass it on to
                self.send(signal.SIGINT)
            for line in self.child.stdout or ():
                last.append(line.rstrip())
                if not self.interrupted:
                    each_line(line.rstrip())
            status = self.child.wait()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if self.interrupted:
            raise Interrupted
        if status:
            raise Failed("\n".join([f"{' '.join(self.command[1:])} ended with status {status}", *last]))

    def interrupt(self, number: int, frame: object) -> None:
        """Passes a signal on; a second one ends what has not ended by then."""
        first, self.interrupted = not self.interrupted, True
        self.send(signal.SIGINT if first else signal.SIGKILL)

    def send(self, number: int) -> None:
        if self.child is not None and os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, number)


def python(folder: Path, *arguments: object, each_line: Callable[[str], None] = lambda line: None) -> None:
    """Runs this Python in a folder; arguments and errors as for ``Process``."""
    Process(folder, *arguments).run(each_line)


def environment(folder: Path) -> dict[str, str]:
    # dvc starts the stages with the "python" it finds first
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    return {**os.environ, **own, "DVC_NO_ANALYTICS": "1"}
