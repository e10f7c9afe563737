"""A model file may say more; it may not hold other weights, nor say something else."""

import pytest
import torch
from torch import nn

from kickpipe.checkpoints import write_model
from scripts.extended import is_extended


def model_file(folder, settings, weight=1.0, step=7, **extra) -> bytes:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, weight)
    nn.init.zeros_(model.bias)
    write_model(folder / "model.safetensors", "vocoder", model, {"channels": 2}, settings, step, **extra)
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def plain(tmp_path, settings) -> bytes:
    return model_file(tmp_path, settings, words=["deep"])


def test_a_further_entry_extends_a_file(plain, tmp_path, settings):
    longer = model_file(tmp_path, settings, words=["deep"], quality={"distance": 0.3})
    assert longer != plain
    assert is_extended(plain, longer)
    assert not is_extended(longer, plain)
    assert is_extended(plain, plain)


@pytest.mark.parametrize("change", [{"weight": 1.0 + 1e-7}, {"step": 8}, {"words": ["deep", "808"]}], ids=str)
def test_another_weight_or_entry_does_not(plain, tmp_path, settings, change):
    other = model_file(tmp_path, settings, **{"words": ["deep"], "quality": 1, **change})
    assert not is_extended(plain, other)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x02\0\0\0\0\0\0\0{}", torch.zeros(3).numpy().tobytes()])
def test_what_is_no_model_file_does_not(plain, content):
    assert not is_extended(plain, content) and not is_extended(content, content)
