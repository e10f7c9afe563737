"""The numbers of an evaluation as tables: what each measure is, its value, and what to hold it against."""

__all__ = [
    "copies_table",
    "defects_table",
    "descriptor_table",
    "distance_tables",
    "keyword_table",
    "round_trip_table",
    "word_table",
]

from collections.abc import Mapping, Sequence
from typing import Any

from kickpipe.audio.defects import DEFECTS
from kickpipe.evaluation.measures import (
    DESCRIPTOR_MEASURES,
    DISTANCES,
    KEYWORD_SCORES,
    NOTHING,
    ROUND_TRIPS,
    SETS,
    TRIPS,
    Measure,
    decibels,
    defect_label,
    number,
    percent,
)
from kickpipe.evaluation.registry import Embedding
from kickpipe.evaluation.report.page import Cell, Link, Row, Table

EVALUATED = ("generated", "training", "synthesiser", "floor")


def distance_tables(
    distances: dict[str, Any], embeddings: Sequence[Embedding], sets: Sequence[str] = EVALUATED
) -> list[Table]:
    """Measures by set, with the range over the draws: a table for each embedding."""
    tables = []
    for embedding in embeddings:
        values = distances["embeddings"][embedding.name]
        rows = [
            Row(measure.with_unit(), measure.hint, [range_cell(values[name].get(key), measure, key) for key in sets])
            for name, measure in DISTANCES.items()
        ]
        note = (
            f"Embedding: {embedding.hint}. {distances['number']} kicks on each side; median and range over "
            f"{distances['draws']} draws."
        )
        tables.append(Table([SETS[key] for key in sets], rows, note=note, title=f"By {embedding.label.lower()}"))
    return tables


def descriptor_table(distances: dict[str, Any], sets: Sequence[str] = EVALUATED) -> Table:
    """Wasserstein-1 distance of each descriptor by set."""
    rows = [
        Row(
            measure.with_unit(), "", [range_cell(distances["descriptors"][name].get(key), measure, key) for key in sets]
        )
        for name, measure in DESCRIPTOR_MEASURES.items()
        if name in distances["descriptors"]
    ]
    note = "How far the values must be moved, in the mean, to become those of the real kicks; lower is better."
    return Table([SETS[key] for key in sets], rows, note=note, title="By descriptor")


def round_trip_table(round_trips: dict[str, Any]) -> Table:
    """Measures by trip: the mean, with median and tenth or ninetieth percentile in small print."""
    trips = {name: about for name, about in TRIPS.items() if name in round_trips}
    measures = {
        name: measure for name, measure in ROUND_TRIPS.items() if all(name in round_trips[trip] for trip in trips)
    }
    rows = []
    for trip, about in trips.items():
        cells = []
        for name, measure in measures.items():
            values = round_trips[trip][name]
            worst = values["p10" if measure.better == "higher" else "p90"]
            detail = "" if values["mean"] is None else f"{measure.format(values['median'])} · {measure.format(worst)}"
            cells.append(Cell(measure.format(values["mean"]), detail))
        rows.append(Row(about.label, about.hint, cells))
    note = (
        f"Mean over {round_trips['number']} held-out kicks; in small print the median and the worst tenth. "
        "A correlation of 1 and a convergence of 0 are perfect; the tail is measured where the original is silent."
    )
    return Table([measure.with_unit() for measure in measures.values()], rows, note=note)


def defects_table(
    defects: Mapping[str, Mapping[str, float] | None], links: Mapping[str, tuple[Sequence[Link], str]]
) -> Table:
    """Share of the kicks with each defect, by set, with links to the kicks that have it."""
    sets = [name for name in SETS if name in defects]
    rows = []
    for name in ("any", *DEFECTS):
        cells = [Cell(percent((defects[key] or {}).get(name))) for key in sets]
        # The first row is the sum of the others: which kicks those are is said there.
        shown, more = links[name] if name != "any" else ((), "")
        rows.append(Row(defect_label(name), DEFECTS.get(name, "").replace(" -", " −"), cells, shown, more))
    return Table([SETS[key] for key in sets], rows)


def copies_table(copies: Sequence[Mapping[str, Any]], cards: Mapping[str, str], limit: int = 50) -> Table:
    """Near-copies with the file that each repeats, and where to hear them; ``cards`` are addresses by name."""
    rows = [
        Row(
            copy["kick"],
            f"repeats {copy['training']}",
            [Cell(decibels(copy["distance_db"])), Cell(number(copy["correlation"])), Cell(number(copy["convergence"]))],
            [Link("Hear it", cards[copy["kick"]])] if copy["kick"] in cards else (),
        )
        for copy in copies[:limit]
    ]
    note = f"And {len(copies) - limit} more." if len(copies) > limit else ""
    return Table(["Distance", "Correlation", "Convergence"], rows, note=note)


def keyword_table(keywords: dict[str, Any]) -> Table:
    """Top-1 and AUC of each keyword: real kicks with it, no prompt, and each guidance."""
    levels = list(next(iter(keywords.values()))["guidance"])
    rows = []
    for word, result in keywords.items():
        cells = [Cell(str(result["real"]))]
        for score in ("top1", "auc"):
            sets = [result["ceiling"], result["base"], *(result["guidance"][level] for level in levels)]
            values = [item[score] for item in sets]
            cells += [Cell(KEYWORD_SCORES[score].format(value)) for value in values]
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
        moves = ", ".join(
            f"{DESCRIPTOR_MEASURES[name].label} {number(value)}" for name, value in result["spearman"].items()
        )
        rows.append(Row(word, "", [*(Cell(percent(item["holds"])) for item in sets), Cell(moves)]))
    columns = ["Real", "No prompt", *(f"Guidance {level}" for level in levels), "Moves the right way"]
    note = (
        "Share of kicks whose descriptors deserve the word. Last column: rank correlation of the guidance with the "
        "descriptor, positive if it moves as the word asks."
    )
    return Table(columns, rows, note=note)


def range_cell(value: dict[str, float] | None, measure: Measure, key: str) -> Cell:
    """The median of the draws, with their range in small print."""
    if value is None:
        return Cell(NOTHING)
    median, low, high = (measure.format(value[part]) for part in ("median", "low", "high"))
    return Cell(median, f"{low} to {high}", strong=key in ("generated", "these"))
