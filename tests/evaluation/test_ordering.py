"""The distances must rank what everybody can hear: real kicks, their Griffin-Lim copies, a crude synthesiser, noise.

The built-in synthesiser is no fixed point: it is tuned towards real kicks, and at this number may come within chance.
"""

import numpy as np
import pytest
import torch

from kickpipe.audio.griffin_lim import griffin_lim
from kickpipe.audio.io import prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.evaluation.distances import frechet_distance, kernel_distance, precision_recall_density_coverage
from kickpipe.evaluation.embedding import embed

NUM = 38


def sine_sweeps(shape):
    """Decaying sines whose pitch falls, and nothing else."""
    rng = np.random.default_rng(0)
    t = np.arange(shape[1]) / 44100
    end_hz, sweep, decay = (rng.uniform(*bounds, (shape[0], 1)) for bounds in ((35, 70), (0.01, 0.08), (0.05, 0.4)))
    hz = end_hz * (1 + rng.uniform(1, 7, (shape[0], 1)) * np.exp(-t / sweep))
    return np.sin(2 * np.pi * np.cumsum(hz, axis=1) / 44100) * np.exp(-t / decay)


@pytest.fixture(scope="module")
def sets(kicks, settings):
    paths = sorted(path for path in kicks.rglob("*") if path.suffix in (".flac", ".wav"))
    paths = [paths[i] for i in np.random.default_rng(0).permutation(len(paths))[: 2 * NUM]]
    waveforms = np.stack([prepare(path, settings) for path in paths])
    real, reference = waveforms[:NUM], waveforms[NUM:]
    mels = mel_spectrogram(torch.from_numpy(real), settings)
    copies = torch.cat([griffin_lim(mel, settings, iterations=16) for mel in mels.split(8)]).numpy()
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, real.shape)
    named = {
        "reference": reference,
        "real": real,
        "griffin_lim": copies,
        "synthesiser": sine_sweeps(real.shape),
        "noise": noise,
    }
    return {name: embed(x, settings.sample_rate) for name, x in named.items()}


@pytest.mark.parametrize("distance", [kernel_distance, frechet_distance])
def test_distances_rank_real_griffin_lim_synthesiser_noise(sets, distance):
    found = [distance(sets[name], sets["reference"]) for name in ("real", "griffin_lim", "synthesiser", "noise")]
    assert found == sorted(found), found
    assert found[3] > 3 * found[2]


def test_noise_covers_nothing_and_real_kicks_nearly_everything(sets):
    coverage = [
        precision_recall_density_coverage(sets[name], sets["reference"])["coverage"] for name in ("real", "noise")
    ]
    assert coverage[0] > 0.7 and coverage[1] == 0
