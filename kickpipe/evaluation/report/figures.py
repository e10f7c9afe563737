"""Charts as shapes and labels: the page stretches the shapes and keeps the labels at the size of its text.

Shapes are SVG paths in a view box of 100 x 100, y downwards; what is a share of the axis is a position, 0 to 1.
"""

__all__ = ["Chart", "Shape", "curves", "histogram", "plain"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kickpipe.evaluation.measures import number
from kickpipe.evaluation.report.axes import Tick, log_ticks, round_ticks

BINS = 32
TOP = 6.0  # room above the highest bar


@dataclass(frozen=True)
class Shape:
    """A path; ``kind`` chooses the colour, ``filled`` whether it is an area or a line."""

    path: str
    kind: str
    filled: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart with its axes.

    Arguments:
        caption: What it shows.
        unit: Of the horizontal axis.
        shapes: From the back to the front.
        x_ticks, y_ticks: Labels; those of y from the bottom.
        marks: Values to point out: position, text, kind.
    """

    caption: str
    unit: str
    shapes: Sequence[Shape]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick] = ()
    marks: Sequence[tuple[float, str, str]] = ()


def plain(value: float) -> str:
    """A round number written out: 2,000, 0.5, 0.00001."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.9f}".rstrip("0")


class Scale:
    """Values to positions, linear or logarithmic."""

    def __init__(self, low: float, high: float, logarithmic: bool) -> None:
        self.low, self.high, self.logarithmic = low, high, logarithmic

    def __call__(self, values: np.ndarray | float) -> np.ndarray:
        warp = np.log if self.logarithmic else np.asarray
        low, high = float(warp(self.low)), float(warp(self.high))
        return (warp(np.asarray(values, np.float64)) - low) / (high - low)

    def edges(self, count: int) -> np.ndarray:
        return (np.geomspace if self.logarithmic else np.linspace)(self.low, self.high, count)

    def ticks(self) -> list[Tick]:
        values = log_ticks(self.low, self.high) if self.logarithmic else []
        values = values if len(values) > 1 else round_ticks(self.low, self.high)
        return [Tick(float(self(value)), plain(value), i % 2 == 1) for i, value in enumerate(values)]


def histogram(sets: Mapping[str, np.ndarray], caption: str, unit: str, logarithmic: bool) -> Chart:
    """Distributions of a descriptor, each as share of its kicks, with their medians.

    Arguments:
        sets: Values (N,) by kind, "real" as an area, others as lines; what is not finite is left out.
        caption: What it is.
        unit: Of the values.
        logarithmic: Whether the axis is; then values up to 0 are left out.
    """
    values = {}
    for kind, x in sets.items():
        finite = x[np.isfinite(x)]
        values[kind] = finite[finite > 0] if logarithmic else finite
    everything = np.concatenate(list(values.values()))
    if len(everything) == 0:
        return Chart(caption, unit, (), ())
    low, high = (float(bound) for bound in np.percentile(everything, [0.5, 99.5]))
    scale = Scale(low, max(high, low + 1e-6 + abs(low) * 1e-3), logarithmic)
    edges = scale.edges(BINS + 1)
    shares = {
        kind: np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] / len(x) for kind, x in values.items() if len(x)
    }
    highest = max(share.max() for share in shares.values())
    order = sorted(shares, key=lambda kind: kind != "real")
    medians = {kind: float(np.median(values[kind])) for kind in order}
    return Chart(
        caption,
        unit,
        [Shape(bars_path(shares[kind] / highest, closed=kind == "real"), kind, kind == "real") for kind in order],
        scale.ticks(),
        marks=[(float(np.clip(scale(value), 0, 1)), number(value), kind) for kind, value in medians.items()],
    )


def curves(
    rows: Sequence[Mapping[str, float | None]], names: Mapping[str, str], caption: str, logarithmic: bool
) -> Chart:
    """Curves of a training over its steps.

    Arguments:
        rows: With ``step`` and the named columns; None where a column was not written at that step.
        names: Kind of the line by column.
        caption, logarithmic: As for ``histogram``, the axis being the vertical one.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for name in names:
        found = [(row.get("step"), row.get(name)) for row in rows]
        pairs = [(step, value) for step, value in found if step is not None and value is not None]
        pairs = [(step, value) for step, value in pairs if np.isfinite(value) and not (logarithmic and value <= 0)]
        if pairs:
            points[name] = pairs
    if not points:
        return Chart(caption, "over the steps", (), ())
    steps, values = (np.array([pair[i] for pairs in points.values() for pair in pairs]) for i in (0, 1))
    across = Scale(0.0, max(float(steps.max()), 1.0), False)
    low, high = float(values.min()), float(values.max())
    up = Scale(low, max(high, low + 1e-9 + abs(low) * 1e-3), logarithmic)
    shapes = [
        Shape(line_path([(float(across(x)), float(up(y))) for x, y in points[name]]), names[name]) for name in points
    ]
    return Chart(caption, "over the steps", shapes, across.ticks(), up.ticks())


def bars_path(heights: np.ndarray, closed: bool) -> str:
    """The outline of bars with heights 0 to 1."""
    width = 100 / len(heights)
    path = "M0 100"
    for i, height in enumerate(heights):
        path += f"V{100 - height * (100 - TOP):.1f}H{(i + 1) * width:.2f}"
    return path + ("V100Z" if closed else "V100")


def line_path(points: Sequence[tuple[float, float]]) -> str:
    """A line through positions; one point becomes a short dash."""
    if len(points) == 1:
        points = [(max(points[0][0] - 0.02, 0.0), points[0][1]), points[0]]
    return "M" + "L".join(f"{100 * x:.2f} {100 - TOP / 2 - y * (100 - TOP):.2f}" for x, y in points)
