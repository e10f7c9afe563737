"""Assembles the folder that the released checkpoints are trained on: real, augmented and synthesised kicks.

    python -m scripts.release.library SOURCE OUT --synth 4000 --augment 10 --seed 0

SOURCE is a folder of real samples with a table beside it (SOURCE.csv unless --csv says another) that names for each file
`path`, `is_kick`, `release_training` and `licence`. OUT is written new:

    real/<source>/808 Deep Kick 0001.wav              every real kick that may be trained on
    augmented/<source>/808 Deep Kick 0001 03.wav      copies of those that are not held out (kickpipe.synth.augment)
    synth/...                                         kicks of the built-in synthesiser, without strangers among them
    provenance.csv                                    file, kind, source, original path, licence, held out or not
    left_out.csv                                      what was left out and why

Held-out sources stay under real/, for `split.holdout` of params.yaml (the patterns are printed). A kick of another
source that is nearly the same recording as a held-out one is left out: its copy would make the validation flattering.
Names say what the old names said (release_names.py) and what was measured (kickpipe.synth.words).
"""

__all__ = ["HELD_OUT", "RealKick", "main", "read_kicks", "write_release"]

import argparse
import csv
import shutil
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kickpipe.audio.descriptors import describe
from kickpipe.audio.io import AudioError, decode, fit, normalise, resample, to_mono
from kickpipe.synth import write_library
from kickpipe.synth.augment import augment
from kickpipe.synth.words import acoustic_words
from scripts.release.duplicates import fingerprints, near_duplicates
from scripts.release.names import name_words

SAMPLE_RATE = 44100
MAX_SECONDS = 2.0  # what a network ever sees
MIN_SECONDS = 0.1  # 8.8 KB as 16-bit mono, above the 5 KB of the size filter
PEAK_DB = -1.0

# As many synthesised kicks as real ones with their copies. Kernel distance to 205 kicks of sources that training never met:
# 1.09 for real kicks alone, 1.09 with a half of synthesised ones, 1.37 with 70%, 1.91 for synthesised ones alone.
AUGMENT, SYNTH = 10, 4000

# Whole sources held out for validation, 80 of 453 kicks, chosen so that every kind of kick is heard by people and devices
# that training never met. Not held out: MuldjordKit (51 hits of two drums: one kick in 51 takes would drown the rest), the
# TR-808 sets (the same knob positions stand in two sources, so that holding out one would cost both), the Klone synthesiser
# (a quarter of all real kicks), the Freesound collections (they share recordings with each other).
HELD_OUT = (
    "deb_fluid-soundfont-gm",  # 19: acoustic kits, orchestral bass drum, and a General MIDI set's 808
    "GoogleChromeLabs__web-audio-samples",  # 15: sampled drum machines (LINN, R8, CR-78, KPR-77), breakbeats, one acoustic kit
    "deb_sonic-pi-samples",  # 16: electronic, produced: house, techno, club
    "oramics__sampled",  # 7: drum machines and an acoustic kit by other hands
    "psemiletov__drum_sklad/Formanta Polivoks",  # 23: an analog synthesiser, one recording chain
)
SAME_RECORDING = "nearly the same recording as a held-out kick"
NEAR_DUPLICATE = 0.985  # correlation; unrelated kicks of one source rarely pass 0.9, another file format keeps 0.998


@dataclass
class RealKick:
    """One real kick, decoded.

    Arguments:
        path: Its path below SOURCE.
        source: First folder of the path, or a held-out prefix of it.
        licence: As the table says.
        held_out: Whether its source is held out.
        waveform: Mono, 44.1 kHz, at most 2 s, peak -1 dBFS.
    """

    path: str
    source: str
    licence: str
    held_out: bool
    waveform: np.ndarray


def load(path: Path) -> np.ndarray:
    """Mono waveform at 44.1 kHz without silence at its end, 0.1 to 2 s, peak -1 dBFS.

    Raises:
        AudioError: If the file cannot be used.
    """
    samples, rate = decode(path, max_seconds=MAX_SECONDS + 0.1)
    waveform = resample(to_mono(samples), rate, SAMPLE_RATE)[: int(MAX_SECONDS * SAMPLE_RATE)]
    return trimmed(normalise(waveform, PEAK_DB))


def trimmed(waveform: np.ndarray) -> np.ndarray:
    sound = np.flatnonzero(np.abs(waveform) > 1e-4)
    return fit(waveform, max(int(sound[-1]) + 1 if len(sound) else 0, int(MIN_SECONDS * SAMPLE_RATE)))


def read_kicks(source: Path, table: Path, holdout: Sequence[str]) -> tuple[list[RealKick], list[tuple[str, str]]]:
    """Kicks of the table that may be trained on, and those left out, each with its reason."""
    kicks, left_out = [], []
    with table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["is_kick"] == "1"]
    for row in rows:
        path = row["path"]
        if row["release_training"] != "1":
            left_out.append((path, f"not cleared for training: {row['licence']}"))
            continue
        try:
            waveform = load(source / path)
        except AudioError as error:
            left_out.append((path, str(error)))
            continue
        prefix = next((prefix for prefix in holdout if path.startswith(f"{prefix}/")), None)
        kicks.append(RealKick(path, prefix or path.split("/")[0], row["licence"], prefix is not None, waveform))
    return kicks, left_out


def without_copies(kicks: list[RealKick]) -> tuple[list[RealKick], list[tuple[str, str]]]:
    """Leaves out of training what is nearly the same recording as a held-out kick."""
    held_out = [kick for kick in kicks if kick.held_out]
    training = [kick for kick in kicks if not kick.held_out]
    if not held_out or not training:
        return kicks, []
    nearest = near_duplicates(
        fingerprints(kick.waveform for kick in training), fingerprints(kick.waveform for kick in held_out)
    )
    kept, left_out = list(held_out), []
    for kick, (index, correlation) in zip(training, nearest, strict=True):
        if correlation >= NEAR_DUPLICATE:
            left_out.append((kick.path, f"{SAME_RECORDING}: correlates {correlation:.3f} with {held_out[index].path}"))
        else:
            kept.append(kick)
    return kept, left_out


def words_of(path: str, waveform: np.ndarray) -> str:
    """Words of a name, "808 Deep Clicky": what the old name said, then what was measured."""
    measured = acoustic_words(describe(waveform, SAMPLE_RATE))
    return " ".join(word.capitalize() for word in [*name_words(path), *measured])


def write_wav(path: Path, waveform: np.ndarray) -> None:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, SAMPLE_RATE, subtype="PCM_16", format="WAV")


def write_release(
    kicks: list[RealKick], out: Path, *, num_augmented: int, num_synth: int, seed: int, num_workers: int = 1
) -> list[dict[str, str]]:
    """Writes all WAV files below out; returns the rows of provenance.csv."""
    rows = []
    for number, kick in enumerate(sorted(kicks, key=lambda kick: kick.path), start=1):
        folder = kick.source.replace("/", "__")
        takes = [("real", kick.waveform, "")]
        # Copies depend on the path, not on the number: another selection of sources leaves them as they are.
        kick_seed = zlib.crc32(kick.path.encode()) + seed
        copies = 0 if kick.held_out else num_augmented
        takes += [
            ("augmented", trimmed(augment(kick.waveform, SAMPLE_RATE, kick_seed, index)[: len_max()]), f" {index:02d}")
            for index in range(copies)
        ]
        for kind, waveform, suffix in takes:
            words = words_of(kick.path, waveform)
            name = f"{kind}/{folder}/{words} Kick {number:04d}{suffix}.wav".replace("/ ", "/")
            write_wav(out / name, waveform)
            rows.append(
                {
                    "file": name,
                    "kind": kind,
                    "source": kick.source,
                    "original": kick.path,
                    "licence": kick.licence,
                    "held_out": str(int(kick.held_out)),
                }
            )
    if num_synth:
        write_library(out / "synth", num_synth, seed, SAMPLE_RATE, strangers=False, num_workers=num_workers)
        for path in sorted((out / "synth").rglob("*.wav")):
            rows.append(
                {
                    "file": path.relative_to(out).as_posix(),
                    "kind": "synth",
                    "source": "kickpipe synth",
                    "original": "",
                    "licence": "MIT (made by this project's synthesiser)",
                    "held_out": "0",
                }
            )
    return rows


def len_max() -> int:
    return int(MAX_SECONDS * SAMPLE_RATE)


def write_csv(path: Path, fields: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows(rows)


def summary(rows: list[dict[str, str]], left_out: list[tuple[str, str]]) -> str:
    """Sources with their counts and licences as a Markdown table, then what was left out."""
    lines = ["| source | real | augmented | synthesised | held out | licence |", "|---|--:|--:|--:|---|---|"]
    for source in sorted({row["source"] for row in rows}):
        here = [row for row in rows if row["source"] == source]
        kinds = Counter(row["kind"] for row in here)
        licences = ", ".join(sorted({row["licence"] for row in here}))
        held_out = "yes" if here[0]["held_out"] == "1" else ""
        counts = " | ".join(str(kinds[kind]) for kind in ("real", "augmented", "synth"))
        lines.append(f"| {source} | {counts} | {held_out} | {licences} |")
    kinds = Counter(row["kind"] for row in rows)
    num_held_out = sum(row["held_out"] == "1" for row in rows)
    lines.append(f"| all | {kinds['real']} | {kinds['augmented']} | {kinds['synth']} | {num_held_out} | |")
    reasons = Counter(SAME_RECORDING if reason.startswith(SAME_RECORDING) else reason for _, reason in left_out)
    lines += ["", "left out:", *(f"  {count:4d}  {reason}" for reason, count in reasons.most_common())]
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of real samples")
    parser.add_argument("out", type=Path, help="folder to write; an earlier one is replaced only with --force")
    parser.add_argument("--csv", type=Path, help="table of the samples (default: SOURCE.csv)")
    parser.add_argument("--synth", type=int, default=SYNTH, help="number of synthesised kicks")
    parser.add_argument("--augment", type=int, default=AUGMENT, help="copies of each real kick that is not held out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--holdout", nargs="*", default=list(HELD_OUT), help="sources (path prefixes) held out whole")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--force", action="store_true", help="replace OUT")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    table = options.csv or options.source.with_name(options.source.name + ".csv")
    for needed, what in (
        (options.source, "folder of real samples"),
        (table, "table of the samples; name it with --csv"),
    ):
        if not needed.exists():
            print(f"{needed}: no such {what}", file=sys.stderr)
            return 1
    if options.out.exists():
        if not options.force:
            print(f"{options.out}: exists; remove it, or replace it with --force", file=sys.stderr)
            return 1
        shutil.rmtree(options.out)
    kicks, left_out = read_kicks(options.source, table, options.holdout)
    kicks, copies = without_copies(kicks)
    left_out += copies
    partial = options.out.with_name(options.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    rows = write_release(
        kicks,
        partial,
        num_augmented=options.augment,
        num_synth=options.synth,
        seed=options.seed,
        num_workers=options.workers,
    )
    write_csv(partial / "provenance.csv", list(rows[0]) if rows else ["file"], (list(row.values()) for row in rows))
    write_csv(partial / "left_out.csv", ["original", "reason"], left_out)
    partial.replace(options.out)
    print(summary(rows, left_out))
    patterns = [f"real/{source.replace('/', '__')}/*" for source in options.holdout]
    print(f"\nparams.yaml, split.holdout: {patterns}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
