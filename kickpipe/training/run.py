"""One resumable run of a training stage: where its states lie, when they are written, and how it is stopped.

What the three trainings share around ``fit``: take over the newest state of the same run, save at the specified
intervals and every few minutes in between, and end on Ctrl-C or SIGTERM with the state saved.
"""

__all__ = ["run_training"]

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from torch import Tensor

from kickpipe.common.errors import KickpipeError
from kickpipe.training.loop import fit
from kickpipe.training.state import RunFolder, TrainState
from kickpipe.training.tracking import Tracker

SAVE_MINUTES = 5.0


def run_training(
    state: TrainState,
    folder: RunFolder,
    tracker: Tracker,
    train_step: Callable[[Any, int], dict[str, Tensor]],
    batch_of: Callable[[int], Any],
    validate: Callable[[int], None],
    *,
    steps: int,
    seed: int,
    validate_every: int,
    save_every: int,
    steps_per_unit: int,
) -> None:
    """Trains to the end, from the newest saved state of the same run if there is one.

    Arguments:
        state: Has ``tracker`` among its objects.
        validate: Called with the completed steps; hands validation scalars, pictures and sounds to the tracker.
        save_every: Steps between two numbered states.
        steps_per_unit: Steps in what the numbers count: those of an epoch, or 1.

    Raises:
        StateError: If a state cannot be written.
        FloatingPointError: If a loss is not finite.
        Interrupted: On Ctrl-C or SIGTERM, after saving.
    """
    clock = SaveClock()
    if folder.resume(state):
        print(f"{tracker.desc}: resumes at step {state.step} of {steps} from {folder.path}", flush=True)
    stop = StopSignal()
    clock.restart()

    def save(current: TrainState) -> None:
        at_interval = current.step % save_every == 0 or current.step == steps
        folder.save(current, current.step // steps_per_unit if at_interval else None)
        clock.restart()

    tracker.open(state.step)
    try:
        with stop:
            fit(
                state,
                train_step,
                batch_of,
                steps=steps,
                seed=seed,
                log=tracker.log,
                validate=validate,
                validate_every=validate_every,
                save=save,
                save_every=save_every,
                save_due=clock.due,
                stop=stop.received,
            )
    finally:
        tracker.close()


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
