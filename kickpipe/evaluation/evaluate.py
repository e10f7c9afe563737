"""The evaluation of a trained generator against the library it was trained on, section by section.

Every section answers its own question and stands alone: what cannot be answered is null with a reason, and the rest goes
on. The generated set is fixed by (prompts, count, seed), so two models are heard on the same noise.
"""

__all__ = ["Evaluation", "evaluate"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kickpipe.audio.io import AudioError, normalise
from kickpipe.evaluation.analysis import KickSet, analyse_batches, counted
from kickpipe.evaluation.answers import Reasons, finite
from kickpipe.evaluation.compare import compare_descriptors, compare_embeddings, equal_number
from kickpipe.evaluation.copies import distance_ratio, find_near_copies, nearest
from kickpipe.evaluation.defects import defect_shares
from kickpipe.evaluation.keywords import evaluate_keywords
from kickpipe.evaluation.library import Library
from kickpipe.evaluation.reconstruction import RoundTrips, evaluate_round_trips
from kickpipe.evaluation.summary import summary
from kickpipe.generate import KickGenerator
from kickpipe.synth import synthesise

BATCH = 64


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Arguments:
        metrics: Few numbers with short names, for ``dvc metrics``.
        details: All of them, nested, JSON values.
        generated: The generated kicks, measured, with waveforms.
        nearest_training: For each generated kick the name of the nearest training kick, and its distance in dB.
        round_trips: Waveforms of the round trips; None without held-out kicks.
        library: The real kicks.
    """

    metrics: dict[str, Any]
    details: dict[str, Any]
    generated: KickSet
    nearest_training: list[tuple[str, float]]
    round_trips: RoundTrips | None
    library: Library


def evaluate(
    generator: KickGenerator,
    library: Library,
    *,
    prompts: Sequence[str],
    count: int,
    seed: int,
    guidance: float,
    compare: int,
    draws: int,
    round_trips: int,
    keywords: int,
    keyword_kicks: int,
    guidances: Sequence[float],
    workers: int,
) -> Evaluation:
    """Generates a fixed set of kicks and measures everything about it.

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
        workers: Number of processes.

    Raises:
        KickpipeError: If a prompt has unknown words.
    """
    rate = library.settings.sample_rate
    reasons = Reasons()
    made = counted(generate_set(generator, prompts, count, seed, guidance), count, "generate")
    generated = analyse_batches(made, rate, workers=workers)
    synthesised = synthesise_set(min(compare, count), seed, library, workers)

    details: dict[str, Any] = {
        "kicks": {
            "generated": count,
            "silent": count - len(generated),
            "heldout": len(library.heldout),
            "training": len(library.training),
            "trained_on": len(library.trained_on),
            "synthesised": len(synthesised),
        },
        "distances": reasons.ask("distances", compare_all, generated, synthesised, library, compare, draws, seed),
        "defects": {
            name: reasons.ask(f"defects.{name}", defect_shares, list(item.defects))
            for name, item in (("generated", generated), ("heldout", library.heldout), ("training", library.training))
        },
        "memory": evaluate_memory(generated, library, reasons),
    }
    trips = reasons.ask("round_trips", evaluate_round_trips, generator, library, round_trips)
    details["round_trips"] = trips and trips.summary
    details["keywords"] = reasons.ask(
        "keywords", evaluate_keywords, generator, library, keywords, keyword_kicks, guidances, seed, workers
    )
    details = finite(details, reasons)
    return Evaluation(
        metrics=summary(details, reasons, guidance),
        details={**details, "missing": dict(reasons)},
        generated=generated,
        nearest_training=nearest_training(generated, library),
        round_trips=trips,
        library=library,
    )


def generate_set(
    generator: KickGenerator, prompts: Sequence[str], count: int, seed: int, guidance: float
) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yields batches of (waveforms, names): equally many kicks for each prompt, the noise of kick i from (seed, i).

    Peaks are levelled as in the library and in the files people get: a mel does not fix them.
    """
    shares = [len(range(i, count, len(prompts))) for i in range(len(prompts))]
    first = 0
    for prompt, share in zip(prompts, shares, strict=True):
        batch, names = [], []
        for i, kick in enumerate(
            generator.stream(prompt, count=share, seed=seed, first=first, guidance=guidance) if share else ()
        ):
            batch.append(levelled(kick.waveform, generator.settings.peak_db))
            names.append(f"{prompt or 'no prompt'}, seed {seed}, kick {first + i}")
            if len(batch) == BATCH or i == share - 1:
                yield np.stack(batch), names
                batch, names = [], []
        first += share


def levelled(waveform: np.ndarray, peak_db: float) -> np.ndarray:
    """The waveform (N,) with its peak at ``peak_db`` (dBFS); one that is silent or not finite stays, to be counted as such."""
    try:
        return normalise(waveform, peak_db) if np.isfinite(waveform).all() else waveform
    except AudioError:
        return waveform


def synthesise_set(count: int, seed: int, library: Library, workers: int) -> KickSet:
    """Kicks of the built-in synthesiser: the baseline that needs no training."""
    settings = library.settings

    def batches() -> Iterator[tuple[np.ndarray, list[str]]]:
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            kicks = [synthesise(seed, i, sample_rate=settings.sample_rate, duration=settings.duration) for i in numbers]
            yield np.stack(kicks), [f"synthesiser, seed {seed}, kick {i}" for i in numbers]

    return analyse_batches(counted(batches(), count, "synthesise"), settings.sample_rate, False, workers)


def compare_all(
    generated: KickSet, synthesised: KickSet, library: Library, limit: int, draws: int, seed: int
) -> dict[str, Any]:
    """Distances of the generated, training and synthesised kicks to the held-out ones, with the floor.

    Raises:
        NoAnswer: If there are too few kicks of any kind.
    """
    sets = {"generated": generated, "training": library.training, "synthesiser": synthesised}
    real = [library.training, library.heldout]
    sizes = {f"{name} kicks": len(item) for name, item in (*sets.items(), ("held-out", library.heldout))}
    number = equal_number(limit, sizes, sum(map(len, real)))
    embeddings = {name: item.embeddings for name, item in sets.items()}
    all_embeddings = np.concatenate([item.embeddings for item in real])
    descriptors = {name: item.descriptors for name, item in sets.items()}
    all_descriptors = {
        name: np.concatenate([item.descriptors[name] for item in real]) for name in library.heldout.descriptors
    }
    return {
        "number": number,
        "draws": draws,
        **compare_embeddings(embeddings, library.heldout.embeddings, all_embeddings, number, draws, seed),
        "descriptors": compare_descriptors(
            descriptors, library.heldout.descriptors, all_descriptors, number, draws, seed
        ),
    }


def evaluate_memory(generated: KickSet, library: Library, reasons: Reasons) -> dict[str, Any]:
    """Nearness to the training kicks, and the near-copies among generated and held-out kicks."""
    trained_on = library.trained_on
    ratio = reasons.ask(
        "memory.ratio",
        distance_ratio,
        generated.embeddings,
        library.heldout.embeddings,
        library.trained_embeddings,
    )
    results: dict[str, Any] = {"ratio": ratio}
    for name, kicks in (("generated", generated), ("heldout", library.heldout)):
        copies = find_near_copies(
            kicks.waveforms,
            kicks.embeddings,
            library.trained_embeddings,
            lambda index: library.load(trained_on[index]),
            library.settings.sample_rate,
        )
        results[name] = {
            "share": len(copies) / len(kicks) if len(kicks) else None,
            "copies": [
                {**copy._asdict(), "kick": kicks.names[copy.kick], "training": trained_on[copy.training]}
                for copy in copies
            ],
        }
        if len(kicks) == 0:
            reasons[f"memory.{name}.share"] = "no kicks"
    return results


def nearest_training(generated: KickSet, library: Library) -> list[tuple[str, float]]:
    """Name and distance of the training kick nearest to each generated one."""
    if len(generated) == 0 or len(library.trained_on) == 0:
        return []
    indices, distances = nearest(generated.embeddings, library.trained_embeddings)
    return [(library.trained_on[i], float(apart)) for i, apart in zip(indices[:, 0], distances[:, 0], strict=True)]
