"""One resumable run of a training stage: where its states lie, when they are written, and how it is stopped.

What the trainings share around ``fit``: take over the newest state of the same run, save at the specified intervals and every
few minutes in between, and end on Ctrl-C or SIGTERM with the state saved.
"""

__all__ = ["SaveClock", "StopSignal", "train"]

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.training.loop import Run, Training, fit
from kickpipe.training.state import TrainState
from kickpipe.training.tracking import Tracker

SAVE_MINUTES = 5.0


def train(
    training: Training[Any],
    run: Run,
    values: dict[str, Any],
    show: Callable[[Tracker, int], None] = lambda tracker, step: None,
) -> Tracker:
    """Trains to the end, from the newest saved state of the same run if there is one.

    Arguments:
        training: What is trained.
        run: How long and how often, and where the states lie.
        values: Plain values that every state holds, such as the config and the vocabulary.
        show: Hands pictures and sounds to the tracker, where a validation and a numbered state meet; changes no number.

    Returns:
        The tracker with the curves.

    Raises:
        StateError: If a state cannot be read or written.
        FloatingPointError: If a loss is not finite.
        Interrupted: On Ctrl-C or SIGTERM, after saving.
    """
    folder = run.folder
    tracker = Tracker(folder.path / "tensorboard", f"train_{folder.prefix}", run.steps, training.examples_per_step)
    state = TrainState(folder.fingerprint, values, **training.objects, tracker=tracker)
    clock = SaveClock()
    if folder.resume(state):
        print(f"{tracker.desc}: resumes at step {state.step} of {run.steps} from {folder.path}", flush=True)
    stop = StopSignal()
    clock.restart()

    def validated(step: int, scalars: dict[str, float]) -> None:
        tracker.validated(step, scalars)
        if step % run.save_every == 0:
            with torch.no_grad():
                show(tracker, step)

    def save(current: TrainState) -> None:
        at_interval = current.step % run.save_every == 0 or current.step == run.steps
        if run.world.is_writer:
            folder.save(current, current.step // run.steps_per_unit if at_interval else None)
        clock.restart()

    if run.world.is_writer:
        tracker.open(state.step)
    try:
        with stop:
            fit(
                training,
                state,
                run,
                log=tracker.log,
                validated=validated,
                save=save,
                save_due=clock.due,
                stop=stop.received,
            )
    finally:
        tracker.close()
    return tracker


class SaveClock:
    """Says when a state between two intervals is due: every ``KICKPIPE_SAVE_MINUTES`` minutes."""

    def __init__(self) -> None:
        text = os.environ.get("KICKPIPE_SAVE_MINUTES", str(SAVE_MINUTES))
        try:
            self.seconds = 60 * float(text)
        except ValueError:
            self.seconds = math.nan
        if not self.seconds >= 0:
            raise KickpipeError(f"KICKPIPE_SAVE_MINUTES={text}: expected a number of minutes, 0 for every step")
        self.restart()

    def restart(self) -> None:
        self.last = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self.last >= self.seconds


class StopSignal:
    """Turns Ctrl-C and SIGTERM into a flag while it is entered; a second signal ends the process at once."""

    def __init__(self) -> None:
        self.flag = threading.Event()
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        if threading.current_thread() is threading.main_thread():  # elsewhere Python accepts no handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                self.previous[number] = signal.signal(number, self.receive)
        return self

    def __exit__(self, *exc: object) -> None:
        self.restore()

    def receive(self, number: int, frame: object) -> None:
        self.flag.set()
        self.restore()

    def restore(self) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
        self.previous = {}

    def received(self) -> bool:
        return self.flag.is_set()
