"""Renders what the released models were trained on into DATA_CARD.md: sources, counts, licences, whom to credit.

    python -m scripts.release.data_card data/source/provenance.csv --library SOURCE.csv

The first table is written by scripts/release/library.py, the second is the one it read. Every source needs an entry
below, and every licence that asks for attribution a credit: the script refuses a library for which one is missing.
"""

__all__ = ["CREDITS", "ORIGINS", "main", "render"]

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.release.card_sections import CardError, fill, table

ROOT = Path(__file__).resolve().parents[2]
SYNTHESISER = "kickpipe synth"

# Source: where it is from, what it is
ORIGINS = {
    "AuditeMarlow__samples": ("https://github.com/AuditeMarlow/samples", "one electronic kick"),
    "EwonRael__BillieDrum": ("https://github.com/EwonRael/BillieDrum", "a pop drum kit"),
    "GoogleChromeLabs__web-audio-samples": (
        "https://github.com/GoogleChromeLabs/web-audio-samples", "drum machines, breakbeats, an acoustic kit"
    ),
    "deb_exadrums": ("Debian package exadrums", "one acoustic kick"),
    "deb_fluid-soundfont-gm": ("Debian package fluid-soundfont-gm", "the kits of a General MIDI sound font"),
    "deb_sonic-pi-samples": ("Debian package sonic-pi-samples", "electronic kicks: house, techno, club"),
    "emilykl__cadence": ("https://github.com/emilykl/cadence", "two kicks of a browser drum machine"),
    "freepats__synthesizer-percussion": ("https://github.com/freepats/synthesizer-percussion", "synthesised percussion"),
    "ialexmp__Drum-Sound-Classifier": (
        "https://github.com/ialexmp/Drum-Sound-Classifier", "Freesound recordings, those with a known free licence"
    ),
    "kathmo__js30": ("https://github.com/kathmo/js30", "three Freesound kicks"),
    "mot4i__garden": ("https://github.com/mot4i/garden", "kicks re-amped through analog gear"),
    "oramics__sampled": ("https://github.com/oramics/sampled", "drum machines and an acoustic kit"),
    "psemiletov__drum_sklad": (
        "https://github.com/psemiletov/drum_sklad", "drum machines, samplers, an analog drum synthesiser"
    ),
    "psemiletov__drum_sklad/Formanta Polivoks": (
        "https://github.com/psemiletov/drum_sklad", "an analog synthesiser, one recording chain"
    ),
    "samuelsantanaoficial__ModernKit": ("https://github.com/samuelsantanaoficial/ModernKit", "one kick of a drum kit"),
    "sfzinstruments__DrumGizmo.MuldjordKit": (
        "https://github.com/sfzinstruments/DrumGizmo.MuldjordKit", "51 hits of the two kick drums of a metal kit"
    ),
    "smpldsnds__drum-machines": ("https://github.com/smpldsnds/drum-machines", "drum machines, half of it a TR-808"),
    "stargateaudio__stargate-sample-pack": (
        "https://github.com/stargateaudio/stargate-sample-pack", "an electronic sample pack"
    ),
    "tidalcycles__sounds-tr808-fischer": (
        "https://github.com/tidalcycles/sounds-tr808-fischer", "a TR-808, 25 knob positions"
    ),
    "tidalcycles__uzu-drumkit": ("https://github.com/tidalcycles/uzu-drumkit", "an electronic drum kit"),
    "tmhglnd__mercury": ("https://github.com/tmhglnd/mercury", "Freesound kicks, some of them distorted"),
    "vitling__acid-banger": ("https://github.com/vitling/acid-banger", "a TR-909 kick"),
}  # fmt: skip

DWSD = "DWSD (147994, 147995, 147997, 191610, 191617)"

# Source and licence that ask for it: the credit
CREDITS = {
    ("GoogleChromeLabs__web-audio-samples", "Apache-2.0"): "The Chromium authors, web-audio-samples, Apache-2.0",
    ("deb_exadrums", "BSD-3-Clause"): "The eXaDrums authors, BSD-3-Clause",
    ("deb_fluid-soundfont-gm", "MIT"): "Frank Wen, Fluid (R3) SoundFont, MIT",
    ("AuditeMarlow__samples", "MIT"): "Audite Marlow, samples, MIT",
    ("samuelsantanaoficial__ModernKit", "MIT"): "samuelsantanaoficial, ModernKit, MIT",
    ("ialexmp__Drum-Sound-Classifier", "CC-BY"): f"{DWSD}, on Freesound",
    ("mot4i__garden", "LicenseRef-attribution"): "mot4i, Garden sample pack, CC-BY-4.0",
    ("oramics__sampled", "CC-BY"): "enoe, Pearl Master Studio Pack 1 (Freesound), CC-BY-3.0",
    ("psemiletov__drum_sklad", "CC-BY"): "copyc4t, El Nacho Drumkit (Freesound 396102), CC-BY-4.0",
    ("sfzinstruments__DrumGizmo.MuldjordKit", "CC-BY"):
        "Lars Muldjord, MuldjordKit, CC-BY-4.0: drum samples provided by DrumGizmo.org",
    ("tmhglnd__mercury", "CC-BY"):
        f"{DWSD}; NoiseCollector (3723, 3724, 3725, 3726); ZeSoundResearchInc. (117491, 117493); all on "
        "Freesound, in the samples of Mercury",
    ("vitling__acid-banger", "CC-BY"): "Vitling, The Endless Acid Banger, CC-BY-4.0",
}  # fmt: skip
# Credits that were asked for without a licence, where the source is used
WISHES = {"psemiletov__drum_sklad": "Edward d-tech, samples of the Lel' DR-8"}
ASKING = ("CC-BY", "MIT", "Apache", "BSD", "LicenseRef-attribution")  # licences that ask to be named


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("provenance", type=Path, help="table that scripts/release/library.py wrote")
    parser.add_argument("--library", type=Path, required=True, help="table of the real samples that the script read")
    parser.add_argument("--card", type=Path, default=ROOT / "DATA_CARD.md", help="file to fill")
    options = parser.parse_args(arguments)
    try:
        with options.provenance.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with options.provenance.with_name("left_out.csv").open(newline="", encoding="utf-8") as file:
            left_out = [row["reason"] for row in csv.DictReader(file)]
        with options.library.open(newline="", encoding="utf-8") as file:
            evidence = {row["path"]: row for row in csv.DictReader(file)}
        fill(options.card, render(rows, left_out, evidence))
    except (CardError, OSError, KeyError) as error:
        print(f"{options.provenance}: {error}", file=sys.stderr)
        return 1
    return 0


def render(
    rows: list[dict[str, str]], left_out: Sequence[str], evidence: Mapping[str, dict[str, str]]
) -> dict[str, str]:
    """The sections of the card.

    Arguments:
        rows: Of provenance.csv.
        left_out: Reasons of the files that were left out, one a file.
        evidence: By path of a real kick, its `licence_class` ("clear" or "claimed") and `licence_evidence`.

    Raises:
        CardError: If a source is unknown or a credit is missing.
    """
    kinds = Counter(row["kind"] for row in rows)
    real = [row for row in rows if row["kind"] == "real"]
    held_out = sum(row["held_out"] == "1" for row in real)
    counts = (
        f"{len(rows):,} files: {kinds['real']:,} real kicks of {len({row['source'] for row in real})} sources, of which "
        f"{held_out} are held out, {kinds['augmented']:,} augmented copies of the others, and {kinds['synth']:,} "
        "synthesised kicks."
    )
    return {
        "sources": f"{counts}\n\n{render_sources(rows)}",
        "licences": render_licences(real),
        "credits": render_credits(real),
        "claimed": render_claimed(real, evidence),
        "left out": render_left_out(left_out),
    }


def render_sources(rows: list[dict[str, str]]) -> str:
    lines = []
    for source in sorted({row["source"] for row in rows if row["kind"] != "synth"}, key=str.lower):
        if source not in ORIGINS:
            raise CardError(f"no entry for the source {source}; add it to ORIGINS in scripts/release/data_card.py")
        here = [row for row in rows if row["source"] == source]
        kinds = Counter(row["kind"] for row in here)
        licences = "; ".join(sorted({row["licence"] for row in here}))
        use = "held out" if here[0]["held_out"] == "1" else "training"
        origin, what = ORIGINS[source]
        lines.append([source, what, kinds["real"], kinds["augmented"] or "-", use, licences, origin])
    synthesised = sum(row["kind"] == "synth" for row in rows)
    lines.append(
        [SYNTHESISER, "this project's synthesiser", "-", f"{synthesised:,} made", "training", "MIT", "this repository"]
    )
    head = ["source", "what it is", "real kicks", "copies", "use", "licence as stated there", "where"]
    return table(head, lines, "llrrlll")


def render_licences(real: list[dict[str, str]]) -> str:
    """Real kicks by licence, trained on and held out."""
    used = Counter(row["licence"] for row in real if row["held_out"] != "1")
    held_out = Counter(row["licence"] for row in real if row["held_out"] == "1")
    licences = sorted(used | held_out, key=lambda name: (-(used[name] + held_out[name]), name))
    rows = [[name, used[name] or "-", held_out[name] or "-"] for name in licences]
    return table(["licence", "kicks to train on", "held out"], rows)


def render_credits(real: list[dict[str, str]]) -> str:
    """Whom to name, for every source that has kicks under a licence that asks for it."""
    sources = {row["source"] for row in real}
    lines = {f"- `{source}`: {credit}" for source, credit in WISHES.items() if source in sources}
    for source, licence in sorted({(row["source"], row["licence"]) for row in real}):
        asking = next((name for name in ASKING if licence.startswith(name)), None)
        if asking is None:
            continue
        credit = next((text for (name, of), text in CREDITS.items() if name == source and licence.startswith(of)), None)
        if credit is None:
            raise CardError(
                f"no credit for {source} under {licence}; add it to CREDITS in scripts/release/data_card.py"
            )
        lines.add(f"- `{source}`: {credit}")
    return "\n".join(sorted(lines, key=str.lower))


def render_claimed(real: list[dict[str, str]], evidence: Mapping[str, dict[str, str]]) -> str:
    """Kicks whose licence is someone's statement, without a trace of who recorded them."""
    claimed = Counter(
        (row["source"], row["licence"], evidence[row["original"]]["licence_evidence"])
        for row in real
        if evidence[row["original"]]["licence_class"] != "clear"
    )
    rows = [[source, count, licence, text] for (source, licence, text), count in sorted(claimed.items())]
    total = f"{sum(claimed.values())} of {len(real)} real kicks."
    return f"{total}\n\n{table(['source', 'kicks', 'licence', 'what it rests on'], rows, 'lrll')}"


def render_left_out(reasons: Sequence[str]) -> str:
    counts = Counter(reason.split(": correlates")[0] for reason in reasons)
    rows = [[reason, count] for reason, count in counts.most_common()]
    return table(["reason", "kicks"], rows) if rows else "Nothing was left out."


if __name__ == "__main__":
    sys.exit(main())
