"""The one training loop, and the arithmetic that makes it resumable.

Nothing a step draws depends on hidden generator state: the batch of step s follows from (seed, s), and all noise
drawn inside the step from a generator seeded with (seed, s). So a run that is killed and resumed takes exactly the
steps it would have taken.
"""

__all__ = [
    "Interrupted",
    "batch_indices",
    "ema_decay_at",
    "fit",
    "lr_factor",
    "num_batches",
    "optimize",
    "seed_step",
    "update_ema",
]

import hashlib
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kickpipe.training.state import TrainState

LR_SCHEDULES = ("constant", "cosine")


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop; its state is saved and the same command continues it."""


def fit(
    state: TrainState,
    train_step: Callable[[Any, int], dict[str, Tensor]],
    batch_of: Callable[[int], Any],
    *,
    steps: int,
    seed: int,
    log: Callable[[int, dict[str, float]], None],
    validate: Callable[[int], None],
    validate_every: int,
    save: Callable[[TrainState], None],
    save_every: int,
    save_due: Callable[[], bool] = lambda: False,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Takes training steps until ``steps`` are completed.

    Arguments:
        state: The run; ``state.step`` says where to start.
        train_step: Updates the models on one batch, given the number of completed steps; returns named scalars.
        batch_of: The batch of a step.
        steps: Number of steps of the whole run, including those already completed.
        seed: Together with the step, determines all noise drawn in ``train_step``.
        log: Receives the number of completed steps and the scalars, after every step.
        validate: Called with the number of completed steps every ``validate_every`` steps and after the last one.
        save: Receives ``state`` every ``save_every`` steps, after the last step, when ``save_due()`` and on a stop.
        stop: Whether to end the run early; asked after every step.

    Raises:
        FloatingPointError: If a scalar is not finite; nothing of that step is saved.
        Interrupted: If ``stop()`` ended the run.
    """
    while state.step < steps:
        seed_step(seed, state.step)
        terms = train_step(batch_of(state.step), state.step)
        scalars = dict(
            zip(terms, torch.stack([term.detach().float().cpu() for term in terms.values()]).tolist(), strict=True)
        )
        state.step += 1
        if bad := [name for name, value in scalars.items() if not math.isfinite(value)]:
            raise FloatingPointError(
                f"{', '.join(bad)} not finite at step {state.step}: {scalars}; "
                "the last saved state is intact, a lower learning rate may help"
            )
        log(state.step, scalars)

        last = state.step == steps
        if last or state.step % validate_every == 0:
            validate(state.step)
        stopping = not last and stop()
        if last or stopping or state.step % save_every == 0 or save_due():
            save(state)
        if stopping:
            raise Interrupted(f"stopped at step {state.step} of {steps}; run the same command to continue")


def seed_step(seed: int, step: int) -> None:
    """Seeds torch from (seed, step): a resumed step draws the noise it would have drawn."""
    digest = hashlib.sha256(f"{seed}/{step}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def num_batches(num_items: int, batch_size: int) -> int:
    """Number of batches of an epoch; the last may be smaller."""
    return -(-num_items // batch_size)


def batch_indices(step: int, num_items: int, batch_size: int, seed: int) -> Tensor:
    """Items of the batch of a step, shape (B,): each epoch is a new permutation, drawn from (seed, epoch)."""
    epoch, batch = divmod(step, num_batches(num_items, batch_size))
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(num_items, generator=generator)
    return order[batch * batch_size : (batch + 1) * batch_size]


def lr_factor(schedule: str, step: int, steps: int) -> float:
    """Factor on the learning rate at a step of a run.

    Arguments:
        schedule: "constant", or "cosine": half a cosine from 1 down to 0 at the end (Loshchilov & Hutter 2017, without
            restarts), which a short run gains from and a run that is to be lengthened does not want.
        step: Completed steps, below ``steps``.
        steps: Steps of the whole run.
    """
    if schedule not in LR_SCHEDULES:
        raise ValueError(f"learning rate schedule {schedule!r}: expected one of {', '.join(LR_SCHEDULES)}")
    return 1.0 if schedule == "constant" else (1 + math.cos(math.pi * step / steps)) / 2


def optimize(
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    scaler: torch.amp.GradScaler,
) -> Tensor:
    """Takes one step down the gradient of ``loss``; returns the norm of the gradient."""
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    return step_optimizer(optimizer, scaler)


def step_optimizer(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> Tensor:
    """Steps with gradients that have been accumulated; returns their norm, before a scaler skips one that overflowed."""
    scaler.unscale_(optimizer)
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    scaler.step(optimizer)
    scaler.update()
    # fp16 overflows now and then by design: the scaler has skipped that step, its norm says nothing
    return torch.where(torch.isfinite(norm), norm, torch.zeros_like(norm)) if scaler.is_enabled() else norm


def ema_decay_at(step: int, decay: float, warmup: bool) -> float:
    """Decay of the average after ``step`` completed steps.

    With warm-up it is min(decay, (1 + step) / (10 + step)), as in Tensorflow's ExponentialMovingAverage: otherwise a decay
    of 0.9999 keeps more than a third of the random initial weights after 10,000 steps.
    """
    return min(decay, (1 + step) / (10 + step)) if warmup else decay


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the parameters of ``ema`` towards those of ``model`` and copies the buffers."""
    averaged, current = list(ema.parameters()), list(model.parameters())
    torch._foreach_lerp_(averaged, current, 1 - decay)
    for buffer, source in zip(ema.buffers(), model.buffers(), strict=True):
        buffer.copy_(source)
