"""What each way from a mel to a waveform costs and gives: HiFi-GAN, Griffin-Lim, and HiFi-GAN refined by Griffin-Lim.

    python -m benchmarks.bench_vocoders [--checkpoints checkpoints] [--audio FOLDER] [--count 16] [--threads 2]

The mels are those of real kicks (or of synthesised ones, without a folder). Printed for each way: the mean difference
between the mel of what it makes and the mel it was given, in nats, where that lies within 60 dB of its peak; the same at
the attack (the first 50 ms); and the milliseconds a kick takes. Then: what less context after the last audible frame
changes, and what bfloat16 in the coarse stages does, as the level of the difference from the exact waveform under the signal.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from kickpipe.audio.io import AudioError, prepare
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import load_model
from kickpipe.generate import KickGenerator
from kickpipe.generate.fast import look_ahead
from kickpipe.generate.vocoding import vocode, vocode_hifigan
from kickpipe.synth import synthesise

ATTACK_MS = 50.0
CONTEXTS = (0, 1, 2, 4, 6, 8)


def kicks(folder: Path | None, count: int, settings: AudioSettings) -> Tensor:
    """Waveforms (B, N) of kicks spread over a folder, or synthesised."""
    if folder is None:
        return torch.stack([torch.from_numpy(synthesise(9, i)) for i in range(count)])
    paths = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac", ".aif", ".aiff", ".ogg")
    )
    chosen = []
    for path in paths[:: max(len(paths) // (2 * count), 1)]:
        try:
            chosen.append(torch.from_numpy(prepare(path, settings)))
        except AudioError:
            continue
    return torch.stack(chosen[:count])


def mel_error(made: Tensor, mel: Tensor, settings: AudioSettings) -> tuple[float, float]:
    """Mean difference in nats where the mel is within 60 dB of its peak: of the whole kick and of its attack."""
    difference = (mel_spectrogram(made, settings) - mel).abs()
    audible = mel > mel.amax(dim=(1, 2, 3), keepdim=True) - 6 * math.log(10)
    attack = math.ceil(ATTACK_MS / 1000 * settings.sample_rate / settings.hop_length)
    return difference[audible].mean().item(), difference[..., :attack][audible[..., :attack]].mean().item()


def timed(run: Callable[[], Tensor], rounds: int = 3) -> tuple[Tensor, float]:
    """The result, and the median seconds of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return result, statistics.median(times)


def below(made: Tensor, exact: Tensor) -> float:
    """Level of the difference of waveforms (B, N) under the signal (dB), the median over kicks."""
    ratio = (made - exact).square().sum(dim=1) / exact.square().sum(dim=1)
    return 10 * math.log10(max(ratio.median().item(), 1e-30))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = KickGenerator.load(options.checkpoints)
    networks, settings = generator.networks, generator.settings
    plain = load_model(options.checkpoints / "vocoder.safetensors", "vocoder").model
    mel = mel_spectrogram(kicks(options.audio, options.count, settings), settings)

    print(f"{'way':32}{'mel error':>10}{'attack':>10}{'ms a kick':>11}")
    ways = [
        ("hifigan", 0),
        *[("hifigan+griffin-lim", n) for n in (1, 2, 4, 8, 16)],
        *[("griffin-lim", n) for n in (8, 32, 64)],
    ]
    for vocoder, iterations in ways:
        made, seconds = timed(lambda vocoder=vocoder, iterations=iterations: vocode(mel, networks, vocoder, iterations))
        whole, attack = mel_error(made, mel, settings)
        print(
            f"{vocoder + f' {iterations}' * (iterations > 0):32}{whole:10.3f}{attack:10.3f}{1000 * seconds / len(mel):11.1f}"
        )

    fast, most = partial(networks.vocode, precision="float32"), look_ahead(plain)
    exact = vocode_hifigan(mel, fast, settings, most)
    print(f"context {most} frames is exact, {networks.context} are used; with less:")
    for context in CONTEXTS:
        made, seconds = timed(lambda context=context: vocode_hifigan(mel, fast, settings, context))
        print(f"  {context} frames: {below(made, exact):6.0f} dB, {1000 * seconds / len(mel):.1f} ms a kick")

    networks_by_name = {
        "float32, not packed": plain,
        "bfloat16 in the coarse stages": partial(networks.vocode, precision="bfloat16"),
    }
    for name, network in networks_by_name.items():
        made, seconds = timed(lambda network=network: vocode_hifigan(mel, network, settings, most))
        print(f"{name}: {below(made, exact):.0f} dB, {1000 * seconds / len(mel):.1f} ms a kick")


if __name__ == "__main__":
    main()
