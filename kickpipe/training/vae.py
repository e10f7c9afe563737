"""Training of the VAE on log-mels; see ``vae_objective`` for its loss."""

__all__ = ["VaeBatch", "VaeTraining"]

from typing import NamedTuple

import torch
from torch import Tensor

from kickpipe.common.seeds import step_generator
from kickpipe.data.batches import EpochOrder
from kickpipe.data.split import Split
from kickpipe.models.vae import VAE
from kickpipe.training.device import Precision
from kickpipe.training.optimizer import LearningRate, optimize, set_rate
from kickpipe.training.state import Stateful
from kickpipe.training.vae_objective import VaeObjective


class VaeBatch(NamedTuple):
    """Log-mels (B, 1, M, L), and the noise (B, C, H, W) that their latents are drawn with."""

    mels: Tensor
    noise: Tensor


class VaeTraining:
    """A ``Training`` of a VAE.

    Arguments:
        model: The VAE, on its device.
        objective: What it is trained to lower.
        mels: Log-mels (N, 1, M, L); none need be held out, then there are no validation losses.
        order: Which of them a batch has.
        rate: Learning rate of a step.
        precision: Device and precision.
    """

    def __init__(
        self,
        model: VAE,
        objective: VaeObjective,
        mels: Split[Tensor],
        *,
        order: EpochOrder,
        rate: LearningRate,
        precision: Precision,
    ) -> None:
        self.model = model
        self.objective = objective
        self.mels = mels
        self.order = order
        self.rate = rate
        self.precision = precision
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=rate(0))
        self.scaler = precision.scaler()

    @property
    def objects(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}

    @property
    def examples_per_step(self) -> int:
        return self.order.batch_size

    def batch(self, step: int) -> VaeBatch:
        mels = self.mels.train[self.order(step)]
        shape = (len(mels), *self.model.latent_shape)
        return VaeBatch(mels, torch.randn(shape, generator=step_generator(self.order.seed, step)))

    def step(self, batch: VaeBatch, step: int) -> dict[str, Tensor]:
        self.model.train()
        set_rate(self.optimizer, self.rate(step))
        mels = self.to_device(batch.mels)
        with self.precision.autocast():
            recon, mu, logvar = self.model(mels, batch.noise.to(self.precision.device))
        terms = self.objective(recon, mels, mu, logvar, step // self.order.batches_per_epoch)
        return {**terms, "grad_norm": optimize(self.optimizer, terms["loss"], self.scaler)}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        """Losses, and the standard deviation of each channel of the latent: near 0 it carries nothing."""
        self.model.eval()
        mels = self.mels.val
        if not len(mels):
            return {}
        epoch = (step - 1) // self.order.batches_per_epoch
        sums: dict[str, float] = {}
        mus = []
        for part in mels.split(self.order.batch_size):
            batch = self.to_device(part)
            with self.precision.autocast():
                recon, mu, logvar = self.model(batch)
            mus.append(mu.float())
            for name, term in self.objective(recon, batch, mu, logvar, epoch).items():
                sums[name] = sums.get(name, 0.0) + term.item() * len(part) / len(mels)
        spread = torch.cat(mus).std(dim=(0, 2, 3), correction=0)
        return sums | {f"mu_std_{i}": value for i, value in enumerate(spread.tolist())}

    def reconstruct(self, mels: Tensor) -> Tensor:
        """What the VAE makes of log-mels (B, 1, M, L), in full precision."""
        recon: Tensor = self.model(mels.to(self.precision.device))[0]
        return recon

    def to_device(self, mels: Tensor) -> Tensor:
        return mels.to(self.precision.device, memory_format=torch.channels_last)
