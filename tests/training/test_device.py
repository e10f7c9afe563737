import pytest
import torch

from kickpipe.common.errors import KickpipeError
from kickpipe.training.device import Precision, select_device


@pytest.fixture(autouse=True)
def threads():
    """The tests change torch's threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv("KICKPIPE_DEVICE", raising=False)
    monkeypatch.delenv("KICKPIPE_THREADS", raising=False)


def test_the_first_gpu_is_taken_if_there_is_one():
    assert select_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("name", "with_gpu", "expected"), [("cpu", True, "cpu"), ("", False, "cpu"), ("", True, "cuda")]
)
def test_a_device_can_be_chosen(monkeypatch, name, with_gpu, expected):
    monkeypatch.setenv("KICKPIPE_DEVICE", name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: with_gpu)
    monkeypatch.setattr(torch, "empty", lambda *size, **options: None)  # whether the device answers is another test
    assert select_device().type == expected


@pytest.mark.parametrize("name", ["gpu", "meta", "cuda:99", "cpu cpu", "☃", "7"])
def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch, name):
    monkeypatch.setenv("KICKPIPE_DEVICE", name)
    with pytest.raises(KickpipeError, match=f"KICKPIPE_DEVICE={name}: "):
        select_device()


@pytest.mark.parametrize("text", ["0", "-1", "many", "2.5", " 2", "²", "1025", "9" * 30])
def test_a_senseless_number_of_threads_is_refused(monkeypatch, text):
    monkeypatch.setenv("KICKPIPE_THREADS", text)
    with pytest.raises(KickpipeError, match=f"KICKPIPE_THREADS={text}: expected a number of threads, 1 to 1024"):
        select_device()


def test_threads_can_be_chosen(monkeypatch):
    monkeypatch.setenv("KICKPIPE_THREADS", "3")
    select_device()
    assert torch.get_num_threads() == 3


def test_without_a_choice_torch_keeps_its_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)
    select_device()
    assert torch.get_num_threads() == 2


def test_full_precision_computes_in_float32():
    precision = Precision(torch.device("cpu"), mixed=False)
    with precision.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    assert not precision.scaler().is_enabled()


@pytest.mark.parametrize("native", [True, False])
def test_cpus_use_bf16_only_where_they_have_it(monkeypatch, native):
    monkeypatch.setattr("kickpipe.training.device.has_native_bfloat16", lambda: native)
    precision = Precision(torch.device("cpu"), mixed=True)
    with precision.autocast():
        dtype = (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    assert dtype == (torch.bfloat16 if native else torch.float32)
    assert not precision.scaler().is_enabled()  # bf16 has the range of float32


def test_cuda_uses_fp16_with_loss_scaling():
    precision = Precision(torch.device("cuda"), mixed=True)
    assert precision.enabled
    assert precision.dtype == torch.float16
