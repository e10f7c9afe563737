"""How long a forward and backward pass of each network takes on this machine.

    python -m benchmarks.bench_models [--threads 1] [--repeat 3] [PART ...]

Everything runs in one process, the variants of a part alternating; printed are the median milliseconds of one pass over
a batch of the specification's size. A GAN step costs the generator once, each discriminator on the real and the
generated batch for its own update, and on both again for the generator's.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from kickpipe.models.discriminators import MultiPeriodDiscriminator, MultiScaleDiscriminator
from kickpipe.models.hifigan import Generator
from kickpipe.models.unet import KeywordUNet
from kickpipe.models.vae import VAE

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
WIDTHS = (1.0, 0.5, 0.25)
Variant = tuple[str, nn.Module, Callable[[], Tensor]]


def sum_of(output: Any) -> Tensor:
    """A scalar that every tensor of a nested output takes part in, so that backward visits all of them."""
    if isinstance(output, Tensor):
        return output.float().square().mean()
    return torch.stack([sum_of(item) for item in output]).sum()


def vae() -> Iterator[Variant]:
    for name, layout in (("", torch.contiguous_format), (" channels_last", torch.channels_last)):
        model = VAE().to(memory_format=layout)
        mel = torch.randn(32, 1, 128, 173).contiguous(memory_format=layout)
        yield f"vae batch 32{name}", model, lambda model=model, mel=mel: sum_of(model(mel))


def unet() -> Iterator[Variant]:
    for name, layout in (("", torch.contiguous_format), (" channels_last", torch.channels_last)):
        model = KeywordUNet(200).to(memory_format=layout)
        latent = torch.randn(16, 4, 8, 11).contiguous(memory_format=layout)
        timestep, ids = torch.randint(0, 1000, (16,)), torch.randint(-1, 200, (16, 4))
        yield f"unet batch 16{name}", model, lambda m=model, x=latent, t=timestep, i=ids: sum_of(m(x, t, i))


def generator() -> Iterator[Variant]:
    model, mel = Generator(), torch.randn(8, 128, 16)
    yield "generator batch 8", model, lambda: sum_of(model(mel))


def discriminators() -> Iterator[Variant]:
    waveform = torch.randn(8, 1, 8192)
    for width, kind in itertools.product(WIDTHS, (MultiPeriodDiscriminator, MultiScaleDiscriminator)):
        model = kind(width=width)
        yield f"{kind.__name__} width {width} batch 8", model, lambda model=model: sum_of(model(waveform))


PARTS = {"vae": vae, "unet": unet, "generator": generator, "discriminators": discriminators}


def measure(variants: list[Variant], repeat: int) -> None:
    """Prints the median forward and backward time of each variant in each precision."""
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(repeat + 1):
        for (name, model, run), (precision, dtype) in itertools.product(variants, PRECISIONS.items()):
            model.zero_grad(set_to_none=True)
            start = time.perf_counter()
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                loss = run()
            middle = time.perf_counter()
            loss.backward()
            times.setdefault((name, precision), []).append((middle - start, time.perf_counter() - middle))
    for (name, precision), passes in times.items():
        forward, backward = (1000 * statistics.median(column) for column in zip(*passes[1:], strict=True))
        total = forward + backward
        print(
            f"{name:46} {precision}  forward {forward:8.1f}  backward {backward:8.1f}  both {total:8.1f} ms", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3, help="measured passes, after one that warms up")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    torch.set_num_threads(arguments.threads)
    for part in arguments.parts or PARTS:
        measure(list(PARTS[part]()), arguments.repeat)


if __name__ == "__main__":
    main()
