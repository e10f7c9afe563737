"""Few numbers with short names out of all of them: what ``dvc metrics show`` and ``dvc exp show`` print in one table."""

__all__ = ["COLUMNS", "comparison_text", "summary"]

from typing import Any

import numpy as np

from kickpipe.evaluation.answers import Reasons
from kickpipe.synth.words import WORDS

COLUMNS = {
    "kad": ("distances.embeddings.levels.kernel.generated.median", "kernel distance of generated to held-out kicks"),
    "kad_train": ("distances.embeddings.levels.kernel.training.median", "the same for training kicks"),
    "kad_synth": ("distances.embeddings.levels.kernel.synthesiser.median", "the same for synthesised kicks"),
    "kad_floor": ("distances.embeddings.levels.kernel.floor.median", "the same between halves of the real kicks"),
    "frechet": (
        "distances.embeddings.levels.frechet.generated.median",
        "Frechet distance of generated to held-out kicks",
    ),
    "precision": ("distances.embeddings.levels.precision.generated.median", "share of generated kicks that look real"),
    "recall": ("distances.embeddings.levels.recall.generated.median", "share of held-out kicks in reach"),
    "density": (
        "distances.embeddings.levels.density.generated.median",
        "how densely real kicks surround generated ones",
    ),
    "coverage": (
        "distances.embeddings.levels.coverage.generated.median",
        "share of held-out kicks with a generated neighbour",
    ),
    "coverage_train": ("distances.embeddings.levels.coverage.training.median", "the same for training kicks"),
    "vae_l1": ("round_trips.mel.l1.mean", "log-mel error of the VAE, nats"),
    "vae_db": ("round_trips.mel.db.mean", "the same in dB"),
    "voc_conv": ("round_trips.vocoder.convergence.mean", "spectral convergence of the vocoder on real mels"),
    "gl_conv": ("round_trips.griffin_lim.convergence.mean", "the same for Griffin-Lim"),
    "voc_low": ("round_trips.vocoder.low_correlation.mean", "correlation below 150 Hz of the vocoder"),
    "gl_low": ("round_trips.griffin_lim.low_correlation.mean", "the same for Griffin-Lim"),
    "voc_onset": ("round_trips.vocoder.onset_error_ms.mean", "onset error of the vocoder, ms"),
    "voc_tail": ("round_trips.vocoder.tail_db.mean", "level of the vocoder's tail in silence, dBFS"),
    "vae_voc_conv": ("round_trips.vae_vocoder.convergence.mean", "spectral convergence of VAE and vocoder"),
    "defects": ("defects.generated.any", "share of generated kicks with any defect"),
    "memory": ("copies.ratio", "nearness to training kicks, 1 for held-out kicks"),
    "copies": ("copies.generated.share", "share of near-copies of training kicks"),
    "top1": (None, "share of prompted kicks nearest to a real one with the keyword"),
    "top1_words": (None, "the same for words with an acoustic meaning"),
    "auc": (None, "how much nearer prompted kicks lie to real ones with the keyword, 0.5 is chance"),
}


def summary(details: dict[str, Any], reasons: Reasons, guidance: float) -> dict[str, Any]:
    """The columns, rounded to four digits, with ``missing`` naming the reason of every one that is None.

    Keyword columns are means over the keywords at the tested guidance that is nearest to ``guidance``.
    """
    metrics: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, (path, _) in COLUMNS.items():
        value = keyword_mean(details, name, guidance) if path is None else _at(details, path)
        metrics[name] = None if value is None else float(f"{value:.4g}")
        if value is None:
            missing[name] = _reason(path or "keywords", reasons)
    return {**metrics, "missing": missing} if missing else metrics


def comparison_text(details: dict[str, Any]) -> str:
    """The comparison as lines to read: the median of the draws, with their range."""
    distances = details["distances"]
    if distances is None:
        return f"not compared with real kicks: {details['reasons'].get('distances', '')}"
    sets = ("generated", "training", "synthesiser", "floor")
    lines = [f"{distances['number']} kicks on each side, median (range) of {distances['draws']} draws"]
    for embedding, measures in distances["embeddings"].items():
        lines.append(f"{embedding:10}" + "".join(f"{name:>24}" for name in sets))
        for measure, values in measures.items():
            ranges = [values[name] for name in sets]
            cells = [f"{value['median']:.3g} ({value['low']:.3g} to {value['high']:.3g})" for value in ranges]
            lines.append(f"{measure:10}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def keyword_mean(details: dict[str, Any], column: str, guidance: float) -> float | None:
    """Mean score over the keywords that have one."""
    score = column.removesuffix("_words")
    values = []
    for word, result in (details.get("keywords") or {}).items():
        if column != score and word not in WORDS:
            continue
        level = min(result["guidance"], key=lambda text: abs(float(text) - guidance))
        values.append(result["guidance"][level][score])
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def _at(details: dict[str, Any], path: str) -> float | None:
    value: Any = details
    for key in path.split("."):
        if value is None:
            return None
        value = value.get(key)
    return value


def _reason(path: str, reasons: Reasons) -> str:
    for known, reason in reasons.items():
        if path.startswith(known):
            return reason
    if path.startswith("round_trips"):
        return "no vocoder"
    return "no keyword with an acoustic meaning has enough real kicks" if path == "keywords" else "not measured"
