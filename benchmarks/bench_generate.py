"""How long a kick takes, against the specification's own way of inference.

    python -m benchmarks.bench_generate [--checkpoints DIR] [--rounds 7] [--threads 2]

The reference: DDIM with 50 steps, two U-Net calls a step, the vocoder as written (Conv1d, weight norm) over the whole 2 s,
float32. Ours: `KickGenerator` as it comes. Same weights, one process, alternating; printed are medians. Without checkpoints
the networks have the specification's sizes and random weights, and the mels that are vocoded are those of synthesised kicks,
so that they end when kicks end.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kickpipe.audio.low_band import first_band_above
from kickpipe.audio.mel import mel_spectrogram
from kickpipe.audio.settings import AudioSettings
from kickpipe.checkpoints import load_model, model_class, write_model
from kickpipe.data.vocabulary import Vocabulary
from kickpipe.diffusion.sampling import ddim
from kickpipe.diffusion.schedule import NoiseSchedule
from kickpipe.generate import KickGenerator
from kickpipe.generate.fast import BUCKET
from kickpipe.generate.making import decode_recipes, sample
from kickpipe.generate.noise import kick_generator
from kickpipe.generate.prompts import encode_prompt
from kickpipe.generate.vocoding import audible_frames, vocode
from kickpipe.models.rows import RowConv, RowConvTranspose
from kickpipe.models.text import KeywordEncoder
from kickpipe.synth import synthesise

BATCH = 16
GUIDANCE = 2.0
# The peak is read inside: what wait4 reports of a child includes the memory of the process it was forked from
COLD = """
from kickpipe.cli import main
try:
    main({arguments})
except SystemExit:
    try:
        with open("/proc/self/status") as file:
            print(next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM")))
    except OSError:
        print("nan")
"""
WORDS = [f"word{i}" for i in range(200)]


def write_random_models(directory: Path) -> None:
    """Model files of the specification's sizes."""
    torch.manual_seed(0)
    settings = AudioSettings(44100, 2.0, 2048, 512, 128, -1.0, 0.2, 1e-5)
    extra = {
        "vocabulary": WORDS,
        "keyword_counts": [5] * len(WORDS),
        "latent_mean": [0.0] * 4,
        "latent_std": [1.0] * 4,
        "schedule": {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02},
        "latent_shape": [4, 8, 11],
    }
    for kind, config in {"vae": {}, "diffusion": {"vocab_size": len(WORDS)}, "vocoder": {}}.items():
        model = model_class(kind)(**config)
        path = directory / f"{kind}.safetensors"
        write_model(path, kind, model, config, settings, 0, **(extra if kind == "diffusion" else {}))


def embed(text: KeywordEncoder, prompt: str, vocabulary: Vocabulary) -> Tensor:
    ids, weights = encode_prompt(prompt, vocabulary)
    return text(torch.tensor([ids], dtype=torch.long), torch.tensor([weights]))


class Reference:
    """The specification's way, from noise to waveforms, with networks of its own."""

    def __init__(self, directory: Path, generator: KickGenerator, prompt: str) -> None:
        files = {kind: load_model(directory / f"{kind}.safetensors", kind) for kind in ("vae", "diffusion", "vocoder")}
        self.vae, self.unet, self.vocoder = files["vae"].model, files["diffusion"].model.unet, files["vocoder"].model
        for module in self.vocoder.modules():
            if isinstance(module, RowConv | RowConvTranspose):
                module.forward = as_conv1d(module)
        self.facts = facts = generator.facts
        self.schedule = NoiseSchedule(facts.num_timesteps, facts.beta_start, facts.beta_end)
        self.mean, self.std = (torch.tensor(x).reshape(1, -1, 1, 1) for x in (facts.latent_mean, facts.latent_std))
        text = files["diffusion"].model.text
        self.cond, self.uncond = (embed(text, words, generator.facts.vocabulary) for words in (prompt, ""))

    def denoise(self, latent: Tensor, timestep: Tensor) -> Tensor:
        cond = self.unet(latent, timestep, self.cond.expand(len(latent), -1))
        uncond = self.unet(latent, timestep, self.uncond.expand(len(latent), -1))
        return uncond + GUIDANCE * (cond - uncond)

    def sample(self, seed: int) -> Tensor:
        noise = torch.randn(1, *self.facts.latent_shape, generator=kick_generator(seed, 0))
        return ddim(self.denoise, noise, self.schedule, 50)

    @torch.inference_mode()
    def __call__(self, seed: int) -> Tensor:
        latent = self.sample(seed) * self.std + self.mean
        return self.vocoder(self.vae.decode(latent)[:, 0])[:, 0]


def as_conv1d(layer: RowConv | RowConvTranspose) -> Callable[[Tensor], Tensor]:
    """The layer's forward pass as the specification has it, on (B, C, N)."""
    convolve = F.conv_transpose1d if isinstance(layer, nn.ConvTranspose1d) else F.conv1d

    def forward(x: Tensor) -> Tensor:
        options = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
        return convolve(x.squeeze(2), layer.weight, layer.bias, **options).unsqueeze(2)

    return forward


def matmul_rate(size: int = 1024) -> float:
    """Floating-point operations a second of a float32 matrix product."""
    a = torch.randn(size, size)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(times)


def flops(run: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        run()
    return float(counter.get_total_flops())


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def cold_start(directory: Path, threads: int) -> tuple[float, float]:
    """Seconds from a new process to the first written file, and its peak memory in MB (nan where it cannot be read)."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ["generate", "--out", out, "--checkpoints", str(directory)]
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-c", COLD.format(arguments=arguments)],
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - start
        if not list(Path(out).glob("*.wav")):
            raise RuntimeError("the command wrote no kick")
    return seconds, float(result.stdout.split()[-1])


def use_mels_of_kicks(generator: KickGenerator) -> None:
    """Decodes as always, but hands on the mels of synthesised kicks."""
    waveforms = torch.stack([torch.from_numpy(synthesise(1, i)) for i in range(BATCH)])
    mels = mel_spectrogram(waveforms, generator.settings)
    networks = generator.networks
    decode = networks.decode
    networks.decode = lambda latent: (decode(latent), mels[: len(latent)])[1]
    lengths = sorted(audible_frames(mel, generator.settings.mel_floor) for mel in mels[:, 0])
    print(
        f"random weights; mels of synthesised kicks, {lengths[0]} to {lengths[-1]} frames, median {lengths[BATCH // 2]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--prompt", help="default: the most frequent word; an empty one halves our sampling, not theirs"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        directory = options.checkpoints or Path(folder)
        if options.checkpoints is None:
            write_random_models(directory)
        measure(directory, options)


def measure(directory: Path, options: argparse.Namespace) -> None:
    generator = KickGenerator.load(directory)
    if options.prompt is None:
        options.prompt = generator.vocabulary.words[0]
    networks = generator.networks
    reference = Reference(directory, generator, options.prompt)
    if options.checkpoints is None:
        use_mels_of_kicks(generator)
    recipes = [generator.recipe(options.prompt, guidance=GUIDANCE, first=i) for i in range(BATCH)]
    times: dict[str, list[float]] = {}
    parts: dict[str, list[float]] = {}
    for _ in generator.make(recipes):  # warms up every length
        pass
    for turn in range(options.rounds + 1):  # the first does not count
        one = recipes[turn % BATCH : turn % BATCH + 1]
        runs = {
            "reference, one": lambda turn=turn: reference(turn),
            "ours, one": lambda one=one: list(generator.make(one)),
            "ours, batch of 16": lambda: list(generator.make(recipes)),
        }
        with torch.inference_mode():
            for name, run in runs.items():
                times.setdefault(name, []).append(timed(run))
            for count in (1, BATCH):
                latent, mel = decode_recipes(networks, recipes[:count])
                steps = {
                    "sampling": lambda count=count: sample(networks, recipes[:count]),
                    "decoding": lambda latent=latent: networks.decode(latent),
                    "vocoding": lambda mel=mel: vocode(mel, networks, recipes[0].vocoder),
                }
                for name, run in steps.items():
                    parts.setdefault(f"{name}, {count}", []).append(timed(run))
    report(times, parts, reference, generator, recipes)
    starts = [cold_start(directory, options.threads) for _ in range(3)]
    seconds, memory = (statistics.median(column) for column in zip(*starts, strict=True))
    print(f"cold process to the first file: {seconds:.2f} s, peak memory {memory:.0f} MB")


def report(times: dict, parts: dict, reference: Reference, generator: KickGenerator, recipes: list) -> None:
    median = {name: statistics.median(values[1:]) for name, values in times.items()}
    part = {name: statistics.median(values[1:]) for name, values in parts.items()}
    base, one, batch = median["reference, one"], median["ours, one"], median["ours, batch of 16"] / BATCH
    print(f"reference, one kick:      {1000 * base:7.0f} ms")
    print(f"ours, one kick:           {1000 * one:7.0f} ms   {base / one:5.1f} times faster")
    print(
        f"ours, a kick of 16:       {1000 * batch:7.0f} ms   {base / batch:5.1f} times faster than the reference run 16 times"
    )

    latent = torch.randn(1, *generator.facts.latent_shape)
    with torch.inference_mode():
        above, silence = first_band_above(generator.settings), generator.settings.mel_floor  # as far as HiFi-GAN goes
        frames = [audible_frames(mel, silence, above) for mel in decode_recipes(generator.networks, recipes)[1][:, 0]]
    vocoded = statistics.mean(
        BUCKET * math.ceil((count + generator.networks.context) / BUCKET) for count in frames if count
    )
    mel = torch.zeros(1, 1, generator.settings.n_mels, round(vocoded))
    rows = 1 if torch.equal(reference.cond, reference.uncond) else 2  # as Guided does without a prompt
    timestep = torch.zeros(rows, dtype=torch.long)
    work = {
        "sampling": recipes[0].steps
        * flops(lambda: reference.unet(latent.expand(rows, -1, -1, -1), timestep, reference.cond.expand(rows, -1))),
        "decoding": flops(lambda: reference.vae.decode(latent)),
        "vocoding": flops(lambda: reference.vocoder(mel[:, 0])),
    }
    rate = matmul_rate()
    print(f"float32 matrix products: {rate / 1e9:.0f} GFLOP/s")
    for name, count in work.items():
        floor = count / rate
        spent, shared = part[f"{name}, 1"], part[f"{name}, {BATCH}"] / BATCH
        print(
            f"  {name}: {1000 * spent:6.1f} ms ({spent / one:4.0%}), of 16 {1000 * shared:6.1f} ms ({shared / batch:4.0%}); "
            f"{count / 1e9:5.2f} GFLOP, floor {1000 * floor:5.1f} ms"
        )
    floor = sum(work.values()) / rate
    print(
        f"whole: floor {1000 * floor:.0f} ms; one kick {one / floor:.1f} times that, a kick of 16 {batch / floor:.1f} times"
    )


if __name__ == "__main__":
    main()
