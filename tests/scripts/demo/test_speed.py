"""How fast the machine is: measured by steps, and no longer than it takes to know which number of threads is faster."""

import json
import math
import sys

import pytest
import torch
from tiny_models import write_tiny_models

from kickpipe.checkpoints import load_model
from scripts.demo import speed


@pytest.fixture
def file(tmp_path, settings):
    return write_tiny_models(tmp_path, settings, kinds=("vae",)) / "vae.safetensors"


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_step_takes_some_time_and_a_try_that_takes_too_long_is_given_up(file, settings):
    vae = load_model(file, "vae").model.requires_grad_(True)
    mels = torch.zeros(4, *settings.mel_shape)
    assert 0 < speed.step_seconds(vae, mels, 1) < math.inf
    assert speed.step_seconds(vae, mels, 1, give_up_after=0.0) == math.inf


@pytest.mark.parametrize(("many", "expected"), [(0.5, 2), (2.0, 1)])
def test_the_faster_number_of_threads_is_taken(file, monkeypatch, capsys, many, expected):
    monkeypatch.setattr(speed, "step_seconds", lambda model, mels, threads, **_: 1.0 if threads == 1 else many)
    monkeypatch.setenv("KICKPIPE_THREADS", "2")
    monkeypatch.setattr(sys, "argv", ["speed", str(file)])
    speed.main()
    assert json.loads(capsys.readouterr().out) == {"threads": expected, "vae_seconds": min(many, 1.0)}
