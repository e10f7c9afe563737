"""Renders what was measured into MODEL_CARD.md, and its five headline numbers into README.md, so that none is typed.

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

from kickpipe.audio.defects import DEFECTS
from kickpipe.evaluation.answers import NoAnswer
from kickpipe.evaluation.measures import (
    DESCRIPTOR_MEASURES,
    DISTANCES,
    KEYWORD_SCORES,
    NOTHING,
    ROUND_TRIPS,
    SETS,
    TRIPS,
    Measure,
    defect_label,
    number,
    percent,
)
from kickpipe.evaluation.registry import EMBEDDINGS
from kickpipe.evaluation.summary import kernel_ratio, keyword_mean
from scripts.release.card_sections import CardError, fill, table
from scripts.release.headlines import render_headlines

ROOT = Path(__file__).resolve().parents[2]
COMPARED = ("generated", "training", "synthesiser", "floor")
IN_README = ("headlines",)
MODELS = {"train_vae": "VAE", "train_texture": "texture", "train_diffusion": "diffusion", "train_vocoder": "vocoder"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the project")
    parser.add_argument("--card", type=Path, help="file to fill (default: MODEL_CARD.md of the project)")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if something would change")
    options = parser.parse_args(arguments)
    card, readme = options.card or options.root / "MODEL_CARD.md", options.root / "README.md"
    try:
        sections = render(options.root)
        changed = [card] if fill(card, sections, write=not options.check) else []
        shared = {name: sections[name] for name in IN_README if name in sections}
        if readme.is_file() and fill(readme, shared, write=not options.check):
            changed.append(readme)
    except CardError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check and changed:
        print(f"{', '.join(map(str, changed))}: not up to date; run scripts/release/model_card.py", file=sys.stderr)
    return int(options.check and bool(changed))


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
    if has(root, "metrics/evaluate_details.json"):
        details = read(root / "metrics/evaluate_details.json")
        guidance = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))["evaluate"]["guidance"]
        sections |= {"measured": render_measured(details), "targets": render_targets(details, guidance)}
        sections["headlines"] = render_headlines(details, guidance)
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
        rows.append([MODELS[name], step, terms or NOTHING])
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
    for name, values in found["embeddings"].items():
        rows = [
            [
                f"{measure.with_unit()} ({measure.better} is better)",
                *(spread(measure, values[key].get(kind)) for kind in COMPARED),
            ]
            for key, measure in DISTANCES.items()
            if key in values
        ]
        embedding = next((f"{item.label}: {item.hint}" for item in EMBEDDINGS if item.name == name), name)
        parts += [f"Embedding {embedding}.", table(["measure", *(SETS[kind] for kind in COMPARED)], rows)]
    return "\n\n".join(parts)


def spread(measure: Measure, value: dict[str, float] | None) -> str:
    if not value:
        return measure.format(None)
    return f"{measure.format(value['median'])} ({measure.format(value['low'])} to {measure.format(value['high'])})"


def descriptors(details: dict[str, Any]) -> str | None:
    if not (found := at(details, "distances.descriptors")):
        return None
    rows = []
    for name, sets in found.items():
        measure = DESCRIPTOR_MEASURES[name]
        values = (measure.format(at(sets, f"{kind}.median")) for kind in COMPARED)
        rows.append([measure.with_unit(), *values])
    head = ["descriptor", *(SETS[kind] for kind in COMPARED)]
    return f"Wasserstein-1 distance, in the descriptor's unit.\n\n{table(head, rows)}"


def defects(details: dict[str, Any]) -> str | None:
    kinds = ("generated", "heldout", "training")
    if not at(details, "defects.generated"):
        return None
    rows = []
    for name in ("any", *DEFECTS):
        label = f"{defect_label(name)}: {DEFECTS[name]}" if name in DEFECTS else defect_label(name)
        rows.append([label, *(percent(at(details, f"defects.{kind}.{name}")) for kind in kinds)])
    return table(["defect", *(SETS[kind] for kind in kinds)], rows)


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
    trips = {name: about for name, about in TRIPS.items() if name in found}
    measures = {name: measure for name, measure in ROUND_TRIPS.items() if any(name in found[trip] for trip in trips)}
    rows = []
    for trip, about in trips.items():
        cells = []
        for name, measure in measures.items():
            worst = "p10" if measure.better == "higher" else "p90"
            mean, tenth = (measure.format(at(found[trip], f"{name}.{part}")) for part in ("mean", worst))
            cells.append(f"{mean} ({tenth})")
        rows.append([f"{about.label}: {about.hint}", *cells])
    mel = f"log-mel error of the VAE: {number(at(found, 'mel.l1.mean'))} nats, {number(at(found, 'mel.db.mean'))} dB"
    head = ["trip", *(measure.with_unit() for measure in measures.values())]
    return f"{found['number']} kicks; {mel}. Mean, in brackets the worst tenth.\n\n{table(head, rows)}"


def keywords(details: dict[str, Any]) -> str | None:
    if not (found := details.get("keywords")):
        return None
    top1 = KEYWORD_SCORES["top1"]
    levels = list(next(iter(found.values()))["guidance"])
    head = ["keyword", "real kicks", "top-1 of real kicks", "unprompted", *(f"guidance {level}" for level in levels)]
    rows = []
    for word, result in found.items():
        scores = [top1.format(at(result, f"{name}.top1")) for name in ("ceiling", "base")]
        prompted = [top1.format(result["guidance"][level]["top1"]) for level in levels]
        rows.append([word, number(result["real"]), *scores, *prompted])
    return f"{top1.label}: {top1.hint}.\n\n{table(head, rows)}"


def render_targets(details: dict[str, Any], guidance: float) -> str:
    """What the release was to reach, and whether it does; the keywords at the tested guidance nearest to ``guidance``."""
    measures: dict[str, Any] = next(iter((at(details, "distances.embeddings") or {}).values()), {})
    try:
        ratio = kernel_ratio(details, details["reasons"])
    except NoAnswer:
        ratio = None
    coverage, target = (at(measures, f"coverage.{kind}.median") for kind in ("generated", "training"))
    words = keyword_mean(details, "top1", guidance, acoustic=True)
    trips = details.get("round_trips") or {}

    def mean(path: str) -> float | None:
        return at(trips, f"{path}.mean")

    checks = [
        ("kernel distance, as a multiple of the training kicks'", ratio, 1.5, "at most", number),
        ("coverage, as a share of the training kicks'", coverage and target and coverage / target, 0.7, "at least", percent),
        ("share of kicks with any defect", at(details, "defects.generated.any"), 0.02, "at most", percent),
        ("share of copies", at(details, "copies.generated.share"), 0.005, "at most", percent),
        ("top-1 of keywords with an acoustic meaning", words, 0.7, "at least", percent),
        ("VAE + Griffin-Lim, convergence: at most 1.5 times Griffin-Lim's", mean("vae_griffin_lim.convergence"),
         (gl := mean("griffin_lim.convergence")) and 1.5 * gl, "at most", number),
        ("vocoder, convergence: below Griffin-Lim's", mean("vocoder.convergence"), gl, "at most", number),
        ("vocoder, correlation below 150 Hz: above Griffin-Lim's", mean("vocoder.low_correlation"),
         mean("griffin_lim.low_correlation"), "at least", number),
        ("vocoder, onset error in ms: below Griffin-Lim's", mean("vocoder.onset_error_ms"),
         mean("griffin_lim.onset_error_ms"), "at most", number),
        ("vocoder, tail in dBFS where the original is silent", mean("vocoder.tail_db"), -60.0, "at most", number),
    ]  # fmt: skip
    rows = [
        [text, f"{how} {show(bound)}", show(value), verdict(value, bound, how)]
        for text, value, bound, how, show in checks
    ]
    return table(["aim", "bound", "measured", "reached"], rows, "lrrl")


def verdict(value: float | None, bound: float | None, how: str) -> str:
    if value is None or bound is None:
        return "not measured"
    return "yes" if (value <= bound if how == "at most" else value >= bound) else "**no**"


if __name__ == "__main__":
    sys.exit(main())
