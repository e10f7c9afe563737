"""The five numbers of a release, each beside what it must be read against: for the model card and the README."""

__all__ = ["render_headlines"]

from collections.abc import Mapping
from typing import Any

from kickpipe.evaluation.answers import Reasons
from kickpipe.evaluation.measures import HEADLINE, NOTHING
from kickpipe.evaluation.summary import headline, yardsticks
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
        rows.append([what.rstrip(".") + better, value, beside[name] or NOTHING])
    return table(["", "generated", "beside it"], rows, "lll")
