"""The embeddings in which sets of kicks are compared, by name.

An embedding is a function (waveforms (B, N), sample_rate) -> vectors (B, D) with a name and a unit. To add one, write the
function in a module of its own and put an ``Embedding`` into ``EMBEDDINGS``: every set is then measured in it, its
distances stand under ``distances.embeddings.NAME`` in the details, and the report and the model card show a table more.
One that not everybody has goes into the ``embeddings`` of an ``Analyser`` instead: ``(*EMBEDDINGS, mine)``.

The first is the primary one: it decides nearest kicks, copies and keywords.
"""

__all__ = ["EMBEDDINGS", "Embedding"]

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kickpipe.evaluation.embedding import EMBEDDING_SIZE, embed
from kickpipe.evaluation.texture import TEXTURE_SIZE, embed_texture


@dataclass(frozen=True)
class Embedding:
    """One way to turn kicks into vectors whose Euclidean distances mean something.

    Arguments:
        name: Its key in the details, a word in lower case.
        label: Its name for people.
        hint: What it hears, in half a sentence.
        unit: Of its distances.
        size: D, the length of a vector.
        function: Takes kicks (B, N), float32, with peaks at 1 (or silent), and the sample rate in Hz; gives vectors (B, D).
    """

    name: str
    label: str
    hint: str
    unit: str
    size: int
    function: Callable[[np.ndarray, int], np.ndarray]

    def __call__(self, waveforms: np.ndarray, sample_rate: int) -> np.ndarray:
        """Vectors (B, size), float32, of kicks (B, N) of any level; B may be 0.

        Raises:
            ValueError: If the function gives another shape, or numbers that are not finite.
        """
        if len(waveforms) == 0:
            return np.zeros((0, self.size), np.float32)
        peaks = np.abs(waveforms).max(axis=1, keepdims=True)
        vectors = np.asarray(self.function(waveforms / np.maximum(peaks, 1e-9), sample_rate), np.float32)
        if vectors.shape != (len(waveforms), self.size):
            raise ValueError(
                f"embedding {self.name}: expected vectors of shape {(len(waveforms), self.size)}, found {vectors.shape}"
            )
        if not np.isfinite(vectors).all():
            raise ValueError(f"embedding {self.name}: gave numbers that are not finite")
        return vectors


EMBEDDINGS = (
    Embedding(
        name="levels",
        label="Levels",
        hint="levels of bands in time segments from the onset on: attack, pitch sweep, body, envelope",
        unit="dB",
        size=EMBEDDING_SIZE,
        function=embed,
    ),
    Embedding(
        name="texture",
        label="Texture",
        hint="what no envelope and no steady spectrum explains, in windows of 6 to 93 ms: noise, roughness, grain",
        unit="dB",
        size=TEXTURE_SIZE,
        function=embed_texture,
    ),
)
