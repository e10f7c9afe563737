"""How long an evaluation takes beyond the generation, section by section, and how much memory.

    python -m benchmarks.bench_evaluate [--generated 500] [--real 1000] [--round-trips 100] [--workers 2]

Synthesised kicks stand in for the library and for the generated kicks, whose making costs next to nothing here and is
counted apart. The round trips run through networks with random weights of the specified sizes, except that the vocoder
is given the real mel again: what an untrained VAE makes sounds for 2 s, which costs a vocoder four times as much.

CPU is the processor seconds of all processes, which other work on the machine disturbs less. Memory is the peak of this
process up to the end of each section, and of the largest worker.
"""

import argparse
import contextlib
import platform
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import soundfile
import torch
from joblib.externals.loky import get_reusable_executor

from kickpipe.checkpoints import ModelFile, model_class
from kickpipe.common.progress import progress
from kickpipe.data.preprocess import preprocess
from kickpipe.data.tables import Sample, write_metadata
from kickpipe.evaluation import evaluate as sections
from kickpipe.evaluation.analysis import Analyser
from kickpipe.evaluation.library import Choice, load_library
from kickpipe.evaluation.report import build_report
from kickpipe.evaluation.report.origin import Origin
from kickpipe.generate import KickGenerator
from kickpipe.generate.networks import Networks
from kickpipe.params import Params, load_params
from kickpipe.synth import synthesise

ROOT = Path(__file__).parents[1]
WORDS = ("kick", "deep", "short", "long")
seconds: dict[str, float] = defaultdict(float)
peaks: dict[str, float] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=500)
    parser.add_argument("--real", type=int, default=1000)
    parser.add_argument("--round-trips", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2, help="processes, and threads of torch")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.workers)
    params = load_params(ROOT / "params.yaml")
    generator = random_generator(params)
    with tempfile.TemporaryDirectory(prefix="kickpipe-bench-") as folder:
        make_library(Path(folder), arguments.real, params, arguments.workers)
        measure_sections()
        start, start_cpu = time.perf_counter(), processor_seconds()
        run(Path(folder), generator, params, arguments)
        total = time.perf_counter() - start
    get_reusable_executor().shutdown()  # the workers' time is known when they have ended
    cpu = processor_seconds() - start_cpu
    print(f"{arguments.generated} generated kicks against {arguments.real} real ones, {arguments.workers} processes")
    for name, value in seconds.items():
        print(f"  {name:28}{value:8.1f} s" + (f"{peaks[name]:10,.0f} MiB" if name in peaks else ""))
    print(f"  {'beyond the generation':28}{total - seconds['generation']:8.1f} s of {total:.1f} s")
    print(f"  {'CPU, generation included':28}{cpu:8.1f} s")
    largest = [peak_mib(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"  peak memory {largest[0]:,.0f} MiB, and {largest[1]:,.0f} MiB in the largest worker")


def processor_seconds() -> float:
    """Of this process and of its workers that have ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in usage)


def peak_mib(who: int) -> float:
    """Peak resident memory of this process or of its largest child that has ended."""
    return resource.getrusage(who).ru_maxrss / (2**20 if platform.system() == "Darwin" else 2**10)


def random_generator(params: Params) -> KickGenerator:
    """Untrained networks of the specified sizes."""
    audio = params.audio.settings()
    torch.manual_seed(0)
    configs = {
        "vae": {
            "n_mels": audio.n_mels,
            "num_frames": audio.num_frames,
            "channels": params.vae.channels,
            "latent_channels": params.vae.latent_channels,
        },
        "diffusion": {
            "vocab_size": len(WORDS),
            "latent_channels": params.vae.latent_channels,
            "channels": params.diffusion.channels,
            "time_dim": params.diffusion.time_dim,
            "cond_dim": params.diffusion.cond_dim,
            "embedding_dim": params.diffusion.embedding_dim,
        },
        "vocoder": {
            "n_mels": audio.n_mels,
            "channels": params.vocoder.channels,
            "upsample_rates": params.vocoder.upsample_rates,
            "upsample_kernels": params.vocoder.upsample_kernels,
            "resblock_kernels": params.vocoder.resblock_kernels,
            "resblock_dilations": [params.vocoder.resblock_dilations] * len(params.vocoder.resblock_kernels),
        },
    }
    channels = params.vae.latent_channels
    extra = {
        "vocabulary": list(WORDS),
        "keyword_counts": [9, 9, 9, 9],
        "latent_mean": [0.0] * channels,
        "latent_std": [1.0] * channels,
        "latent_shape": [channels, 8, 11],
        "schedule": {"num_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02},
    }
    files = [
        ModelFile(
            kind, model_class(kind)(**config).eval(), config, audio, 0, extra if kind == "diffusion" else {}, kind
        )
        for kind, config in configs.items()
    ]
    networks = Networks(*files)
    return KickGenerator(networks.facts, lambda: networks)


def make_library(folder: Path, count: int, params: Params, workers: int) -> None:
    """A data folder of synthesised kicks, half of them held out."""
    (folder / "raw").mkdir()
    samples = []
    for i in progress(range(count), count, "library", "kicks"):
        name = f"{(i * 2654435761) % 2**24:06x}_kick{i}.wav"
        soundfile.write(folder / "raw" / name, synthesise(1, i), 44100, subtype="PCM_16")
        samples.append(Sample(name, f"{'heldout' if i % 2 else 'pack'}/{name}", ("kick", WORDS[1 + i % 3])))
    write_metadata(folder / "metadata.csv", samples)
    preprocess(folder / "raw", folder / "processed", [s.filename for s in samples], params.audio.settings(), workers)


@contextlib.contextmanager
def stopwatch(name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - start
    peaks[name] = peak_mib(resource.RUSAGE_SELF)


def measure_sections() -> None:
    """Counts the time of each section of the evaluation, and of the generator, wherever they are called."""
    for name in ("synthesise_set", "compare_sets", "find_copies", "evaluate_round_trips", "evaluate_keywords"):
        setattr(sections, name, timed(name.replace("_", " "), getattr(sections, name)))
    Analyser.measure = timed("measure", Analyser.measure)

    def synthesised(self, prompt, *, count, seed, first=0, guidance=1.0):
        for i in range(first, first + count):
            with stopwatch("generation"):
                waveform = synthesise(seed + 7, i)
            yield SimpleNamespace(waveform=waveform)

    encode, decode = Networks.encode, Networks.decode
    encoded = []

    def remembering(self, mel):
        encoded[:] = [mel]
        return encode(self, mel)

    def remembered(self, latent):
        decode(self, latent)
        return encoded[0]

    KickGenerator.stream, Networks.encode, Networks.decode = synthesised, remembering, remembered


def timed(name: str, function):
    def run(*args, **kwargs):
        before = seconds["generation"]
        start = time.perf_counter()
        result = function(*args, **kwargs)
        seconds[name] += time.perf_counter() - start - (seconds["generation"] - before)
        peaks[name] = peak_mib(resource.RUSAGE_SELF)
        return result

    return run


def run(folder: Path, generator: KickGenerator, params: Params, arguments: argparse.Namespace) -> None:
    settings, asked = params.audio.settings(), params.evaluate
    options = sections.EvaluationOptions(
        prompts=asked.prompts,
        count=arguments.generated,
        seed=asked.seed,
        guidance=asked.guidance,
        compare=asked.compare,
        draws=asked.draws,
        round_trips=arguments.round_trips,
        keywords=asked.keywords,
        keyword_kicks=asked.keyword_kicks,
        guidances=asked.guidances,
    )
    with stopwatch("load library"):
        choice = Choice(0.0, ("heldout/*",), arguments.real)
        library = load_library(
            folder, settings, choice, Analyser(settings.sample_rate, settings.hop_length, arguments.workers)
        )
    evaluation = sections.evaluate(generator, library, options)
    with stopwatch("report"):
        build_report(evaluation, folder / "index.html", Origin({}, [], "", "", {}))
    assert evaluation.metrics["coverage"] is not None


if __name__ == "__main__":
    main()
