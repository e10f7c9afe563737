"""Sets of kicks against held-out real kicks, at equal numbers, with the range over repeated draws.

Every distance between distributions depends on how many kicks it is computed from, so all sets are cut to one number,
several times at random; what is reported is the median of the draws with its lowest and highest. The floor is what real
kicks score against other real kicks: disjoint halves of all of them.
"""

__all__ = [
    "MIN_KICKS",
    "NEIGHBOURS",
    "Range",
    "compare_descriptors",
    "compare_embeddings",
    "compare_sets",
    "equal_number",
]

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from kickpipe.evaluation.analysis import KickSet, join
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.distances import (
    frechet_distance,
    kernel_distance,
    median_distance,
    precision_recall_density_coverage,
    wasserstein,
)

NEIGHBOURS = 5
MIN_KICKS = 20  # below, five neighbours are a quarter of the set and say nothing


class Range(NamedTuple):
    """A measure over repeated draws."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Range":
        return cls(float(np.median(values)), float(np.min(values)), float(np.max(values)))


def compare_sets(
    sets: Mapping[str, KickSet], heldout: KickSet, others: KickSet | None, limit: int, draws: int, seed: int
) -> dict[str, Any]:
    """Everything that says how far sets of kicks are from held-out real ones, in every embedding they were measured in.

    Arguments:
        sets: Kicks to judge, by name.
        heldout: Real kicks they are held against.
        others: All further real kicks, for the floor.
        limit: Kicks on each side, at most; see ``equal_number``.
        draws: Number of repeated draws.
        seed: Of the draws.

    Returns:
        ``number`` of kicks on each side, ``draws``, ``embeddings`` (what ``compare_embeddings`` gives, by the name of the
        embedding) and ``descriptors`` (what ``compare_descriptors`` gives).

    Raises:
        NoAnswer: If there are too few kicks of any kind.
    """
    # The floor takes halves of all real kicks, the held-out ones last.
    real = join([item.without_waveforms() for item in (others, heldout) if item is not None])
    sizes = {f"{name} kicks": len(item) for name, item in sets.items()} | {"held-out kicks": len(heldout)}
    number = equal_number(limit, sizes, len(real))
    return {
        "number": number,
        "draws": draws,
        "embeddings": {
            name: compare_embeddings(
                {key: item.embeddings[name] for key, item in sets.items()},
                vectors,
                real.embeddings[name],
                number,
                draws,
                seed,
            )
            for name, vectors in heldout.embeddings.items()
        },
        "descriptors": compare_descriptors(
            {key: item.descriptors for key, item in sets.items()},
            heldout.descriptors,
            real.descriptors,
            number,
            draws,
            seed,
        ),
    }


def equal_number(limit: int, sizes: Mapping[str, int], num_real: int) -> int:
    """Number of kicks that all sets are cut to: the smallest set, half of the real kicks, or the limit.

    Arguments:
        limit: At most so many.
        sizes: Number of kicks of each set, by the name it has in the message.
        num_real: Number of all real kicks, from which the floor takes two halves.

    Raises:
        NoAnswer: If that is less than 20.
    """
    sizes = {**sizes, "half of all real kicks": num_real // 2}
    smallest = min(sizes, key=lambda name: sizes[name])
    number = min(limit, sizes[smallest])
    if number < MIN_KICKS:
        raise NoAnswer(f"{smallest}: {sizes[smallest]}, and {MIN_KICKS} are needed")
    return number


def compare_embeddings(
    sets: Mapping[str, np.ndarray], heldout: np.ndarray, real: np.ndarray, number: int, draws: int, seed: int
) -> dict[str, dict[str, Range]]:
    """Kernel and Frechet distance, precision, recall, density and coverage of each set against the held-out kicks.

    Arguments:
        sets: Embeddings (N, D) by name.
        heldout: Embeddings of the held-out real kicks.
        real: Embeddings of all real kicks, for the floor.
        number: Kicks on each side; see ``equal_number``.
        draws: Number of repeated draws.

    Returns:
        By measure, then by set, with "floor" for real against real. One bandwidth, that of the held-out kicks, serves
        all kernel distances.
    """
    bandwidth = median_distance(heldout)
    results: dict[str, dict[str, list[float]]] = {}
    for draw in range(draws):
        rng = np.random.default_rng((seed, draw))
        target = draw_kicks(heldout, number, rng)
        pairs = {name: (draw_kicks(x, number, rng), target) for name, x in sets.items()}
        halves = draw_kicks(real, 2 * number, rng)
        pairs["floor"] = (halves[:number], halves[number:])
        for name, (x, y) in pairs.items():
            measures = {
                "kernel": kernel_distance(x, y, bandwidth),
                "frechet": frechet_distance(x, y),
                **precision_recall_density_coverage(x, y, NEIGHBOURS),
            }
            for measure, value in measures.items():
                results.setdefault(measure, {}).setdefault(name, []).append(value)
    return {measure: {name: Range.of(v) for name, v in by_set.items()} for measure, by_set in results.items()}


def compare_descriptors(
    sets: Mapping[str, Mapping[str, np.ndarray]],
    heldout: Mapping[str, np.ndarray],
    real: Mapping[str, np.ndarray],
    number: int,
    draws: int,
    seed: int,
) -> dict[str, dict[str, Range | None]]:
    """Wasserstein-1 distance of each descriptor to the held-out kicks, in the descriptor's unit.

    Arguments as for ``compare_embeddings``, with one array of values (N,) for each descriptor.

    Returns:
        By descriptor, then by set, with "floor"; None where a side has no kick with this descriptor.
    """
    results = {}
    for descriptor in heldout:
        by_set: dict[str, list[float] | None] = {}
        for draw in range(draws):
            rng = np.random.default_rng((seed, draw))
            target = draw_kicks(heldout[descriptor], number, rng)
            pairs = {name: (draw_kicks(x[descriptor], number, rng), target) for name, x in sets.items()}
            halves = draw_kicks(real[descriptor], 2 * number, rng)
            pairs["floor"] = (halves[:number], halves[number:])
            for name, (x, y) in pairs.items():
                found = by_set.setdefault(name, [])
                if found is None:
                    continue
                if not (np.isfinite(x).any() and np.isfinite(y).any()):
                    by_set[name] = None
                    continue
                found.append(wasserstein(x, y))
        results[descriptor] = {name: None if not values else Range.of(values) for name, values in by_set.items()}
    return results


def draw_kicks(x: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    return x[rng.permutation(len(x))[:number]]
