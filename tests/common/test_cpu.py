"""What this process may use of its CPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kickpipe.common.cpu import available_cpus, has_native_bfloat16, num_threads, num_workers, set_torch_threads
from kickpipe.common.errors import KickpipeError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("KICKPIPE_THREADS", "KICKPIPE_WORKERS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_senseless_number_of_workers_is_refused(monkeypatch, value):
    monkeypatch.setenv("KICKPIPE_WORKERS", value)
    with pytest.raises(KickpipeError, match=f"KICKPIPE_WORKERS={value}: expected a number of processes above 0"):
        num_workers()


def test_the_number_of_workers_is_that_of_the_variable_or_of_the_processors(monkeypatch):
    assert num_workers() == available_cpus() >= 1
    monkeypatch.setenv("KICKPIPE_WORKERS", "3")
    assert num_workers() == 3


def test_the_number_of_threads_is_that_of_the_variable_or_none(monkeypatch):
    assert num_threads() is None
    monkeypatch.setenv("KICKPIPE_THREADS", "3")
    assert num_threads() == 3


def test_torch_gets_no_more_threads_than_there_are_processors(monkeypatch):
    monkeypatch.setattr("kickpipe.common.cpu.available_cpus", lambda: 1)
    torch.set_num_threads(2)
    set_torch_threads()
    assert torch.get_num_threads() == 1


def test_a_choice_of_threads_wins_over_the_processors(monkeypatch):
    monkeypatch.setattr("kickpipe.common.cpu.available_cpus", lambda: 1)
    monkeypatch.setenv("KICKPIPE_THREADS", "2")
    set_torch_threads()
    assert torch.get_num_threads() == 2


def test_omp_num_threads_is_left_to_torch(monkeypatch):
    monkeypatch.setattr("kickpipe.common.cpu.available_cpus", lambda: 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)
    set_torch_threads()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("names", [(), ("_is_avx512_bf16_supported",), ("_is_amx_tile_supported",)])
def test_bfloat16_is_native_where_the_processor_has_either_extension_and_onednn_may_use_it(monkeypatch, names, allowed):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda has=name in names: has, raising=False)
    monkeypatch.setattr("kickpipe.common.cpu.onednn_has_bfloat16", lambda: allowed)
    assert has_native_bfloat16() is (bool(names) and allowed)


def test_bfloat16_is_not_native_where_onednn_is_held_to_avx2():
    code = "from kickpipe.common.cpu import has_native_bfloat16, onednn_has_bfloat16 as o; print(has_native_bfloat16(), o())"
    limited = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=limited, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
