"""Training of the latent diffusion model; see ``diffusion_objective`` for its loss."""

__all__ = ["DiffusionBatch", "DiffusionTraining"]

from typing import NamedTuple

import torch
from torch import Tensor

from kickpipe.common.seeds import step_generator
from kickpipe.data.batches import BatchOrder
from kickpipe.data.split import Split
from kickpipe.models.unet import KeywordUNet
from kickpipe.training.average import MovingAverage
from kickpipe.training.device import Precision
from kickpipe.training.diffusion_objective import DiffusionObjective
from kickpipe.training.latents import LabelledLatents
from kickpipe.training.optimizer import LearningRate, set_rate, step_optimizer
from kickpipe.training.state import Stateful

NUM_VALIDATION_DRAWS = 8  # timesteps a validation latent is noised to
VALIDATION_BATCH = 256


class DiffusionBatch(NamedTuple):
    """Standardised latents and noise (B, C, H, W), keyword ids (B, K) of which some are dropped, timesteps (B,)."""

    latents: Tensor
    ids: Tensor
    timestep: Tensor
    noise: Tensor


class DiffusionTraining:
    """A ``Training`` of a denoiser.

    Arguments:
        model: The denoiser, on its device.
        average: The average of it that is validated and used.
        objective: What it is trained to lower.
        kicks: Latents with their keywords; none need be held out.
        order: Which of them a batch has.
        accumulation: Batches an optimiser step.
        rate: Learning rate of a step.
        precision: Device and precision.
    """

    def __init__(
        self,
        model: KeywordUNet,
        average: MovingAverage[KeywordUNet],
        objective: DiffusionObjective,
        kicks: Split[LabelledLatents],
        *,
        order: BatchOrder,
        accumulation: int,
        rate: LearningRate,
        precision: Precision,
    ) -> None:
        self.model = model
        self.average = average
        self.objective = objective
        self.kicks = kicks
        self.order = order
        self.accumulation = accumulation
        self.rate = rate
        self.precision = precision
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=rate(0))
        self.scaler = precision.scaler()

    @property
    def objects(self) -> dict[str, Stateful]:
        return {
            "model": self.model.unet,
            "text_encoder": self.model.text,
            "ema": self.average.model,
            "optimizer": self.optimizer,
            "scaler": self.scaler,
        }

    @property
    def examples_per_step(self) -> int:
        return self.order.batch_size * self.accumulation

    def batch(self, step: int) -> list[DiffusionBatch]:
        generator = step_generator(self.order.seed, step)
        return [self.part(step * self.accumulation + i, generator) for i in range(self.accumulation)]

    def part(self, index: int, generator: torch.Generator) -> DiffusionBatch:
        """The batch of number ``index``, of which a step has ``accumulation``."""
        indices = self.order(index)
        latents = self.kicks.train.latents[indices]
        timestep = torch.randint(self.objective.schedule.num_timesteps, (len(latents),), generator=generator)
        noise = torch.randn(latents.shape, generator=generator)
        ids = self.objective.drop_keywords(self.kicks.train.ids[indices], generator)
        return DiffusionBatch(latents, ids, timestep, noise)

    def step(self, batch: list[DiffusionBatch], step: int) -> dict[str, Tensor]:
        self.model.train()
        set_rate(self.optimizer, self.rate(step))
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.precision.device)
        for part in batch:
            laid_out = part._replace(latents=part.latents.contiguous(memory_format=torch.channels_last))
            with self.precision.autocast():
                loss = self.loss(self.model, laid_out)
            self.scaler.scale(loss / len(batch)).backward()
            total += loss.detach() / len(batch)
        grad_norm = step_optimizer(self.optimizer, self.scaler)
        self.average.update(self.model, step)
        return {"loss": total, "grad_norm": grad_norm}

    def loss(self, model: KeywordUNet, batch: DiffusionBatch) -> Tensor:
        latents, ids, timestep, noise = (part.to(self.precision.device) for part in batch)
        return self.objective(model, latents, ids, timestep, noise)

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Loss of the average, and how far it is from the network.

        Noise and evenly spread timesteps are the same at every validation, so the curve shows the model alone.
        """
        distance = {"ema_distance": self.average.distance(self.model)}
        latents, ids = self.kicks.val
        if not len(latents):
            return distance
        generator = torch.Generator().manual_seed(self.order.seed)
        num_timesteps = self.objective.schedule.num_timesteps
        spread = (torch.arange(NUM_VALIDATION_DRAWS) * num_timesteps) // NUM_VALIDATION_DRAWS
        offsets = torch.randint(max(num_timesteps // NUM_VALIDATION_DRAWS, 1), (len(latents),), generator=generator)
        total = 0.0
        for first in spread:
            for part in torch.arange(len(latents)).split(VALIDATION_BATCH):
                noise = torch.randn(latents[part].shape, generator=generator)
                timestep = (first + offsets[part]).clamp(max=num_timesteps - 1)
                loss = self.loss(self.average.model, DiffusionBatch(latents[part], ids[part], timestep, noise))
                total += loss.item() * len(part) / (len(latents) * NUM_VALIDATION_DRAWS)
        return {"loss": total, **distance}
