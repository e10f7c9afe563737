"""The variational autoencoder between log-mel spectrograms and latents.

A mel with shape (B, 1, M, L) = (B, 1, 128, 173) becomes mu and logvar with shape (B, 4, 8, 11): four stages of a
convolution of stride 2 and a residual block, then 1x1 convolutions. The decoder mirrors it: where the encoder halved
an odd side, the decoder cuts off the row or column too many, so both have the same sizes at every level.
The latent used everywhere outside training is mu.
"""

__all__ = ["VAE", "Decoder", "Encoder"]

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kickpipe.models.layers import Downsample, ResBlock, Upsample, crop, group_norm
from kickpipe.models.sizes import halved

# Log-mels run from log(1e-5) = -11.5 to about 12. The network sees (mel - MEL_CENTRE) / MEL_SCALE and its output is
# scaled back, both outside the loss. Measured on 160 real kicks after 60 steps of 16: L1 0.83 nats, without it 7.95.
MEL_CENTRE = -6.0
MEL_SCALE = 4.0

# exp(logvar / 2) then stays between 3e-7 and 2e4: finite in float16 too. Rombach et al. 2022 clamp likewise.
LOGVAR_MIN, LOGVAR_MAX = -30.0, 20.0


class Encoder(nn.Module):
    """Mel (B, 1, M, L) -> mu, logvar, each (B, latent_channels, ceil(M / 16), ceil(L / 16)) for four stages."""

    def __init__(self, channels: tuple[int, ...], latent_channels: int) -> None:
        super().__init__()
        ins = (1, *channels[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(Downsample(i, o), ResBlock(o)) for i, o in zip(ins, channels, strict=True)
        )
        self.norm = group_norm(channels[-1])
        self.mu = nn.Conv2d(channels[-1], latent_channels, 1)
        self.logvar = nn.Conv2d(channels[-1], latent_channels, 1)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        h = (mel - MEL_CENTRE) / MEL_SCALE
        for stage in self.stages:
            h = stage(h)
        h = F.silu(self.norm(h))
        return self.mu(h), self.logvar(h).clamp(LOGVAR_MIN, LOGVAR_MAX)


class Decoder(nn.Module):
    """Latent (B, latent_channels, h, w) -> mel (B, 1, *sizes[-1]); `sizes` are those after each stage."""

    def __init__(self, channels: tuple[int, ...], latent_channels: int, sizes: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self.sizes = sizes
        ins = channels[::-1]
        outs = (*ins[1:], 1)
        self.input = nn.Conv2d(latent_channels, ins[0], 1)
        self.stages = nn.ModuleList(nn.Sequential(ResBlock(i), Upsample(i, o)) for i, o in zip(ins, outs, strict=True))
        # The last transposed convolution has nothing after it, so what goes into it is normalised here.
        cast(nn.Sequential, self.stages[-1]).insert(1, nn.Sequential(group_norm(ins[-1]), nn.SiLU()))

    def forward(self, latent: Tensor) -> Tensor:
        h = self.input(latent)
        for stage, size in zip(self.stages, self.sizes, strict=True):
            h = crop(stage(h), size)
        return h * MEL_SCALE + MEL_CENTRE


class VAE(nn.Module):
    """Encoder and decoder for mels of one size.

    Arguments:
        n_mels: Mel bands M.
        num_frames: Frames L.
        channels: Channels after each stage; every stage halves both sides, rounding up.
        latent_channels: Channels of the latent.
    """

    def __init__(
        self,
        n_mels: int = 128,
        num_frames: int = 173,
        channels: tuple[int, ...] = (32, 64, 128, 256),
        latent_channels: int = 4,
    ) -> None:
        super().__init__()
        channels = tuple(channels)
        self.channels = channels
        if not channels or min(n_mels, num_frames, latent_channels, *channels) < 1:
            raise ValueError(
                f"a VAE needs sizes of at least 1: n_mels={n_mels}, num_frames={num_frames}, channels={channels}, "
                f"latent_channels={latent_channels}"
            )
        self.mel_shape = (1, n_mels, num_frames)
        self.sizes = [(halved(n_mels, i), halved(num_frames, i)) for i in range(len(channels) + 1)]
        self.latent_channels = latent_channels
        self.encoder = Encoder(channels, latent_channels)
        self.decoder = Decoder(channels, latent_channels, tuple(self.sizes[-2::-1]))

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(latent_channels, height, width) of one latent: (4, 8, 11) by default."""
        return (self.latent_channels, *self.sizes[-1])

    @property
    def config(self) -> dict[str, Any]:
        """Arguments of the constructor, as a model file holds them."""
        _, n_mels, num_frames = self.mel_shape
        return {
            "n_mels": n_mels,
            "num_frames": num_frames,
            "channels": list(self.channels),
            "latent_channels": self.latent_channels,
        }

    def encode(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Maps mel (B, 1, M, L) to mu and logvar, each (B, *latent_shape).

        Raises:
            ValueError: If the mel has other sizes than this VAE was built for.
        """
        if mel.ndim != 4 or tuple(mel.shape[1:]) != self.mel_shape:
            raise ValueError(f"expected mels with shape (B, {str(self.mel_shape)[1:]}, got {tuple(mel.shape)}")
        return self.encoder(mel)

    def decode(self, latent: Tensor) -> Tensor:
        """Maps latent (B, *latent_shape) to a mel (B, 1, M, L), cropped to its size.

        Raises:
            ValueError: If the latent has another shape.
        """
        if latent.ndim != 4 or tuple(latent.shape[1:]) != self.latent_shape:
            raise ValueError(f"expected latents with shape (B, {str(self.latent_shape)[1:]}, got {tuple(latent.shape)}")
        return self.decoder(latent)

    def forward(self, mel: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the reconstruction (B, 1, M, L), mu and logvar.

        z = mu + std * noise for noise (B, *latent_shape), z = mu without.
        """
        mu, logvar = self.encode(mel)
        latent = mu if noise is None else mu + torch.exp(0.5 * logvar) * noise
        return self.decode(latent), mu, logvar
