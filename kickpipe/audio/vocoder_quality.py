"""How a trained vocoder compares with Griffin-Lim, which needs no training: numbers that its model file carries.

Whatever makes kicks takes the better of the two from here. A network trained without discriminators for a few hours may
well be the worse one: it rattles (``audio.rattle``), and no refining takes that away.
"""

__all__ = ["VocoderQuality"]

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

RATTLING_SHARE = 0.1  # of the kicks with audible highs; of real ones 1% are taken for it
MAX_DISTANCE = 1e6


@dataclass(frozen=True)
class VocoderQuality:
    """Means over real kicks, held-out ones where there are any, made from their mels.

    Arguments:
        rattling: Share of what the network makes, refined by Griffin-Lim, that rattles, of kicks with audible highs; None
            if no kick has any.
        distance: STFT distance of the same to the originals, see ``audio.spectral``.
        griffin_lim_distance: That of what Griffin-Lim makes alone.
    """

    rattling: float | None
    distance: float
    griffin_lim_distance: float

    @property
    def is_worth_using(self) -> bool:
        """Whether kicks are better made with the network than without it."""
        return (self.rattling or 0.0) <= RATTLING_SHARE and self.distance <= self.griffin_lim_distance

    def to_text(self) -> str:
        """One line for people."""
        rattling = "" if self.rattling is None else f", {100 * self.rattling:.0f}% of the bright kicks rattle"
        use = "kicks are made with the network" if self.is_worth_using else "kicks are made without the network"
        return f"distance {self.distance:.3f}, Griffin-Lim's {self.griffin_lim_distance:.3f}{rattling}: {use}"

    def to_dict(self) -> dict[str, float | None]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> "VocoderQuality":
        """Reads what a model file says.

        Raises:
            ValueError: If it is none of this.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if not (isinstance(values, Mapping) and set(values) == set(names)):
            raise ValueError(f"quality: expected {', '.join(names)}, found {str(values)[:60]}")
        for name, value in values.items():
            limit = 1.0 if name == "rattling" else MAX_DISTANCE
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not (number and 0 <= value <= limit) and not (name == "rattling" and value is None):
                raise ValueError(f"quality.{name}: expected a number from 0 to {limit:g}, found {str(value)[:60]}")
        return cls(**values)
