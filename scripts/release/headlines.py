"""The five numbers of a release, each beside what it must be read against: for the model card and the README."""

__all__ = ["render_headlines"]

from collections.abc import Mapping
from typing import Any

import numpy as np

from kickpipe.evaluation.answers import Reasons
from kickpipe.evaluation.measures import HEADLINE
from kickpipe.evaluation.summary import first_embedding, headline
from scripts.release.card_sections import table


def render_headlines(details: Mapping[str, Any], guidance: float) -> str:
    """A table: what was measured, of generated kicks and of real ones; what was not measured says why.

    Arguments:
        details: Of the evaluation, as metrics/evaluate_details.json has them.
        guidance: The keywords count at the tested guidance nearest to it.
    """
    reasons = Reasons(details["reasons"])
    values = headline(details, reasons, guidance)
    beside = yardsticks(details)
    rows = []
    for name, measure in HEADLINE.items():
        what = f"{measure.label}. {measure.hint}"
        value = f"**{measure.format(values[name])}{measure.unit}**"
        if values[name] is None:
            value = f"not measured: {reasons[name]}"
        better = f" ({measure.better} is better)" if measure.better else ""
        rows.append([what.rstrip(".") + better, value, beside[name]])
    return table(["", "generated", "beside it"], rows, "lll")


def yardsticks(details: Mapping[str, Any]) -> dict[str, str]:
    """What each of the numbers is read against."""
    training = first_embedding(details).get("coverage", {}).get("training", {}).get("median")
    unprompted = [
        value for result in (details.get("keywords") or {}).values() if (value := result["base"]["top1"]) is not None
    ]

    def share(*path: str) -> float | None:
        value: Any = details
        for key in path:
            value = (value or {}).get(key)
        return value

    def text(name: str, value: float | None, whose: str) -> str:
        return "-" if value is None else f"{whose} {HEADLINE[name].format(value)}"

    return {
        "kernel_ratio": "training kicks: 1",
        "coverage": text("coverage", training, "training kicks:"),
        "defects": text("defects", share("defects", "training", "any"), "training kicks:"),
        "copies": text("copies", share("copies", "heldout", "share"), "real kicks of other sources:"),
        "top1": text("top1", float(np.mean(unprompted)) if unprompted else None, "kicks made without the word:"),
    }
