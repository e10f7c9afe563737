"""Which charts a page has: one for each descriptor, one for each pair of training and validation curves."""

__all__ = ["curve_charts", "descriptor_charts", "read_curves"]

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kickpipe.evaluation.measures import DESCRIPTOR_MEASURES
from kickpipe.evaluation.report.figures import Chart, curves, histogram
from kickpipe.evaluation.report.page import Charts

LOGARITHMIC = (
    "attack_ms", "decay_20_ms", "decay_40_ms", "duration_ms", "f0_start_hz", "f0_end_hz", "sweep_ms", "centroid_hz",
    "high_share",
)  # fmt: skip
LEFT_OUT = ("duration_ms",)  # says little that the decays do not


def descriptor_charts(sets: Mapping[str, Mapping[str, np.ndarray]]) -> list[Chart]:
    """Histograms of every descriptor; ``sets`` by "generated" and "real"."""
    charts = []
    for name, measure in DESCRIPTOR_MEASURES.items():
        if name in LEFT_OUT:
            continue
        scale, unit = (100, "%") if measure.share else (1, measure.unit)
        values = {key: scale * descriptors[name] for key, descriptors in sets.items()}
        charts.append(histogram(values, measure.label, unit, name in LOGARITHMIC))
    return charts


def curve_charts(files: Mapping[str, Path]) -> list[Charts]:
    """One block of charts for all trainings whose file exists: each column that has a validation counterpart."""
    charts = []
    for title, path in files.items():
        if not path.is_file():
            continue
        rows = read_curves(path)
        columns = list(rows[0]) if rows else []
        for name in columns:
            if f"val_{name}" in columns:
                caption = f"{title}: {name.replace('_', ' ')}"
                charts.append(curves(rows, {name: "muted", f"val_{name}": "generated"}, caption, True))
    return [Charts(charts, [("muted", "training"), ("generated", "validation")])] if charts else []


def read_curves(path: Path) -> list[dict[str, float | None]]:
    """The rows of a CSV of numbers; empty cells are None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: float(value) if value else None for name, value in row.items() if name}
            for row in csv.DictReader(file)
        ]
