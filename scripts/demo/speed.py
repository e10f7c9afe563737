"""How fast this machine is now: prints the seconds of a VAE step of four kicks. A process of the demo.

python -m scripts.demo.speed VAE_FILE
"""

__all__ = ["main"]

import argparse
import time
from pathlib import Path

import torch

from kickpipe.checkpoints import load_model
from kickpipe.common.cpu import has_native_bfloat16, set_torch_threads
from kickpipe.models.vae import VAE
from scripts.demo.plan import VAE_EXAMPLES

PASSES = 5
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
    begin = 0.0
    for done in range(PASSES + 1):
        if done == 1:  # the first pass prepares what the others use
            begin = time.monotonic()
        with torch.autocast("cpu", torch.bfloat16, enabled=has_native_bfloat16()):
            loss = model.decode(model.encode(mels)[0]).float().square().mean()
        loss.backward()
    print(STEP_OVER_PASSES * (time.monotonic() - begin) / PASSES)


if __name__ == "__main__":
    main()
