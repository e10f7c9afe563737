"""Five numbers out of all of them: what ``dvc metrics show`` and ``dvc exp show`` print, and the head of the page.

The rest is in the details, under the names that the sections of the evaluation give it.
"""

__all__ = [
    "comparison_text",
    "first_embedding",
    "headline",
    "headline_text",
    "kernel_ratio",
    "keyword_mean",
    "yardsticks",
]

from collections.abc import Mapping
from typing import Any

import numpy as np

from kickpipe.evaluation.answers import NoAnswer, Reasons
from kickpipe.evaluation.measures import DISTANCES, HEADLINE, NOTHING, SETS, number
from kickpipe.synth.words import WORDS

COMPARED = ("generated", "training", "synthesiser", "floor")


def headline(details: Mapping[str, Any], reasons: Reasons, guidance: float) -> dict[str, float | None]:
    """The numbers of ``HEADLINE``, to four digits; None where there is no answer, with the reason noted under the name.

    Distances are those of the first embedding, keywords count at the tested guidance nearest to ``guidance``.
    """
    values = {
        "kernel_ratio": reasons.ask("kernel_ratio", kernel_ratio, details, reasons),
        "coverage": first_embedding(details).get("coverage", {}).get("generated", {}).get("median"),
        "defects": (details["defects"]["generated"] or {}).get("any"),
        "copies": details["copies"]["generated"]["share"],
        "top1": keyword_mean(details, "top1", guidance),
    }
    sources = {
        "coverage": "distances",
        "defects": "defects.generated",
        "copies": "copies.generated.share",
        "top1": "keywords",
    }
    for name, source in sources.items():
        if values[name] is None:
            reasons[name] = reasons.get(source, "not measured")
    return {name: None if values[name] is None else float(f"{values[name]:.4g}") for name in HEADLINE}


def kernel_ratio(details: Mapping[str, Any], reasons: Mapping[str, str], embedding: str | None = None) -> float:
    """Kernel distance of the generated kicks to the held-out ones over that of the training kicks, medians of the draws.

    Arguments:
        embedding: Its name; the first by default.

    Raises:
        NoAnswer: If sets were not compared, or the training kicks score as well as held-out ones.
    """
    measures = first_embedding(details) if embedding is None else details["distances"]["embeddings"][embedding]
    if not measures:
        raise NoAnswer(reasons.get("distances", "not compared"))
    generated, training = (measures["kernel"][name]["median"] for name in ("generated", "training"))
    if training <= 0:
        raise NoAnswer(
            f"the distance itself is {number(generated)}, but the training kicks lie as near to the held-out ones as those "
            "to each other, and nothing is a multiple of that"
        )
    return generated / training


def keyword_mean(details: Mapping[str, Any], score: str, guidance: float, acoustic: bool = False) -> float | None:
    """Mean score over the keywords that have one, or over those with an ``acoustic`` meaning."""
    values = []
    for word, result in (details.get("keywords") or {}).items():
        if acoustic and word not in WORDS:
            continue
        level = min(result["guidance"], key=lambda text: abs(float(text) - guidance))
        values.append(result["guidance"][level][score])
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def yardsticks(details: Mapping[str, Any]) -> dict[str, str]:
    """What each number of the headline is read against, as text; empty where that was not measured."""
    coverage = first_embedding(details).get("coverage", {}).get("training", {}).get("median")
    words = (details.get("keywords") or {}).values()
    base, ceiling = (
        [word[key]["top1"] for word in words if word[key]["top1"] is not None] for key in ("base", "ceiling")
    )
    values = {
        "coverage": [("training kicks", coverage)],
        "defects": [
            (f"{whose} kicks", (details["defects"].get(key) or {}).get("any"))
            for key, whose in (("training", "training"), ("heldout", "held-out real"))
        ],
        "copies": [("held-out real kicks", details["copies"]["heldout"]["share"])],
        "top1": [
            ("without the word", float(np.mean(base)) if base else None),
            ("real kicks", float(np.mean(ceiling)) if ceiling else None),
        ],
    }
    texts = {
        name: ", ".join(f"{whose}: {HEADLINE[name].format(value)}" for whose, value in pairs if value is not None)
        for name, pairs in values.items()
    }
    return {"kernel_ratio": f"training kicks: 1{HEADLINE['kernel_ratio'].unit}", **texts}


def first_embedding(details: Mapping[str, Any]) -> dict[str, Any]:
    """The distances in the primary embedding; empty where sets were not compared."""
    distances = details.get("distances")
    return next(iter(distances["embeddings"].values())) if distances else {}


def headline_text(metrics: Mapping[str, float | None], reasons: Mapping[str, str]) -> str:
    """The five numbers as lines to read, with what each is, or why there is none."""
    lines = []
    for name, measure in HEADLINE.items():
        value = metrics[name]
        text = NOTHING if value is None else measure.format(value) + measure.unit
        lines.append(f"{measure.label:24}{text:>7}  {measure.hint if value is not None else reasons.get(name, '')}")
    return "\n".join(lines)


def comparison_text(details: Mapping[str, Any]) -> str:
    """The comparison as lines to read: the median of the draws, with their range."""
    distances = details["distances"]
    if distances is None:
        return f"not compared with real kicks: {details['reasons'].get('distances', '')}"
    lines = [f"{distances['number']} kicks on each side, median (range) of {distances['draws']} draws"]
    for embedding, measures in distances["embeddings"].items():
        lines.append(f"{embedding:18}" + "".join(f"{SETS[name]:>28}" for name in COMPARED))
        for name, values in measures.items():
            measure = DISTANCES[name]
            ranges = [[measure.format(values[key][part]) for part in ("median", "low", "high")] for key in COMPARED]
            cells = [f"{median} ({low} to {high})" for median, low, high in ranges]
            lines.append(f"{measure.label:18}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)
