"""The page of an evaluation: listen first, then the numbers, then what they were made from."""

__all__ = ["build"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kickpipe.evaluation.measures import HEADLINE, TRIPS, number, percent
from kickpipe.evaluation.report.charts import curve_charts, descriptor_charts
from kickpipe.evaluation.report.origin import left_out_table
from kickpipe.evaluation.report.page import (
    Block,
    Cell,
    Charts,
    Page,
    Pairs,
    Row,
    Section,
    Table,
    Text,
    Tile,
    Trips,
    render,
)
from kickpipe.evaluation.report.sounds import Sound, audible_seconds, show
from kickpipe.evaluation.report.tables import (
    copies_table,
    defects_table,
    descriptor_table,
    distance_tables,
    keyword_table,
    round_trip_table,
    word_table,
)

if TYPE_CHECKING:
    from kickpipe.evaluation.evaluate import Evaluation

NUM_PAIRS, NUM_TRIPS = 24, 6


def build(
    evaluation: "Evaluation",
    out: str | Path,
    *,
    curves: Mapping[str, Path],
    left_out: Sequence[Path],
    params: str,
    commit: str,
    models: Mapping[str, str],
) -> None:
    """Writes the page.

    Arguments:
        curves: CSV files of the trainings by their titles; those that do not exist are left out.
        left_out: CSV files with path, reason and detail of what was left out of the library.
        params: Text of params.yaml.
        commit: Of the code, for people.
        models: Hash of each model file by kind.
    """
    details = evaluation.details
    sections = [
        Section(
            "listen",
            "Listen",
            f"The first {min(NUM_PAIRS, len(evaluation.generated))} generated kicks, none picked, each beside the training "
            "kick that is nearest to it. Play one, then step through all with the arrow keys.",
            [Pairs(pairs(evaluation))],
        ),
        trip_section(evaluation),
        distance_section(evaluation),
        Section(
            "defects",
            "Defects",
            "What is audibly wrong, as shares of the kicks. Real libraries have some, too.",
            [defects_table(details["defects"])],
        ),
        memory_section(details["copies"]),
        keyword_section(details),
        Section("training", "Training", "", [*curve_charts(curves)]),
        Section("left-out", "Left out of the library", "", [left_out_table(left_out)]),
        origin_section(details, params, commit, models),
    ]
    kicks = details["kicks"]
    subtitle = (
        f"{kicks['generated']} generated kicks against {kicks['heldout']} held-out real ones; "
        f"trained on {kicks['trained_on']:,}. Commit {commit}."
    )
    filled = [section for section in sections if section.blocks]
    render(Page("How good are these kicks?", subtitle, tiles(evaluation.metrics, details["reasons"]), filled), out)


def tiles(metrics: dict[str, float | None], reasons: Mapping[str, str]) -> list[Tile]:
    """The five numbers, each with what it means or why there is none."""
    return [
        Tile(
            measure.label,
            measure.format(metrics[name]) + (measure.unit if metrics[name] is not None else ""),
            measure.hint if metrics[name] is not None else f"Not measured: {reasons[name]}.",
        )
        for name, measure in HEADLINE.items()
    ]


def pairs(evaluation: "Evaluation") -> list[tuple[str, Sequence[Sound]]]:
    """The first generated kicks, each with its nearest training kick, on the same time axis."""
    library, generated = evaluation.library, evaluation.generated
    rate = library.settings.sample_rate
    cards = []
    for i in range(min(NUM_PAIRS, len(generated))):
        kick = generated.waveforms[i]
        if not evaluation.nearest_training:
            seconds = audible_seconds(kick, rate)
            cards.append((generated.names[i], [show(kick, library.settings, seconds, "Generated", kind="generated")]))
            continue
        name, apart = evaluation.nearest_training[i]
        real = library.load(name)
        seconds = max(audible_seconds(kick, rate), audible_seconds(real, rate))
        cards.append(
            (
                generated.names[i],
                [
                    show(kick, library.settings, seconds, "Generated", f"{seconds:.2f} s shown", "generated"),
                    show(real, library.settings, seconds, f"Nearest, {number(apart)} dB", name),
                ],
            )
        )
    return cards


def trip_section(evaluation: "Evaluation") -> Section:
    """Round trips to hear, then their numbers."""
    trips, library = evaluation.round_trips, evaluation.library
    blocks: list[Block] = []
    text = evaluation.details["reasons"].get("round_trips", "")
    if trips is not None:
        rows = []
        for i in range(min(NUM_TRIPS, len(trips.names))):
            waveforms = {name: copies[i] for name, copies in trips.waveforms.items()}
            seconds = audible_seconds(waveforms["original"], library.settings.sample_rate)
            sounds = [show(waveforms.pop("original"), library.settings, seconds, "Original", f"{seconds:.2f} s shown")]
            sounds += [
                show(
                    waveform,
                    library.settings,
                    seconds,
                    TRIPS[name].label,
                    kind="copy" if "griffin" in name else "generated",
                )
                for name, waveform in waveforms.items()
            ]
            rows.append((trips.names[i], sounds))
        mel = trips.summary["mel"]
        text = (
            "Held-out kicks through the networks and back. "
            f"The VAE alone changes the log-mel by {number(mel['db']['mean'])} dB in the mean, "
            f"{number(mel['l1']['mean'])} nats."
        )
        blocks = [Trips(rows), round_trip_table(trips.summary)]
    return Section("round-trips", "Round trips", text, blocks)


def distance_section(evaluation: "Evaluation") -> Section:
    """Generated kicks against held-out ones, with baselines and floor, and the descriptors."""
    library, generated = evaluation.library, evaluation.generated
    distances = evaluation.details["distances"]
    sets = {
        "real": library.heldout.descriptors if len(library.heldout) else library.training.descriptors,
        "generated": generated.descriptors,
    }
    real = "held-out kicks" if len(library.heldout) else "training kicks"
    charts = Charts(descriptor_charts(sets), [("generated", "generated"), ("real", real)])
    blocks: list[Block] = [charts]
    text = f"Not compared: {evaluation.details['reasons'].get('distances', '')}"
    if distances is not None:
        blocks = [*distance_tables(distances, library.analyser.embeddings), descriptor_table(distances), charts]
        text = (
            "Against held-out real kicks, at equal numbers. The training kicks show what a model trained on them can be "
            "asked for, the synthesiser what can be had without training, and halves of the real kicks against each other "
            "what chance alone does."
        )
    return Section("distances", "Generated against real", text, blocks)


def memory_section(memory: dict[str, Any]) -> Section:
    """Near-copies, listed."""
    copies = memory["generated"]["pairs"]
    of_heldout = memory["heldout"]["share"]
    text = (
        f"Generated kicks lie {number(memory['ratio'])} times as far from the training kicks as held-out kicks do. "
        f"{percent(memory['generated']['share'])} repeat a training kick, confirmed on the waveform; of the held-out kicks, "
        f"{percent(of_heldout)} do, since libraries hold the same sample more than once."
    )
    blocks: list[Block] = [copies_table(copies)] if copies else [Text("No generated kick repeats a training kick.")]
    return Section("memory", "Memory", text, blocks)


def keyword_section(details: dict[str, Any]) -> Section:
    """Whether the words do what they say."""
    keywords = details["keywords"]
    if not keywords:
        return Section(
            "keywords", "Keywords", "", [Text(f"Not tested: {details['reasons'].get('keywords', 'none asked for')}.")]
        )
    text = "Kicks generated for a keyword should sit nearer to the real kicks that have it than to the rest."
    words = word_table(keywords)
    return Section("keywords", "Keywords", text, [keyword_table(keywords), *([words] if words else [])])


def origin_section(details: dict[str, Any], params: str, commit: str, models: Mapping[str, str]) -> Section:
    """What the numbers came from, and what is missing among them."""
    rows = [Row(f"{kind} model", "", [Cell(sha)]) for kind, sha in models.items()]
    blocks: list[Block] = [
        Table(["SHA-256"], [Row("Code", "commit", [Cell(commit)]), *rows]),
        Text(params, code=True, fold="params.yaml"),
    ]
    if details["reasons"]:
        text = "\n".join(f"{name}: {reason}" for name, reason in details["reasons"].items())
        blocks.append(Text(text, code=True, fold=f"{len(details['reasons'])} measures without an answer"))
    return Section("origin", "Made from", "", blocks)
