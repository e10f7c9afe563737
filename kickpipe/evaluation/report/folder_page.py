"""The page of a folder of kicks, generated or bought, beside any library: what is in it, and what it repeats."""

__all__ = ["build"]

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from kickpipe.audio.finish import note_name
from kickpipe.common.cpu import num_workers
from kickpipe.evaluation.analysis import Analyser, KickSet, defect_shares
from kickpipe.evaluation.answers import Reasons, finite
from kickpipe.evaluation.compare import compare_sets
from kickpipe.evaluation.copies import find_near_copies, nearest
from kickpipe.evaluation.measures import NOTHING, decibels, number, percent, quantity
from kickpipe.evaluation.report.axes import TimeAxis
from kickpipe.evaluation.report.cards import (
    ORDERS,
    card_id,
    card_values,
    choose_shown,
    defect_labels,
    defect_links,
    facts,
    filters,
)
from kickpipe.evaluation.report.charts import descriptor_charts
from kickpipe.evaluation.report.commands import variation_commands
from kickpipe.evaluation.report.folder import SETTINGS, Folder, read_file_facts, read_folder
from kickpipe.evaluation.report.page import (
    Block,
    Card,
    Cards,
    Cell,
    Charts,
    Nearest,
    Page,
    Row,
    Section,
    Table,
    Text,
    Tile,
    render,
)
from kickpipe.evaluation.report.sounds import SoundBank, audible_seconds
from kickpipe.evaluation.report.tables import copies_table, defects_table, descriptor_table, distance_tables

DRAWS = 10
SEED = 0
COMPARED = ("these", "floor")
NO_LIBRARY = "No library to compare with: name one with -\u2060-\u2060library."


@dataclass(frozen=True)
class Beside:
    """A library beside the kicks.

    Arguments:
        folder: The library.
        nearest: For each kick the index of the nearest kick of the library, and its distance.
        copies: For each kick that repeats one of the library, that one's index and the evidence.
        distances: As ``compare_sets`` gives them; None if the kicks could not be compared.
        reasons: Why not.
    """

    folder: Folder
    nearest: tuple[np.ndarray, np.ndarray]
    copies: list[dict[str, Any]]
    distances: dict[str, Any] | None
    reasons: Reasons


def build(
    kicks_dir: str | Path, library_dir: str | Path | None, out: str | Path, *, compare: int = 300, shown: int = 60
) -> None:
    """Reads and measures all audio files below both folders, and writes the page.

    Arguments:
        kicks_dir: Kicks to look at.
        library_dir: Kicks to hold them against; None for none.
        out: The HTML file.
        compare: Kicks on each side of a comparison, at most.
        shown: Kicks to show and play, at most, spread evenly over the folder; up to as many more that have a defect or
            repeat a kick of the library.

    Raises:
        KickpipeError: If a folder has no audio files that can be used.
    """
    analyser = Analyser(SETTINGS.sample_rate, SETTINGS.hop_length, min(num_workers(), 2))
    folder = read_folder(Path(kicks_dir), analyser)
    beside = None if library_dir is None else hold_against(folder, Path(library_dir), analyser, compare)
    kicks = folder.kicks
    flagged = [i for i, defects in enumerate(kicks.defects) if any(defects.values())]
    flagged += [] if beside is None else [copy["index"] for copy in beside.copies]
    rows = choose_shown(len(kicks), shown, flagged)
    bank = SoundBank(SETTINGS.sample_rate, time_axis(kicks, rows, beside))
    cards = [make_card(folder, row, beside, bank, Path(out)) for row in rows]

    sections = [
        Section("listen", "Listen", listen_text(kicks, rows, beside), [Cards(cards, orders(beside), filters(cards))]),
        defect_section(kicks, rows, beside),
        *([] if beside is None else [comparison_section(beside, analyser), copies_section(kicks, rows, beside)]),
        descriptor_section(kicks, beside),
    ]
    if folder.unusable:
        left_out = [Row(name, reason, [Cell("left out")]) for name, reason in folder.unusable]
        sections.append(Section("left-out", "Left out", "Files that cannot be used.", [Table(["State"], left_out)]))
    name = Path(kicks_dir).resolve().name
    subtitle = f"{count(len(kicks), 'kick')}" + (
        "" if beside is None else f" beside {len(beside.folder.kicks):,} of {beside.folder.path.resolve().name}"
    )
    render(Page(name, f"{subtitle}.", bank, tiles(folder, beside), sections), out)


def count(number_of: int, noun: str) -> str:
    """For example "1 kick", "1,200 kicks"."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def hold_against(folder: Folder, library_dir: Path, analyser: Analyser, limit: int) -> Beside:
    """Measures the library and holds the kicks against it."""
    library = read_folder(library_dir, analyser)
    kicks, real = folder.kicks, library.kicks
    reasons = Reasons()
    distances = reasons.ask("distances", compare_sets, {"these": kicks}, real, None, limit, DRAWS, SEED)
    found = find_near_copies(
        kicks.waveforms, kicks.primary, real.primary, real.waveforms.__getitem__, analyser.sample_rate
    )
    copies = [
        {**copy._asdict(), "index": copy.kick, "kick": kicks.names[copy.kick], "training": real.names[copy.training]}
        for copy in found
    ]
    return Beside(library, nearest(kicks.primary, real.primary), copies, finite(distances, reasons), reasons)


def orders(beside: Beside | None) -> dict[str, str]:
    """What the kicks can be sorted by: without a library there is no distance to it."""
    labels = {**ORDERS, "own": "Name"}
    return labels if beside is not None else {key: label for key, label in labels.items() if key != "distance"}


def time_axis(kicks: KickSet, rows: Sequence[int], beside: Beside | None) -> TimeAxis:
    """The axis that all cards share."""
    shown = [kicks.waveforms[row] for row in rows]
    if beside is not None:
        shown += [beside.folder.kicks.waveforms[beside.nearest[0][row, 0]] for row in rows]
    return TimeAxis.over([audible_seconds(waveform, SETTINGS.sample_rate) for waveform in shown])


def make_card(folder: Folder, row: int, beside: Beside | None, bank: SoundBank, out: Path) -> Card:
    """The card of one kick of the folder."""
    kicks, name = folder.kicks, folder.kicks.names[row]
    path = folder.path / name
    about = read_file_facts(path)
    descriptors = {key: float(values[row]) for key, values in kicks.descriptors.items()}
    prompt = None if about.recipe is None else about.recipe.prompt
    title = Path(name).stem if prompt is None else prompt or "No prompt"
    defects = defect_labels(kicks.defects[row])
    neighbour, distance, copy_of = None, None, ""
    if beside is not None:
        index, distance = int(beside.nearest[0][row, 0]), float(beside.nearest[1][row, 0])
        real = beside.folder.kicks
        sound = bank.add(real.waveforms[index], f"Nearest to {title}: {real.names[index]}", small=True)
        neighbour = Nearest(Path(real.names[index]).name, real.names[index], decibels(distance), sound)
        copy_of = next((Path(copy["training"]).name for copy in beside.copies if copy["index"] == row), "")
    return Card(
        id=card_id(row),
        title=title,
        subtitle=name,
        path=str(path),
        sound=bank.add(kicks.waveforms[row], title, "generated"),
        facts=facts(descriptors, about.seconds, about.root_hz),
        values=card_values(row, descriptors, about.seconds, len(defects), distance),
        prompt=None if prompt is None else prompt or "No prompt",
        defects=defects,
        copy_of=copy_of,
        nearest=neighbour,
        href=link_to(path, out),
        commands=variation_commands(path, about.recipe),
    )


def link_to(path: Path, out: Path) -> str:
    """An address of a file as seen from the page."""
    try:
        return quote(Path(os.path.relpath(path, out.parent)).as_posix())
    except ValueError:  # another drive
        return path.resolve().as_uri()


def tiles(folder: Folder, beside: Beside | None) -> list[Tile]:
    """The folder in six numbers."""
    kicks = folder.kicks
    total = len(kicks) + len(kicks.silent)
    found = sum(any(defects.values()) for defects in kicks.all_defects())
    unusable = f"{count(len(folder.unusable), 'file')} could not be used" if folder.unusable else ""
    return [
        Tile("Kicks", number(total), "Audio files below the folder.", unusable, "#left-out" if unusable else ""),
        Tile(
            "Any defect", percent(found / total), "Share of the kicks with something audibly wrong.",
            f"{found} of {count(total, 'kick')}", "#defects",
        ),
        *library_tiles(kicks, beside),
        range_tile(kicks, "f0_end_hz", "Pitch", "Hz", note=True),
        range_tile(kicks, "decay_40_ms", "Decay", "ms"),
    ]  # fmt: skip


def library_tiles(kicks: KickSet, beside: Beside | None) -> list[Tile]:
    """How near the kicks are to the library, and how many repeat it."""
    if beside is None:
        return [Tile("Distance to a library", NOTHING, NO_LIBRARY), Tile("Repeats", NOTHING, NO_LIBRARY)]
    repeats = Tile(
        "Repeats", percent(len(beside.copies) / len(kicks)), "Share of the kicks that are one of the library again.",
        f"{len(beside.copies)} of {count(len(kicks), 'kick')}", "#copies",
    )  # fmt: skip
    if beside.distances is None:
        return [Tile("Distance to the library", NOTHING, f"Not compared: {beside.reasons['distances']}."), repeats]
    kernel = next(iter(beside.distances["embeddings"].values()))["kernel"]
    value, floor = (number(kernel[name]["median"]) for name in COMPARED)
    meaning = "Kernel distance; 0 for kicks of the same kind."
    return [Tile("Distance to the library", value, meaning, f"the library to itself: {floor}", "#distances"), repeats]


def range_tile(kicks: KickSet, name: str, label: str, unit: str, note: bool = False) -> Tile:
    """The median of a descriptor, with the range of the middle 80%."""
    values = kicks.descriptors[name][np.isfinite(kicks.descriptors[name])]
    if len(values) == 0:
        return Tile(label, NOTHING, "No kick has one that can be measured.")
    low, median, high = (float(value) for value in np.percentile(values, [10, 50, 90]))
    middle = f"8 of 10 kicks: {number(low)} to {quantity(high, unit)}"
    value = f"{note_name(median)}" if note else quantity(median, unit)
    meaning = f"Median of the pitch at the end, {quantity(median, unit)}." if note else "Median time to −40 dB."
    return Tile(label, value, meaning, middle, "#descriptors")


def listen_text(kicks: KickSet, rows: Sequence[int], beside: Beside | None) -> str:
    """What is shown."""
    which = "All kicks" if len(rows) == len(kicks) else f"{len(rows)} of {count(len(kicks), 'kick')}"
    spread = "" if len(rows) == len(kicks) else ", spread evenly over the folder, with those that have a defect"
    near = "" if beside is None else ", each above the nearest kick of the library"
    return f"{which}{spread}{near}. All pictures share one time axis, and levels are made equal."


def defect_section(kicks: KickSet, rows: Sequence[int], beside: Beside | None) -> Section:
    """Shares of the kicks with each defect, beside the library's, and the kicks that have it."""
    sets: Mapping[str, KickSet] = {"these": kicks} | ({} if beside is None else {"library": beside.folder.kicks})
    shares = {name: defect_shares(item) for name, item in sets.items()}
    names = {row: Path(kicks.names[row]).name for row in range(len(kicks))}
    table = defects_table(shares, defect_links(kicks, rows, names))
    return Section("defects", "Defects", "What is audibly wrong, and with which kicks.", [table])


def comparison_section(beside: Beside, analyser: Analyser) -> Section:
    """Distances to the library with its floor."""
    blocks: list[Block] = [Text(f"Not compared: {beside.reasons.get('distances', '')}.")]
    if beside.distances is not None:
        tables = distance_tables(beside.distances, analyser.embeddings, COMPARED)
        blocks = [*tables, descriptor_table(beside.distances, COMPARED)]
    text = "At equal numbers. Halves of the library against each other show what chance alone does."
    return Section("distances", "Against the library", text, blocks)


def copies_section(kicks: KickSet, rows: Sequence[int], beside: Beside) -> Section:
    """What the kicks repeat of the library."""
    share = percent(len(beside.copies) / len(kicks))
    cards = {kicks.names[row]: f"#{card_id(row)}" for row in rows}
    text = f"{share} of the kicks repeat one of the library, confirmed on the waveform."
    return Section("copies", "Repeats", text, [copies_table(beside.copies, cards)] if beside.copies else [])


def descriptor_section(kicks: KickSet, beside: Beside | None) -> Section:
    """Histograms."""
    sets = {"generated": kicks.descriptors} | ({} if beside is None else {"real": beside.folder.kicks.descriptors})
    legend = [("generated", "these kicks"), *([] if beside is None else [("real", "library")])]
    text = "How the kicks spread; marks are medians."
    return Section("descriptors", "Descriptors", text, [Charts(descriptor_charts(sets), legend)])
