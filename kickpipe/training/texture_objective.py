"""What the texture network is trained to lower: the negative log-likelihood of a Laplace distribution.

    loss = mean of weight * (log b + |target - mel - shift| / b),    b: deviation

A Laplace distribution heeds outliers less than a Gaussian. Its b, the mean absolute difference, is what the noise's deviation
then is. Cells where both mels lie near their floor count little: there is nothing to hear.
"""

__all__ = ["TextureObjective"]

from dataclasses import dataclass

import torch
from torch import Tensor

AUDIBLE_NATS = 1.5  # above the floor
QUIET_WEIGHT = 0.05


@dataclass(frozen=True)
class TextureObjective:
    """The likelihood of mels.

    Arguments:
        floor: Lowest value of a mel (nats).
    """

    floor: float

    def __call__(self, shift: Tensor, log_deviation: Tensor, mel: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Terms, scalars: ``loss``, ``l1`` (nats, of what the shift leaves) and the mean ``deviation``, in audible cells.

        Arguments:
            shift, log_deviation: What the network predicts for ``mel``, (B, 1, M, L).
            mel: What the decoder made.
            target: What it should have made.
        """
        audible = torch.maximum(mel, target) > self.floor + AUDIBLE_NATS
        weight = torch.where(audible, 1.0, QUIET_WEIGHT)
        apart = (target - mel - shift).abs()
        deviation = log_deviation.exp()
        loss = (weight * (log_deviation + apart / deviation)).sum() / weight.sum()
        cells = audible.sum().clamp(min=1)
        return {"loss": loss, "l1": (apart * audible).sum() / cells, "deviation": (deviation * audible).sum() / cells}
