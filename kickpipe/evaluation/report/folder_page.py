"""The page of a folder of kicks, generated or bought, beside any library: what is in it, and what it repeats."""

__all__ = ["build"]

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kickpipe.audio.io import AudioError, prepare
from kickpipe.audio.settings import AudioSettings
from kickpipe.common.cpu import num_workers
from kickpipe.common.errors import KickpipeError
from kickpipe.common.progress import progress
from kickpipe.evaluation.analysis import Analyser, KickSet, defect_shares
from kickpipe.evaluation.answers import Reasons, finite
from kickpipe.evaluation.compare import compare_sets
from kickpipe.evaluation.copies import find_near_copies, nearest
from kickpipe.evaluation.measures import number, percent
from kickpipe.evaluation.report.charts import descriptor_charts
from kickpipe.evaluation.report.page import Block, Cell, Charts, Page, Pairs, Row, Section, Table, Text, Tile, render
from kickpipe.evaluation.report.sounds import audible_seconds, show
from kickpipe.evaluation.report.tables import (
    copies_table,
    defects_table,
    descriptor_table,
    distance_tables,
)

EXTENSIONS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
BATCH = 64
DRAWS = 10
# How this page looks at sounds, whatever a model was trained with: the specification's values.
SETTINGS = AudioSettings(
    sample_rate=44100,
    duration=2.0,
    n_fft=2048,
    hop_length=512,
    n_mels=128,
    peak_db=-1.0,
    fade_seconds=0.2,
    mel_floor=1e-5,
)
SHOWN_SETS = ("these", "floor")


def build(
    kicks_dir: str | Path,
    library_dir: str | Path | None,
    out: str | Path,
    *,
    settings: AudioSettings = SETTINGS,
    compare: int = 300,
    shown: int = 48,
    seed: int = 0,
) -> None:
    """Reads and measures all audio files below both folders, and writes the page.

    Arguments:
        kicks_dir: Kicks to look at.
        library_dir: Kicks to hold them against; None for none.
        out: The HTML file.
        settings: How audio is read: every kick is cut or padded to 2 s unless they say otherwise.
        compare: Kicks on each side of a comparison, at most.
        shown: Kicks to show and play, at most, spread evenly over the folder.
        seed: Of the repeated draws.

    Raises:
        KickpipeError: If a folder has no audio files that can be used.
    """
    analyser = Analyser(settings.sample_rate, settings.hop_length, min(num_workers(), 2))
    kicks, unusable = read_folder(Path(kicks_dir), settings, analyser)
    library = read_folder(Path(library_dir), settings, analyser)[0] if library_dir is not None else None
    sections = [
        Section(
            "listen", "Listen", listen_text(kicks, library, shown), [Pairs(pairs(kicks, library, settings, shown))]
        ),
        descriptor_section(kicks, library),
        Section("defects", "Defects", "What is audibly wrong, as shares of the kicks.", [defect_table(kicks, library)]),
    ]
    tiles = [
        Tile("Kicks", f"{len(kicks):,}", f"in {Path(kicks_dir).name}"),
        Tile("Any defect", percent(defect_shares(kicks)["any"]), "of the kicks"),
        *[
            Tile(label, f"{number(float(np.nanmedian(kicks.descriptors[name])))} {unit}", "median")
            for name, label, unit in (("decay_40_ms", "Decay to −40 dB", "ms"), ("f0_end_hz", "Pitch at the end", "Hz"))
            if np.isfinite(kicks.descriptors[name]).any()
        ],
    ]
    if library is not None:
        comparison, copies = compare_with(kicks, library, analyser, compare, seed)
        sections[1:1] = [comparison, copies]
    if unusable:
        rows = [Row(path, reason, [Cell("left out")]) for path, reason in unusable]
        sections.append(Section("left-out", "Left out", "Files that cannot be used.", [Table(["State"], rows)]))
    beside = "" if library is None else f" beside {len(library):,} of {Path(library_dir).name}"
    render(Page(Path(kicks_dir).resolve().name, f"{len(kicks):,} kicks{beside}.", tiles, sections), out)


def read_folder(folder: Path, settings: AudioSettings, analyser: Analyser) -> tuple[KickSet, list[tuple[str, str]]]:
    """All kicks below a folder, measured, and the files that cannot be used with their reasons.

    Raises:
        KickpipeError: If there is none.
    """
    if not folder.is_dir():
        raise KickpipeError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
    if not paths:
        raise KickpipeError(f"{folder}: no audio files below it; expected {', '.join(EXTENSIONS)}")
    unusable: list[tuple[str, str]] = []

    def batches():
        waveforms, names = [], []
        for path in progress(paths, len(paths), folder.name, "files"):
            try:
                waveforms.append(prepare(path, settings))
                names.append(path.relative_to(folder).as_posix())
            except AudioError as error:
                unusable.append((path.relative_to(folder).as_posix(), str(error)))
            if len(waveforms) == BATCH:
                yield np.stack(waveforms), names
                waveforms, names = [], []
        if waveforms:
            yield np.stack(waveforms), names

    kicks = analyser.measure_batches(batches())
    if len(kicks) == 0:
        raise KickpipeError(f"{folder}: none of the {len(paths)} files can be used; the first: {unusable[0][1]}")
    return kicks, unusable


def pairs(kicks: KickSet, library: KickSet | None, settings: AudioSettings, shown: int) -> list:
    """Cards of kicks, each with the nearest of the library."""
    rate = settings.sample_rate
    chosen = np.unique(np.linspace(0, len(kicks) - 1, min(shown, len(kicks))).round().astype(int))
    closest = None if library is None else nearest(kicks.primary[chosen], library.primary)
    cards = []
    for row, i in enumerate(chosen):
        kick = kicks.waveforms[i]
        seconds = audible_seconds(kick, rate)
        if closest is None:
            cards.append(
                (kicks.names[i], [show(kick, settings, seconds, "Kick", f"{seconds:.2f} s shown", "generated")])
            )
            continue
        index, apart = int(closest[0][row, 0]), float(closest[1][row, 0])
        seconds = max(seconds, audible_seconds(library.waveforms[index], rate))
        cards.append(
            (
                kicks.names[i],
                [
                    show(kick, settings, seconds, "Kick", f"{seconds:.2f} s shown", "generated"),
                    show(
                        library.waveforms[index],
                        settings,
                        seconds,
                        f"Nearest, {number(apart)} dB",
                        library.names[index],
                    ),
                ],
            )
        )
    return cards


def listen_text(kicks: KickSet, library: KickSet | None, shown: int) -> str:
    """What is shown."""
    which = "All kicks" if len(kicks) <= shown else f"{shown} kicks, spread evenly over the folder"
    beside = "" if library is None else ", each beside the nearest kick of the library"
    return f"{which}{beside}. Play one, then step through all with the arrow keys."


def descriptor_section(kicks: KickSet, library: KickSet | None) -> Section:
    """Histograms."""
    sets = {"generated": kicks.descriptors, **({} if library is None else {"real": library.descriptors})}
    legend = [("generated", "these kicks"), *([] if library is None else [("real", "library")])]
    return Section("descriptors", "Descriptors", "", [Charts(descriptor_charts(sets), legend)])


def defect_table(kicks: KickSet, library: KickSet | None) -> Table:
    """Shares of the kicks, and of the library's."""
    sets = {"these": kicks, **({} if library is None else {"library": library})}
    return defects_table({name: defect_shares(item) for name, item in sets.items()})


def compare_with(
    kicks: KickSet, library: KickSet, analyser: Analyser, limit: int, seed: int
) -> tuple[Section, Section]:
    """Distances to the library with its floor, and what the kicks repeat of it."""
    reasons = Reasons()
    distances = reasons.ask("distances", compare_sets, {"these": kicks}, library, None, limit, DRAWS, seed)
    blocks: Sequence[Block] = [Text(f"Not compared: {reasons.get('distances')}.")]
    if distances is not None:
        distances = finite(distances, reasons)
        tables = distance_tables(distances, analyser.embeddings, SHOWN_SETS)
        blocks = [*tables, descriptor_table(distances, SHOWN_SETS)]
    comparison = Section(
        "distances",
        "Against the library",
        "At equal numbers. Halves of the library against each other show what chance alone does.",
        blocks,
    )
    found = find_near_copies(
        kicks.waveforms, kicks.primary, library.primary, library.waveforms.__getitem__, analyser.sample_rate
    )
    copies = [
        {**copy._asdict(), "kick": kicks.names[copy.kick], "training": library.names[copy.training]} for copy in found
    ]
    text = f"{percent(len(copies) / len(kicks))} of the kicks repeat one of the library, confirmed on the waveform."
    listed: list[Block] = [copies_table(copies)] if copies else []
    return comparison, Section("copies", "Repeated", text, listed)
