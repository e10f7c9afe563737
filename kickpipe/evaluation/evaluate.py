"""The evaluation of a trained generator against the library it was trained on, section by section.

Every section answers its own question and stands alone: what cannot be answered is null with a reason, and the rest goes
on. The generated set is fixed by (prompts, count, seed), so two models are heard on the same noise.
"""

__all__ = [
    "Evaluation",
    "EvaluationOptions",
    "Request",
    "evaluate",
    "find_copies",
    "generate_set",
    "nearest_training",
    "requests",
    "set_peak",
]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import numpy as np

from kickpipe.audio.io import AudioError, normalise
from kickpipe.evaluation.analysis import KickSet, defect_shares, with_progress
from kickpipe.evaluation.answers import Reasons, finite
from kickpipe.evaluation.compare import compare_sets
from kickpipe.evaluation.copies import distance_ratio, find_near_copies, nearest
from kickpipe.evaluation.keywords import evaluate_keywords
from kickpipe.evaluation.library import Library
from kickpipe.evaluation.reconstruction import RoundTrips, evaluate_round_trips
from kickpipe.evaluation.summary import headline
from kickpipe.generate import KickGenerator
from kickpipe.synth import synthesise

BATCH = 64


@dataclass(frozen=True)
class EvaluationOptions:
    """What an evaluation generates and how much of it is measured.

    Arguments:
        prompts: Taken in turn; the empty prompt is unconditional.
        count: Kicks to generate.
        seed: Of the kicks and of every random choice.
        guidance: For the prompts.
        compare: Kicks on each side of a comparison, at most.
        draws: Repeated draws of each comparison.
        round_trips: Held-out kicks to send through VAE and vocoder, at most.
        keywords: Keywords to test, at most.
        keyword_kicks: Kicks for each keyword and guidance.
        guidances: Guidance values at which keywords are tested.
    """

    prompts: tuple[str, ...]
    count: int
    seed: int
    guidance: float
    compare: int
    draws: int
    round_trips: int
    keywords: int
    keyword_kicks: int
    guidances: tuple[float, ...]


@dataclass(frozen=True)
class Request:
    """One kick to generate: kick ``index`` of a seed, for a prompt, at a guidance."""

    prompt: str
    seed: int
    index: int
    guidance: float

    @property
    def name(self) -> str:
        return f"{self.prompt or 'no prompt'}, seed {self.seed}, kick {self.index}"


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Arguments:
        metrics: The five numbers of ``HEADLINE``; why one is None, the details say under ``reasons``.
        details: All of them, nested, JSON values.
        generated: The generated kicks, measured, with waveforms.
        requests: What each of them was asked as, by its name.
        nearest_training: For each generated kick the name of the nearest training kick, and its distance in dB.
        round_trips: Waveforms of the round trips; None without held-out kicks.
        library: The real kicks.
    """

    metrics: dict[str, float | None]
    details: dict[str, Any]
    generated: KickSet
    requests: dict[str, Request]
    nearest_training: list[tuple[str, float]]
    round_trips: RoundTrips | None
    library: Library


def evaluate(generator: KickGenerator, library: Library, options: EvaluationOptions) -> Evaluation:
    """Generates a fixed set of kicks and measures everything about it.

    Raises:
        KickpipeError: If a prompt has unknown words.
    """
    analyser, count, seed = library.analyser, options.count, options.seed
    reasons = Reasons()
    asked = requests(options)
    generated = analyser.measure_batches(with_progress(generate_set(generator, asked), count, "generate"))
    synthesised = synthesise_set(min(options.compare, count), seed, library)
    sets = {"generated": generated, "training": library.training, "synthesiser": synthesised}

    details: dict[str, Any] = {
        "kicks": {
            "generated": count,
            "silent": len(generated.silent),
            "heldout": len(library.heldout),
            "training": len(library.training),
            "trained_on": len(library.trained_on),
            "synthesised": len(synthesised),
        },
        "distances": reasons.ask(
            "distances", compare_sets, sets, library.heldout, library.training, options.compare, options.draws, seed
        ),
        "defects": {
            name: reasons.ask(f"defects.{name}", defect_shares, item)
            for name, item in (("generated", generated), ("heldout", library.heldout), ("training", library.training))
        },
        "copies": find_copies(generated, library, reasons),
    }
    trips = reasons.ask("round_trips", evaluate_round_trips, generator, library, options.round_trips)
    details["round_trips"] = trips and trips.summary
    details["keywords"] = reasons.ask(
        "keywords",
        evaluate_keywords,
        generator,
        library,
        options.keywords,
        options.keyword_kicks,
        options.guidances,
        seed,
    )
    details = finite(details, reasons)
    return Evaluation(
        metrics=headline(details, reasons, options.guidance),
        details={**details, "reasons": dict(reasons)},
        generated=generated,
        requests={item.name: item for item in asked},
        nearest_training=nearest_training(generated, library),
        round_trips=trips,
        library=library,
    )


def requests(options: EvaluationOptions) -> list[Request]:
    """What is generated: equally many kicks for each prompt, in turn."""
    prompts = options.prompts
    shares = [len(range(i, options.count, len(prompts))) for i in range(len(prompts))]
    in_order = [prompt for prompt, share in zip(prompts, shares, strict=True) for _ in range(share)]
    return [Request(prompt, options.seed, i, options.guidance) for i, prompt in enumerate(in_order)]


def generate_set(generator: KickGenerator, asked: Sequence[Request]) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yields batches of (waveforms, names), the noise of each kick from its seed and index.

    Peaks are set as in the library and in the files people get: a mel does not fix them.
    """
    for (prompt, seed, guidance), run in groupby(asked, key=lambda item: (item.prompt, item.seed, item.guidance)):
        same = list(run)
        kicks = generator.stream(prompt, count=len(same), seed=seed, first=same[0].index, guidance=guidance)
        for start in range(0, len(same), BATCH):
            names = [item.name for item in same[start : start + BATCH]]
            waveforms = [set_peak(kick.waveform, generator.settings.peak_db) for kick in islice(kicks, len(names))]
            yield np.stack(waveforms), names


def set_peak(waveform: np.ndarray, peak_db: float) -> np.ndarray:
    """The waveform (N,) with its peak at ``peak_db`` (dBFS); one that is silent or not finite stays, to be counted as such."""
    try:
        return normalise(waveform, peak_db) if np.isfinite(waveform).all() else waveform
    except AudioError:
        return waveform


def synthesise_set(count: int, seed: int, library: Library) -> KickSet:
    """Kicks of the built-in synthesiser: the baseline that needs no training."""
    settings = library.settings

    def batches() -> Iterator[tuple[np.ndarray, list[str]]]:
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            kicks = [synthesise(seed, i, sample_rate=settings.sample_rate, duration=settings.duration) for i in numbers]
            yield np.stack(kicks), [f"synthesiser, seed {seed}, kick {i}" for i in numbers]

    return library.analyser.measure_batches(with_progress(batches(), count, "synthesise"), keep_waveforms=False)


def find_copies(generated: KickSet, library: Library, reasons: Reasons) -> dict[str, Any]:
    """Nearness to the training kicks, and the near-copies among generated and held-out kicks."""
    trained_on = library.trained_on
    ratio = reasons.ask(
        "copies.ratio",
        distance_ratio,
        generated.primary,
        library.heldout.primary,
        library.trained_embeddings,
    )
    results: dict[str, Any] = {"ratio": ratio}
    for name, kicks in (("generated", generated), ("heldout", library.heldout)):
        copies = find_near_copies(
            kicks.waveforms,
            kicks.primary,
            library.trained_embeddings,
            lambda index: library.load(trained_on[index]),
            library.settings.sample_rate,
        )
        results[name] = {
            "share": len(copies) / len(kicks) if len(kicks) else None,
            "pairs": [
                {**copy._asdict(), "kick": kicks.names[copy.kick], "training": trained_on[copy.training]}
                for copy in copies
            ],
        }
        if len(kicks) == 0:
            reasons[f"copies.{name}.share"] = "no kicks"
    return results


def nearest_training(generated: KickSet, library: Library) -> list[tuple[str, float]]:
    """Name and distance of the training kick nearest to each generated one."""
    if len(generated) == 0 or len(library.trained_on) == 0:
        return []
    indices, distances = nearest(generated.primary, library.trained_embeddings)
    return [(library.trained_on[i], float(apart)) for i, apart in zip(indices[:, 0], distances[:, 0], strict=True)]
