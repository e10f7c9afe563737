"""Words with an acoustic meaning: when a kick may be called deep, short or clicky.

A word is a bound on one or two descriptors. The bounds are rounded quantiles of the 453 real kicks of the release
library: of these, 18% are deep, 20% short, 20% long, 21% clicky, 26% soft, 17% boomy, 19% thin, 15% punchy and 10%
hard. The synthesiser and the script that assembles the training library name their files by the same bounds, so that a
word means the same in both, and what a prompt asks for can be measured.
"""

__all__ = ["WORDS", "Bound", "acoustic_words"]

from typing import NamedTuple


class Bound(NamedTuple):
    """A descriptor and the values that deserve the word, from low to high, both included."""

    descriptor: str
    low: float = float("-inf")
    high: float = float("inf")

    def holds(self, descriptors: dict[str, float]) -> bool:
        """False for a value that is NaN."""
        return self.low <= descriptors[self.descriptor] <= self.high


WORDS: dict[str, tuple[Bound, ...]] = {
    "deep": (Bound("f0_end_hz", high=40.0), Bound("sub_share", low=0.6)),
    "short": (Bound("decay_40_ms", high=170.0),),
    "long": (Bound("decay_40_ms", low=530.0),),
    "clicky": (Bound("high_share", low=0.008),),
    "soft": (Bound("high_share", high=0.0001),),
    "boomy": (Bound("sub_share", low=0.9), Bound("decay_20_ms", low=250.0)),
    "thin": (Bound("sub_share", high=0.55),),
    "punchy": (Bound("sweep_octaves", low=3.2),),
    "hard": (Bound("crest_db", high=8.5), Bound("high_share", low=0.0005)),
}


def acoustic_words(descriptors: dict[str, float]) -> list[str]:
    """The words that a kick with these descriptors (of `describe`) deserves, in the order of `WORDS`."""
    return [word for word, bounds in WORDS.items() if all(bound.holds(descriptors) for bound in bounds)]
