"""Where and how fast a training runs: device, threads and precision. None of it is a hyperparameter.

``KICKPIPE_DEVICE`` (cpu, cuda, cuda:1, mps) and ``KICKPIPE_THREADS`` choose; without them the first GPU is taken, and the
threads torch finds. Mixed precision is fp16 with loss scaling on CUDA, bf16 on CPUs that multiply it natively
(elsewhere bf16 is emulated and slower than fp32).
"""

__all__ = ["Precision", "select_device"]

import os
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import nn

from kickpipe.common.cpu import has_native_bfloat16, set_torch_threads
from kickpipe.common.errors import KickpipeError

Network = TypeVar("Network", bound=nn.Module)

DEVICES = ("cpu", "cuda", "mps", "xpu")  # torch has more that compute nothing, such as "meta"


def select_device() -> torch.device:
    """The device of this process, with torch's threads set for it.

    Raises:
        KickpipeError: If ``KICKPIPE_DEVICE`` or ``KICKPIPE_THREADS`` makes no sense here.
    """
    name = os.environ.get("KICKPIPE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    set_torch_threads()
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise KickpipeError(f"KICKPIPE_DEVICE={name}: expected one of {', '.join(DEVICES)}")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was compiled with CUDA
        raise KickpipeError(f"KICKPIPE_DEVICE={name}: not available here: {str(error).splitlines()[0]}") from None
    return device


class Precision:
    """Mixed precision of one run.

    Arguments:
        device: Where the run computes.
        mixed: Whether mixed precision is asked for; it is used where the hardware has it.
    """

    def __init__(self, device: torch.device, mixed: bool) -> None:
        self.device = device
        self.dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
        self.enabled = mixed and (device.type == "cuda" or (device.type == "cpu" and has_native_bfloat16()))

    def place(self, model: Network) -> Network:
        """Moves a network to the device, its maps laid out channels last.

        Convolutions of many channels on small maps run up to three times faster in this layout, on CPU and GPU.
        """
        return model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack it

    def autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.enabled)

    def scaler(self) -> torch.amp.GradScaler:
        """Loss scaling, which only fp16 needs: elsewhere it passes everything through."""
        return torch.amp.GradScaler(self.device.type, enabled=self.enabled and self.dtype is torch.float16)
