"""Distances between two sets of kicks, given as vectors.

x: embeddings of the kicks to judge, with shape (N, D); y: embeddings of the real kicks they are held against, with
shape (M, D). Kernel and Frechet distance say how far apart two distributions are; precision and density how much of x
looks real; recall and coverage how much of the real kicks x reaches. All depend on N and M, so compare them at equal
numbers only (see ``compare``).
"""

__all__ = [
    "frechet_distance",
    "kernel_distance",
    "median_distance",
    "pairwise_distances",
    "precision_recall_density_coverage",
    "wasserstein",
]

import numpy as np

from kickpipe.evaluation.answers import NoAnswer


def pairwise_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances with shape (N, M) between the rows of x (N, D) and of y (M, D).

    Squares are summed in float64: for near-copies the difference of large sums would lose every digit in float32.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return np.sqrt(np.maximum(squares, 0.0))


def median_distance(y: np.ndarray) -> float:
    """Median distance between different rows of y (M, D): the bandwidth of the kernel (median heuristic).

    Raises:
        NoAnswer: If y has fewer than two rows.
    """
    if len(y) < 2:
        raise NoAnswer(f"a median distance needs at least 2 vectors, found {len(y)}")
    return float(np.median(pairwise_distances(y, y)[np.triu_indices(len(y), k=1)]))


def kernel_distance(x: np.ndarray, y: np.ndarray, bandwidth: float | None = None) -> float:
    """Kernel audio distance (KAD): 100 times the unbiased squared MMD with a Gaussian kernel.

    k(a, b) = exp(-|a - b|^2 / (2 bandwidth^2));
    MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y), the first two over different rows only.
    Source: Gretton et al. 2012, equation 3; Chung et al. 2025 (arXiv 2502.15602), with its factor of 100.
    No unit; 0 in the mean for equal distributions, so single values may be slightly negative.

    Arguments:
        bandwidth: Of the kernel; the median distance within y if None.

    Raises:
        NoAnswer: If x or y has fewer than two rows.
    """
    if min(len(x), len(y)) < 2:
        raise NoAnswer(f"the kernel distance needs at least 2 kicks on each side, found {len(x)} and {len(y)}")
    if bandwidth is None:
        bandwidth = median_distance(y)
    scale = -0.5 / max(bandwidth, 1e-12) ** 2
    within_x = np.exp(scale * pairwise_distances(x, x) ** 2)
    within_y = np.exp(scale * pairwise_distances(y, y) ** 2)
    between = np.exp(scale * pairwise_distances(x, y) ** 2)
    mean_x = (within_x.sum() - np.trace(within_x)) / (len(x) * (len(x) - 1))
    mean_y = (within_y.sum() - np.trace(within_y)) / (len(y) * (len(y) - 1))
    return float(100.0 * (mean_x + mean_y - 2.0 * between.mean()))


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared Frechet distance of the Gaussians fitted to x and y, in squared units of the embedding.

    |mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)). Source: Heusel et al. 2017, equation 6.
    Biased upwards for few kicks: a real set has a distance above 0 to another half of itself.

    Raises:
        NoAnswer: If x or y has fewer than two rows.
    """
    if min(len(x), len(y)) < 2:
        raise NoAnswer(f"the Frechet distance needs at least 2 kicks on each side, found {len(x)} and {len(y)}")
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    shift = x.mean(0) - y.mean(0)
    centred_x = (x - x.mean(0)) / np.sqrt(len(x) - 1)
    centred_y = (y - y.mean(0)) / np.sqrt(len(y) - 1)
    # tr (C_x C_y)^(1/2) is the sum of the singular values of X Y^T, which needs no matrix square root.
    cross = np.linalg.svd(centred_x @ centred_y.T, compute_uv=False).sum()
    return float(max(shift @ shift + (centred_x**2).sum() + (centred_y**2).sum() - 2.0 * cross, 0.0))


def precision_recall_density_coverage(x: np.ndarray, y: np.ndarray, k: int = 5) -> dict[str, float]:
    """Shares of each set that lie within the k-nearest-neighbour balls of the other.

    - precision: share of x inside the ball of any real kick
    - recall: share of y inside the ball of any kick of x
    - density: number of real balls around a kick of x, in the mean, over k (1 is expected for equal distributions)
    - coverage: share of real balls that hold at least one kick of x

    Sources: Kynkaanniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage), equations 3 to 6.

    Raises:
        NoAnswer: If x or y has no more than k rows.
    """
    if min(len(x), len(y)) <= k:
        raise NoAnswer(f"k = {k} neighbours need more than {k} kicks on each side, found {len(x)} and {len(y)}")
    radius_x = np.partition(pairwise_distances(x, x), k, axis=1)[:, k]  # index 0 is the kick itself
    radius_y = np.partition(pairwise_distances(y, y), k, axis=1)[:, k]
    between = pairwise_distances(x, y)
    in_real_ball = between <= radius_y[None, :]
    in_own_ball = between <= radius_x[:, None]
    return {
        "precision": float(in_real_ball.any(axis=1).mean()),
        "recall": float(in_own_ball.any(axis=0).mean()),
        "density": float(in_real_ball.sum(axis=1).mean() / k),
        "coverage": float(in_real_ball.any(axis=0).mean()),
    }


def wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """Wasserstein-1 distance of two sets of numbers, in their unit: how far the values must move in the mean.

    Values that are not finite (a descriptor that a kick does not have) are left out. Source: Ramdas et al. 2017.

    Raises:
        NoAnswer: If either side has no finite value.
    """
    from scipy.stats import wasserstein_distance

    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    if min(len(x), len(y)) == 0:
        raise NoAnswer("no kick on one side has this descriptor")
    return float(wasserstein_distance(x, y))
