"""The texture embedding must rank what a decoder and a vocoder do to real kicks, with room between the ranks.

The decoder is the released VAE's, which returns the smooth mean of all mels that fit a latent; the same with noise from a
small table of deviations is nearer to real kicks, a mel that was averaged over its neighbours farther.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor

from kickpipe.audio.io import prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.checkpoints import load_model
from kickpipe.evaluation.distances import kernel_distance, pairwise_distances
from kickpipe.evaluation.registry import EMBEDDINGS
from kickpipe.generate.vocoding import vocode_griffin_lim

ROOT = Path(__file__).parents[2]
NUM = 39
EMBED = {embedding.name: embedding for embedding in EMBEDDINGS}


@pytest.fixture(scope="module")
def decode() -> Callable[[Tensor], Tensor]:
    """Mels to what the released VAE gives back."""
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]["train_vae"]["outs"]
    md5 = next(out["md5"] for out in lock if out["path"] == "checkpoints/vae.safetensors")
    vae = load_model(ROOT / ".dvc" / "remote" / "files" / "md5" / md5[:2] / md5[2:], "vae").model
    return lambda mels: torch.cat([vae.decode(vae.encode(mel)[0]) for mel in mels.split(1)])


def table_noise(mel: Tensor) -> Tensor:
    """A mel (B, 1, M, L) with correlated noise: its deviation by level, in the bands above the sub."""
    noise = torch.randn(mel.shape, generator=torch.Generator().manual_seed(0))
    for kernel, shape in (((0.22, 0.5, 1.0, 0.5, 0.22), (1, 1, 1, 5)), ((0.25, 1.0, 0.25), (1, 1, 3, 1))):
        weights = torch.tensor(kernel)
        noise = F.conv2d(noise, (weights / weights.norm()).reshape(shape), padding=(shape[2] // 2, shape[3] // 2))
    deviation = torch.where(mel > 4, 0.5, 0.7) * ((mel > -10) & (mel < 9))
    deviation[:, :, :12] = 0
    return mel + deviation * noise


def blurred(mel: Tensor) -> Tensor:
    """Means over 3 bands and 5 frames."""
    return F.avg_pool2d(F.pad(mel, (2, 2, 1, 1), mode="replicate"), (3, 5), 1)


@pytest.fixture(scope="module")
def sets(kicks, settings, decode):
    paths = sorted(path for path in kicks.rglob("*") if path.suffix in (".flac", ".wav"))
    paths = [paths[i] for i in np.random.default_rng(0).permutation(len(paths))[: 2 * NUM]]
    waveforms = np.stack([prepare(path, settings) for path in paths])
    real, reference = waveforms[:NUM], waveforms[NUM:]
    with torch.inference_mode():
        mel = mel_spectrogram(torch.from_numpy(real), settings)
        decoded = decode(mel)
        mels = {"mel": mel, "table": table_noise(decoded), "vae": decoded, "blurred": blurred(mel)}
        named = {name: vocode_griffin_lim(x, settings, iterations=16).numpy() for name, x in mels.items()}
    return {"reference": reference, "real": real, **named}


@pytest.fixture(scope="module")
def textures(sets, settings):
    return {name: EMBED["texture"](x, settings.sample_rate) for name, x in sets.items()}


def test_real_vocoded_decoded_with_noise_and_decoded_kicks_stand_in_this_order(textures):
    real, mel, table, vae = (
        kernel_distance(textures[name], textures["reference"]) for name in ("real", "mel", "table", "vae")
    )
    assert real + 0.3 < mel
    assert mel + 1.5 < table
    assert table + 1 < vae


def test_a_blurred_mel_is_at_least_three_times_as_far_as_an_exact_one(textures):
    exact, blurred = (kernel_distance(textures[name], textures["reference"]) for name in ("mel", "blurred"))
    assert blurred > 3 * exact and blurred > 3


def test_the_levels_alone_do_not_notice_what_the_decoder_loses(sets, settings):
    vectors = {
        name: EMBED["levels"](x, settings.sample_rate)
        for name, x in sets.items()
        if name in ("reference", "mel", "vae")
    }
    exact, decoded = (kernel_distance(vectors[name], vectors["reference"]) for name in ("mel", "vae"))
    assert abs(decoded - exact) < 1


def test_identical_sets_have_distance_0(textures):
    # The unbiased estimate leaves out each kick's likeness to itself, at most 1 of NUM, so it is a little below
    assert -2 * 100 / NUM < kernel_distance(textures["real"], textures["real"]) <= 0


def test_a_vocoded_kick_is_nearly_always_nearer_to_its_original_than_to_any_other_kick(textures):
    apart = pairwise_distances(textures["mel"], textures["real"])
    assert (apart.argmin(axis=1) == np.arange(NUM)).mean() > 0.8
