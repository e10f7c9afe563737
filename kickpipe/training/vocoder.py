"""Training of the HiFi-GAN vocoder: generator against discriminators; see ``vocoder_objective`` for their losses."""

__all__ = ["Adam", "Phases", "VocoderBatch", "VocoderTraining", "frozen"]

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kickpipe.common.seeds import step_generator
from kickpipe.data.batches import EpochOrder
from kickpipe.data.crops import VocoderDataset
from kickpipe.data.split import Split
from kickpipe.models.discriminators import Discriminators
from kickpipe.models.hifigan import Generator
from kickpipe.training.device import Precision
from kickpipe.training.optimizer import optimize
from kickpipe.training.state import Stateful
from kickpipe.training.vocoder_objective import VocoderObjective, split_judgements

NUM_VALIDATED = 16  # validation kicks the losses are averaged over, each vocoded whole


class VocoderBatch(NamedTuple):
    """Crops: mels (B, M, F) and the waveforms (B, F * hop_length) below them."""

    mels: Tensor
    waveforms: Tensor


@dataclass(frozen=True)
class Phases:
    """When the discriminators come in.

    Arguments:
        reconstruction_steps: First steps, without discriminators: the generator's other losses alone.
        warmup_steps: Steps after those in which the discriminators learn but the generator does not listen.
    """

    reconstruction_steps: int
    warmup_steps: int

    def are_taught(self, step: int) -> bool:
        """Whether the discriminators learn in a step."""
        return step >= self.reconstruction_steps

    def are_heard(self, step: int) -> bool:
        """Whether the generator listens to them."""
        return step >= self.reconstruction_steps + self.warmup_steps


@dataclass(frozen=True)
class Adam:
    """AdamW of both sides.

    Arguments:
        lr: The first learning rate.
        betas: Decay of the moments.
        gamma: A factor on the learning rate each epoch.
    """

    lr: float
    betas: tuple[float, float]
    gamma: float

    def optimizer(self, model: nn.Module) -> torch.optim.AdamW:
        return torch.optim.AdamW(model.parameters(), lr=self.lr, betas=self.betas)

    def scheduler(self, optimizer: torch.optim.AdamW) -> torch.optim.lr_scheduler.ExponentialLR:
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, self.gamma)


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Computes no gradients of the parameters of ``model`` inside; gradients pass through it."""
    model.requires_grad_(False)
    try:
        yield
    finally:
        model.requires_grad_(True)


class VocoderTraining:
    """A ``Training`` of a generator and its discriminators.

    Arguments:
        generator, discriminators: Both on their device.
        objective: What the two sides are trained to lower.
        kicks: Pairs of mel and waveform; none need be held out.
        order: Which of them a batch has.
        phases: When the discriminators come in.
        adam: How both are optimised.
        precision: Device and precision.
    """

    def __init__(
        self,
        generator: Generator,
        discriminators: Discriminators,
        objective: VocoderObjective,
        kicks: Split[VocoderDataset],
        *,
        order: EpochOrder,
        phases: Phases,
        adam: Adam,
        precision: Precision,
    ) -> None:
        self.generator, self.discriminators = generator, discriminators
        self.objective = objective
        self.kicks = kicks
        self.order = order
        self.phases = phases
        self.precision = precision
        self.optimizer_g, self.optimizer_d = adam.optimizer(generator), adam.optimizer(discriminators)
        self.scheduler_g, self.scheduler_d = adam.scheduler(self.optimizer_g), adam.scheduler(self.optimizer_d)
        self.scaler_g, self.scaler_d = precision.scaler(), precision.scaler()

    @property
    def objects(self) -> dict[str, Stateful]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminators,
            "optimizer_g": self.optimizer_g,
            "optimizer_d": self.optimizer_d,
            "scheduler_g": self.scheduler_g,
            "scheduler_d": self.scheduler_d,
            "scaler_g": self.scaler_g,
            "scaler_d": self.scaler_d,
        }

    @property
    def examples_per_step(self) -> int:
        return self.order.batch_size

    def batch(self, step: int) -> VocoderBatch:
        generator = step_generator(self.order.seed, step)
        crops = [self.kicks.train.crop_at_random(i, generator) for i in self.order(step).tolist()]
        mels, waveforms = zip(*crops, strict=True)
        return VocoderBatch(torch.stack(mels), torch.stack(waveforms))

    def step(self, batch: VocoderBatch, step: int) -> dict[str, Tensor]:
        mels, real = (part.to(self.precision.device) for part in batch)
        self.generator.train()
        with self.precision.autocast():
            fake = self.generator(mels)[:, 0]
        judged = self.teach_discriminators(real, fake) if self.phases.are_taught(step) else {}
        terms, grad_norm_g = self.teach_generator(real, fake, self.phases.are_heard(step))
        lr = torch.tensor(self.scheduler_g.get_last_lr()[0])
        if (step + 1) % self.order.batches_per_epoch == 0:
            self.scheduler_g.step()
            if self.phases.are_taught(step):
                self.scheduler_d.step()
        return {**terms, **judged, "grad_norm_g": grad_norm_g, "lr": lr}

    def teach_discriminators(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """One step of the discriminators on waveforms (B, N)."""
        with self.precision.autocast():
            judged = self.discriminators(torch.cat([real, fake.detach()])[:, None])
        loss = self.objective.discriminator(*split_judgements(judged, len(real)))
        return {"loss_d": loss, "grad_norm_d": optimize(self.optimizer_d, loss, self.scaler_d)}

    def teach_generator(self, real: Tensor, fake: Tensor, listens: bool) -> tuple[dict[str, Tensor], Tensor]:
        """One step of the generator that made ``fake`` (B, N), and whether it ``listens`` to the discriminators.

        Returns:
            The terms of its loss, and the norm of its gradient.
        """
        if listens:
            with frozen(self.discriminators), self.precision.autocast():
                with torch.no_grad():
                    real_judged = self.discriminators(real[:, None])
                fake_judged = self.discriminators(fake[:, None])
            terms = self.objective.generator(real, fake.float(), real_judged, fake_judged)
        else:
            terms = self.objective.generator(real, fake.float(), [], [])
        return terms, optimize(self.optimizer_g, terms["loss_g"], self.scaler_g)

    def vocode(self, mels: Tensor) -> Tensor:
        """Whole kicks: mels (B, 1, M, L) to waveforms (B, num_samples)."""
        with self.precision.autocast():
            waveform = self.generator(mels[:, 0].to(self.precision.device))[:, 0, : self.objective.audio.num_samples]
        return waveform.float().cpu()

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        self.generator.eval()
        sums: dict[str, float] = {}
        pairs = self.validation_pairs()
        for mel, real in pairs:
            fake = self.vocode(mel[None])
            terms = {"mel": self.objective.mel(real[None], fake), "stft": self.objective.stft(real[None], fake)}
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.item() / len(pairs)
        return sums

    def validation_pairs(self) -> list[tuple[Tensor, Tensor]]:
        """The first kicks that are held out, whole: mel (1, M, L) and waveform (num_samples,)."""
        return [self.kicks.val.pair(i) for i in range(min(len(self.kicks.val), NUM_VALIDATED))]

    def training_pairs(self) -> list[tuple[Tensor, Tensor]]:
        """As many kicks that were trained on, whole."""
        return [self.kicks.train.pair(i) for i in range(min(len(self.kicks.train), NUM_VALIDATED))]
