"""Training of the texture network on what the VAE's decoder loses; see ``texture_objective`` for its loss."""

__all__ = ["TextureBatch", "TextureTraining"]

from typing import NamedTuple

import torch
from torch import Tensor

from kickpipe.common.seeds import step_generator
from kickpipe.data.batches import BatchOrder
from kickpipe.data.split import Split
from kickpipe.models.texture import Texture
from kickpipe.models.vae import VAE
from kickpipe.training.device import Precision
from kickpipe.training.optimizer import LearningRate, set_rate
from kickpipe.training.state import Stateful
from kickpipe.training.texture_objective import TextureObjective

MAX_NORM = 1.0  # of the gradient: a cell that is certain and wrong weighs as much as thousands
BETAS = (0.9, 0.98)


class TextureBatch(NamedTuple):
    """Log-mels (B, 1, M, L), and the noise (B, C, H, W) that their latents are drawn with; 0 leaves the encoder's mean."""

    mels: Tensor
    noise: Tensor


class TextureTraining:
    """A ``Training`` of a texture network.

    The VAE stays as it is. A share of the latents is drawn from the encoder's distribution, so that the network also sees
    mels of latents that no kick was encoded to exactly, as the denoiser's are.

    Arguments:
        model, vae: The networks, on their device.
        objective: What the texture network is trained to lower.
        mels: Log-mels (N, 1, M, L); none need be held out, then there are no validation losses.
        order: Which of them a batch has.
        rate: Learning rate of a step.
        precision: Device and precision.
        num_frames: How much of each mel is looked at, from its start.
        posterior_share: Share of the latents that are drawn from the encoder's distribution.
    """

    def __init__(
        self,
        model: Texture,
        vae: VAE,
        objective: TextureObjective,
        mels: Split[Tensor],
        *,
        order: BatchOrder,
        rate: LearningRate,
        precision: Precision,
        num_frames: int,
        posterior_share: float,
    ) -> None:
        self.model = model
        self.vae = vae.eval().requires_grad_(False)
        self.objective = objective
        self.mels = mels
        self.order = order
        self.rate = rate
        self.precision = precision
        self.num_frames = num_frames
        self.posterior_share = posterior_share
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=rate(0), betas=BETAS)
        self.scaler = precision.scaler()

    @property
    def objects(self) -> dict[str, Stateful]:
        return {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}

    @property
    def examples_per_step(self) -> int:
        return self.order.batch_size

    def batch(self, step: int) -> TextureBatch:
        mels = self.mels.train[self.order(step)]
        generator = step_generator(self.order.seed, step)
        drawn = torch.rand(len(mels), 1, 1, 1, generator=generator) < self.posterior_share
        return TextureBatch(mels, torch.randn((len(mels), *self.vae.latent_shape), generator=generator) * drawn)

    def step(self, batch: TextureBatch, step: int) -> dict[str, Tensor]:
        self.model.train()
        set_rate(self.optimizer, self.rate(step))
        target = self.to_device(batch.mels)
        mel = self.decode(target, batch.noise.to(self.precision.device))
        terms = self.terms(mel, target)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(terms["loss"]).backward()
        self.scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return {**terms, "grad_norm": norm}

    @torch.no_grad()
    def validate(self, step: int) -> dict[str, float]:
        self.model.eval()
        mels = self.mels.val
        sums: dict[str, float] = {}
        for part in mels.split(self.order.batch_size) if len(mels) else ():
            target = self.to_device(part)
            terms = self.terms(self.decode(target, torch.zeros(len(part), *self.vae.latent_shape)), target)
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.item() * len(part) / len(mels)
        return sums

    def terms(self, mel: Tensor, target: Tensor) -> dict[str, Tensor]:
        mel, target = mel[..., : self.num_frames], target[..., : self.num_frames]
        with self.precision.autocast():
            shift, log_deviation = self.model.predict(mel)
        return self.objective(shift, log_deviation, mel, target)

    @torch.no_grad()
    def decode(self, mels: Tensor, noise: Tensor) -> Tensor:
        """What the VAE gives back of log-mels (B, 1, M, L), in full precision: its rounding is not to be learnt."""
        mu, logvar = self.vae.encode(mels)
        mel = self.vae.decode(mu + torch.exp(0.5 * logvar) * noise.to(mu.device))
        return mel.clamp(min=self.objective.floor)

    def reconstruct(self, mels: Tensor) -> Tensor:
        """What VAE and texture make of log-mels (B, 1, M, L), with the same noise each time, in full precision."""
        decoded = self.decode(self.to_device(mels), torch.zeros(len(mels), *self.vae.latent_shape))
        noise = torch.randn(mels.shape, generator=step_generator(self.order.seed, 0))
        textured: Tensor = self.model(decoded, noise.to(decoded.device))
        return textured.clamp(min=self.objective.floor)

    def to_device(self, mels: Tensor) -> Tensor:
        return mels.to(self.precision.device, memory_format=torch.channels_last)
