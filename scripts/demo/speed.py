"""How fast this machine is now, and with how many threads: a process of the demo, which prints both as JSON.

    python -m scripts.demo.speed VAE_FILE

Beside other work, threads that wait for each other can be ten times slower than one alone.
"""

__all__ = ["main"]

import argparse
import json
import math
import time
from pathlib import Path

import torch

from kickpipe.checkpoints import load_model
from kickpipe.common.cpu import has_native_bfloat16, set_torch_threads
from kickpipe.models.vae import VAE
from scripts.demo.plan import VAE_EXAMPLES

PASSES = 3
STEP_OVER_PASSES = 1.2  # the loss, the optimiser, and what is logged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    set_torch_threads()
    loaded = load_model(file, "vae")
    model = loaded.model.requires_grad_(True)
    assert isinstance(model, VAE)
    mels = torch.zeros(VAE_EXAMPLES, *loaded.audio.mel_shape)
    many = torch.get_num_threads()
    threads, seconds = 1, step_seconds(model, mels, 1)
    if many > 1 and (shorter := step_seconds(model, mels, many, give_up_after=seconds)) < seconds:
        threads, seconds = many, shorter
    print(json.dumps({"threads": threads, "vae_seconds": seconds}))


def step_seconds(model: VAE, mels: torch.Tensor, threads: int, give_up_after: float = math.inf) -> float:
    """Seconds of a training step on mels (B, 1, M, L); infinite if it is clear that it takes longer than it may."""
    torch.set_num_threads(threads)
    begin = time.monotonic()
    for done in range(1, PASSES + 2):
        with torch.autocast("cpu", torch.bfloat16, enabled=has_native_bfloat16()):
            loss = model.decode(model.encode(mels)[0]).float().square().mean()
        loss.backward()
        if time.monotonic() - begin > give_up_after * (PASSES + 1):
            return math.inf
        if done == 1:  # the first pass prepares what the others use
            begin = time.monotonic()
    return STEP_OVER_PASSES * (time.monotonic() - begin) / PASSES


if __name__ == "__main__":
    main()
