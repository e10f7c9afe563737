"""The one training loop.

Nothing a step draws depends on hidden generator state: the batch of step s, its noise included, follows from (seed, s). So a
run that is killed and resumed takes exactly the steps it would have taken.
"""

__all__ = ["Interrupted", "Run", "Training", "fit"]

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from kickpipe.common.seeds import seed_torch_at
from kickpipe.training.state import RunFolder, Stateful, TrainState
from kickpipe.training.world import World

Batch = TypeVar("Batch")


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop; its state is saved and the same command continues it."""


class Training(Protocol[Batch]):
    """One network, or one game of several, that ``fit`` trains. Knows no files."""

    @property
    def objects(self) -> Mapping[str, Stateful]:
        """Networks and optimisers, by the names under which a state holds them."""
        ...

    @property
    def examples_per_step(self) -> int: ...

    def batch(self, step: int) -> Batch:
        """All that a step looks at, noise included: a function of the step alone.

        Tensors on the CPU whose first dimension is examples, or tuples and lists of such.
        """
        ...

    def step(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Updates the networks on a batch, given the number of completed steps; returns named scalars."""
        ...

    def validate(self, step: int) -> dict[str, float]:
        """Named scalars of what is held out, after so many completed steps."""
        ...


@dataclass(frozen=True)
class Run:
    """How long and how often.

    Arguments:
        folder: Where its states lie.
        steps: Steps of the whole run, those already completed included.
        seed: Together with the step, determines all that is drawn.
        validate_every: Steps between two validations.
        save_every: Steps between two numbered states.
        steps_per_unit: Steps in what the numbers of states count: those of an epoch, or 1.
        world: The processes that train together.
    """

    folder: RunFolder
    steps: int
    seed: int
    validate_every: int
    save_every: int
    steps_per_unit: int = 1
    world: World = field(default_factory=World)

    @classmethod
    def of_epochs(
        cls, folder: RunFolder, seed: int, epochs: int, steps_per_epoch: int, save_every_epochs: int
    ) -> "Run":
        """A run that counts in epochs and validates after each."""
        save_every = save_every_epochs * steps_per_epoch
        return cls(folder, epochs * steps_per_epoch, seed, steps_per_epoch, save_every, steps_per_epoch)


def fit(
    training: Training[Batch],
    state: TrainState,
    run: Run,
    *,
    log: Callable[[int, dict[str, float]], None],
    validated: Callable[[int, dict[str, float]], None],
    save: Callable[[TrainState], None],
    save_due: Callable[[], bool] = lambda: False,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Takes training steps until those of the run are completed.

    Arguments:
        training: What is trained.
        state: Its state; ``state.step`` says where to start.
        run: How long and how often.
        log: Receives the number of completed steps and the scalars, after every step.
        validated: Receives the same of every validation: at its interval and after the last step.
        save: Receives ``state`` at its interval, after the last step, when ``save_due()`` and on a stop.
        stop: Whether to end the run early; asked after every step.

    Raises:
        FloatingPointError: If a scalar is not finite; nothing of that step is saved.
        Interrupted: If ``stop()`` ended the run.
    """
    while state.step < run.steps:
        seed_torch_at(run.seed, state.step)
        batch = run.world.share(training.batch(state.step))
        terms = training.step(batch, state.step)
        values = torch.stack([term.detach().float().cpu() for term in terms.values()]).tolist()
        scalars = dict(zip(terms, values, strict=True))
        state.step += 1
        if bad := [name for name, value in scalars.items() if not math.isfinite(value)]:
            raise FloatingPointError(
                f"{', '.join(bad)} not finite at step {state.step}: {scalars}; "
                "the last saved state is intact, a lower learning rate may help"
            )
        log(state.step, scalars)

        last = state.step == run.steps
        if last or state.step % run.validate_every == 0:
            validated(state.step, training.validate(state.step))
        stopping = not last and stop()
        if last or stopping or state.step % run.save_every == 0 or save_due():
            save(state)
        if stopping:
            raise Interrupted(f"stopped at step {state.step} of {run.steps}; run the same command to continue")
