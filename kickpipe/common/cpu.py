"""What this process may use of its CPU: cores, threads, worker processes and native bfloat16.

Two variables choose; neither changes a result. ``KICKPIPE_THREADS`` is the number of threads that one computation takes,
``KICKPIPE_WORKERS`` the number of processes that share out files. PyTorch is imported only where it is asked.
"""

__all__ = [
    "available_cpus",
    "has_native_bfloat16",
    "num_threads",
    "num_workers",
    "onednn_has_bfloat16",
    "set_torch_threads",
]

import os
from pathlib import Path

from kickpipe.common.errors import KickpipeError

MAX_THREADS = 1024  # OpenMP ends the whole process where the system grants no more


def available_cpus() -> int:
    """Processors this process may use: its affinity, and the quota of its control group where there is one.

    A container's share of a large host is not what the number of its processors says: too many threads take turns.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return min(count, max(round(int(quota) / int(period)), 1))
    except (OSError, ValueError):
        return count


def num_threads() -> int | None:
    """``KICKPIPE_THREADS``, or None where it is not set.

    Raises:
        KickpipeError: If it is not a number of threads.
    """
    text = os.environ.get("KICKPIPE_THREADS")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_THREADS:
        raise KickpipeError(f"KICKPIPE_THREADS={text}: expected a number of threads, 1 to {MAX_THREADS}")
    return int(text)


def num_workers() -> int:
    """Number of processes: ``KICKPIPE_WORKERS``, or the processors this process may use.

    Raises:
        KickpipeError: If the variable is not a number above 0.
    """
    text = os.environ.get("KICKPIPE_WORKERS")
    if not text:
        return available_cpus()
    if not text.isdecimal() or int(text) < 1:
        raise KickpipeError(f"KICKPIPE_WORKERS={text}: expected a number of processes above 0")
    return int(text)


def set_torch_threads() -> None:
    """Gives PyTorch ``KICKPIPE_THREADS`` threads, or what ``OMP_NUM_THREADS`` says, or one for each processor.

    Raises:
        KickpipeError: If ``KICKPIPE_THREADS`` is not a number of threads.
    """
    import torch

    threads = num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(min(torch.get_num_threads(), available_cpus()), 1))


def has_native_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AVX-512 BF16 or AMX); elsewhere it is emulated and slow.

    ``ONEDNN_MAX_CPU_ISA`` can forbid it where the CPU could; PyTorch then raises errors instead of emulating.
    """
    import torch

    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in checks) and onednn_has_bfloat16()


def onednn_has_bfloat16() -> bool:
    """What oneDNN, which computes convolutions on CPUs, says of the instructions that it may use."""
    import torch

    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
