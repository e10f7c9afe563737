"""The numbers of an evaluation as tables: what each measure is, its value, and what to hold it against."""

__all__ = [
    "copies_table",
    "defects_table",
    "descriptor_table",
    "distance_tables",
    "keyword_table",
    "number",
    "percent",
    "round_trip_table",
    "word_table",
]

from collections.abc import Sequence
from typing import Any

from kickpipe.audio.descriptors import DESCRIPTORS
from kickpipe.evaluation.defects import DEFECTS
from kickpipe.evaluation.registry import Embedding
from kickpipe.evaluation.report.page import Cell, Row, Table

NOTHING = "–"
MINUS = "−"
SOFT_HYPHEN = "\u00ad"
DISTANCES = {
    "kernel": ("Kernel distance", "MMD of the embeddings, times 100; 0 in the mean for equal distributions"),
    "frechet": ("Fréchet distance", "of Gaussians fitted to the embeddings, dB²; never 0 for so few kicks"),
    "precision": ("Precision", "share of kicks that look like some real kick"),
    "recall": ("Recall", "share of real kicks within the reach of these kicks"),
    "density": ("Density", "how densely real kicks surround these; 1 is expected for equal distributions"),
    "coverage": ("Coverage", "share of real kicks that have one of these for a neighbour"),
}
SHARES = ("precision", "recall", "coverage")
TRIPS = {
    "vocoder": ("Vocoder", "real mel → HiFi-GAN, low band searched for, a few Griffin-Lim iterations"),
    "hifigan": ("HiFi-GAN alone", "real mel → HiFi-GAN"),
    "retrieved": ("No network", "real mel → low band searched for, 16 Griffin-Lim iterations"),
    "griffin_lim": ("Griffin-Lim", "real mel → 64 iterations from random phases"),
    "vae_vocoder": ("VAE + vocoder", "real mel → VAE → the same"),
    "vae_hifigan": ("VAE + HiFi-GAN alone", "real mel → VAE → the same"),
    "vae_retrieved": ("VAE, no network", "real mel → VAE → the same"),
    "vae_griffin_lim": ("VAE + Griffin-Lim", "real mel → VAE → the same"),
}
MEASURES = {
    "convergence": f"Spectral conver{SOFT_HYPHEN}gence",
    "log_magnitude": f"Log magni{SOFT_HYPHEN}tude, nats",
    "onset_error_ms": "Onset error, ms",
    "decay_error_ms": "Decay error, ms",
    "low_correlation": f"Corre{SOFT_HYPHEN}lation below 150 Hz",
    "low_correlation_unsigned": "... in either polarity",
    "tail_db": "Tail in silence, dBFS",
}
DEFECT_NAMES = {
    "onsets": "More than one onset",
    "late": "Late start",
    "clipped": "Clipped",
    "dc": "DC",
    "tone": "Steady tone",
    "silent": "Silent",
    "tail_noise": "Noise in the tail",
}
NAMES = {
    "generated": "Generated",
    "training": "Training",
    "synthesiser": f"Synthe{SOFT_HYPHEN}siser",
    "floor": "Real vs real",
}


def number(value: float | None) -> str:
    """Three significant digits, never an exponent: 1,234, 12.3, 0.00123; a dash for None."""
    if value is None:
        return NOTHING
    if value == 0 or abs(value) < 1e-6:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace("-", MINUS)
    text = f"{value:.3g}"
    text = f"{value:.6f}".rstrip("0") if "e" in text else text
    return text.replace("-", MINUS)


def percent(value: float | None) -> str:
    """A share in percent; a dash for None."""
    if value is None:
        return NOTHING
    return f"{100 * value:.1f}%" if 0 < value < 0.1 else f"{100 * value:.0f}%"


def distance_tables(
    distances: dict[str, Any], embeddings: Sequence[Embedding], names: dict[str, str] = NAMES
) -> list[Table]:
    """Measures by set, with the range over the draws: a table for each embedding."""
    tables = []
    for embedding in embeddings:
        measures = distances["embeddings"][embedding.name]
        rows = [
            Row(label, hint, [_range_cell(measures[measure].get(name), measure in SHARES, name) for name in names])
            for measure, (label, hint) in DISTANCES.items()
        ]
        note = (
            f"{embedding.label}: {embedding.hint}. {distances['number']} kicks on each side; median and range over "
            f"{distances['draws']} draws."
        )
        tables.append(Table(list(names.values()), rows, note=note))
    return tables


def descriptor_table(distances: dict[str, Any], names: dict[str, str] = NAMES) -> Table:
    """Wasserstein-1 distance of each descriptor by set."""
    rows = [
        Row(
            descriptor_name(name),
            DESCRIPTORS[name],
            [_range_cell(by_set.get(column), False, column) for column in names],
        )
        for name, by_set in distances["descriptors"].items()
    ]
    return Table(
        list(names.values()),
        rows,
        note="How far the values must be moved, in the mean, to become those of the real kicks.",
    )


def round_trip_table(round_trips: dict[str, Any]) -> Table:
    """Measures by trip: the mean, with median and tenth or ninetieth percentile in small print."""
    rows = []
    for trip, (label, hint) in TRIPS.items():
        if trip not in round_trips:
            continue
        cells = []
        for measure in MEASURES:
            values = round_trips[trip][measure]
            worst = "p10" if measure.startswith("low_correlation") else "p90"
            detail = "" if values["mean"] is None else f"{number(values['median'])} · {number(values[worst])}"
            cells.append(Cell(number(values["mean"]), detail))
        rows.append(Row(label, hint, cells))
    note = (
        f"Mean over {round_trips['number']} held-out kicks; in small print the median and the worst tenth. "
        "A correlation of 1 and a convergence of 0 are perfect; the tail is measured where the original is silent."
    )
    return Table(list(MEASURES.values()), rows, note=note)


def defects_table(defects: dict[str, Any]) -> Table:
    """Share of the kicks with each defect, by set."""
    names = {"generated": "Generated", "heldout": "Held-out", "training": "Training", "library": "Library"}
    names = {name: label for name, label in names.items() if name in defects}
    labels = {"any": ("Any of these", ""), **{name: (DEFECT_NAMES[name], text) for name, text in DEFECTS.items()}}
    rows = [
        Row(label, hint, [Cell(percent(defects[column] and defects[column][name])) for column in names])
        for name, (label, hint) in labels.items()
    ]
    return Table(list(names.values()), rows)


def copies_table(copies: list[dict[str, Any]], limit: int = 50) -> Table:
    """Near-copies with the file that each repeats."""
    rows = [
        Row(
            copy["kick"],
            f"repeats {copy['training']}",
            [Cell(number(copy["distance_db"])), Cell(number(copy["correlation"])), Cell(number(copy["convergence"]))],
        )
        for copy in copies[:limit]
    ]
    note = f"And {len(copies) - limit} more." if len(copies) > limit else ""
    return Table(["Distance, dB", "Correlation", "Convergence"], rows, note=note)


def keyword_table(keywords: dict[str, Any]) -> Table:
    """Top-1 and AUC of each keyword: real kicks with it, no prompt, and each guidance."""
    levels = list(next(iter(keywords.values()))["guidance"])
    rows = []
    for word, result in keywords.items():
        cells = [Cell(str(result["real"]))]
        for score in ("top1", "auc"):
            sets = [result["ceiling"], result["base"], *(result["guidance"][level] for level in levels)]
            values = [item[score] for item in sets]
            show = percent if score == "top1" else number
            cells += [Cell(show(value)) for value in values]
        rows.append(Row(word, "", cells))
    columns = ["Real kicks", *2 * ["Real", "No prompt", *(f"Guidance {level}" for level in levels)]]
    note = (
        "Top-1: share of kicks whose nearest real kick has the keyword, among equally many with and without; AUC: how "
        "often a kick lies nearer to a real one with the keyword than to one without. Half is chance, real kicks with "
        "the keyword are what can be expected."
    )
    span = 2 + len(levels)
    return Table(columns, rows, groups=[("", 1), ("Top-1", span), ("AUC", span)], note=note)


def word_table(keywords: dict[str, Any]) -> Table | None:
    """For words with an acoustic meaning: who deserves the word, and whether guidance moves its descriptors."""
    words = {word: result for word, result in keywords.items() if "holds" in result["base"]}
    if not words:
        return None
    levels = list(next(iter(words.values()))["guidance"])
    rows = []
    for word, result in words.items():
        sets = [result["ceiling"], result["base"], *(result["guidance"][level] for level in levels)]
        moves = ", ".join(f"{descriptor_name(name)} {number(value)}" for name, value in result["spearman"].items())
        rows.append(Row(word, "", [*(Cell(percent(item["holds"])) for item in sets), Cell(moves)]))
    columns = ["Real", "No prompt", *(f"Guidance {level}" for level in levels), "Moves the right way"]
    note = (
        "Share of kicks whose descriptors deserve the word. Last column: rank correlation of the guidance with the "
        "descriptor, positive if it moves as the word asks."
    )
    return Table(columns, rows, note=note)


def descriptor_name(name: str) -> str:
    """A descriptor's name for people, without its unit."""
    names = {
        "onset_ms": "Onset",
        "attack_ms": "Attack",
        "decay_20_ms": "Decay to −20 dB",
        "decay_40_ms": "Decay to −40 dB",
        "duration_ms": "Duration to −60 dB",
        "f0_start_hz": "Pitch at the start",
        "f0_end_hz": "Pitch at the end",
        "sweep_ms": "Time of the pitch sweep",
        "sweep_octaves": "Depth of the pitch sweep",
        "centroid_hz": "Spectral centroid",
        "sub_share": "Energy below 100 Hz",
        "high_share": "Energy above 2 kHz",
        "crest_db": "Crest",
    }
    return names.get(name, name)


def _range_cell(value: dict[str, float] | None, share: bool, name: str) -> Cell:
    if value is None:
        return Cell(NOTHING)
    show = percent if share else number
    return Cell(show(value["median"]), f"{show(value['low'])} to {show(value['high'])}", strong=name == "generated")
