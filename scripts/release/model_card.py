"""Renders what was measured into MODEL_CARD.md, so that no number in it is typed.

    python -m scripts.release.model_card            from release.json, params.yaml and metrics/
    python -m scripts.release.model_card --check    only says whether the card is up to date

A section whose source does not exist yet stays as it is.
"""

__all__ = ["main", "render"]

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from kickpipe.evaluation.defects import DEFECTS
from kickpipe.evaluation.registry import EMBEDDINGS
from scripts.release.card_sections import CardError, fill, number, percent, table

ROOT = Path(__file__).resolve().parents[2]
SETS = {
    "generated": "generated",
    "training": "training kicks",
    "synthesiser": "synthesiser",
    "floor": "real against real",
}
DISTANCES = {
    "kernel": "kernel distance (lower is better)",
    "frechet": "Fréchet distance (lower)",
    "precision": "precision (higher)",
    "recall": "recall (higher)",
    "density": "density (higher)",
    "coverage": "coverage (higher)",
}
TRIPS = {
    "griffin_lim": "real mel, plain Griffin-Lim (64 iterations)",
    "retrieved": "real mel, low band retrieved, 16 Griffin-Lim iterations",
    "hifigan": "real mel, HiFi-GAN alone",
    "vocoder": "real mel, vocoder (HiFi-GAN, low band retrieved, 4 iterations)",
    "vae_griffin_lim": "VAE, plain Griffin-Lim",
    "vae_retrieved": "VAE, low band retrieved, Griffin-Lim",
    "vae_hifigan": "VAE, HiFi-GAN alone",
    "vae_vocoder": "VAE, vocoder",
}
MODELS = {"train_vae": "VAE", "train_diffusion": "diffusion", "train_vocoder": "vocoder"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the project")
    parser.add_argument("--card", type=Path, help="file to fill (default: MODEL_CARD.md of the project)")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if something would change")
    options = parser.parse_args(arguments)
    card = options.card or options.root / "MODEL_CARD.md"
    try:
        changed = fill(card, render(options.root), write=not options.check)
    except CardError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check and changed:
        print(f"{card}: not up to date; run scripts/release/model_card.py", file=sys.stderr)
    return int(options.check and changed)


def render(root: Path) -> dict[str, str]:
    """The sections whose sources are there, by name."""
    sections = {}
    if (root / "release.json").is_file():
        sections["files"] = render_files(read(root / "release.json"))
    curves = {name: read(root / "metrics" / f"{name}.json") for name in MODELS if has(root, f"metrics/{name}.json")}
    if curves:
        sections["training"] = render_training(curves)
        specified = yaml.safe_load((root / "presets" / "specification.yaml").read_text(encoding="utf-8"))
        run = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
        sections["settings"] = render_settings(specified, run)
    if has(root, "metrics/evaluate.json") and has(root, "metrics/evaluate_details.json"):
        summary, details = read(root / "metrics/evaluate.json"), read(root / "metrics/evaluate_details.json")
        sections |= {"measured": render_measured(details), "targets": render_targets(summary, details)}
    return sections


def has(root: Path, name: str) -> bool:
    return (root / name).is_file()


def read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CardError(f"{path}: {error}") from None


def at(values: Any, path: str) -> Any:
    """A value of nested dictionaries, None where it is missing."""
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def render_files(release: dict[str, Any]) -> str:
    head = ["file", "step", "parameters", "MB", "SHA-256"]
    rows = [
        [f"`{f['file']}`", number(f["step"]), number(f["parameters"]), f"{f['bytes'] / 1e6:.1f}", f"`{f['sha256']}`"]
        for f in release["files"]
    ]
    return f"{release['name']}, version {release['version']}.\n\n{table(head, rows, 'lrrrl')}"


def render_training(curves: dict[str, dict[str, Any]]) -> str:
    """The last row of each training's curves."""
    rows = []
    for name, values in curves.items():
        step = number(values.get("step"))
        terms = ", ".join(f"{key} {number(value)}" for key, value in values.items() if key.startswith("val_"))
        rows.append([MODELS[name], step, terms or "-"])
    return table(["model", "step", "at the end, on held-out kicks"], rows, "lrl")


def render_settings(specified: dict[str, Any], run: dict[str, Any]) -> str:
    """What was run otherwise than specified."""
    rows = [
        [f"`{section}.{name}`", written(value), written(run[section][name])]
        for section, values in specified.items()
        for name, value in values.items()
        if run.get(section, {}).get(name) != value and name in run.get(section, {})
    ]
    if not rows:
        return "Everything was run as specified."
    return table(["hyperparameter", "specified", "run"], rows, "lrr")


def written(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def render_measured(details: dict[str, Any]) -> str:
    """All tables of the evaluation; a table that was not measured says why."""
    kicks = details["kicks"]
    parts = [
        f"{kicks['generated']:,} kicks were generated; held against {kicks['heldout']:,} held-out real kicks, "
        f"{kicks['training']:,} real kicks of the training sources and {kicks['synthesised']:,} of the synthesiser.",
        section("Distances to held-out kicks", distances(details), details, "distances"),
        section("How far descriptors lie from those of held-out kicks", descriptors(details), details, "distances"),
        section("Defects, share of kicks", defects(details), details, "defects"),
        section("Copies of training kicks", copies(details), details, "copies"),
        section("Round trips of held-out kicks", round_trips(details), details, "round_trips"),
        section("Keywords", keywords(details), details, "keywords"),
    ]
    return "\n\n".join(parts)


def section(title: str, content: str | None, details: dict[str, Any], name: str) -> str:
    if content is None:
        reasons = [reason for key, reason in details.get("reasons", {}).items() if key.startswith(name)]
        content = f"Not measured: {'; '.join(reasons) or 'no reason noted'}."
    return f"**{title}**\n\n{content}"


def distances(details: dict[str, Any]) -> str | None:
    if not (found := details.get("distances")):
        return None
    parts = [f"{found['number']} kicks on each side, {found['draws']} draws: median (lowest to highest)."]
    for name, measures in found["embeddings"].items():
        rows = [
            [text, *(spread(measures[measure].get(kind)) for kind in SETS)]
            for measure, text in DISTANCES.items()
            if measure in measures
        ]
        label = next((item.label for item in EMBEDDINGS if item.name == name), name)
        parts.append(table([f"measure, embedding {label}", *SETS.values()], rows))
    return "\n\n".join(parts)


def spread(value: dict[str, float] | None) -> str:
    return "-" if not value else f"{number(value['median'])} ({number(value['low'])} to {number(value['high'])})"


def descriptors(details: dict[str, Any]) -> str | None:
    if not (found := at(details, "distances.descriptors")):
        return None
    rows = [[f"`{name}`", *(number(at(sets, f"{kind}.median")) for kind in SETS)] for name, sets in found.items()]
    return f"Wasserstein-1 distance, in the descriptor's unit.\n\n{table(['descriptor', *SETS.values()], rows)}"


def defects(details: dict[str, Any]) -> str | None:
    kinds = {"generated": "generated", "heldout": "held-out real", "training": "training"}
    if not at(details, "defects.generated"):
        return None
    meanings = {"any": "any of them", **DEFECTS}
    rows = [[f"`{name}`: {text}", *(percent(at(details, f"defects.{kind}.{name}")) for kind in kinds)]
            for name, text in meanings.items()]  # fmt: skip
    return table(["defect", *kinds.values()], rows)


def copies(details: dict[str, Any]) -> str | None:
    if not (found := details.get("copies")):
        return None
    shares = [percent(at(found, f"{kind}.share")) for kind in ("generated", "heldout")]
    return (
        f"Near-copies: {shares[0]} of the generated kicks, {shares[1]} of the held-out ones. Distance to the nearest "
        f"training kick, relative to that of held-out kicks: {number(found.get('ratio'))} (1: no nearer than unheard kicks)."
    )


def round_trips(details: dict[str, Any]) -> str | None:
    if not (found := details.get("round_trips")):
        return None
    columns = {
        "convergence": "convergence.mean",
        "log magnitude": "log_magnitude.mean",
        "correlation below 150 Hz": "low_correlation.mean",
        "in either polarity": "low_correlation_unsigned.mean",
        "onset error, ms": "onset_error_ms.mean",
        "its 90th percentile": "onset_error_ms.p90",
        "decay error, ms": "decay_error_ms.mean",
        "tail, dBFS": "tail_db.mean",
    }
    head, measures = ["trip", *columns], columns.values()
    rows = [
        [text, *(number(at(found[trip], name)) for name in measures)] for trip, text in TRIPS.items() if trip in found
    ]
    mel = f"log-mel error of the VAE: {number(at(found, 'mel.l1.mean'))} nats, {number(at(found, 'mel.db.mean'))} dB"
    return f"{found['number']} kicks; {mel}.\n\n{table(head, rows)}"


def keywords(details: dict[str, Any]) -> str | None:
    if not (found := details.get("keywords")):
        return None
    levels = list(next(iter(found.values()))["guidance"])
    head = ["keyword", "real kicks", "top-1 of real kicks", "unprompted", *(f"guidance {level}" for level in levels)]
    rows = []
    for word, result in found.items():
        scores = [percent(at(result, f"{name}.top1")) for name in ("ceiling", "base")]
        prompted = [percent(result["guidance"][level]["top1"]) for level in levels]
        rows.append([word, number(result["real"]), *scores, *prompted])
    return f"Top-1: share of kicks whose nearest real kick has the keyword.\n\n{table(head, rows)}"


def render_targets(summary: dict[str, Any], details: dict[str, Any]) -> str:
    """What the release was to reach, and whether it does."""
    trips = details.get("round_trips") or {}
    target = at(summary, "coverage_train")
    gl, vocoder, vae = (at(trips, f"{trip}.convergence.mean") for trip in ("griffin_lim", "vocoder", "vae_griffin_lim"))
    onset, gl_onset = (at(trips, f"{trip}.onset_error_ms.mean") for trip in ("vocoder", "griffin_lim"))
    kad, kad_train = summary.get("kad"), summary.get("kad_train")
    checks = [
        ("kernel distance, at most 1.5 times that of training kicks", kad, kad_train and 1.5 * kad_train, "at most"),
        (
            "coverage, at least 0.7 of that of training kicks",
            summary.get("coverage"),
            target and 0.7 * target,
            "at least",
        ),
        ("share of kicks with any defect", summary.get("defects"), 0.02, "at most"),
        ("share of near-copies", summary.get("copies"), 0.005, "at most"),
        ("top-1 of keywords with an acoustic meaning", summary.get("top1_words"), 0.7, "at least"),
        ("VAE and Griffin-Lim, convergence: at most 1.5 times Griffin-Lim alone", vae, gl and 1.5 * gl, "at most"),
        ("vocoder, convergence: below Griffin-Lim", vocoder, gl, "at most"),
        (
            "vocoder, correlation below 150 Hz: above Griffin-Lim",
            summary.get("voc_low"),
            summary.get("gl_low"),
            "at least",
        ),
        ("vocoder, onset error in ms: below Griffin-Lim", onset, gl_onset, "at most"),
        ("vocoder, tail in dBFS where the original is silent", summary.get("voc_tail"), -60.0, "at most"),
    ]
    rows = [
        [text, f"{how} {number(bound)}", number(value), verdict(value, bound, how)]
        for text, value, bound, how in checks
    ]
    return table(["aim", "bound", "measured", "reached"], rows, "lrrl")


def verdict(value: float | None, bound: float | None, how: str) -> str:
    if value is None or bound is None:
        return "not measured"
    return "yes" if (value <= bound if how == "at most" else value >= bound) else "**no**"


if __name__ == "__main__":
    sys.exit(main())
