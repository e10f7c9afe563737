"""The test of the keywords: kicks generated for each of them, at several guidance values, against the real ones.

The same noise serves every keyword and guidance, and the unprompted base, so only the prompt differs.
"""

__all__ = ["choose_keywords", "evaluate_keywords"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kickpipe.common.progress import progress
from kickpipe.evaluation.analysis import KickSet, join
from kickpipe.evaluation.answers import NoAnswer, Reasons
from kickpipe.evaluation.keyword_scores import descriptor_direction, keyword_auc, keyword_top1, spearman, word_holds
from kickpipe.evaluation.library import Library
from kickpipe.generate import KickGenerator
from kickpipe.synth.words import WORDS

MIN_REAL = 10  # real kicks with the keyword, and as many without


def evaluate_keywords(
    generator: KickGenerator,
    library: Library,
    limit: int,
    kicks_each: int,
    guidances: Sequence[float],
    seed: int,
) -> dict[str, Any]:
    """Tests up to ``limit`` keywords, those with an acoustic meaning first, then the most frequent.

    Returns:
        By keyword: the number of ``real`` kicks with it, ``ceiling`` (what these score), ``base`` (what unprompted kicks
        score), and scores at each guidance; ``top1`` and ``auc`` for all, ``holds`` and ``spearman`` of guidance and each
        descriptor (positive is the right way) for words with an acoustic meaning; and the ``reasons`` of what is None.

    Raises:
        NoAnswer: If no keyword has enough real kicks.
    """
    real = join([library.training.without_waveforms(), library.heldout.without_waveforms()])
    words = choose_keywords(real.names, library.keywords, generator.vocabulary.words, limit)
    if not words:
        raise NoAnswer(f"no keyword of the model has {MIN_REAL} real kicks, and as many without it")
    analyser = replace(library.analyser, embeddings=(library.analyser.primary,))

    def make(prompt: str, guidance: float) -> KickSet:
        kicks = list(generator.stream(prompt, count=kicks_each, seed=seed, guidance=guidance))
        waveforms = np.stack([kick.waveform for kick in kicks])
        return analyser.measure(waveforms, [prompt] * len(kicks), keep_waveforms=False)

    base = make("", 1.0)
    results = {}
    jobs = [(word, guidance) for word in words for guidance in guidances]
    made = {job: make(*job) for job in progress(jobs, len(jobs), "keywords", "prompts")}
    for word in words:
        has = np.array([word in library.keywords[name] for name in real.names])
        having, rest = real.take(np.flatnonzero(has)), real.take(np.flatnonzero(~has))
        reasons = Reasons()
        sets = {guidance: made[word, guidance] for guidance in guidances}
        results[word] = {
            "real": len(having),
            "ceiling": score(word, having, having, rest, reasons, "ceiling", itself=True),
            "base": score(word, base, having, rest, reasons, "base"),
            "guidance": {
                f"{guidance:g}": score(word, kicks, having, rest, reasons, f"{guidance:g}")
                for guidance, kicks in sets.items()
            },
            "spearman": moves(word, base, sets, reasons) if word in WORDS else {},
            "reasons": dict(reasons),
        }
    return results


def choose_keywords(
    names: Sequence[str], keywords: dict[str, tuple[str, ...]], vocabulary: Sequence[str], limit: int
) -> list[str]:
    """Keywords of the vocabulary with enough real kicks with and without, acoustic ones first, then by their number."""
    counts = Counter(word for name in names for word in set(keywords[name]))
    usable = [word for word in vocabulary if MIN_REAL <= counts[word] <= len(names) - MIN_REAL]
    return sorted(usable, key=lambda word: (word not in WORDS, -counts[word], word))[:limit]


def score(
    word: str, kicks: KickSet, having: KickSet, rest: KickSet, reasons: Reasons, name: str, itself: bool = False
) -> dict[str, float | None]:
    """Top-1 and AUC, and for a word with an acoustic meaning the share of kicks that deserve it."""
    three = kicks.primary, having.primary, rest.primary
    scores = {
        "top1": reasons.ask(f"{name}.top1", keyword_top1, *three, itself=itself),
        "auc": reasons.ask(f"{name}.auc", keyword_auc, *three, itself=itself),
    }
    if word in WORDS:
        scores["holds"] = reasons.ask(f"{name}.holds", word_holds, word, kicks.describe())
    return scores


def moves(word: str, base: KickSet, sets: dict[float, KickSet], reasons: Reasons) -> dict[str, float | None]:
    """Spearman correlation of guidance, 0 for the base, with each descriptor, times the direction the word calls for."""
    levels = np.concatenate([np.zeros(len(base)), *(np.full(len(kicks), level) for level, kicks in sets.items())])
    results = {}
    for descriptor, direction in descriptor_direction(word):
        values = np.concatenate([kicks.descriptors[descriptor] for kicks in (base, *sets.values())])
        found = reasons.ask(f"spearman.{descriptor}", spearman, levels, values)
        results[descriptor] = None if found is None else direction * found
    return results
