"""What few steps cost in quality: how far each sampler with n steps is from 1000-step DDPM with the same weights.

    python -m benchmarks.bench_samplers [--checkpoints checkpoints] [--count 128] [--guidance 2] [--prompt ""]

Two numbers for each sampler and number of steps:

- distance: kernel distance (100 times the squared MMD) between the log-mels of the kicks and those of DDPM with 1000 steps,
  both as vectors of 16 bands x 22 times. Its floor is what two DDPM runs with different noise are apart; a sampler at the
  floor cannot be told from DDPM by that many kicks.
- error: mean difference, in nats of the log-mel, from the kicks to which the deterministic samplers converge (DDIM with 1000
  steps from the same noise). It has no floor and no noise: it says how well the solver solves. Not for DDPM, which draws anew.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kickpipe.evaluation.distances import kernel_distance, median_distance
from kickpipe.generate import KickGenerator, Options
from kickpipe.generate.making import decode_recipes
from kickpipe.generate.options import SAMPLERS, Sampler

STEPS = (4, 8, 12, 16, 20, 50)
BATCH = 32


def mels(generator: KickGenerator, count: int, seed: int, prompt: str, options: Options) -> Tensor:
    """Log-mels (count, 1, M, L) of kicks 0 to count - 1 of a seed."""
    recipe = generator.recipe(prompt, seed=seed, options=options)
    made = []
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        made.append(decode_recipes(generator.networks, [dataclasses.replace(recipe, index=i) for i in numbers])[1])
    return torch.cat(made)


def vectors(mel: Tensor) -> np.ndarray:
    """Vectors (B, 352) of log-mels (B, 1, M, L)."""
    return torch.nn.functional.adaptive_avg_pool2d(mel, (16, 22)).flatten(1).double().numpy()


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--count", type=int, default=128, help="kicks a run; the floor falls with it")
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = KickGenerator.load(options.checkpoints)
    guidance = options.guidance if options.prompt else 1.0
    last = generator.facts.num_timesteps

    def run(seed: int, sampler: Sampler, steps: int) -> Tensor:
        chosen = Options(vocoder="griffin-lim", guidance=guidance, sampler=sampler, steps=steps)
        return mels(generator, options.count, seed, options.prompt, chosen)

    start = time.perf_counter()
    # Seeds 1 and 2 for the two DDPM runs, 3 for all others: no pair shares its noise
    ddpm = [vectors(run(seed, "ddpm", last)) for seed in (1, 2)]
    limit = run(3, "ddim", last)
    bandwidth = median_distance(ddpm[0])
    floor = kernel_distance(ddpm[1], ddpm[0], bandwidth)
    converged = kernel_distance(vectors(limit), ddpm[0], bandwidth)
    seconds = time.perf_counter() - start
    print(f"{options.count} kicks, prompt {options.prompt!r}, guidance {guidance:g}, {seconds:.0f} s")
    print(f"floor, DDPM {last} against DDPM {last}: distance {floor:.3f}; DDIM {last}: distance {converged:.3f}")
    print(f"{'sampler':14}" + "".join(f"{steps:>16}" for steps in STEPS))
    for sampler in SAMPLERS:
        cells = []
        for steps in STEPS:
            mel = run(3, sampler, steps)
            distance = kernel_distance(vectors(mel), ddpm[0], bandwidth)
            error = "" if sampler == "ddpm" else f" ({(mel - limit).abs().mean():.3f})"
            cells.append(f"{distance:.3f}{error}")
        print(f"{sampler:14}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    print("distance (error in nats)")


if __name__ == "__main__":
    main()
