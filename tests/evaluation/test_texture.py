import numpy as np
import pytest

from kickpipe.evaluation.distances import pairwise_distances
from kickpipe.evaluation.texture import LEAST, NEUTRAL, SCALES, TEXTURE_SIZE, embed_texture

RATE = 44100
SAMPLES = 2 * RATE


def noise(seed, num_samples=SAMPLES):
    """Coloured by nothing, with a peak near 1."""
    return 0.2 * np.random.default_rng(seed).standard_normal(num_samples).astype(np.float32)


def decaying(x, seconds=0.5):
    return x * np.exp(-np.arange(len(x)) / RATE / seconds).astype(np.float32)


def scaled(x):
    return x / np.abs(x).max()


def distance(a, b):
    a, b = (embed_texture(scaled(x)[None], RATE) for x in (a, b))
    return float(pairwise_distances(a, b)[0, 0])


def split(vector):
    """Values of each scale, in dB of squared dB, without weights."""
    sizes = [len(scale.groups()) * len(scale.lags) * (len(scale.edges_ms) - 1) for scale in SCALES]
    parts = np.split(vector, np.cumsum(sizes)[:-1])
    return [part * len(part) ** 0.5 / scale.weight for part, scale in zip(parts, SCALES, strict=True)]


def test_shape_and_batches_do_not_matter():
    kicks = np.stack([decaying(noise(seed, RATE // 2)) for seed in range(5)])
    whole = embed_texture(kicks, RATE)
    assert whole.shape == (5, TEXTURE_SIZE) and whole.dtype == np.float32
    assert np.allclose(whole, embed_texture(kicks, RATE, batch_size=2), atol=1e-4)
    assert embed_texture(kicks[:0], RATE).shape == (0, TEXTURE_SIZE)


def test_silence_has_no_texture_and_is_neutral_everywhere():
    for part in split(embed_texture(np.zeros((1, SAMPLES), np.float32), RATE)[0]):
        assert np.allclose(part, 10 * np.log10(NEUTRAL + LEAST), atol=1e-4)


def test_white_noise_is_as_rough_as_its_distribution_says():
    # The logarithm of the power of one bin varies by (10 / ln 10)^2 pi^2 / 6 = 31 dB^2, a band of several bins by less; a
    # difference of four of them by at most four times as much
    most = 10 * np.log10(4 * (10 / np.log(10)) ** 2 * np.pi**2 / 6 + LEAST)
    for part in split(np.mean([embed_texture(scaled(noise(seed))[None], RATE)[0] for seed in range(8)], axis=0)):
        assert part.max() < most + 0.5
        assert part.min() > 10 * np.log10(LEAST + 1)


def test_a_decay_does_not_change_the_texture_of_noise():
    rough, decayed = (
        np.mean([embed_texture(scaled(f(noise(i)))[None], RATE)[0] for i in range(8)], axis=0)
        for f in (lambda x: x, decaying)
    )
    assert all(np.abs(a - b).max() < 1.5 for a, b in zip(split(rough), split(decayed), strict=True))


def test_steady_lines_are_smooth_where_noise_is_rough():
    t = np.arange(SAMPLES) / RATE
    rng = np.random.default_rng(0)
    lines = sum(np.sin(2 * np.pi * (hz * t + rng.uniform())) for hz in np.arange(200, 17000, 43.0))
    long_windows = slice(2, 4)
    smooth, rough = (split(embed_texture(scaled(x)[None].astype(np.float32), RATE)[0]) for x in (lines, noise(0)))
    # The first segment holds the edge of a tone that begins at once
    for scale, a, b in list(zip(SCALES, smooth, rough, strict=True))[long_windows]:
        later = np.arange(len(a)) % (len(scale.edges_ms) - 1) > 0
        assert np.median(b[later] - a[later]) > 6


def test_leading_silence_and_the_level_do_not_move_a_kick():
    kick = decaying(noise(0))
    late = np.concatenate([np.zeros(3000, np.float32), kick[:-3000]])
    assert distance(kick, 0.1 * late) < 0.1


def test_the_first_millisecond_counts():
    kick = decaying(noise(0), 0.05)
    kick[0] = 1
    changed = kick.copy()
    changed[1:44] = 0
    assert distance(kick, changed) > 0.05


def test_bands_above_half_the_sample_rate_are_inaudible():
    low = embed_texture(scaled(noise(0, 32000))[None], 16000)
    assert np.isfinite(low).all() and low.shape == (1, TEXTURE_SIZE)
    for scale, part in zip(SCALES, split(low[0]), strict=True):
        highest = part[-(len(scale.edges_ms) - 1) :]
        assert np.allclose(highest, 10 * np.log10(NEUTRAL + LEAST), atol=1e-4)


def test_not_a_number_stays_one():
    kick = noise(0)
    kick[100] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        embed_texture(kick[None], RATE)
