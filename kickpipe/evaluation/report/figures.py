"""Charts as inline SVG whose colours follow the page, light or dark.

matplotlib writes fixed colours; each colour of the palette here stands for a CSS variable and is replaced by it.
"""

__all__ = ["curves", "histogram"]

import io
import re
from collections.abc import Mapping, Sequence

import numpy as np

# matplotlib's name for each CSS variable: colours that nothing else uses.
PALETTE = {
    "generated": "#0a0b01",
    "real": "#0a0b02",
    "synthesiser": "#0a0b03",
    "ink": "#0a0b04",
    "muted": "#0a0b05",
    "line": "#0a0b06",
}
SIZE = (4.2, 2.5)  # inches; the page scales it
BINS = 28


def histogram(sets: Mapping[str, np.ndarray], label: str, unit: str, logarithmic: bool) -> str:
    """Outlines of the distributions of a descriptor, each as share of its kicks.

    Arguments:
        sets: Values (N,) by "generated", "real" or "synthesiser"; what is not finite is left out.
        label: What it is, for those who cannot see it; different for each chart of a page.
        unit: Below the axis.
        logarithmic: Whether the axis is; then values up to 0 are left out.
    """
    values = {}
    for name, x in sets.items():
        kept = x[np.isfinite(x)]
        values[name] = kept[kept > 0] if logarithmic else kept
    everything = np.concatenate(list(values.values()))
    figure, axes = _figure(unit)
    if len(everything):
        low, high = np.percentile(everything, [0.5, 99.5])
        high = max(high, low + 1e-6 + abs(low) * 1e-3)
        edges = np.geomspace(low, high, BINS + 1) if logarithmic else np.linspace(low, high, BINS + 1)
        for name, x in values.items():
            if len(x) == 0:
                continue
            counts, _ = np.histogram(np.clip(x, edges[0], edges[-1]), edges)
            filled = name == "real"
            axes.stairs(
                counts / len(x), edges, color=PALETTE[name], fill=filled, alpha=0.35 if filled else 1, linewidth=1.8
            )
        if logarithmic:
            axes.set_xscale("log")
            _plain_log_ticks(axes, low, high)
        axes.set_xlim(edges[0], edges[-1])
    axes.set_yticks([])
    return _svg(figure, label)


def curves(rows: Sequence[Mapping[str, float | None]], names: Mapping[str, str], label: str, logarithmic: bool) -> str:
    """Curves of a training over its steps.

    Arguments:
        rows: With ``step`` and the named columns; None where a column was not written at that step.
        names: Colour of the palette by column.
        label, logarithmic: As for ``histogram``, the axis being the vertical one.
    """
    figure, axes = _figure("step")
    drawn = False
    for name, colour in names.items():
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None and np.isfinite(row[name])]
        points = [point for point in points if not logarithmic or point[1] > 0]
        if not points:
            continue
        drawn = True
        style = {"marker": "o", "markersize": 2.5} if len(points) < 3 else {}
        axes.plot(*zip(*points, strict=True), color=PALETTE[colour], linewidth=1.6, **style)
    if logarithmic and drawn:
        axes.set_yscale("log")
        _plain_log_ticks(axes, *axes.get_ylim(), axis="y")
    axes.grid(axis="y", color=PALETTE["line"], linewidth=0.7)
    return _svg(figure, label)


def _figure(label: str):
    from matplotlib.figure import Figure

    figure = Figure(SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(label, fontsize=9, color=PALETTE["muted"], loc="right")
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALETTE["line"])
    axes.tick_params(which="both", colors=PALETTE["muted"], labelsize=9, length=3)
    return figure, axes


def _plain_log_ticks(axes, low: float, high: float, axis: str = "x") -> None:
    """A few round numbers, written out: 0.02, 5, 2000."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if abs(np.log10(tick) - round(np.log10(tick))) < 1e-9] or ticks[::2]
    this = axes.xaxis if axis == "x" else axes.yaxis
    this.set_major_locator(FixedLocator(ticks))
    this.set_minor_locator(NullLocator())
    this.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1000 else f"{value:g}"))


def _svg(figure, label: str) -> str:
    import matplotlib

    buffer = io.StringIO()
    # Text stays text, so that it takes the page's font; a salt keeps ids the same from run to run.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": label}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for name, colour in PALETTE.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*; ", "", svg)
    svg = re.sub(
        r'<svg [^>]*viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{label}">', svg, count=1
    )
    return _own_ids(svg, label)


def _own_ids(svg: str, label: str) -> str:
    """Ids made unique on the page: several figures all have an ``axes_1``."""
    prefix = re.sub(r"\W+", "-", label.lower())
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
