"""Networks: what they compute, which files belong together, and that threads may share them."""

import dataclasses
import threading

import numpy as np
import pytest
import torch
from tiny_models import COUNTS, WORDS, write_tiny_models

from kickpipe.audio.mel import mel_spectrogram
from kickpipe.checkpoints import CheckpointError, load_model
from kickpipe.generate import GenerateError
from kickpipe.generate.networks import Networks
from kickpipe.generate.vocoding import vocode
from kickpipe.synth import synthesise


def load(folder, kind):
    return load_model(folder / f"{kind}.safetensors", kind)


@pytest.fixture(scope="module")
def networks(checkpoints) -> Networks:
    return Networks.load(checkpoints)


def test_they_compute_what_the_files_hold(networks, checkpoints):
    vae, diffusion, vocoder = (load(checkpoints, kind).model for kind in ("vae", "diffusion", "vocoder"))
    random = torch.Generator().manual_seed(0)
    latent, mel = torch.randn(2, 4, 8, 11, generator=random), torch.randn(2, 1, 128, 173, generator=random) - 6
    timestep = torch.tensor([3, 700])
    with torch.inference_mode():
        cond = networks.embed([1, 3], [0.7, 0.3])
        assert torch.equal(cond, diffusion.text(torch.tensor([[1, 3]]), torch.tensor([[0.7, 0.3]])))
        assert torch.equal(networks.embed([], []), diffusion.text(torch.full((1, 1), -1)))
        made = networks.denoise(latent, timestep, cond.expand(2, -1))
        assert torch.allclose(made, diffusion.unet(latent, timestep, cond), atol=1e-4)
        assert torch.allclose(networks.encode(mel), vae.encode(mel)[0], atol=1e-4)
        lowest, highest = np.log(1e-5), 2 * np.log(1024)
        assert torch.allclose(networks.decode(latent), vae.decode(latent).clamp(lowest, highest), atol=1e-3)
        made, expected = networks.vocode(mel[:, 0, :, :20], "float32"), vocoder(mel[:, 0, :, :20])
        assert made.shape == expected.shape == (2, 1, 20 * 512)
        assert torch.allclose(made, expected, atol=1e-4)


def test_the_model_files_are_left_as_they_are(checkpoints):
    files = [load(checkpoints, kind) for kind in ("vae", "diffusion", "vocoder")]
    before = [{name: tensor.clone() for name, tensor in file.model.state_dict().items()} for file in files]
    Networks(*files).vocode(torch.zeros(1, 128, 16), "float32")
    for file, tensors in zip(files, before, strict=True):
        assert file.model.state_dict().keys() == tensors.keys()
        assert all(torch.equal(tensor, tensors[name]) for name, tensor in file.model.state_dict().items())


def test_threads_may_vocode_at_once_from_the_first_call_on(checkpoints):
    mel = torch.randn(1, 128, 32, generator=torch.Generator().manual_seed(0)) - 6
    for _ in range(3):
        networks = Networks.load(checkpoints)
        barrier = threading.Barrier(4)
        made, errors = [], []

        def run(networks=networks, barrier=barrier, made=made, errors=errors):
            try:
                barrier.wait()
                made.append(networks.vocode(mel, "float32"))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert all(torch.equal(waveform, made[0]) for waveform in made)


def test_refining_comes_closer_to_the_mel(networks, settings):
    mel = mel_spectrogram(torch.from_numpy(synthesise(4, 1))[None], settings)
    loud = mel > mel.max() - 10

    def distance(iterations: int) -> float:
        made = vocode(mel, networks, "hifigan+griffin-lim", iterations, "float32")
        return float((mel_spectrogram(made, settings) - mel)[loud].abs().mean())

    distances = [distance(iterations) for iterations in (0, 2, 8)]
    assert distances == sorted(distances, reverse=True)


def test_models_of_other_audio_settings_are_refused(checkpoints, settings, tmp_path):
    other = write_tiny_models(tmp_path, dataclasses.replace(settings, mel_floor=1e-4))
    vae, diffusion = load(checkpoints, "vae"), load(checkpoints, "diffusion")
    message = r"vae and diffusion models do not belong together.*mel_floor 1e-05 and 0.0001"
    with pytest.raises(GenerateError, match=message):
        Networks(vae, load(other, "diffusion"))
    with pytest.raises(GenerateError, match="vae and vocoder models do not belong together"):
        Networks(vae, diffusion, load(other, "vocoder"))


def test_models_of_another_latent_are_refused(checkpoints):
    vae, diffusion = load(checkpoints, "vae"), load(checkpoints, "diffusion")
    other = dataclasses.replace(diffusion, extra=diffusion.extra | {"latent_shape": [4, 4, 6]})
    with pytest.raises(GenerateError, match=r"\(4, 8, 11\) and \(4, 4, 6\)"):
        Networks(vae, other)
    words = {"vocabulary": WORDS[:2], "keyword_counts": COUNTS[:2]}
    short = dataclasses.replace(diffusion, extra=diffusion.extra | words)
    with pytest.raises(CheckpointError, match="2 words for 6 embeddings"):
        Networks(vae, short)
    statistics = {"latent_shape": [5, 8, 11], "latent_mean": [0.0] * 5, "latent_std": [1.0] * 5}
    with pytest.raises(GenerateError, match="do not belong together"):
        Networks(vae, dataclasses.replace(diffusion, extra=diffusion.extra | statistics))
