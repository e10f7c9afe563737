"""Whether a keyword does what it says.

For a keyword w, the real kicks that have it (H) and the rest (R) are the only definition of what it means. A generated
kick follows w if it sits nearer to H than to R in the embedding. Keywords overlap and many say little about the sound
("kick", a maker's name), so the same score for real kicks with w is the ceiling, and unprompted kicks give the base.
"""

__all__ = ["descriptor_direction", "keyword_auc", "keyword_top1", "spearman", "word_holds"]

import numpy as np

from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.distances import pairwise_distances
from kickpipe.synth.words import WORDS

MIN_REAL = 5


def keyword_top1(
    kicks: np.ndarray, having: np.ndarray, rest: np.ndarray, draws: int = 50, seed: int = 0, itself: bool = False
) -> float:
    """Share of kicks (N, D) whose nearest real kick has the keyword; chance is 0.5.

    From the real kicks having the keyword (H, D) and the rest (R, D) equally many are drawn, since the larger set would
    win by its number. The mean over repeated draws. With ``itself``, the kicks are the real ones with the keyword, and
    none is its own neighbour.

    Raises:
        NoAnswer: If there are no kicks, or fewer than 5 real ones with or without the keyword.
    """
    size = min(len(having) - itself, len(rest))
    if len(kicks) == 0 or size < MIN_REAL:
        raise NoAnswer(f"the nearest real kick needs {MIN_REAL} real kicks with and without the keyword, found {size}")
    to_having, to_rest = pairwise_distances(kicks, having), pairwise_distances(kicks, rest)
    if itself:
        np.fill_diagonal(to_having, np.inf)
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(draws):
        nearest_having = to_having[:, rng.choice(len(having), size, replace=False)].min(axis=1)
        nearest_rest = to_rest[:, rng.choice(len(rest), size, replace=False)].min(axis=1)
        shares.append(np.mean((nearest_having < nearest_rest) + 0.5 * (nearest_having == nearest_rest)))
    return float(np.mean(shares))


def keyword_auc(kicks: np.ndarray, having: np.ndarray, rest: np.ndarray, itself: bool = False) -> float:
    """Probability that a kick (of N, D) lies nearer to a real kick with the keyword (H, D) than to one without (R, D).

    The area under the ROC curve of "has the keyword" by distance, in the mean over the kicks; chance is 0.5. Kicks of a
    common shape lie near many others, so compare with the base, not with 0.5 alone. ``itself`` as in ``keyword_top1``.

    Raises:
        NoAnswer: If a set is empty.
    """
    num_having = len(having) - itself
    if min(len(kicks), num_having, len(rest)) <= 0:
        raise NoAnswer("the AUC needs kicks, and real kicks with and without the keyword")
    from scipy.stats import rankdata

    to_having, to_rest = pairwise_distances(kicks, having), pairwise_distances(kicks, rest)
    if itself:
        to_having = to_having[~np.eye(len(having), dtype=bool)].reshape(len(having), num_having)
    ranks = rankdata(np.concatenate([to_having, to_rest], axis=1), axis=1)[:, :num_having].sum(1)
    farther = ranks - num_having * (num_having + 1) / 2  # pairs in which the kick with the keyword is farther away
    return float(np.mean(1 - farther / (num_having * len(rest))))


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Rank correlation of two series, -1 to 1; pairs with a value that is not finite are left out. Spearman 1904.

    Raises:
        NoAnswer: If fewer than 4 pairs are left, or one side is constant.
    """
    from scipy.stats import rankdata

    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 4:
        raise NoAnswer(f"a rank correlation needs at least 4 pairs, found {both.sum()}")
    x_ranks, y_ranks = rankdata(x[both]), rankdata(y[both])
    if np.ptp(x_ranks) == 0 or np.ptp(y_ranks) == 0:
        raise NoAnswer("a rank correlation needs values that differ")
    return float(np.corrcoef(x_ranks, y_ranks)[0, 1])


def descriptor_direction(word: str) -> list[tuple[str, int]]:
    """Descriptors that a word with an acoustic meaning is about, each with 1 (more of it) or -1 (less of it).

    Raises:
        KeyError: If the word has no acoustic meaning.
    """
    return [(bound.descriptor, 1 if np.isfinite(bound.low) else -1) for bound in WORDS[word]]


def word_holds(word: str, descriptors: list[dict[str, float]]) -> float:
    """Share of kicks whose descriptors deserve the word, by the bounds of ``kickpipe.synth.words``.

    Raises:
        KeyError: If the word has no acoustic meaning.
        NoAnswer: If there are no kicks.
    """
    if not descriptors:
        raise NoAnswer("the share of no kicks")
    return float(np.mean([all(bound.holds(kick) for bound in WORDS[word]) for kick in descriptors]))
